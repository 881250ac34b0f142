"""`redact`: masks videos into a folder."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from dashredact import batch
from dashredact.batch import Outcome, Verdict
from dashredact.cli.app import say
from dashredact.cli.options import DETECT, JSON, SOURCES, choice, detector_of, options
from dashredact.errors import ExitCode
from dashredact.media import encoders
from dashredact.progress import Progress
from dashredact.pure.zones import camera_of
from dashredact.settings import Camera, Damaged, HideSettings, Keep, LinkSettings, Settings, Style
from dashredact.store import files, inbox, zones
from dashredact.store.inbox import Item
from dashredact.values import KINDS, Detector

_MASK = options(
    click.option("--style", type=choice(Style), default=str(Style.BLUR), show_default=True, help="How masks look."),
    click.option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Quality: lower is better."),
    click.option("--preset", type=click.Choice(encoders.PRESETS), default="veryfast", help="Speed of the encoder."),
    click.option("--encoder", type=click.Choice(encoders.ENCODERS), help="[default: of the source's codec family]"),
    click.option("--audio", type=choice(Keep), default=str(Keep.DROP), show_default=True, help="All sound tracks."),
    click.option("--gps", type=choice(Keep), default=str(Keep.DROP), show_default=True, help="Position data streams."),
    click.option(
        "--damaged",
        type=choice(Damaged),
        default=str(Damaged.REFUSE),
        show_default=True,
        help="Files with frames that cannot be decoded; salvage drops those frames.",
    ),
    click.option("--video-stream", type=click.IntRange(0), help="Index of the one to mask in files with several."),
    click.option(
        "--zones",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="TOML file: per camera, parts of the picture that are ignored or always masked.",
    ),
)


@click.command()
@SOURCES
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder.")
@DETECT
@_MASK
@click.option("--dry-run", is_flag=True, help="Only detect, and say what would be masked.")
@JSON
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
    cameras = _cameras(chosen["zones"], items)
    detector = detector_of(chosen)
    settings = _settings(chosen, detector)
    with Progress(quiet=quiet) as progress, files.lock(output):
        run = batch.Batch(output, detector, settings, progress, cameras)
        outcomes = run.rehearse(items) if dry_run else run.run(items)
        verdicts = [_show(outcome, as_json) for outcome in outcomes]
    raise SystemExit(_exit_code(verdicts))


def _cameras(path: Path | None, items: Sequence[Item]) -> Sequence[Camera]:
    """Also says which videos have no zones: a mistyped pattern would leave their masks out in silence."""
    if path is None:
        return ()
    cameras = zones.read(path)
    without = [item.name for item in items if camera_of(cameras, item.name) is None]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        say(f"{path} has no camera for {without[0]}{more}: no zones there.")
    return cameras


def _settings(chosen: dict[str, Any], detector: Detector) -> Settings:
    thresholds = {kind: chosen[f"{kind}_threshold"] or detector.thresholds[kind] for kind in KINDS}
    hide = HideSettings(Style(chosen["style"]), chosen["encoder"] or "", chosen["crf"], chosen["preset"])
    return Settings(
        link=LinkSettings(thresholds),
        hide=hide,
        audio=Keep(chosen["audio"]),
        gps=Keep(chosen["gps"]),
        damaged=Damaged(chosen["damaged"]),
        video_stream=chosen["video_stream"],
        tiles=chosen["tile"],
    )


def _show(outcome: Outcome, as_json: bool) -> Verdict:
    """Results to stdout, what went wrong to stderr."""
    if outcome.reason:
        say(outcome.reason)
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
