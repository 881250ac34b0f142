"""Failed videos are retried: the next run tries them again, at once and as often as new ones."""

from collections.abc import Sequence
from pathlib import Path

from dashredact.audit import provenance
from dashredact.audit.events import NotMasked, Retried
from dashredact.errors import UsageError, did_you_mean
from dashredact.workspace import quarantine
from dashredact.workspace.index import FailureHistory, Index
from dashredact.workspace.output_folder import OutputFolder


def retry(folder: OutputFolder, inbox: Path, names: Sequence[str]) -> list[Path]:
    """Move quarantined files back, and append to the log that each is to be tried again; returns their paths.

    UsageError where the log has no failure of a name, or its file cannot be moved back. The caller holds the decision
    lock.
    """
    index = Index(folder)
    failures = [_failures(folder, index, name) for name in names]
    for failed in failures:
        if failed.quarantined:
            quarantine.restore(inbox, failed.quarantined, failed.name)
        index.append(_event(folder, failed.name))
    return [inbox / name for name in names]


def _failures(folder: OutputFolder, index: Index, name: str) -> FailureHistory:
    failed = index.failures(name)
    if failed is None:
        names = [failure.name for failure in index.all_failures()]
        listed = f"what failed: {', '.join(names)}" if names else "nothing that was tried has failed"
        raise UsageError(f"The log of {folder} has no failed video {name}; {did_you_mean(name, names) or f'{listed}.'}")
    return failed


def _event(folder: OutputFolder, name: str) -> Retried:
    """Under the settings of the try that failed."""
    failed = [event for event in folder.events() if isinstance(event, NotMasked) and event.name == name][-1]
    return Retried(
        **provenance.fields(),
        source=failed.source,
        policy=failed.policy,
        model=failed.model,
        settings=failed.settings,
        fingerprint=failed.fingerprint,
        reason=f"{name}: to be tried again.",
    )
