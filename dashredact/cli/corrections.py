"""What people decide about a masked video, as commands of `review`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from dashredact.cli.app import say
from dashredact.cli.masking import WORKERS, crew_of
from dashredact.cli.options import FOLDER, NAMES, QUIET
from dashredact.cli.review import NAME, SOURCE
from dashredact.errors import ExitCode, UsageError
from dashredact.kinds import KINDS, Kind
from dashredact.progress import ProgressDisplay
from dashredact.review import marking, originals
from dashredact.review.correction import Correction
from dashredact.review.decisions import Reviewer, deciding
from dashredact.review.state import How
from dashredact.review.views import ReviewQueue
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder

_NOTE = click.option("--note", default="", help="Why; goes into the audit log.")
_REVIEWER = click.option("--reviewer", default="", help="Who decides, where that is not the account.")
_YES = click.option("--yes", is_flag=True, help="Decide about several videos without asking.")
_TRACKS = click.option(
    "--track",
    "numbers",
    required=True,
    multiple=True,
    type=int,
    help="As `review show` numbers it; may be given several times.",
)
_WILD = "*?["


@click.command()
@FOLDER
@NAMES
@_NOTE
@_REVIEWER
@_YES
def approve(folder: OutputFolder, names: Sequence[str], note: str, reviewer: str, yes: bool) -> None:
    """Sign videos off: the files that are there now, by their hashes. Prints the name of each.

    A pattern stands for all videos of such names that wait for a person. Where there are several, it asks first.

    \b
      dashredact review approve masked trip.mp4 --note "whole clip watched"
      dashredact review approve masked 'front-20260412-*' --yes
    """
    chosen = _agreed(ReviewQueue(folder.path), names, "Approve", yes)
    with deciding(folder.path):
        own = Reviewer(folder.path, reviewer)
        for name in chosen:
            own.approve(name, note)
            click.echo(printable(name))


@click.command()
@FOLDER
@NAMES
@click.option("--note", required=True, help="Why; goes into the audit log.")
@_REVIEWER
@_YES
def reject(folder: OutputFolder, names: Sequence[str], note: str, reviewer: str, yes: bool) -> None:
    """Say that videos are not to be used as they are. The files stay where they are. Prints the name of each.

    A pattern stands for all videos of such names that wait for a person. Where there are several, it asks first.

    \b
      dashredact review reject masked trip.mp4 --note "a face in the mirror, 0:12"
    """
    chosen = _agreed(ReviewQueue(folder.path), names, "Reject", yes)
    with deciding(folder.path):
        own = Reviewer(folder.path, reviewer)
        for name in chosen:
            own.reject(name, note)
            click.echo(printable(name))


def _agreed(desk: ReviewQueue, patterns: Sequence[str], verb: str, yes: bool) -> Sequence[str]:
    """The names that are meant. UsageError where a pattern fits none, or several need a --yes that was not given."""
    names = list(dict.fromkeys(name for pattern in patterns for name in _named(desk, pattern)))
    if len(names) == 1 or yes:
        return names
    for name in names:
        say(name)
    question = f"{verb} these {len(names)} videos?"
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is there to answer; say --yes.")
    if not click.confirm(question, err=True):
        raise UsageError("Nothing was decided.")
    return names


def _named(desk: ReviewQueue, pattern: str) -> Sequence[str]:
    """A name that is one counts as it is, whatever signs it holds."""
    if not any(sign in pattern for sign in _WILD) or desk.history(pattern):
        return [desk.standing(pattern).name]
    found = desk.matching(pattern)
    if not found:
        raise UsageError(f"No video that waits for a person fits {pattern}; `review list` lists them.")
    return found


def _box(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[float] | None:
    if value is None:
        return None
    try:
        sides = [float(side) for side in value.split(",")]
    except ValueError:
        sides = []
    if len(sides) != 4 or not all(abs(side) < 1e6 for side in sides):
        raise UsageError(f"{value} is no box; give X0,Y0,X1,Y1 in pixels, such as 400,220,460,250.")
    return sides


def _frames(_context: click.Context, _parameter: click.Parameter, value: str) -> range:
    first, dots, last = value.partition("..")
    if not (dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise UsageError(f"{value} are no frames; give A..B, counted from 0, such as 120..187.")
    return range(int(first), int(last) + 1)


@click.command()
@FOLDER
@NAME
@click.option("--kind", required=True, type=click.Choice([str(kind) for kind in KINDS]), help="What was missed.")
@click.option("--box", required=True, callback=_box, metavar="X0,Y0,X1,Y1", help="Where, on the first frame.")
@click.option("--frames", required=True, callback=_frames, metavar="A..B", help="From 0; both are masked.")
@click.option("--to-box", callback=_box, metavar="X0,Y0,X1,Y1", help="Where on the last frame, if it moves.")
@click.option("--follow", is_flag=True, help="Follow what is in the box through the original.")
@SOURCE
@_NOTE
@_REVIEWER
def mark(
    folder: OutputFolder,
    name: str,
    kind: str,
    box: list[float],
    frames: range,
    to_box: list[float] | None,
    follow: bool,
    **chosen: Any,
) -> None:
    """Draw a box over something that was missed; `review apply` masks it. Prints the number of the mark.

    Exit code 5 if what was to be followed was lost on the way: the mark ends there.

    \b
      dashredact review mark masked trip.mp4 --kind plate --box 400,220,460,250 --frames 120..187
      dashredact review mark masked trip.mp4 --kind face --box 10,40,60,90 --frames 0..30 --to-box 80,44,130,94
      dashredact review mark masked trip.mp4 --kind face --box 10,40,60,90 --frames 0..90 --follow --source trip.mp4
    """
    if follow and to_box:
        raise UsageError("Use either --follow or --to-box.")
    if to_box and len(frames) < 2:
        raise UsageError("--to-box needs two frames or more; give A..B with --frames, or leave it out.")
    with deciding(folder.path):
        reviewer = Reviewer(folder.path, chosen["reviewer"])
        how, keys = How.MOVING if to_box else How.STILL, marking.drawn(box, to_box, frames)
        if follow:
            how = How.TRACKED
            keys = marking.followed(reviewer.desk, name, box, frames, chosen["source"], chosen["inbox"])
        end = int(keys[-1][0]) + 1 if follow else frames.stop
        made = reviewer.mark(name, Kind(kind), keys, end, how, chosen["note"])
    click.echo(made["id"])
    if end < frames.stop:
        say(f"{name}: lost at frame {end}; mark {made['id']} ends at {end - 1}. Draw another box from there on.")
        raise SystemExit(ExitCode.NEEDS_REVIEW)


@click.command()
@FOLDER
@NAME
@_TRACKS
@_NOTE
@_REVIEWER
def unmask(folder: OutputFolder, name: str, numbers: Sequence[int], note: str, reviewer: str) -> None:
    """Take false masks away; `review apply` shows what is under them.

    \b
      dashredact review unmask masked trip.mp4 --track 12 --track 15 --note "traffic signs"
    """
    with deciding(folder.path):
        Reviewer(folder.path, reviewer).unmask(name, numbers, note)


@click.command()
@FOLDER
@NAME
@_TRACKS
@_NOTE
@_REVIEWER
def undo(folder: OutputFolder, name: str, numbers: Sequence[int], note: str, reviewer: str) -> None:
    """Take marks and unmaskings back, applied or not; `review apply` brings the file in line. Nothing is erased.

    \b
      dashredact review undo masked trip.mp4 --track 1000001
    """
    with deciding(folder.path):
        Reviewer(folder.path, reviewer).undo(name, numbers, note)


@click.command()
@FOLDER
@NAME
@SOURCE
@_REVIEWER
@WORKERS
@QUIET
def apply(
    folder: OutputFolder, name: str, source: Path | None, inbox: Path | None, reviewer: str, quiet: bool, **chosen: Any
) -> None:
    """Render the masked video again where corrections wait, and print its path.

    Only the segments with a change are rendered again, everything else stays as it is, bit for bit. The new file is
    verified, and takes the place of the old one when it is. It has to be approved again.

    \b
      dashredact review apply masked trip.mp4 --source uploads/trip.mp4
    """
    with (
        ProgressDisplay(quiet=quiet) as progress,
        folder.exclusive(),
        crew_of({"device": "cpu", **chosen}) as crew,
    ):
        own = Reviewer(folder.path, reviewer)
        standing = own.desk.standing(name)
        found = originals.find(standing, source, inbox)
        progress.start({found.name: found.stat().st_size})
        record = Correction(own, name, found).apply(progress, crew)
    click.echo(folder.path / record["output"]["name"])


COMMANDS = (approve, reject, mark, unmask, undo, apply)
