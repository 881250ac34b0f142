"""What people decide about a masked video, as commands of `review`."""

import sys
from collections.abc import Sequence

import click

from dashredact.cli.app import say
from dashredact.cli.grammar import EnumChoice, command, command_option
from dashredact.cli.masking import workers_of
from dashredact.cli.options import FOLDER, NAMES, QUIET, WorkerOptions
from dashredact.cli.review import NAME, OriginalOptions
from dashredact.errors import ExitCode, UsageError
from dashredact.kinds import KINDS, Kind
from dashredact.progress import ProgressDisplay
from dashredact.review import marking
from dashredact.review.correction import Correction
from dashredact.review.decisions import Reviewer
from dashredact.review.queue import ReviewQueue
from dashredact.review.views import uncovered_lines
from dashredact.text import printable
from dashredact.workspace import originals
from dashredact.workspace.output_folder import OutputFolder

_NOTE = command_option("--note", default="", help="Why; goes into the audit log.")
_REVIEWER = command_option("--reviewer", default="", help="Who decides, where that is not the account.")
_YES = command_option("--yes", is_flag=True, help="Decide about several videos without asking.")
_TRACKS = command_option(
    "--track",
    "numbers",
    required=True,
    multiple=True,
    type=int,
    help="As `review show` numbers it; may be given several times.",
)
_WILD = "*?["


@command()
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
    chosen = _agreed(ReviewQueue(folder), names, "Approve", yes)
    with folder.deciding():
        own = Reviewer(folder, reviewer)
        for name in chosen:
            own.approve(name, note)
            click.echo(printable(name))


@command()
@FOLDER
@NAMES
@command_option("--note", required=True, help="Why; goes into the audit log.")
@_REVIEWER
@_YES
def reject(folder: OutputFolder, names: Sequence[str], note: str, reviewer: str, yes: bool) -> None:
    """Say that videos are not to be used as they are. The files stay where they are. Prints the name of each.

    A rejected video is listed until it is corrected. Of one that could not be masked, this says that it stays unmasked:
    it is listed no longer.

    A pattern stands for all videos of such names that wait for a person. Where there are several, it asks first.

    \b
      dashredact review reject masked trip.mp4 --note "a face in the mirror, 0:12"
    """
    chosen = _agreed(ReviewQueue(folder), names, "Reject", yes)
    with folder.deciding():
        own = Reviewer(folder, reviewer)
        for name in chosen:
            own.reject(name, note)
            click.echo(printable(name))


def _agreed(queue: ReviewQueue, patterns: Sequence[str], verb: str, yes: bool) -> Sequence[str]:
    """The names that are meant. UsageError where a pattern fits none, or several need a --yes that was not given."""
    names = list(dict.fromkeys(name for pattern in patterns for name in _named(queue, pattern)))
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


def _named(queue: ReviewQueue, pattern: str) -> Sequence[str]:
    """The name of a source counts as it is, whatever characters it holds."""
    if not any(char in pattern for char in _WILD) or queue.history(pattern):
        return [queue.tried(pattern).name]
    names = queue.matching(pattern)
    if not names:
        raise UsageError(f"No video that waits for a person fits {pattern}; `review list` lists them.")
    return names


def _box(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[float] | None:
    if value is None:
        return None
    try:
        sides = [float(side) for side in value.split(",")]
    except ValueError:
        sides = []
    if len(sides) != 4 or not all(abs(side) < 1e6 for side in sides):
        raise UsageError(f"{value} is not a box; give X0,Y0,X1,Y1 in pixels, such as 400,220,460,250.")
    return sides


@command()
@FOLDER
@NAME
@command_option("--kind", required=True, type=EnumChoice(KINDS), help="What was missed.")
@command_option("--box", required=True, callback=_box, metavar="X0,Y0,X1,Y1", help="Where, on the first frame.")
@command_option(
    "--frames", required=True, metavar="A..B", help="Frames from 0, or times such as 0:04..0:06.2; both are masked."
)
@command_option("--to-box", callback=_box, metavar="X0,Y0,X1,Y1", help="Where on the last frame, if it moves.")
@command_option("--follow", is_flag=True, help="Follow what is in the box through the original.")
@_NOTE
@_REVIEWER
def mark(
    folder: OutputFolder,
    name: str,
    kind: Kind,
    box: list[float],
    frames: str,
    to_box: list[float] | None,
    follow: bool,
    original: OriginalOptions,
    note: str,
    reviewer: str,
) -> None:
    """Draw a box over something that was missed; `review apply` masks it. Prints the number of the mark.

    Exit code 5 if what was to be followed was lost on the way: the mark ends there.

    \b
      dashredact review mark masked trip.mp4 --kind plate --box 400,220,460,250 --frames 120..187
      dashredact review mark masked trip.mp4 --kind face --box 10,40,60,90 --frames 0:00..0:01 --to-box 80,44,130,94
      dashredact review mark masked trip.mp4 --kind face --box 10,40,60,90 --frames 0..90 --follow --source trip.mp4
    """
    if follow and to_box:
        raise UsageError("Use either --follow or --to-box.")
    with folder.deciding():
        own = Reviewer(folder, reviewer)
        wanted = marking.frame_range(frames, own.queue.tracks(own.queue.masked(name)).times)
        if to_box and len(wanted) < 2:
            raise UsageError("--to-box needs two frames or more; give A..B with --frames, or leave it out.")
        if follow:
            boxes = marking.followed(own.queue, name, kind, box, wanted, original.source, original.inbox)
        else:
            boxes = marking.drawn(box, to_box, wanted)
        made = own.mark(name, kind, boxes, note)
    click.echo(made.id)
    if made.wanted_end:
        say(
            f"{name}: lost at frame {made.end}; mark {made.id} ends at {made.end - 1}. Draw another box from there on:"
            " until then nobody can approve the video."
        )
        raise SystemExit(ExitCode.NEEDS_REVIEW)


@command()
@FOLDER
@NAME
@_TRACKS
@command_option(
    "--like", is_flag=True, help="All tracks of these kinds too that are as large and at the same place of the picture."
)
@_NOTE
@_REVIEWER
def unmask(folder: OutputFolder, name: str, numbers: Sequence[int], like: bool, note: str, reviewer: str) -> None:
    """Take false masks away on all their frames, and say what that uncovers; `review apply` shows what is under them.

    \b
      dashredact review unmask masked trip.mp4 --track 12 --track 15 --note "traffic signs"
      dashredact review unmask masked trip.mp4 --track 3 --like --note "sticker on the windscreen"
    """
    with folder.deciding():
        own = Reviewer(folder, reviewer)
        tracks = own.unmask(name, numbers, note, like=like)
        times = own.queue.tracks(own.queue.masked(name)).times
    for line in uncovered_lines(tracks, times):
        say(f"{name}: `review apply` will uncover {line}.")


@command()
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
    with folder.deciding():
        Reviewer(folder, reviewer).undo(name, numbers, note)


@command()
@FOLDER
@NAME
@_REVIEWER
@QUIET
def apply(
    folder: OutputFolder, name: str, original: OriginalOptions, reviewer: str, workers: WorkerOptions, quiet: bool
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
        workers_of(workers, "cpu") as pool,
    ):
        own = Reviewer(folder, reviewer)
        path = originals.locate(own.queue.masked(name).source, original.source, original.inbox)
        progress.start({path.name: path.stat().st_size})
        correction = Correction(own, name, path)
        event = correction.apply(progress, pool)
    for line in uncovered_lines(correction.changes.uncovered, correction.times):
        say(f"{name}: uncovered {line}. Look at it before you approve the video.")
    if event.output:
        click.echo(folder.resolve(event.output.name))


COMMANDS = (approve, reject, mark, unmask, undo, apply)
