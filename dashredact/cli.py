"""Every command, option and exit code. The only file that knows click."""

import json
import logging
import re
import signal
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from dashredact import __version__, batch
from dashredact.batch import Outcome, Verdict
from dashredact.describe import as_dict, in_words, line_of
from dashredact.detect import manifest
from dashredact.errors import DashredactError, ExitCode, LedgerError, StoppedError, UsageError, VideoError
from dashredact.media import encoders
from dashredact.media.probe import probe as probe_file
from dashredact.progress import Progress
from dashredact.pure import ledger
from dashredact.settings import Damaged, HideSettings, Keep, LinkSettings, Settings, Style
from dashredact.store import audit as audit_store
from dashredact.store import files, inbox
from dashredact.values import Detector, Kind

_SOURCES = click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Commands(click.Group):
    """Turns our errors into one sentence on stderr and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DashredactError as error:
            _say(str(error))
            ctx.exit(error.exit_code)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DASHREDACT"}
)
@click.version_option(__version__, prog_name="dashredact")
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
def main(verbose: bool) -> None:
    """Mask faces and licence plates in dashcam footage.

    Every option can be set by an environment variable, for example DASHREDACT_REDACT_STYLE=fill.

    \b
    Exit codes:
      0 done                          4 machine not ready (ffmpeg, weights, device, disk)
      1 a fault of this tool          5 done, a person should look
      2 wrong command line            6 another run holds the output folder
      3 some videos failed            7 the audit log is broken
      128+N stopped by signal N; run the same command again to go on
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for number in _SIGNALS:
        signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise StoppedError(number)


def _choice(values: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([str(value) for value in values])


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_detect_options = _options(
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."),
    click.option(
        "--batch-size", type=click.IntRange(1), help="Frames detected at once [default: 4 on a CPU, 16 on a GPU]."
    ),
    click.option(
        "--weights",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder with a manifest, weights and a canary [default: the shipped ones].",
    ),
    click.option(
        "--detect-size", type=click.IntRange(320, 4096), help="Long side of what the detector sees, in pixels."
    ),
    click.option("--face-threshold", type=click.FloatRange(0.1, 1), help="Score from which a face is masked."),
    click.option("--plate-threshold", type=click.FloatRange(0.1, 1), help="Score from which a plate is masked."),
)
_mask_options = _options(
    click.option("--style", type=_choice(Style), default=str(Style.BLUR), show_default=True, help="How masks look."),
    click.option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Quality: lower is better."),
    click.option("--preset", type=click.Choice(encoders.PRESETS), default="veryfast", help="Speed of the encoder."),
    click.option("--encoder", type=click.Choice(encoders.ENCODERS), help="[default: of the source's codec family]"),
    click.option("--audio", type=_choice(Keep), default=str(Keep.DROP), show_default=True, help="All sound tracks."),
    click.option("--gps", type=_choice(Keep), default=str(Keep.DROP), show_default=True, help="Position data streams."),
    click.option(
        "--damaged",
        type=_choice(Damaged),
        default=str(Damaged.REFUSE),
        show_default=True,
        help="Files with frames that cannot be decoded; salvage drops those frames.",
    ),
    click.option("--video-stream", type=click.IntRange(0), help="Index of the one to mask in files with several."),
)


@main.command()
@_SOURCES
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder.")
@_detect_options
@_mask_options
@click.option("--dry-run", is_flag=True, help="Only detect, and say what would be masked.")
@_JSON
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def redact(sources: Sequence[Path], output: Path, dry_run: bool, as_json: bool, quiet: bool, **chosen: Any) -> None:
    """Mask the SOURCES, video files or folders of them, into a folder.

    Leaves NAME.masked.EXT, NAME.tracks.json and a line in audit.jsonl for each, and prints the path of each masked
    video. What is done already is skipped; a run that was stopped goes on where it was.

    \b
      dashredact redact trip.mp4 -o masked
      dashredact redact uploads/ -o masked --style fill --audio keep
    """
    items = inbox.plan(sources, output)
    detector = _detector(chosen)
    settings = _settings(chosen, detector)
    with Progress(quiet=quiet) as progress, files.lock(output):
        run = batch.Batch(output, detector, settings, progress)
        outcomes = run.rehearse(items) if dry_run else run.run(items)
        verdicts = [_show(outcome, as_json) for outcome in outcomes]
    raise SystemExit(_exit_code(verdicts))


def _detector(chosen: dict[str, Any]) -> Detector:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", chosen["device"]):
        raise UsageError(f"{chosen['device']} is no device; use auto, cpu, cuda or cuda:N.")
    described = manifest.read(chosen["weights"] or manifest.default_folder())

    def load() -> Detector:
        from dashredact.detect import detector, weights  # noqa: PLC0415 - torch takes seconds to load

        device = detector.device_named(chosen["device"])
        return detector.TorchDetector(
            weights.read(described.folder), device, chosen["batch_size"], chosen["detect_size"]
        )

    return manifest.LazyDetector(described, load, chosen["detect_size"])


def _settings(chosen: dict[str, Any], detector: Detector) -> Settings:
    thresholds = {kind: chosen[f"{kind}_threshold"] or detector.thresholds[kind] for kind in Kind}
    hide = HideSettings(Style(chosen["style"]), chosen["encoder"] or "", chosen["crf"], chosen["preset"])
    return Settings(
        link=LinkSettings(thresholds),
        hide=hide,
        audio=Keep(chosen["audio"]),
        gps=Keep(chosen["gps"]),
        damaged=Damaged(chosen["damaged"]),
        video_stream=chosen["video_stream"],
    )


def _show(outcome: Outcome, as_json: bool) -> Verdict:
    """Results to stdout, what went wrong to stderr."""
    if outcome.reason:
        _say(outcome.reason)
    if as_json:
        path = str(outcome.output) if outcome.output else None
        told = outcome.record or {"source": {"name": outcome.name}, "outcome": outcome.verdict}
        click.echo(json.dumps({**told, "path": path}, ensure_ascii=False))
    elif outcome.output:
        click.echo(outcome.output)
    elif outcome.verdict is Verdict.REHEARSED and outcome.record:
        found = [f"{count['tracks']} {kind} tracks" for kind, count in outcome.record["tracks"].items()]
        click.echo(f"{outcome.name}: {', '.join(found) or 'nothing'}")
    return outcome.verdict


def _exit_code(verdicts: Iterable[Verdict]) -> ExitCode:
    verdicts = set(verdicts)
    if Verdict.BUG in verdicts:
        return ExitCode.BUG
    if verdicts & {Verdict.FAILED, Verdict.REFUSED}:
        return ExitCode.SOME_FAILED
    return ExitCode.NEEDS_REVIEW if Verdict.NEEDS_REVIEW in verdicts else ExitCode.OK


@main.command()
@_SOURCES
@click.option("--video-stream", type=click.IntRange(0), help="Index of the one to describe in files with several.")
@_JSON
def probe(sources: Sequence[Path], video_stream: int | None, as_json: bool) -> None:
    """Say what is known of SOURCES before they are decoded, and what stands in the way of masking them.

    \b
      dashredact probe trip.mp4 --json
    """
    failed = False
    for path in sources:
        try:
            facts = probe_file(path, video_stream=video_stream)
        except VideoError as error:
            failed = True
            click.echo(json.dumps({"name": path.name, "refused": str(error)}, ensure_ascii=False) if as_json else error)
        else:
            failed |= bool(facts.damages)
            click.echo(json.dumps(as_dict(facts), ensure_ascii=False) if as_json else in_words(facts))
    raise SystemExit(ExitCode.SOME_FAILED if failed else ExitCode.OK)


@main.group()
def audit() -> None:
    """Read and check the audit log."""


_LOG = click.argument("log", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@audit.command()
@_LOG
def verify(log: Path) -> None:
    """Check that no line of LOG was changed, removed, added or moved. Exit code 7 if one was.

    The log alone cannot tell that its tail was cut off, or that it was written anew from the start: keep the hash of
    the last line, which this prints, somewhere else.

    \b
      dashredact audit verify masked/audit.jsonl
    """
    lines = audit_store.lines(log)
    faults = list(ledger.verify(lines))
    for fault in faults:
        click.echo(f"{log}: line {fault.line} {fault.reason}.")
    if faults:
        raise LedgerError(f"{log} is broken in {len({fault.line for fault in faults})} of its {len(lines)} lines.")
    count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
    click.echo(f"{log}: {count}, unbroken. The last one: {ledger.digest(lines[-1]) if lines else 'none'}")


@audit.command()
@_LOG
@_JSON
def show(log: Path, as_json: bool) -> None:
    """Print what LOG says, one line a video, oldest first.

    \b
      dashredact audit show masked/audit.jsonl
    """
    for record in audit_store.records(log):
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else line_of(record))


def _say(text: str) -> None:
    """A sentence for a person, on a line of its own beside the progress bar."""
    printable = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)  # names may hold newlines
    click.echo(f"dashredact: {printable}", err=True)
