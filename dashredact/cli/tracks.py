"""`tracks`: what a tracks file holds, and its way to and from other tools."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import click
import numpy as np

from dashredact import files
from dashredact.cli.app import say
from dashredact.cli.grammar import EnumChoice, command_option, group
from dashredact.cli.options import EXISTING_FILE, FILE_TO_WRITE, JSON
from dashredact.errors import UsageError
from dashredact.formats import exchange, tracks_json
from dashredact.formats.exchange import Canvas, TracksFormat
from dashredact.formats.tracks_json import TracksFile
from dashredact.media.probe import probe
from dashredact.values import ModelIdentity

_COLUMNS = ("id", "kind", "frames", "seconds", "size", "top_score")
_SNIFF = 64  # bytes


@group()
def tracks() -> None:
    """Show a tracks file, and carry tracks to and from other tools."""


@tracks.command()
@click.argument("file", type=EXISTING_FILE)
@JSON
def show(file: Path, as_json: bool) -> None:
    """Print the tracks of FILE, one a line: frames first-last, seconds, widest and highest box, top score.

    \b
      dashredact tracks show masked/trip.tracks.json
    """
    rows = list(_rows(tracks_json.read(file)))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    cells = [[str(row[column]) for column in _COLUMNS] for row in rows]
    table = [[column.replace("_", " ") for column in _COLUMNS], *cells]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _rows(file: TracksFile) -> Iterator[dict[str, object]]:
    for track in file.tracks:
        width, height = (track.boxes[:, 2:] - track.boxes[:, :2]).max(0)
        start, end = (float(_seconds(file, frame)) for frame in (track.first, track.end))
        yield {
            "id": track.id,
            "kind": track.kind,
            "frames": f"{track.first}-{track.end - 1}",
            "seconds": f"{start:.2f}-{end:.2f}",
            "size": f"{width:.0f}x{height:.0f}",
            "top_score": round(float(track.scores.max()), 3),
        }


def _seconds(file: TracksFile, frame: int) -> Fraction:
    """Since the first frame. The video ends at the start of its last frame here: the duration of that is unknown."""
    return int(file.pts[min(frame, len(file.pts) - 1)] - file.pts[0]) * file.time_base


@tracks.command()
@click.argument("tracks_files", metavar="TRACKS_JSON...", nargs=-1, required=True, type=EXISTING_FILE)
@command_option(
    "--format",
    type=EnumChoice(TracksFormat),
    help="[default: by the name of the output, where it ends in .xml, .tracks.json or .coco.json]",
)
@command_option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write, or for several a folder; names must be free.",
)
def export(tracks_files: Sequence[Path], format: TracksFormat | None, output: Path) -> None:
    """Write the tracks of TRACKS_JSON for another tool: COCO, CVAT for video 1.1, or MOT challenge.

    mot0 is MOT with coordinates from 0. Prints the path of each file.

    \b
      dashredact tracks export masked/trip.tracks.json -o trip.xml
      dashredact tracks export masked/*.tracks.json --format coco -o for-training/
    """
    for tracks_file, target, target_format in _targets(tracks_files, format, output):
        exchange.write(target, tracks_json.read(tracks_file), target_format)
        click.echo(target)


def _targets(
    tracks_files: Sequence[Path], format: TracksFormat | None, output: Path
) -> Sequence[tuple[Path, Path, TracksFormat]]:
    """Each tracks file, what is written from it, and in which format. UsageError where that is not clear."""
    into_folder = len(tracks_files) > 1 or output.is_dir()
    if into_folder and output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file, and there are {len(tracks_files)} to export; name a folder with -o.")
    chosen = format or (None if into_folder else exchange.format_of_name(output))
    if chosen is None:
        raise UsageError(f"{output} does not tell the format by its name; add --format with {', '.join(TracksFormat)}.")
    if not into_folder:
        return [(tracks_files[0], output, chosen)]
    targets = [output / exchange.name_in(chosen, tracks_file) for tracks_file in tracks_files]
    if twice := next((target for target in targets if targets.count(target) > 1), None):
        raise UsageError(f"Two of the files would be written to {twice}; export them into two folders.")
    return [(tracks_file, target, chosen) for tracks_file, target in zip(tracks_files, targets, strict=True)]


@tracks.command("import")
@click.argument("file", type=EXISTING_FILE)
@command_option(
    "--format",
    type=EnumChoice(TracksFormat),
    help="[default: what FILE looks like, which is then said; mot0 looks like mot and is never assumed]",
)
@command_option("--like", required=True, type=EXISTING_FILE, help="The video that FILE is about, or its tracks file.")
@command_option("--boxes-of-another-video", is_flag=True, help="Use FILE although it names another video than --like.")
@command_option("-o", "--output", required=True, type=FILE_TO_WRITE, help="File to write; its name must be free.")
def import_tracks(
    file: Path, format: TracksFormat | None, like: Path, boxes_of_another_video: bool, output: Path
) -> None:
    """Make a tracks file of the boxes in FILE. Size, frames and times come from --like.

    \b
      dashredact tracks import trip.xml --like masked/trip.tracks.json -o trip.corrected.tracks.json
      dashredact tracks import gt.txt --format mot0 --like trip.mp4 -o trip.tracks.json
    """
    is_video = not _is_json(like)
    video = _video(like, file) if is_video else tracks_json.read(like)
    source_format = format or exchange.format_of(file)
    if is_video and not boxes_of_another_video:
        exchange.check_source(file, like, source_format)
    boxes = exchange.read(file, Canvas(*video.size, len(video.pts)), source_format)
    if not format and source_format is not TracksFormat.JSON:
        say(f"{file} is read as {source_format.description}; name its format with --format if it has another.")
    files.write_new(output, tracks_json.encode_file(replace(video, tracks=tuple(boxes))))
    click.echo(output)


def _is_json(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(_SNIFF).lstrip().startswith(b"{")


def _video(path: Path, boxes: Path) -> TracksFile:
    """A video without tracks. The file of boxes stands for the model that found them."""
    info = probe(path)
    model = ModelIdentity(boxes.name, files.sha256(boxes))
    pts = np.array(info.packets.shown_pts, np.int64)
    return TracksFile(path.name, files.sha256(path), model, info.upright_size, info.video.time_base, pts, ())
