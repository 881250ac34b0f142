"""One look into the inbox, and everything done that can be: for cron, where nobody watches.

Every upload ends as a verified output, or waits with a reason. What failed is tried again later and ever more rarely,
and set aside after some tries.
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
from dashredact.workspace import quarantine
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import FailureHistory
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxContents, InboxWatcher, Upload

_SPARE_BYTES = 64 << 20  # left free beside what a video takes
_NEEDED = 2.5  # times a source's size: parts, assembled and finished file; the latter two are seldom as large


@dataclass(frozen=True)
class InboxRules:
    """How patient a run is."""

    tries: int = 3
    """after which a file is set aside"""
    retry_after: float = 900.0
    """seconds before the second try; twice as long before each further one"""
    quarantine: bool = True
    """whether what is set aside is moved"""
    most: int | None = None
    """videos that a run may take on"""
    seconds: float | None = None
    """after which a run takes on nothing more and ends between two segments"""


@dataclass
class RunSummary:
    """What a run did and what it left."""

    outcomes: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    """uploads that are not masked, by reason"""
    oldest_waiting: float = 0.0
    """age in seconds"""
    quarantined: int = 0
    """files that lie in quarantine"""
    needs_review: int = 0
    """masked videos that wait for a person, of this run and earlier ones"""
    frames: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> str:
        done = [f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()) if outcome != "skipped"]
        text = ", ".join(done) or "nothing new"
        before = f"; {self.outcomes['skipped']} done before" if self.outcomes["skipped"] else ""
        left = [f"{count} {reason}" for reason, count in sorted(self.waiting.items())]
        waiting = f"; waiting: {', '.join(left)}, oldest {self.oldest_waiting / 3600:.1f} h" if left else ""
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
        crew: WorkerPool,
        watch: InboxWatcher,
        progress: ProgressDisplay,
        rules: InboxRules,
    ) -> None:
        self._inbox, self._folder, self._batch, self._crew = inbox, folder, batch, crew
        self._watch, self._progress, self._rules = watch, progress, rules
        self.summary = RunSummary()
        self.short_of_room = False

    def outcomes(self) -> Iterator[Outcome]:
        """Everything that can be done now, oldest first."""
        began, found = time.monotonic(), self._watch.look()
        timer = Timer(self._rules.seconds, self._crew.stop) if self._rules.seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        left: list[Upload] = list(found.growing)
        self.summary.waiting.update({"still growing": len(left)} if left else {})
        try:
            chosen = self._choose(found, left)
            self._progress.start({arrival.item.name: arrival.size for arrival in chosen})
            places = {arrival.item.name: arrival for arrival in chosen}
            for outcome in self._batch.run([arrival.item for arrival in chosen], self._no_room):
                self._progress.video_done(outcome.name)
                left += self._count(outcome, places[outcome.name])
                yield outcome
        finally:
            if timer:
                timer.cancel()
            self.summary.seconds = time.monotonic() - began
            self.summary.quarantined = len(self._batch.index.quarantined())
            self.summary.needs_review = self._batch.index.needs_review()
            self.summary.oldest_waiting = max((time.time() - arrival.arrived for arrival in left), default=0.0)

    def _choose(self, found: InboxContents, left: list[Upload]) -> Sequence[Upload]:
        """What is taken on in this run. `left` gets the rest."""
        chosen: list[Upload] = []
        for arrival in found.complete:
            if self._batch.is_done(arrival.item):
                self.summary.outcomes[VideoStatus.SKIPPED] += 1
            elif reason := self._not_now(arrival.item, len(chosen)):
                self.summary.waiting[reason] += 1
                left.append(arrival)
            else:
                chosen.append(arrival)
        return chosen

    def _not_now(self, item: Item, chosen: int) -> str:
        failures = self._batch.failures_of(item)
        if failures and failures.outcome == VideoStatus.REFUSED_BY_POLICY:
            return failures.outcome
        if failures and failures.tries >= self._rules.tries:
            self._set_aside(item, failures)
            return "set aside"
        if failures and time.time() < failures.last + self._rules.retry_after * 2 ** (failures.tries - 1):
            return "to be tried again"
        return "for the next run" if self._rules.most is not None and chosen >= self._rules.most else ""

    def _no_room(self, item: Item) -> str:
        needed = item.source.stat().st_size * _NEEDED + _SPARE_BYTES if item.source.is_file() else 0
        free = shutil.disk_usage(self._folder.path).free
        if free >= needed:
            return ""
        self.short_of_room = True
        left, wanted = (f"{size / 2**30:.1f} GiB" for size in (free, needed))
        return f"{item.name}: waits, for the disk of {self._folder} has {left} left and it may take {wanted}."

    def _count(self, outcome: Outcome, arrival: Upload) -> list[Upload]:
        """Add an outcome to the summary; the arrival comes back if it still waits."""
        if outcome.status is not VideoStatus.WAITING:
            self.summary.outcomes[outcome.status] += 1
        if outcome.event and outcome.event.frames:
            self.summary.frames += outcome.event.frames.out
        if outcome.status is VideoStatus.WAITING:
            self.summary.waiting["for the next run"] += 1
            return [arrival]
        failures = self._batch.index.failures(outcome.name)
        if failures is None:
            return []
        if outcome.status is VideoStatus.REFUSED_BY_POLICY:
            self.summary.waiting[outcome.status] += 1
            return [arrival]
        last = failures.tries >= self._rules.tries
        self.summary.waiting["set aside" if last else "to be tried again"] += 1
        if last:
            self._set_aside(arrival.item, failures)
        return [arrival]

    def _set_aside(self, item: Item, failures: FailureHistory) -> None:
        """Move it, where that is wanted and possible; where not, it is left alone until it changes."""
        if not self._rules.quarantine:
            return
        with suppress(OSError):
            moved_to = quarantine.put(self._inbox, item.source, failures.reason)
            self._batch.note_quarantined(item, failures.reason, moved_to)
