"""A run over an inbox that nobody watches: once, as cron calls it, or again and again, as a service."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from dashredact.batch import last_run
from dashredact.batch.batch import Batch
from dashredact.batch.inbox_run import InboxRules, InboxRun, PlannedUpload
from dashredact.batch.last_run import LastRun
from dashredact.batch.summary import RunSummary
from dashredact.execute.pool import WorkerPool
from dashredact.pipeline.outcome import Outcome
from dashredact.progress import ProgressDisplay
from dashredact.workspace.locks import MaskingLock
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher


@dataclass(frozen=True)
class ServiceOptions:
    """How long a run goes on, and how patient it is."""

    rules: InboxRules = field(default_factory=InboxRules)
    settle: float = 60.0
    """seconds without a change after which an upload is complete"""
    poll: float | None = None
    """seconds between two looks into the inbox; None: one look is all"""
    time_limit: float | None = None
    """seconds after which the run takes on nothing more and ends between two segments"""


class Service:
    """Of one inbox and one output folder, whose masking lock is held."""

    def __init__(
        self,
        inbox: Path,
        folder: OutputFolder,
        batch: Batch,
        pool: WorkerPool,
        progress: ProgressDisplay,
        options: ServiceOptions,
    ) -> None:
        self._inbox, self._folder, self._batch, self._pool = inbox, folder, batch, pool
        self._progress, self._options = progress, options
        self._watcher = InboxWatcher(inbox, folder.path, options.settle)

    def plan(self) -> list[PlannedUpload]:
        """What a run would do now, oldest upload first. Changes nothing."""
        return self._inbox_run(self._options.rules).plan()

    def looks(self, lock: MaskingLock, report: Callable[[Outcome], None]) -> Iterator[RunSummary]:
        """Look into the inbox, mask what can be, and again after a rest, in which others may have the folder.

        report: is told how each video ended, when it has.
        """
        self._folder.create_log()
        limit = self._options.time_limit
        until = None if limit is None else time.monotonic() + limit
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.01)
            run = self._inbox_run(replace(self._options.rules, seconds=left))
            for outcome in run.outcomes():
                report(outcome)
            self._remember(run.summary)
            yield run.summary
            if self._options.poll is None or (until is not None and time.monotonic() >= until):
                return
            lock.rest(self._options.poll)
            self._folder.settle_locked()  # another command may have been killed meanwhile
            self._batch.index.refresh()

    def _inbox_run(self, rules: InboxRules) -> InboxRun:
        return InboxRun(self._inbox, self._folder, self._batch, self._pool, self._watcher, self._progress, rules)

    def _remember(self, summary: RunSummary) -> None:
        rules = self._options.rules
        run = LastRun(
            ended=time.time(),
            inbox=str(self._inbox.absolute()),
            exit_code=int(summary.exit_code),
            summary=summary.line,
            settle=self._options.settle,
            tries=rules.tries,
            retry_after=rules.retry_after,
            quarantine=rules.quarantine,
        )
        last_run.write(self._folder, run)
