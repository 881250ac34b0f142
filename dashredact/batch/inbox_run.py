"""One unattended run over an inbox, for cron.

Every upload ends as a verified output, or waits with a reason. Failures are retried with exponential back-off; after
some tries they are given up and quarantined. What is refused is given up at once: it takes people to change that.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

_SPARE_BYTES = 64 << 20  # kept free in addition to what a video needs
_SPACE_FACTOR = 2.5  # of a source's size: parts, assembled and finished file; the last two are seldom as large


@dataclass(frozen=True)
class InboxRules:
    """Limits of a run, and when it retries."""

    tries: int = 3
    """after which a file is given up"""
    retry_after: float = 900.0
    """seconds before the second try; twice as long before each further one"""
    quarantine: bool = True
    """whether a file that is given up is moved out of the way; else it stays where it is"""
    max_videos: int | None = None
    """that a run may begin"""
    seconds: float | None = None
    """after which a run begins no further video and stops between two segments"""

    def gives_up(self, failures: FailureHistory) -> bool:
        return failures.outcome == VideoStatus.REFUSED or failures.tries >= self.tries

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
        contents, planned, taken = self._watcher.scan(), [], 0
        self.summary.passed_over = contents.passed_over
        for upload in contents.complete:
            one = self._plan(upload, full=self._rules.max_videos is not None and taken >= self._rules.max_videos)
            taken += one.reason is None and not one.done
            planned.append(one)
        return planned + [PlannedUpload(one, WaitReason.GROWING, due=one.complete_at) for one in contents.incomplete]

    def _plan(self, upload: Upload, *, full: bool) -> PlannedUpload:
        """full: whether this run has as many videos as it may begin."""
        if self._batch.is_done(upload.item):
            return PlannedUpload(upload, done=True)
        failures = self._batch.failures_of(upload.item)
        if failures and failures.outcome == VideoStatus.REFUSED_BY_POLICY:
            return PlannedUpload(upload, WaitReason.REFUSED_BY_POLICY, failures=failures)
        if failures and self._rules.gives_up(failures):
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
                    elif self._waits(planned):
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
        for outcome in self._batch.run([upload.item for upload in uploads], self._no_space):
            self._progress.video_done(outcome.name)
            self.summary.count(outcome)
            left = self._left(outcome, by_name[outcome.name])
            if left and self._waits(left):
                waiting.append(left.upload)
            yield outcome

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Let the workers finish their segments and begin nothing more when the time of the run is over."""
        timer = Timer(self._rules.seconds, self._pool.stop) if self._rules.seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            if timer:
                timer.cancel()

    def _no_space(self, item: Item) -> str:
        """Why it has to wait for space on the disk; empty where there is enough."""
        needed = item.source.stat().st_size * _SPACE_FACTOR + _SPARE_BYTES if item.source.is_file() else 0
        free = shutil.disk_usage(self._folder.path).free
        if free >= needed:
            return ""
        self.summary.short_of_space = True
        available, wanted = (f"{size / 2**30:.1f} GiB" for size in (free, needed))
        return f"{item.name}: waits, because the disk of {self._folder} has {available} free and it may need {wanted}."

    def _left(self, outcome: Outcome, upload: Upload) -> PlannedUpload | None:
        """How the upload waits after it was tried; None where it does not."""
        if outcome.status is VideoStatus.WAITING:
            return PlannedUpload(upload, WaitReason.NEXT_RUN)
        failures = self._batch.index.failures(outcome.name)
        if failures is None:
            return None
        if outcome.status is VideoStatus.REFUSED_BY_POLICY:
            return PlannedUpload(upload, WaitReason.REFUSED_BY_POLICY, failures=failures)
        if self._rules.gives_up(failures):
            return PlannedUpload(upload, WaitReason.GIVEN_UP, failures=failures)
        return PlannedUpload(upload, WaitReason.RETRY, due=self._rules.next_try(failures), failures=failures)

    def _waits(self, planned: PlannedUpload) -> bool:
        """Count it; False for one that could be quarantined, which is counted there."""
        assert planned.reason is not None
        failures = planned.failures if planned.reason is WaitReason.GIVEN_UP else None
        if failures and self._quarantine(planned.upload.item, failures):
            return False
        self.summary.wait(planned.reason, planned.due)
        return True

    def _quarantine(self, item: Item, failures: FailureHistory) -> bool:
        """Move it, where the rules say so and it is possible; where not, it is skipped until it changes."""
        if not self._rules.quarantine:
            return False
        try:
            moved_to = quarantine.put(self._inbox, item.source, failures.reason)
        except OSError:
            return False
        self._batch.note_quarantined(item, failures.reason, moved_to)
        return True
