"""`tracks`: what a tracks file holds, and its way to and from other tools."""

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import click
import numpy as np

from dashredact import files
from dashredact.cli.options import JSON, choice
from dashredact.formats import exchange
from dashredact.formats import tracks_json as tracks_store
from dashredact.formats.exchange import Canvas, TracksFormat
from dashredact.formats.tracks_json import TracksFile
from dashredact.media.probe import probe
from dashredact.values import ModelIdentity

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; its name must be free.",
)
_COLUMNS = ("id", "kind", "frames", "seconds", "size", "top_score")
_SNIFF = 64  # bytes


@click.group()
def tracks() -> None:
    """Show a tracks file, and carry tracks to and from other tools."""


@tracks.command()
@click.argument("file", type=_FILE)
@JSON
def show(file: Path, as_json: bool) -> None:
    """Print the tracks of FILE, one a line: frames first-last, seconds, widest and highest box, top score.

    \b
      dashredact tracks show masked/trip.tracks.json
    """
    rows = list(_rows(tracks_store.read(file)))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    cells = [[str(row[column]) for column in _COLUMNS] for row in rows]
    table = [[column.replace("_", " ") for column in _COLUMNS], *cells]
    widths = [max(len(line[place]) for line in table) for place in range(len(_COLUMNS))]
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
    """From the first frame on. The end of the video is its last frame: how long that is shown, nobody says."""
    return int(file.pts[min(frame, len(file.pts) - 1)] - file.pts[0]) * file.time_base


@tracks.command()
@click.argument("tracks_json", type=_FILE)
@click.option("--format", "form", type=choice(TracksFormat), required=True, help="mot0 is MOT with coordinates from 0.")
@_OUTPUT
def export(tracks_json: Path, form: str, output: Path) -> None:
    """Write the tracks of TRACKS_JSON for another tool: COCO, CVAT for video 1.1, or MOT challenge.

    \b
      dashredact tracks export masked/trip.tracks.json --format cvat -o trip.xml
    """
    exchange.write(output, tracks_store.read(tracks_json), TracksFormat(form))
    click.echo(output)


@tracks.command("import")
@click.argument("file", type=_FILE)
@click.option(
    "--format", "form", type=choice(TracksFormat), help="[default: what FILE looks like; mot0 is never guessed]"
)
@click.option("--like", required=True, type=_FILE, help="The video that FILE is about, or a tracks file of it.")
@_OUTPUT
def import_tracks(file: Path, form: str | None, like: Path, output: Path) -> None:
    """Make a tracks file of the boxes in FILE. Size, frames and times come from --like.

    \b
      dashredact tracks import trip.xml --like masked/trip.tracks.json -o trip.corrected.tracks.json
    """
    about = _about(like, file)
    canvas = Canvas(*about.size, len(about.pts))
    read = exchange.read(file, canvas, TracksFormat(form) if form else None)
    files.write_new(output, tracks_store.encode_file(replace(about, tracks=tuple(read))))
    click.echo(output)


def _about(like: Path, boxes: Path) -> TracksFile:
    """The video. Where it is named itself, the file of boxes stands for the model that looked."""
    with like.open("rb") as opened:
        if opened.read(_SNIFF).lstrip().startswith(b"{"):
            return tracks_store.read(like)
    info = probe(like)
    model = ModelIdentity(boxes.name, files.sha256(boxes))
    pts = np.array(info.packets.shown_pts, np.int64)
    return TracksFile(like.name, files.sha256(like), model, info.upright_size, info.video.time_base, pts, ())
