"""`batch`: masks what arrives in a folder, for cron and for services."""

import json
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dashredact.batch import health
from dashredact.batch.batch import Batch
from dashredact.batch.inbox_run import InboxRules, InboxRun
from dashredact.cli import logs
from dashredact.cli.masking import MASK, POLICY, WORKERS, admission_of, crew_of, exit_code, seconds_of, settings_of
from dashredact.cli.options import DETECT, OUTPUT_FOLDER, QUIET, detector_of, options
from dashredact.errors import DashredactError, ExitCode
from dashredact.formats import zones_toml
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.progress import ProgressDisplay
from dashredact.text import printable
from dashredact.workspace.inbox import check_apart
from dashredact.workspace.locks import MaskingLock
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher

_RULES = options(
    click.option(
        "--settle",
        type=click.FloatRange(0),
        default=60,
        show_default=True,
        help="Seconds that a file must have stayed the same; until then it is taken for a growing upload.",
    ),
    click.option(
        "--tries", type=click.IntRange(1), default=3, show_default=True, help="Tries before a file is set aside."
    ),
    click.option(
        "--retry-after",
        type=click.FloatRange(0),
        default=15,
        show_default=True,
        help="Minutes before the second try; twice as long before each further one.",
    ),
    click.option(
        "--quarantine/--no-quarantine",
        default=True,
        show_default=True,
        help="Move what is set aside to INBOX/quarantine, or leave it where it is.",
    ),
    click.option("--max-videos", type=click.IntRange(1), help="Most videos that a run takes on, oldest first."),
    click.option("--time-limit", type=click.FloatRange(0.01), help="Minutes; then the segment at hand is finished."),
    click.option("--rehash", is_flag=True, help="Hash every file again, whatever its size and times say."),
)
_REPORTS = options(
    click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object."),
    click.option("--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Turned over at 10 MB, 5 kept."),
    click.option(
        "--health-file", type=click.Path(dir_okay=False, path_type=Path), help="For Prometheus' textfile collector."
    ),
    click.option("--watch", is_flag=True, help="Go on until stopped, looking into the inbox now and then."),
    click.option("--poll", type=click.FloatRange(0.1), default=30, show_default=True, help="Seconds between looks."),
    QUIET,
)


@click.command()
@click.argument("inbox", type=click.Path(exists=True, file_okay=False, path_type=Path))
@OUTPUT_FOLDER
@_RULES
@_REPORTS
@WORKERS
@DETECT
@MASK
@POLICY
def batch(inbox: Path, output: Path, **chosen: Any) -> None:
    """Mask what arrives in the folder INBOX, each video once, into an output folder.

    Made for cron: prints one line. What still grows is left alone, what fails is retried with exponential back-off and
    then quarantined (see `retry`), and a run that was stopped anywhere goes on where it was.

    \b
      dashredact batch uploads -o masked --quiet
      dashredact batch uploads -o masked --watch --jobs 4
    """
    check_apart([inbox], output)
    folder = OutputFolder(output)
    with folder.masking() as lock:
        raise SystemExit(_reported(lambda: _run(inbox, folder, chosen, lock), chosen, output))


def _reported(run: Callable[[], int], chosen: dict[str, Any], out: Path) -> int:
    """Run; whatever ends it, log and health file say so."""
    began, code = time.monotonic(), int(ExitCode.BUG)
    try:
        logs.begin(chosen["log_file"])
        code = run()
    except DashredactError as error:
        code = error.exit_code
        logs.RUN.log(logging.ERROR if chosen["log_file"] else logging.DEBUG, printable(str(error)))
        raise
    finally:
        _tell(chosen, out, code, time.monotonic() - began)
    return code


def _tell(chosen: dict[str, Any], out: Path, code: int, seconds: float) -> None:
    if chosen["health_file"]:
        values: dict[str, float] = {"last_run_timestamp_seconds": time.time(), "last_run_exit_code": code}
        values |= {"last_run_seconds": seconds, "free_bytes": shutil.disk_usage(out).free}
        health.write(chosen["health_file"], {**values, **chosen.get("health", {})})


def _run(inbox: Path, folder: OutputFolder, chosen: dict[str, Any], lock: MaskingLock) -> int:
    detector = detector_of(chosen)
    seconds = seconds_of(chosen, detector)
    settings, aids = (
        settings_of(chosen, detector, seconds=seconds),
        RunOptions(seconds, keep_detections=chosen["keep_detections"]),
    )
    cameras = zones_toml.read(chosen["zones"]) if chosen["zones"] else ()
    admission = admission_of(chosen, settings)
    how: dict[str, Any] = {"trust": not chosen["rehash"], "unattended": True}
    watch = InboxWatcher(inbox, folder.path, chosen["settle"])
    with crew_of(chosen) as crew, ProgressDisplay(quiet=chosen["quiet"]) as progress:
        batch = Batch(folder, detector, settings, progress, cameras, crew, aids, admission, **how)
        until = time.monotonic() + 60 * chosen["time_limit"] if chosen["time_limit"] else None
        while True:
            run = InboxRun(inbox, folder, batch, crew, watch, progress, _rules(chosen, until))
            code = _once(run, chosen)
            chosen["health"] = _health(run)
            if not chosen["watch"] or (until and time.monotonic() >= until):
                return code
            _tell(chosen, folder.path, code, run.summary.seconds)
            lock.rest(chosen["poll"])
            batch.index.refresh()


def _rules(chosen: dict[str, Any], until: float | None) -> InboxRules:
    return InboxRules(
        tries=chosen["tries"],
        retry_after=60 * chosen["retry_after"],
        quarantine=chosen["quarantine"],
        max_videos=chosen["max_videos"],
        seconds=max(until - time.monotonic(), 0.01) if until else None,
    )


def _once(run: InboxRun, chosen: dict[str, Any]) -> int:
    statuses = []
    for outcome in run.outcomes():
        statuses.append(outcome.status)
        _log(outcome)
    told = run.summary
    if chosen["as_json"]:
        parts = {"outcomes": told.outcomes, "waiting": told.waiting, "oldest_waiting_seconds": told.oldest_waiting}
        click.echo(json.dumps({**parts, "frames": told.frames, "seconds": round(told.seconds, 2)}))
    elif (statuses or not chosen["watch"]) and not logs.in_journal(sys.stdout):  # where the log has it already
        click.echo(told.line)
    logs.RUN.info(told.line)
    return int(ExitCode.NOT_READY if run.short_of_space else exit_code(statuses))


def _log(outcome: Outcome) -> None:
    bad = {
        VideoStatus.FAILED,
        VideoStatus.REFUSED,
        VideoStatus.REFUSED_BY_POLICY,
        VideoStatus.BUG,
        VideoStatus.NEEDS_REVIEW,
    }
    level = logging.WARNING if outcome.status in bad else logging.INFO
    words = outcome.reason or f"{outcome.name}: {outcome.status}."
    logs.RUN.log(level, "%s", printable(words))


def _health(run: InboxRun) -> dict[str, Any]:
    return {
        "videos": dict(run.summary.outcomes),
        "waiting_videos": dict(run.summary.waiting),
        "oldest_waiting_seconds": run.summary.oldest_waiting,
        "quarantined_videos": run.summary.quarantined,
        "needs_review_videos": run.summary.needs_review,
    }
