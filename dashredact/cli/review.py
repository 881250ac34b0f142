"""`review`: what waits for a person, and what people decide about it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dashredact import files
from dashredact.audit.describe import history_line
from dashredact.audit.events import parse
from dashredact.cli.app import say
from dashredact.cli.options import FOLDER, INBOX, JSON, options
from dashredact.cli.tables import print_rows
from dashredact.errors import ExitCode, UsageError
from dashredact.formats.tracks_json import TracksFile
from dashredact.review import originals, queue
from dashredact.review.queue import FlaggedTrack
from dashredact.review.views import ReviewQueue, residual_finds
from dashredact.text import plural, printable
from dashredact.workspace.output_folder import OutputFolder

NAME = click.argument("name")
SOURCE = options(
    click.option("--source", type=click.Path(exists=True, path_type=Path), help="The original of the video."),
    INBOX,
)


@click.group()
def review() -> None:
    """Look at what was masked, correct it, and answer for it.

    NAME is that of the unmasked video, as `review list` and the audit log give it.
    """


@review.command("list")
@FOLDER
@click.option("--all", "every", is_flag=True, help="Also videos that were reviewed.")
@click.option("--min-risk", type=click.FloatRange(0), default=0, help="Only videos of at least this risk.")
@JSON
def list_videos(folder: OutputFolder, every: bool, min_risk: float, as_json: bool) -> None:
    """Print the videos of FOLDER that wait for a person, most pressing first. Exit code 5 if there is one.

    \b
      dashredact review list masked
      dashredact review list masked --json --min-risk 10
    """
    found = [video for video in ReviewQueue(folder.path).queue(every=every) if video.urgency.risk >= min_risk]
    rows = [
        {
            "risk": video.urgency.risk,
            "name": video.standing.name,
            "state": video.state,
            "corrections waiting": video.standing.waiting,
            "places": len(video.places),
            "reasons": dict(video.urgency.reasons),
        }
        for video in found
    ]
    print_rows(rows, as_json)
    raise SystemExit(ExitCode.NEEDS_REVIEW if any(video.is_open for video in found) else ExitCode.OK)


@review.command()
@FOLDER
@NAME
@click.option("--all", "every", is_flag=True, help="Every track that has a reason, however little it weighs.")
@JSON
def show(folder: OutputFolder, name: str, every: bool, as_json: bool) -> None:
    """Print the tracks of a video that are worth a look, and the corrections that are in force.

    Frames count from 0, the last one included; boxes are x0,y0,x1,y1 in pixels of the upright picture.

    \b
      dashredact review show masked trip.mp4
    """
    desk = ReviewQueue(folder.path)
    standing = desk.standing(name)
    file = desk.tracks(standing)
    found = [place for place in desk.places(standing, file) if every or place.weight >= queue.REVIEW_WEIGHT]
    rows = [_row(place, file) for place in found]
    rows += [_seen(find, file) for find in residual_finds(standing, file)]
    for numbers, applied, what in (
        (standing.marks, standing.applied_marks, "mark"),
        (standing.lifts, standing.applied_lifts, "unmasked"),
    ):
        for number, row in numbers.items():
            state = "applied" if number in applied else "waits"
            frames = f"{row['first']}..{row['end'] - 1}"
            rows.append({"track": number, "kind": row["kind"], "frames": frames, "reasons": f"{what}, {state}"})
    if not as_json:
        click.echo(
            printable(f"{name}: {standing.state}, {plural(len(file.tracks), 'track')}, {standing.output['name']}")
        )
        if reason := standing.result.get("reason"):
            click.echo(printable(reason))
    print_rows(rows, as_json)


def _row(place: FlaggedTrack, file: TracksFile) -> dict[str, Any]:
    track = place.track
    best = int(track.scores.argmax())
    seconds = (float(file.times[track.first]), float(file.times[track.end - 1]))
    return {
        "track": track.id,
        "kind": str(track.kind),
        "frames": f"{track.first}..{track.end - 1}",
        "seconds": f"{seconds[0]:.2f}-{seconds[1]:.2f}",
        "look at frame": track.first + best,
        "box": ",".join(f"{side:.0f}" for side in track.boxes[best]),
        "score": round(float(track.scores.max()), 2),
        "weight": round(place.weight, 1),
        "reasons": ", ".join(one.reason for one in place.reasons),
    }


def _seen(find: Mapping[str, Any], file: TracksFile) -> dict[str, Any]:
    """What a second look saw, which has no track."""
    first, last = find["first"], find["last"]
    return {
        "track": "none",
        "kind": find["kind"],
        "frames": f"{first}..{last}",
        "seconds": f"{file.times[first]:.2f}-{file.times[last]:.2f}",
        "look at frame": find["frame"],
        "box": ",".join(f"{side:.0f}" for side in find["box"]),
        "score": round(find["score"], 2),
        "reasons": "second look",
    }


@review.command()
@FOLDER
@NAME
@JSON
def history(folder: OutputFolder, name: str, as_json: bool) -> None:
    """Print every event about a video, oldest first: who did what, when, and why.

    \b
      dashredact review history masked trip.mp4
    """
    found = ReviewQueue(folder.path).history(name)
    if not found:
        raise UsageError(f"The audit log of {folder} says nothing of a source named {name}.")
    for record in found:
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else printable(history_line(parse(record))))


@review.command()
@FOLDER
@NAME
@SOURCE
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="PNG to write, outside FOLDER.")
def sheet(folder: OutputFolder, name: str, source: Path | None, inbox: Path | None, output: Path) -> None:
    """Draw what lies under the masks that are worth a look, as it was filmed. Private: delete it after use.

    \b
      dashredact review sheet masked trip.mp4 --source uploads/trip.mp4 -o /tmp/sheet.png
    """
    if folder.contains(output):
        raise UsageError(f"{output} is under {folder}, which holds masked pictures only; choose another place.")
    desk = ReviewQueue(folder.path)
    standing = desk.standing(name)
    file = desk.tracks(standing)
    places = [place for place in desk.places(standing, file) if place.weight >= queue.REVIEW_WEIGHT]
    if not places:
        raise UsageError(f"{name}: has no track that is worth a look; nothing was drawn.")
    stream = standing.result["settings"]["video_stream"]
    content = originals.contact_sheet(originals.find(standing, source, inbox), file, places, stream)
    files.write_new(output, content)
    say(f"{output} shows people and plates unmasked; only its owner can read it. Delete it after use.")
    click.echo(output)
