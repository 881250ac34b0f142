"""`review sample`: how much was missed, by the eyes of a person on frames drawn by chance."""

import json
from collections.abc import Sequence
from datetime import timedelta
from math import isfinite
from pathlib import Path

import click
from msgspec import to_builtins

from dashredact.audit.events import Draw
from dashredact.cli.app import say
from dashredact.cli.grammar import command_option, group
from dashredact.cli.options import EXISTING_FILE, FOLDER, JSON, PATTERNS
from dashredact.errors import ExitCode, UsageError
from dashredact.kinds import Kind
from dashredact.review import draws, sampling
from dashredact.review.decisions import Reviewer
from dashredact.review.miss_bound import frames_needed
from dashredact.review.queue import ReviewQueue
from dashredact.text import plural, printable
from dashredact.workspace.output_folder import OutputFolder

_MOST = 9999  # pictures that somebody may be asked to look at
_REVIEWER = command_option("--reviewer", default="", help="Who does it, where that is not the account.")


@group()
def sample() -> None:
    """Bound how much was missed, from frames drawn by chance that a person judges.

    \b
      dashredact review sample draw masked -o /tmp/draw
      ... look at the pictures, fill in /tmp/draw/verdicts.csv ...
      dashredact review sample count masked /tmp/draw/verdicts.csv --reviewer "A. Clerk"
    """


@sample.command()
@FOLDER
@command_option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New folder, outside FOLDER.")
@command_option("--frames", type=click.IntRange(1, _MOST), help="How many frames [default: 300].")
@command_option(
    "--prove",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="As many frames as show that at most so many object-seconds an hour are missed, if none is seen on them.",
)
@PATTERNS
@command_option("--seed", default="", help="Text that decides what is drawn, to repeat a draw [default: by chance].")
@_REVIEWER
def draw(
    folder: OutputFolder,
    output: Path,
    frames: int | None,
    prove: float | None,
    names: Sequence[str],
    seed: str,
    reviewer: str,
) -> None:
    """Draw frames of the masked videos of FOLDER and write them, and a table for verdicts, into a private folder.

    Every moment of the videos is as likely as any other. The draw is written into the audit log.

    \b
      dashredact review sample draw masked --frames 300 -o /tmp/draw
      dashredact review sample draw masked --prove 60 --name 'taxi7/*' -o /tmp/draw
    """
    if frames and prove:
        raise UsageError("Use either --frames or --prove.")
    if prove is not None and not isfinite(prove):
        raise UsageError("--prove takes a number of seconds.")
    wanted = frames_needed(prove) if prove else frames or 300
    if wanted > _MOST:
        raise UsageError(f"That takes {wanted:,} frames, more than the {_MOST:,} that one draw may have; ask for less.")
    with folder.deciding():
        drawn = sampling.draw(Reviewer(folder, reviewer), names, wanted, output, seed)
    columns = " and ".join(Kind(kind).row.plural for kind in drawn.kinds)
    again = drawn.frames - len(drawn.drawn)
    repeated = f" ({drawn.frames} frames were drawn, {again} of them more than once)" if again else ""
    say(
        f"Draw {drawn.id}: {plural(len(drawn.drawn), 'picture')} of {_population(drawn)}{repeated}."
        f" In {sampling.VERDICTS} write beside each picture how many {columns} are left on it that somebody could"
        " recognise or read, 0 for none; then `review sample count`. Delete the pictures after use."
    )
    click.echo(output)


@sample.command()
@FOLDER
@click.argument("verdicts", type=EXISTING_FILE)
@command_option("--note", default="", help="Goes into the audit log.")
@_REVIEWER
def count(folder: OutputFolder, verdicts: Path, note: str, reviewer: str) -> None:
    """Turn the table of verdicts into bounds and write them into the audit log. Exit code 5 if something was missed.

    \b
      dashredact review sample count masked /tmp/draw/verdicts.csv --reviewer "A. Clerk"
    """
    with folder.deciding():
        judgement = sampling.count(Reviewer(folder, reviewer), verdicts, note)
    for kind, bound in draws.bounds(judgement).items():
        click.echo(f"{Kind(kind).row.plural}: {bound.sentence(kind)}")
    for miss in judgement.misses:
        missed = f"{miss.missed} {Kind(miss.kind).row.noun(miss.missed)}"
        say(f"{miss.name}: {missed} missed on frame {miss.frame}; see `review mark`.")
    raise SystemExit(ExitCode.NEEDS_REVIEW if judgement.misses else ExitCode.OK)


def _population(draw: Draw) -> str:
    """`3 videos, 0:12:40`"""
    return f"{plural(draw.videos, 'video')}, {timedelta(seconds=round(draw.seconds))}"


@sample.command("list")
@FOLDER
@JSON
def list_draws(folder: OutputFolder, as_json: bool) -> None:
    """Print every draw of FOLDER, oldest first, and what its verdicts prove.

    \b
      dashredact review sample list masked
    """
    queue = ReviewQueue(folder)
    for one in draws.draws(queue.events, queue.clips):
        draw, judged = one.draw, one.judged
        if as_json:
            verdicts = judged and {**to_builtins(judged.judged), "time": judged.time, "by": to_builtins(judged.actor)}
            row = {**to_builtins(draw), "time": one.sampled.time, "same": one.same, "judged": verdicts}
            click.echo(json.dumps(row, ensure_ascii=False))
            continue
        proven = "; ".join(bound.sentence(kind) for kind, bound in one.bounds.items()) or "not judged"
        since = "" if one.same else "; videos have changed since"
        since += "; the seed was given" if draw.seed_given else ""
        about = f"{_population(draw)}, {plural(draw.frames, 'frame')}"
        click.echo(printable(f"{draw.id}  {one.sampled.time}  {about}  {proven}{since}"))
