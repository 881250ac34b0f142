"""`review sample`: how much was missed, by the eyes of a person on frames drawn by chance."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import click

from dashredact.cli.app import say
from dashredact.cli.options import JSON
from dashredact.cli.review import OUT
from dashredact.errors import ExitCode, UsageError
from dashredact.kinds import Kind
from dashredact.review import draws
from dashredact.review import sampling as reviewing
from dashredact.review.decisions import Reviewer, deciding
from dashredact.review.miss_bound import frames_needed
from dashredact.review.views import ReviewQueue
from dashredact.text import plural, printable

_MOST = 9999  # pictures that somebody may be asked to look at
_REVIEWER = click.option("--reviewer", default="", help="Who does it, where that is not the account.")


@click.group()
def sample() -> None:
    """Bound how much was missed, from frames drawn by chance that a person judges.

    \b
      dashredact review sample draw masked -o /tmp/draw
      ... look at the pictures, fill in /tmp/draw/verdicts.csv ...
      dashredact review sample count masked /tmp/draw/verdicts.csv --reviewer "A. Clerk"
    """


@sample.command()
@OUT
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New folder, not under OUT.")
@click.option("--frames", type=click.IntRange(1, _MOST), help="How many frames [default: 300].")
@click.option(
    "--prove",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="As many frames as show that at most so many object-seconds an hour are missed, if none is seen on them.",
)
@click.option("--name", "names", multiple=True, metavar="PATTERN", help="Only videos of such names.")
@click.option("--seed", default="", help="Text that decides what is drawn, to repeat a draw [default: by chance].")
@_REVIEWER
def draw(
    out: Path,
    output: Path,
    frames: int | None,
    prove: float | None,
    names: Sequence[str],
    seed: str,
    reviewer: str,
) -> None:
    """Draw frames of the masked videos of OUT and write them, and a table for verdicts, into a private folder.

    Every moment of the videos is as likely as any other. The draw is written into the audit log.

    \b
      dashredact review sample draw masked --frames 300 -o /tmp/draw
      dashredact review sample draw masked --prove 60 --name 'taxi7/*' -o /tmp/draw
    """
    if frames and prove:
        raise UsageError("--frames and --prove cannot be had together; choose one.")
    if prove is not None and not isfinite(prove):
        raise UsageError("--prove takes a number of seconds.")
    wanted = frames_needed(prove) if prove else frames or 300
    if wanted > _MOST:
        raise UsageError(f"That takes {wanted:,} frames, more than the {_MOST:,} that one draw may have; ask for less.")
    with deciding(out):
        record = reviewing.draw(Reviewer(out, reviewer), names, wanted, output, seed)
    told = record["draw"]
    columns = " and ".join(Kind(kind).row.plural for kind in told["kinds"])
    say(
        f"Draw {told['id']}: {plural(len(told['drawn']), 'picture')} of {_population(told)}."
        f" In {reviewing.VERDICTS} write beside each picture how many {columns} are left on it that somebody could"
        " recognise or read, 0 for none; then `review sample count`. Delete the pictures after use."
    )
    click.echo(output)


@sample.command()
@OUT
@click.argument("verdicts", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="Goes into the audit log.")
@_REVIEWER
def count(out: Path, verdicts: Path, note: str, reviewer: str) -> None:
    """Turn the table of verdicts into bounds and write them into the audit log. Exit code 5 if something was missed.

    \b
      dashredact review sample count masked /tmp/draw/verdicts.csv --reviewer "A. Clerk"
    """
    with deciding(out):
        record = reviewing.count(Reviewer(out, reviewer), verdicts, note)
    for kind, bound in draws.bounds(record).items():
        click.echo(f"{Kind(kind).row.plural}: {bound.told(kind)}")
    misses = record["judged"]["misses"]
    for miss in misses:
        missed = f"{miss['missed']} {Kind(miss['kind']).row.noun(miss['missed'])}"
        say(f"{miss['name']}: {missed} missed on frame {miss['frame']}; see `review mark`.")
    raise SystemExit(ExitCode.NEEDS_REVIEW if misses else ExitCode.OK)


def _population(told: Mapping[str, Any]) -> str:
    """`3 videos, 0:12:40`"""
    return f"{plural(told['videos'], 'video')}, {timedelta(seconds=round(told['seconds']))}"


@sample.command("list")
@OUT
@JSON
def list_draws(out: Path, as_json: bool) -> None:
    """Print every draw of OUT, oldest first, and what its verdicts prove.

    \b
      dashredact review sample list masked
    """
    for one in draws.draws(ReviewQueue(out).records):
        told, bounds = one.told, one.bounds
        if as_json:
            judged = one.judged and {**one.judged["judged"], "time": one.judged["time"], "by": one.judged["by"]}
            row = {**told, "time": one.line["time"], "same": one.same, "judged": judged}
            click.echo(json.dumps(row, ensure_ascii=False))
            continue
        proven = "; ".join(bound.told(kind) for kind, bound in bounds.items()) or "not judged"
        since = "" if one.same else "; videos have changed since"
        since += "; the seed was given" if told["seed_given"] else ""
        about = f"{_population(told)}, {plural(told['frames'], 'frame')}"
        click.echo(printable(f"{told['id']}  {one.line['time']}  {about}  {proven}{since}"))
