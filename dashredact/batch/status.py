"""What an output folder waits for, by its log, its last run and its inbox: for people who ask."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashredact.audit.clips import Clips
from dashredact.batch import last_run
from dashredact.batch.inbox_run import InboxRules
from dashredact.batch.last_run import LastRun
from dashredact.pipeline.outcome import VideoStatus
from dashredact.workspace.index import FailureHistory, Index
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher

_ABANDONED = 86400.0  # seconds without a change after which nobody is uploading any more


@dataclass(frozen=True)
class Waiting:
    """One video that is not done."""

    name: str
    state: str
    reason: str = ""
    due: float | None = None
    """when it is tried again, seconds since 1970; None where people decide that"""


@dataclass(frozen=True)
class FolderStatus:
    last_run: LastRun | None
    waiting: list[Waiting]
    unreviewed: int
    """masked videos that need nobody, and that nobody has looked at"""


def status(folder: OutputFolder, inbox: Path | None) -> FolderStatus:
    """inbox: None: that of the last run, where there was one and it is still there."""
    run = last_run.read(folder)
    uploads = inbox or (Path(run.inbox) if run and Path(run.inbox).is_dir() else None)
    index = Index(folder, appends=False)
    clips = Clips.read(folder.events())
    waiting = [*_failed(index, run), *_for_review(clips)]
    waiting += _uploaded(uploads, folder, index, run) if uploads else ()
    unreviewed = sum(one.output is not None and not one.review and not one.review_required for one in clips)
    return FolderStatus(run, waiting, unreviewed)


def _failed(index: Index, run: LastRun | None) -> Iterator[Waiting]:
    rules = InboxRules(tries=run.tries, retry_after=run.retry_after) if run else InboxRules()
    for failures in index.all_failures():
        if failures.quarantined:
            yield Waiting(failures.name, f"in quarantine as {failures.quarantined}", failures.reason)
        elif failures.outcome == VideoStatus.REFUSED_BY_POLICY:
            yield Waiting(failures.name, failures.outcome, failures.reason)
        elif failures.tries >= rules.tries:
            yield Waiting(failures.name, f"given up after {failures.tries} tries", failures.reason)
        else:
            yield _retried(failures, rules)


def _retried(failures: FailureHistory, rules: InboxRules) -> Waiting:
    state = f"to be tried again, try {failures.tries + 1} of {rules.tries}"
    return Waiting(failures.name, state, failures.reason, rules.next_try(failures))


def _for_review(clips: Clips) -> Iterator[Waiting]:
    for clip in clips:
        if clip.review_required:
            yield Waiting(clip.name, "for a person", clip.tried.reason)


def _uploaded(inbox: Path, folder: OutputFolder, index: Index, run: LastRun | None) -> Iterator[Waiting]:
    contents = InboxWatcher(inbox, folder.path, run.settle if run else 0).scan()
    for upload in contents.complete:
        if index.result(upload.item.name) is None and index.failures(upload.item.name) is None:
            yield Waiting(upload.item.name, "to be masked by the next run")
    for upload in contents.incomplete:
        age = time.time() - upload.arrived
        state = "an upload that was given up" if age > _ABANDONED else "an upload that is not complete"
        yield Waiting(upload.item.name, state, due=upload.complete_at)
