"""Videos that failed are called back: the next run tries them again, at once and as often as new ones."""

from collections.abc import Sequence
from pathlib import Path

from dashredact.audit import provenance
from dashredact.audit.events import NotMasked, Retried
from dashredact.errors import UsageError, did_you_mean
from dashredact.workspace import quarantine
from dashredact.workspace.index import FailureHistory, Index
from dashredact.workspace.output_folder import OutputFolder


def retry(folder: OutputFolder, inbox: Path, names: Sequence[str]) -> list[Path]:
    """Move what was quarantined back, and write down that each is to be tried again. Their paths come back.

    UsageError where the log knows no failure of such a name, or its file cannot be moved back. The decision lock is
    held.
    """
    index = Index(folder)
    failures = [_failures(folder, index, name) for name in names]
    for failed in failures:
        if failed.quarantined:
            quarantine.take_back(inbox, failed.quarantined, failed.name)
        index.append(_event(folder, failed.name))
    return [inbox / name for name in names]


def _failures(folder: OutputFolder, index: Index, name: str) -> FailureHistory:
    failed = index.failures(name)
    if failed is None:
        known = [one.name for one in index.all_failures()]
        listed = f"what failed: {', '.join(known)}" if known else "nothing that was tried has failed"
        raise UsageError(
            f"The log of {folder} knows no {name} that failed; {did_you_mean(name, known) or f'{listed}.'}"
        )
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
