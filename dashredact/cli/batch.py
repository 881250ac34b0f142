"""`batch`: masks what arrives in a folder, for cron and for services."""

import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dashredact.batch.batch import Batch
from dashredact.batch.health import HealthFile
from dashredact.batch.inbox_run import InboxRules, PlannedUpload
from dashredact.batch.service import Service, ServiceOptions
from dashredact.batch.summary import RunSummary, clock
from dashredact.cli import logs
from dashredact.cli.grammar import OptionGroup, command, option
from dashredact.cli.masking import admission_of, cameras_of, detector_of, recheckers_of, settings_of, workers_of
from dashredact.cli.options import (
    EXISTING_FOLDER,
    FILE_TO_WRITE,
    OUTPUT_FOLDER,
    MaskOptions,
    PolicyOptions,
    WorkerOptions,
)
from dashredact.errors import DashredactError, ExitCode
from dashredact.execute.pool import WorkerPool
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.progress import ProgressDisplay
from dashredact.text import printable
from dashredact.workspace.inbox import check_apart
from dashredact.workspace.output_folder import OutputFolder

_BAD = {
    VideoStatus.FAILED,
    VideoStatus.REFUSED,
    VideoStatus.REFUSED_BY_POLICY,
    VideoStatus.BUG,
    VideoStatus.NEEDS_REVIEW,
}


@dataclass(frozen=True, kw_only=True)
class InboxOptions(OptionGroup, heading="Which uploads, and when"):
    settle: float = option(
        "--settle",
        type=click.FloatRange(0),
        default=60,
        show_default=True,
        help="Seconds that a file must have stayed the same; until then it is taken for a growing upload.",
    )
    tries: int = option(
        "--tries",
        type=click.IntRange(1),
        default=3,
        show_default=True,
        help="Tries before a file that fails is given up; one that is refused is given up at once.",
    )
    retry_after: float = option(
        "--retry-after",
        type=click.FloatRange(0),
        default=15,
        show_default=True,
        help="Minutes before the second try; twice as long before each further one.",
    )
    quarantine: bool = option(
        "--quarantine/--no-quarantine",
        default=True,
        show_default=True,
        help="Move what is given up to INBOX/quarantine, or leave it where it is.",
    )
    max_videos: int | None = option(
        "--max-videos", type=click.IntRange(1), help="Maximum videos per run, oldest first."
    )
    time_limit: float | None = option(
        "--time-limit",
        type=click.FloatRange(0.01),
        help="Minutes; then the segments at hand are finished, and the next run goes on.",
    )
    rehash: bool = option("--rehash", is_flag=True, help="Hash every file again, whatever its size and times say.")
    watch: bool = option("--watch", is_flag=True, help="Go on until stopped, looking into the inbox now and then.")
    poll: float = option(
        "--poll", type=click.FloatRange(0.1), default=30, show_default=True, help="Seconds between two looks."
    )
    dry_run: bool = option("--dry-run", is_flag=True, help="Only say what a run would do with each upload.")

    @property
    def service(self) -> ServiceOptions:
        rules = InboxRules(self.tries, 60 * self.retry_after, self.quarantine, self.max_videos)
        limit = 60 * self.time_limit if self.time_limit else None
        return ServiceOptions(rules, self.settle, self.poll if self.watch else None, limit)


@dataclass(frozen=True, kw_only=True)
class ReportOptions(OptionGroup, heading="Log"):
    as_json: bool = option("--json", is_flag=True, help="Print the summary as one JSON object.")
    quiet: bool = option("-q", "--quiet", is_flag=True, help="Show no progress.")
    log_file: Path | None = option("--log-file", type=FILE_TO_WRITE, help="Rotated at 10 MB; five old files are kept.")
    health_file: Path | None = option(
        "--health-file", type=FILE_TO_WRITE, help="For the textfile collector of Prometheus' node exporter."
    )


@command()
@click.argument("inbox", type=EXISTING_FOLDER)
@OUTPUT_FOLDER
def batch(
    inbox: Path,
    output: Path,
    uploads: InboxOptions,
    mask: MaskOptions,
    policy: PolicyOptions,
    workers: WorkerOptions,
    reports: ReportOptions,
) -> None:
    """Mask what arrives in the folder INBOX, each video once, into an output folder.

    Made for cron: prints one line. What still grows is left alone, what fails is retried with exponential back-off and
    then quarantined (see `retry`), and a run that was stopped anywhere goes on where it was.

    \b
      dashredact batch uploads -o masked --quiet
      dashredact batch uploads -o masked --watch --jobs 4
      dashredact batch uploads -o masked --dry-run
    """
    check_apart([inbox], output)
    folder = OutputFolder(output)
    health = HealthFile(None if uploads.dry_run else reports.health_file, folder)
    began, code = time.monotonic(), int(ExitCode.BUG)
    try:
        logs.begin(reports.log_file)
        with (
            folder.masking() as lock,
            ProgressDisplay(quiet=reports.quiet) as progress,
            workers_of(workers, mask.detect.device) as pool,
        ):
            run = _batch(folder, mask, policy, pool, progress, rehash=uploads.rehash)
            service = Service(inbox, folder, run, pool, progress, uploads.service)
            if uploads.dry_run:
                _print_plan(service.plan(), as_json=reports.as_json)
                raise SystemExit(ExitCode.OK)
            for summary in service.looks(lock, _log):
                code = int(summary.exit_code)
                _print(summary, reports, watching=uploads.watch)
                health.update(code, summary.seconds, summary)
    except DashredactError as error:
        code = error.exit_code
        logs.to_file(printable(str(error)))
        raise
    finally:
        if code != ExitCode.LOCKED:  # the health file is that of the run which holds the folder
            health.update(code, time.monotonic() - began)
    raise SystemExit(code)


def _batch(
    folder: OutputFolder,
    mask: MaskOptions,
    policy: PolicyOptions,
    pool: WorkerPool,
    progress: ProgressDisplay,
    *,
    rehash: bool,
) -> Batch:
    wanted = mask.what.kinds
    detector = detector_of(mask.detect, wanted=wanted)
    recheckers = recheckers_of(mask, detector, wanted=wanted)
    settings = settings_of(mask, detector, recheckers=recheckers)
    return Batch(
        folder,
        detector,
        settings,
        progress,
        cameras_of(mask.what.zones),
        pool,
        RunOptions(recheckers, keep_detections=mask.what.keep_detections),
        admission_of(policy, mask.what, settings),
        trust=not rehash,
        unattended=True,
    )


def _log(outcome: Outcome) -> None:
    level = logging.WARNING if outcome.status in _BAD else logging.INFO
    logs.RUN.log(level, "%s", printable(outcome.reason or f"{outcome.name}: {outcome.status}."))
    for note in outcome.notes:
        logs.RUN.info("%s", printable(f"{outcome.name}: {note}."))


def _print(summary: RunSummary, reports: ReportOptions, *, watching: bool) -> None:
    """Nothing after a look in vain, and nothing where the log has it already."""
    tried = sum(count for status, count in summary.outcomes.items() if status is not VideoStatus.SKIPPED)
    if reports.as_json:
        click.echo(json.dumps(_as_dict(summary)))
    elif (tried or not watching) and not logs.in_journal(sys.stdout):
        click.echo(summary.line)
    logs.RUN.info(summary.line)


def _as_dict(summary: RunSummary) -> dict[str, Any]:
    return {
        "outcomes": summary.outcomes,
        "waiting": summary.waiting,
        "due": {reason: round(due) for reason, due in summary.due.items()},
        "oldest_waiting_seconds": summary.oldest_waiting,
        "quarantined": summary.quarantined,
        "needs_review": summary.needs_review,
        "frames": summary.frames,
        "seconds": round(summary.seconds, 2),
    }


def _print_plan(plan: Sequence[PlannedUpload], *, as_json: bool) -> None:
    for one in plan:
        state = "done" if one.done else str(one.reason or "to be masked")
        if as_json:
            row = {"name": one.upload.item.name, "state": state, "due": one.due and round(one.due)}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            until = f", not before {clock(one.due)}" if one.due else ""
            click.echo(printable(f"{one.upload.item.name}: {state}{until}"))
