"""One unattended run over an inbox, for cron.

Every upload ends as a verified output, or waits with a reason. Failures are retried with exponential back-off, then
quarantined.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

from dashredact.batch.batch import Batch
from dashredact.execute.pool import WorkerPool
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.progress import ProgressDisplay
from dashredact.text import rough_time
from dashredact.workspace import quarantine
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import FailureHistory
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxContents, InboxWatcher, Upload

_SPARE_BYTES = 64 << 20  # kept free in addition to what a video needs
_SPACE_FACTOR = 2.5  # of a source's size: parts, assembled and finished file; the last two are seldom as large


@dataclass(frozen=True)
class InboxRules:
    """Limits of a run, and when it retries."""

    tries: int = 3
    """after which a file is quarantined"""
    retry_after: float = 900.0
    """seconds before the second try; twice as long before each further one"""
    quarantine: bool = True
    """whether a quarantined file is moved out of the way; else it stays where it is"""
    max_videos: int | None = None
    """that a run may begin"""
    seconds: float | None = None
    """after which a run begins no further video and stops between two segments"""


@dataclass
class RunSummary:
    """What a run did and what still waits."""

    outcomes: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    """uploads that are not masked, by reason"""
    oldest_waiting: float = 0.0
    """age in seconds"""
    quarantined: int = 0
    """files in quarantine"""
    needs_review: int = 0
    """masked videos that wait for a person, of this run and earlier ones"""
    frames: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> str:
        done = [f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()) if outcome != "skipped"]
        text = ", ".join(done) or "nothing new"
        before = f"; {self.outcomes['skipped']} done before" if self.outcomes["skipped"] else ""
        reasons = [f"{count} {reason}" for reason, count in sorted(self.waiting.items())]
        oldest = f"the oldest for {rough_time(self.oldest_waiting)}"
        waiting = f"; waiting: {', '.join([*reasons, oldest])}" if reasons else ""
        speed = f"; {self.frames / self.seconds:.1f} frames/s" if self.frames else ""
        aside = f"; {self.quarantined} in quarantine" if self.quarantined else ""
        return f"{text}{before}{waiting}{aside}{speed}"


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
        self.short_of_space = False

    def outcomes(self) -> Iterator[Outcome]:
        """Everything that can be done now, oldest first."""
        began, contents = time.monotonic(), self._watcher.scan()
        timer = Timer(self._rules.seconds, self._pool.stop) if self._rules.seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        waiting: list[Upload] = list(contents.incomplete)
        self.summary.waiting.update({"still growing": len(waiting)} if waiting else {})
        try:
            chosen = self._choose(contents, waiting)
            self._progress.start({upload.item.name: upload.size for upload in chosen})
            by_name = {upload.item.name: upload for upload in chosen}
            for outcome in self._batch.run([upload.item for upload in chosen], self._no_space):
                self._progress.video_done(outcome.name)
                waiting += self._count(outcome, by_name[outcome.name])
                yield outcome
        finally:
            if timer:
                timer.cancel()
            self.summary.seconds = time.monotonic() - began
            self.summary.quarantined = len(self._batch.index.quarantined())
            self.summary.needs_review = self._batch.index.needs_review()
            self.summary.oldest_waiting = max((time.time() - upload.arrived for upload in waiting), default=0.0)

    def _choose(self, contents: InboxContents, waiting: list[Upload]) -> Sequence[Upload]:
        """The uploads that this run masks. The others are appended to `waiting`."""
        chosen: list[Upload] = []
        for upload in contents.complete:
            if self._batch.is_done(upload.item):
                self.summary.outcomes[VideoStatus.SKIPPED] += 1
            elif reason := self._waits_for(upload.item, len(chosen)):
                self.summary.waiting[reason] += 1
                waiting.append(upload)
            else:
                chosen.append(upload)
        return chosen

    def _waits_for(self, item: Item, chosen: int) -> str:
        """Why it is not masked in this run, in which `chosen` videos are already; empty where it is."""
        failures = self._batch.failures_of(item)
        if failures and failures.outcome == VideoStatus.REFUSED_BY_POLICY:
            return failures.outcome
        if failures and failures.tries >= self._rules.tries:
            self._quarantine(item, failures)
            return "set aside"
        if failures and time.time() < failures.last + self._rules.retry_after * 2 ** (failures.tries - 1):
            return "to be tried again"
        return "for the next run" if self._rules.max_videos is not None and chosen >= self._rules.max_videos else ""

    def _no_space(self, item: Item) -> str:
        """Why it has to wait for space on the disk; empty where there is enough."""
        needed = item.source.stat().st_size * _SPACE_FACTOR + _SPARE_BYTES if item.source.is_file() else 0
        free = shutil.disk_usage(self._folder.path).free
        if free >= needed:
            return ""
        self.short_of_space = True
        available, wanted = (f"{size / 2**30:.1f} GiB" for size in (free, needed))
        return f"{item.name}: waits, because the disk of {self._folder} has {available} free and it may need {wanted}."

    def _count(self, outcome: Outcome, upload: Upload) -> list[Upload]:
        """Add an outcome to the summary; returns the upload if it still waits."""
        if outcome.status is not VideoStatus.WAITING:
            self.summary.outcomes[outcome.status] += 1
        if outcome.event and outcome.event.frames:
            self.summary.frames += outcome.event.frames.out
        if outcome.status is VideoStatus.WAITING:
            self.summary.waiting["for the next run"] += 1
            return [upload]
        failures = self._batch.index.failures(outcome.name)
        if failures is None:
            return []
        if outcome.status is VideoStatus.REFUSED_BY_POLICY:
            self.summary.waiting[outcome.status] += 1
            return [upload]
        given_up = failures.tries >= self._rules.tries
        self.summary.waiting["set aside" if given_up else "to be tried again"] += 1
        if given_up:
            self._quarantine(upload.item, failures)
        return [upload]

    def _quarantine(self, item: Item, failures: FailureHistory) -> None:
        """Move it, where the rules say so and it is possible; where not, it is skipped until it changes."""
        if not self._rules.quarantine:
            return
        with suppress(OSError):
            moved_to = quarantine.put(self._inbox, item.source, failures.reason)
            self._batch.note_quarantined(item, failures.reason, moved_to)
