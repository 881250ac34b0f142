"""`redact`: masks videos into a folder."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from dashredact.batch import batch
from dashredact.cli.app import say
from dashredact.cli.masking import (
    MASK,
    POLICY,
    WORKERS,
    admission_of,
    cameras_of,
    crew_of,
    exit_code,
    seconds_of,
    settings_of,
)
from dashredact.cli.options import DETECT, JSON, OUTPUT_FOLDER, QUIET, SOURCES, detector_of
from dashredact.detect.null import NullDetector
from dashredact.errors import UsageError, VideoError
from dashredact.formats import exchange
from dashredact.formats.exchange import Canvas, TracksFormat
from dashredact.kinds import KINDS, Kind
from dashredact.media.probe import probe
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.progress import ProgressDisplay
from dashredact.settings import BoxFile
from dashredact.text import plural
from dashredact.values import Track
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder


@click.command()
@SOURCES
@OUTPUT_FOLDER
@DETECT
@MASK
@POLICY
@WORKERS
@click.option(
    "--boxes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Boxes of the kinds of --kinds, and zones, that are masked too: a tracks file, COCO, CVAT or MOT, of the one"
    " video.",
)
@click.option("--boxes-of-another-video", is_flag=True, help="Use --boxes although the file names another video.")
@click.option("--detector/--no-detector", default=True, help="Detect, or mask --boxes alone.")
@click.option("--relink", is_flag=True, help="Link and mask again from kept detections; detect nothing.")
@click.option("--dry-run", is_flag=True, help="Only detect, and say what would be masked.")
@JSON
@QUIET
def redact(sources: Sequence[Path], output: Path, dry_run: bool, as_json: bool, quiet: bool, **chosen: Any) -> None:
    """Mask the SOURCES, video files or folders of them, into a folder.

    Leaves NAME.masked.EXT, NAME.tracks.json and a line in audit.jsonl for each, and prints the path of each masked
    video. What is done already is skipped; a run that was stopped goes on where it was.

    \b
      dashredact redact trip.mp4 -o masked
      dashredact redact uploads/ -o masked --style fill --audio keep
      dashredact redact trip.mp4 -o masked --boxes trip.corrected.tracks.json
      dashredact redact trip.mp4 -o masked --keep-detections
      dashredact redact trip.mp4 -o masked --relink --threshold plate=0.3
      dashredact redact trip.mp4 -o masked --kinds face,plate,person --model yolo.onnx=person
    """
    if output.suffix.lower() in inbox.SUFFIXES and not output.is_dir():
        raise UsageError(f"{output} looks like a video file; name the folder for the results with -o.")
    inbox.check_apart(sources, output)
    items = inbox.plan(sources, output)
    cameras = cameras_of(chosen["zones"], items)
    boxes, in_boxes = boxes_of(chosen, items)
    detector = detector_of(chosen) if chosen["detector"] else NullDetector()
    seconds = seconds_of(chosen, detector)
    settings = settings_of(chosen, detector, boxes=boxes, in_boxes=in_boxes, seconds=seconds)
    aids = RunOptions(seconds, chosen["boxes"], chosen["keep_detections"], chosen["relink"])
    admission = admission_of(chosen, settings)
    folder = OutputFolder(output)
    with ProgressDisplay(quiet=quiet) as progress, folder.masking(), crew_of(chosen) as crew:
        progress.start({item.name: item.source.stat().st_size for item in items})
        run = batch.Batch(folder, detector, settings, progress, cameras, crew, aids, admission)
        statuses = []
        for outcome in run.rehearse(items) if dry_run else run.run(items):
            progress.video_done(outcome.name)
            statuses.append(_show(outcome, as_json))
    raise SystemExit(exit_code(statuses))


def boxes_of(chosen: dict[str, Any], items: Sequence[inbox.Item]) -> tuple[BoxFile | None, Set[Kind]]:
    """What settings say of the file of boxes, and the kinds in it; says which of its boxes are taken.

    UsageError where it is not for this video, which is found out before hours of work, or nothing at all would be
    masked.
    """
    path: Path | None = chosen["boxes"]
    if path is None:
        if not chosen["detector"]:
            raise UsageError("Where no detector looks, say with --boxes FILE what is masked.")
        if chosen["boxes_of_another_video"]:
            raise UsageError("--boxes-of-another-video is about --boxes; name a file with it, or leave it out.")
        return None, frozenset()
    if len(items) != 1:
        raise UsageError(f"{path} is for one video, and there are {len(items)}; name the one.")
    format = exchange.format_of(path)
    if not chosen["boxes_of_another_video"]:
        exchange.check_source(path, items[0].source, format)
    boxes = exchange.box_file(path, chosen["kinds"])
    tracks = _tracks_in(path, items[0].source, chosen["video_stream"])
    if format is not TracksFormat.JSON:
        say(
            f"{path} is read as {format.description}; if it has another format, convert it with `dashredact tracks"
            " import --format` and name the result."
        )
    if tracks is None:
        say(f"{path}: zones and the kinds {', '.join(boxes.kinds)} are taken, when the video is decoded.")
        return boxes, frozenset(KINDS)
    taken = Counter(track.kind for track in tracks if boxes.takes(track.kind))
    left = Counter(track.kind for track in tracks if not boxes.takes(track.kind))
    if left and not taken and not chosen["detector"]:
        raise UsageError(f"{path} holds {_counted(left)}, none of which --kinds names: nothing would be masked.")
    without = f"; {_counted(left)} left out, which --kinds does not name" if left else ""
    say(f"{path}: {_counted(taken)} taken{without}.")
    return boxes, {track.kind for track in tracks}


def _tracks_in(path: Path, source: Path, video_stream: int | None) -> Sequence[Track] | None:
    """None where only decoding tells how many frames the video has, or nothing does, which is said later."""
    with suppress(VideoError):
        info = probe(source, video_stream=video_stream)
        if not info.damages:
            return exchange.read(path, Canvas(*info.upright_size, len(info.packets.shown_pts)))
    return None


def _counted(tracks: Mapping[Kind, int]) -> str:
    """`2 plate tracks, 1 zone track`"""
    return ", ".join(plural(count, f"{kind.row.singular} track") for kind, count in tracks.items()) or "no tracks"


def _show(outcome: Outcome, as_json: bool) -> VideoStatus:
    """Results to stdout, what went wrong to stderr."""
    if outcome.reason:
        say(outcome.reason)
    if as_json:
        path = str(outcome.output) if outcome.output else None
        told = outcome.record or {"source": {"name": outcome.name}, "outcome": outcome.status}
        click.echo(json.dumps({**told, "path": path}, ensure_ascii=False))
    elif outcome.output:
        click.echo(outcome.output)
    elif outcome.status is VideoStatus.REHEARSED and outcome.record:
        found = [plural(count["tracks"], f"{kind} track") for kind, count in outcome.record["tracks"].items()]
        click.echo(f"{outcome.name}: {', '.join(found) or 'nothing'}")
    return outcome.status
