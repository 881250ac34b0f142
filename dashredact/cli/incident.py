"""`incident`: a draft of the report of a leak, and its dates."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
from msgspec import to_builtins

from dashredact.cli.grammar import command_option, group
from dashredact.cli.options import DAY, EXISTING_FILE, FILE_TO_WRITE, FOLDER, JSON, day
from dashredact.cli.tables import table, today
from dashredact.governance.disclosure.incident import Dates, IncidentOptions, incidents, report
from dashredact.workspace.output_folder import OutputFolder

_KEYS = ("id", "preliminary", "final", "days_left", "known", "wrongful")


@group()
def incident() -> None:
    """Draft the report of a leak as Japanese law asks for it, and keep its dates. No legal advice.

    \b
      dashredact incident new masked --known 2026-04-20 --name 'front-20260412-*' --policy policy.toml -o incident.txt
      dashredact incident show masked
    """


@incident.command()
@FOLDER
@command_option("--known", type=DAY, callback=day, help="Day on which it became known [default: today].")
@command_option("--wrongful", is_flag=True, help="Somebody may have acted on purpose: 60 days instead of 30.")
@command_option(
    "--name",
    "names",
    multiple=True,
    metavar="PATTERN",
    help="A clip, or a pattern; may be given several times.",
)
@command_option("--policy", type=EXISTING_FILE, help="Says who films.")
@command_option("-o", "--output", required=True, type=FILE_TO_WRITE, help="Text to write.")
def new(
    folder: OutputFolder,
    known: date | None,
    wrongful: bool,
    names: Sequence[str],
    policy: Path | None,
    output: Path,
) -> None:
    """Write a draft of the report in Japanese and English into OUTPUT, and note its dates in the audit log of FOLDER.

    The draft lists the items that the rule asks for, what the audit log knows of the clips, and how well each rule is
    known. What happened is for people to write; the audit log does not hold it.

    \b
      dashredact incident new masked --known 2026-04-20 --wrongful --name 'front-20260412-*' -o incident.txt
    """
    options = IncidentOptions(Dates(known or today(), wrongful), names, _operator(policy), output)
    reported = report(folder, options, today())
    click.echo(
        f"Incident {reported.id}: preliminary report by {reported.preliminary}, final report by {reported.final}."
    )
    click.echo(output)


def _operator(policy: Path | None) -> tuple[str, str] | None:
    """In Japanese and English."""
    if policy is None:
        return None
    from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

    name = store.read(policy).policy.operator.name
    return name.ja, name.en


@incident.command()
@FOLDER
@JSON
def show(folder: OutputFolder, as_json: bool) -> None:
    """List incidents with the dates of their reports, and how many days are left for the final one.

    \b
      dashredact incident show masked
    """
    rows = [
        {**to_builtins(one), "days_left": (date.fromisoformat(one.final) - today()).days}
        for one in incidents(folder.events())
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        columns = [key.replace("_", " ") for key in _KEYS]
        table(columns, [[row[key] if key == "known" else _cell(row[key]) for key in _KEYS] for row in rows])


def _cell(value: object) -> object:
    """Yes and no; a day that is over says so: nobody keeps here whether the report went out."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value} (over)" if isinstance(value, str) and value < str(today()) else value
