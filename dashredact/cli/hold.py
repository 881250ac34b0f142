"""`hold`: what is never deleted, because somebody said why and until when."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from dashredact.audit.legal_holds import Ground, Hold
from dashredact.cli.app import printable
from dashredact.cli.options import JSON, choice
from dashredact.governance.retention import holds
from dashredact.workspace.output_folder import OutputFolder


@click.group()
def hold() -> None:
    """Keep videos from being deleted: after an accident, for the police, for a law."""


_OUT = click.option(
    "--outbox",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where masked videos and their audit log are.",
)
_NAMES = click.argument("names", nargs=-1, required=True)


@hold.command()
@_NAMES
@_OUT
@click.option(
    "--inbox",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the originals are; allows names that were not tried yet.",
)
@click.option("--kind", type=choice(Ground), required=True, help="Why it is held.")
@click.option("--reason", required=True, help="Which accident, which request, which law.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day.")
def add(names: Sequence[str], outbox: Path, inbox: Path | None, kind: str, reason: str, until: datetime) -> None:
    """Hold the sources of these NAMES, as the audit log calls them, and all that was made of them.

    May be done while other commands run. To go on longer, add the hold again.

    \b
      dashredact hold add front-1.mp4 --outbox masked --kind accident --reason "claim 2026-17" --until 2027-03-31
    """
    for name in names:
        holds.add(OutputFolder(outbox), inbox, Hold(name, None, kind, reason, until.date()), date.today())
        click.echo(printable(name))


@hold.command("list")
@_OUT
@JSON
def list_(outbox: Path, as_json: bool) -> None:
    """Print what is held, a line each, also holds whose time is over.

    \b
      dashredact hold list --outbox masked
    """
    for one in holds.listed(OutputFolder(outbox)):
        over = one.until < date.today()
        told = {"name": one.name, "kind": one.kind, "until": str(one.until), "reason": one.reason, "over": over}
        words = f"{one.name}: {one.kind}, until {one.until}{', which is over' if over else ''}: {one.reason}"
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else printable(words))


@hold.command()
@_NAMES
@_OUT
@click.option("--reason", required=True, help="Why it is no longer needed.")
def release(names: Sequence[str], outbox: Path, reason: str) -> None:
    """Hold the sources of these NAMES no longer.

    \b
      dashredact hold release front-1.mp4 --outbox masked --reason "claim 2026-17 is settled"
    """
    for name in names:
        holds.release(OutputFolder(outbox), name, reason)
        click.echo(printable(name))
