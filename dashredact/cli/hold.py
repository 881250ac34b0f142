"""`hold`: what is never deleted, because somebody said why and until when."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from dashredact.audit.legal_holds import Ground, Hold
from dashredact.cli.app import say
from dashredact.cli.grammar import EnumChoice, command_option, group
from dashredact.cli.options import DAY, FOLDER, INBOX, JSON, NAMES
from dashredact.governance.retention import holds
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder


@group()
def hold() -> None:
    """Keep videos from being deleted: after an accident, for the police, for a law."""


@hold.command()
@FOLDER
@NAMES
@INBOX
@command_option("--kind", type=EnumChoice(Ground), required=True, help="Why it is held.")
@command_option("--reason", required=True, help="Which accident, which request, which law.")
@command_option("--until", type=DAY, required=True, help="Last day.")
def add(
    folder: OutputFolder, names: Sequence[str], inbox: Path | None, kind: str, reason: str, until: datetime
) -> None:
    """Hold the sources of these NAMES, as the audit log calls them, and all that was made of them.

    With --inbox also what lies there and was not tried yet. May be done while other commands run. To go on longer, add
    the hold again.

    \b
      dashredact hold add masked front-1.mp4 --kind accident --reason "claim 2026-17" --until 2027-03-31
    """
    for name in names:
        holds.add(folder, inbox, Hold(name, None, kind, reason, until.date()), date.today())
        click.echo(printable(name))


@hold.command("list")
@FOLDER
@JSON
def list_(folder: OutputFolder, as_json: bool) -> None:
    """Print what is held, a line each, also holds whose time is over.

    \b
      dashredact hold list masked
    """
    listed = holds.listed(folder)
    if not listed:
        say("Nothing is held.")
    for one in listed:
        over = one.until < date.today()
        row = {"name": one.name, "kind": one.kind, "until": str(one.until), "reason": one.reason, "over": over}
        words = f"{one.name}: {one.kind}, until {one.until}{', which is over' if over else ''}: {one.reason}"
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else printable(words))


@hold.command()
@FOLDER
@NAMES
@command_option("--reason", required=True, help="Why it is no longer needed.")
def release(folder: OutputFolder, names: Sequence[str], reason: str) -> None:
    """Hold the sources of these NAMES no longer.

    \b
      dashredact hold release masked front-1.mp4 --reason "claim 2026-17 is settled"
    """
    for name in names:
        holds.release(folder, name, reason)
        click.echo(printable(name))
