"""One look into the inbox, and everything done that can be: for cron, where nobody watches.

Every upload ends as a verified output, or waits with a reason. What failed is retried with exponential back-off, and
given up after some tries: it is moved to quarantine then.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from dashredact.batch.batch import Batch
from dashredact.batch.summary import RunSummary, WaitReason
from dashredact.execute.pool import WorkerPool
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.progress import ProgressDisplay
from dashredact.workspace import quarantine
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import FailureHistory
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher, Upload

_SPARE_BYTES = 64 << 20  # left free beside what a video takes
_NEEDED = 2.5  # times a source's size: parts, assembled and finished file; the latter two are seldom as large


@dataclass(frozen=True)
class InboxRules:
    """How patient a run is."""

    tries: int = 3
    """after which a file is given up"""
    retry_after: float = 900.0
    """seconds before the second try; twice as long before each further one"""
    quarantine: bool = True
    """whether what is given up is moved"""
    most: int | None = None
    """videos that a run may take on"""
    seconds: float | None = None
    """after which a run takes on nothing more and ends between two segments"""

    def next_try(self, failures: FailureHistory) -> float:
        """Seconds since 1970."""
        return failures.last + self.retry_after * 2.0 ** (failures.tries - 1)


@dataclass(frozen=True)
class PlannedUpload:
    """What a run does about an upload."""

    upload: Upload
    reason: WaitReason | None = None
    """why it waits; None where it is masked now, or done"""
    done: bool = False
    due: float | None = None
    """when it is looked at again if it waits, seconds since 1970; None where people or other videos decide that"""
    failures: FailureHistory | None = None
    """of earlier tries under the same settings"""


class InboxRun:
    """One run over an inbox. The output folder is locked."""

    def __init__(
        self,
        inbox: Path,
        folder: OutputFolder,
        batch: Batch,
        pool: WorkerPool,
        watcher: InboxWatcher,
        progress: ProgressDisplay,
        rules: InboxRules,
    ) -> None:
        self._inbox, self._folder, self._batch, self._pool = inbox, folder, batch, pool
        self._watcher, self._progress, self._rules = watcher, progress, rules
        self.summary = RunSummary()

    def plan(self) -> list[PlannedUpload]:
        """What there is to do and what waits, oldest first. Changes nothing."""
        contents, planned, taken = self._watcher.look(), [], 0
        for upload in contents.complete:
            one = self._plan(upload, full=self._rules.most is not None and taken >= self._rules.most)
            taken += one.reason is None and not one.done
            planned.append(one)
        return planned + [PlannedUpload(one, WaitReason.GROWING, due=one.complete_at) for one in contents.growing]

    def _plan(self, upload: Upload, *, full: bool) -> PlannedUpload:
        """full: whether this run has as many videos as it may take on."""
        if self._batch.is_done(upload.item):
            return PlannedUpload(upload, done=True)
        failures = self._batch.failures_of(upload.item)
        if failures and failures.outcome == VideoStatus.REFUSED_BY_POLICY:
            return PlannedUpload(upload, WaitReason.REFUSED_BY_POLICY, failures=failures)
        if failures and failures.tries >= self._rules.tries:
            return PlannedUpload(upload, WaitReason.GIVEN_UP, failures=failures)
        if failures and time.time() < (due := self._rules.next_try(failures)):
            return PlannedUpload(upload, WaitReason.RETRY, due=due, failures=failures)
        return PlannedUpload(upload, WaitReason.NEXT_RUN if full else None, failures=failures)

    def outcomes(self) -> Iterator[Outcome]:
        """Everything that can be done now, oldest first; the summary tells the rest when it is over."""
        began = time.monotonic()
        chosen: list[Upload] = []
        waiting: list[Upload] = []
        try:
            with self._time_limit():
                for planned in self.plan():
                    if planned.done:
                        self.summary.outcomes[VideoStatus.SKIPPED] += 1
                    elif planned.reason is None:
                        chosen.append(planned.upload)
                    else:
                        self._wait(planned)
                        waiting.append(planned.upload)
                yield from self._mask(chosen, waiting)
            self.summary.needs_review = self._batch.needs_review()
        finally:
            self.summary.seconds = time.monotonic() - began
            self.summary.quarantined = len(self._batch.index.quarantined())
            self.summary.oldest_waiting = max((time.time() - upload.arrived for upload in waiting), default=0.0)

    def _mask(self, uploads: Sequence[Upload], waiting: list[Upload]) -> Iterator[Outcome]:
        """waiting: gets those that still wait afterwards."""
        by_name = {upload.item.name: upload for upload in uploads}
        self._progress.start({name: upload.size for name, upload in by_name.items()})
        for outcome in self._batch.run([upload.item for upload in uploads], self._no_room):
            self._progress.video_done(outcome.name)
            self.summary.count(outcome)
            if left := self._left(outcome, by_name[outcome.name]):
                self._wait(left)
                waiting.append(left.upload)
            yield outcome

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Let the workers finish their segments and take on nothing more when the time of the run is over."""
        timer = Timer(self._rules.seconds, self._pool.stop) if self._rules.seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer:
                timer.cancel()

    def _no_room(self, item: Item) -> str:
        needed = item.source.stat().st_size * _NEEDED + _SPARE_BYTES if item.source.is_file() else 0
        free = shutil.disk_usage(self._folder.path).free
        if free >= needed:
            return ""
        self.summary.short_of_room = True
        left, wanted = (f"{size / 2**30:.1f} GiB" for size in (free, needed))
        return f"{item.name}: waits, for the disk of {self._folder} has {left} left and it may take {wanted}."

    def _left(self, outcome: Outcome, upload: Upload) -> PlannedUpload | None:
        """How the upload waits after it was tried; None where it does not."""
        if outcome.status is VideoStatus.WAITING:
            return PlannedUpload(upload, WaitReason.NEXT_RUN)
        failures = self._batch.index.failures(outcome.name)
        if failures is None:
            return None
        if outcome.status is VideoStatus.REFUSED_BY_POLICY:
            return PlannedUpload(upload, WaitReason.REFUSED_BY_POLICY, failures=failures)
        if failures.tries >= self._rules.tries:
            return PlannedUpload(upload, WaitReason.GIVEN_UP, failures=failures)
        return PlannedUpload(upload, WaitReason.RETRY, due=self._rules.next_try(failures), failures=failures)

    def _wait(self, planned: PlannedUpload) -> None:
        assert planned.reason is not None
        self.summary.wait(planned.reason, planned.due)
        if planned.reason is WaitReason.GIVEN_UP and planned.failures:
            self._quarantine(planned.upload.item, planned.failures)

    def _quarantine(self, item: Item, failures: FailureHistory) -> None:
        """Move it, where that is wanted and possible; where not, it is left alone until it changes."""
        if not self._rules.quarantine:
            return
        with suppress(OSError):
            moved_to = quarantine.put(self._inbox, item.source, failures.reason)
            self._batch.note_quarantined(item, failures.reason, moved_to)
