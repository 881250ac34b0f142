"""What people decide about a masked video, as commands of `review`."""

from pathlib import Path
from typing import Any

import click

from dashredact.cli.app import say
from dashredact.cli.masking import WORKERS, crew_of
from dashredact.cli.options import options
from dashredact.cli.review import NAME, OUT, SOURCE
from dashredact.errors import ExitCode, UsageError
from dashredact.progress import ProgressDisplay
from dashredact.review import marking, originals
from dashredact.review.correction import Correction
from dashredact.review.decisions import Reviewer, deciding
from dashredact.review.state import How
from dashredact.values import KINDS, Kind
from dashredact.workspace.output_folder import OutputFolder

_NOTE = click.option("--note", default="", help="Why; goes into the audit log.")
_REVIEWER = click.option("--reviewer", default="", help="Who decides, where that is not the account.")
_DECISION = options(OUT, NAME, _NOTE, _REVIEWER)
_NUMBER = click.option("--track", "number", required=True, type=int, help="As `review show` numbers it.")


@click.command()
@_DECISION
def approve(out: Path, name: str, note: str, reviewer: str) -> None:
    """Sign a video off: the file that lies there now, by its hash.

    \b
      dashredact review approve masked trip.mp4 --note "whole clip watched"
    """
    with deciding(out):
        Reviewer(out, reviewer).approve(name, note)


@click.command()
@OUT
@NAME
@click.option("--note", required=True, help="Why; goes into the audit log.")
@_REVIEWER
def reject(out: Path, name: str, note: str, reviewer: str) -> None:
    """Say that a video is not to be used as it is. The file stays where it is.

    \b
      dashredact review reject masked trip.mp4 --note "a face in the mirror, 0:12"
    """
    with deciding(out):
        Reviewer(out, reviewer).reject(name, note)


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
@OUT
@NAME
@click.option("--kind", required=True, type=click.Choice([str(kind) for kind in KINDS]), help="What was missed.")
@click.option("--box", required=True, callback=_box, metavar="X0,Y0,X1,Y1", help="Where, on the first frame.")
@click.option("--frames", required=True, callback=_frames, metavar="A..B", help="From 0; both are masked.")
@click.option("--to-box", callback=_box, metavar="X0,Y0,X1,Y1", help="Where on the last frame, if it moves.")
@click.option("--track", "tracked", is_flag=True, help="Follow what is in the box through the unmasked video.")
@SOURCE
@_NOTE
@_REVIEWER
def mark(
    out: Path,
    name: str,
    kind: str,
    box: list[float],
    frames: range,
    to_box: list[float] | None,
    tracked: bool,
    **chosen: Any,
) -> None:
    """Draw a box over something that was missed; `review apply` masks it. Prints the number of the mark.

    Exit code 5 if what was to be followed was lost on the way: the mark ends there.

    \b
      dashredact review mark masked trip.mp4 --kind plate --box 400,220,460,250 --frames 120..187
      dashredact review mark masked trip.mp4 --kind face --box 10,40,60,90 --frames 0..30 --to-box 80,44,130,94
      dashredact review mark masked trip.mp4 --kind face --box 10,40,60,90 --frames 0..90 --track --source trip.mp4
    """
    if tracked and to_box:
        raise UsageError("--track and --to-box cannot be had together; choose one.")
    if to_box and len(frames) < 2:
        raise UsageError("--to-box needs two frames or more; give A..B with --frames, or leave it out.")
    with deciding(out):
        reviewer = Reviewer(out, chosen["reviewer"])
        how, keys = How.MOVING if to_box else How.STILL, marking.drawn(box, to_box, frames)
        if tracked:
            how = How.TRACKED
            keys = marking.followed(reviewer.desk, name, box, frames, chosen["source"], chosen["inbox"])
        end = int(keys[-1][0]) + 1 if tracked else frames.stop
        made = reviewer.mark(name, Kind(kind), keys, end, how, chosen["note"])
    click.echo(made["id"])
    if end < frames.stop:
        say(f"{name}: lost at frame {end}; mark {made['id']} ends at {end - 1}. Draw another box from there on.")
        raise SystemExit(ExitCode.NEEDS_REVIEW)


@click.command()
@_DECISION
@_NUMBER
def lift(out: Path, name: str, note: str, reviewer: str, number: int) -> None:
    """Take a false mask away; `review apply` shows what is under it.

    \b
      dashredact review lift masked trip.mp4 --track 12 --note "a traffic sign"
    """
    with deciding(out):
        Reviewer(out, reviewer).lift(name, number, note)


@click.command()
@_DECISION
@_NUMBER
def undo(out: Path, name: str, note: str, reviewer: str, number: int) -> None:
    """Take a mark or a lift back, applied or not; `review apply` brings the file in line. Nothing is erased.

    \b
      dashredact review undo masked trip.mp4 --track 1000001
    """
    with deciding(out):
        Reviewer(out, reviewer).undo(name, number, note)


@click.command()
@OUT
@NAME
@SOURCE
@_REVIEWER
@WORKERS
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def apply(
    out: Path, name: str, source: Path | None, inbox: Path | None, reviewer: str, quiet: bool, **chosen: Any
) -> None:
    """Make the masked video anew where corrections wait, and print its path.

    Only the segments with a change are rendered again, everything else stays as it is, bit for bit. The new file is
    verified, and takes the place of the old one when it is. It has to be approved anew.

    \b
      dashredact review apply masked trip.mp4 --source uploads/trip.mp4
    """
    with (
        ProgressDisplay(quiet=quiet) as progress,
        OutputFolder(out).exclusive(),
        crew_of({"device": "cpu", **chosen}) as crew,
    ):
        own = Reviewer(out, reviewer)
        standing = own.desk.standing(name)
        found = originals.find(standing, source, inbox)
        progress.start({found.name: found.stat().st_size})
        record = Correction(own, name, found).apply(progress, crew)
    click.echo(out / record["output"]["name"])


COMMANDS = (approve, reject, mark, lift, undo, apply)
