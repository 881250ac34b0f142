"""`incident`: a draft of the report of a leak, and its dates."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from dashredact import files
from dashredact.audit.describe import summary_line
from dashredact.audit.events import EventType, parse
from dashredact.audit.records import Clip, clips, event_type, handed, named
from dashredact.cli.options import FOLDER, JSON
from dashredact.cli.tables import DAY, day, table, today
from dashredact.errors import UsageError
from dashredact.kinds import Kind
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder

_KEYS = ("id", "preliminary", "final", "days_left", "known", "wrongful")


@click.group()
def incident() -> None:
    """Draft the report of a leak as Japanese law asks for it, and keep its dates. No legal advice.

    \b
      dashredact incident new masked --known 2026-04-20 --name 'front-20260412-*' --policy policy.toml -o incident.txt
      dashredact incident show masked
    """


@incident.command()
@FOLDER
@click.option("--known", type=DAY, callback=day, help="Day on which it became known [default: today].")
@click.option("--wrongful", is_flag=True, help="Somebody may have acted on purpose: 60 days instead of 30.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="PATTERN",
    help="A clip, or a pattern; may be given several times.",
)
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Says who films.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Text to write.")
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
    from dashredact.governance.disclosure.incident import Dates, draft  # noqa: PLC0415 - of the room of what is slow to load

    dates = Dates(known or today(), wrongful)
    if dates.known > today():
        raise UsageError(f"--known {dates.known} is yet to come; give the day on which it became known.")
    with folder.deciding():
        folder.check_log()
        records = folder.records()
        chosen, unknown = named(clips(records), names)
        if unknown:
            raise UsageError(f"The audit log of {folder} knows no clip {unknown[0]}; `audit show` lists them.")
        number = max((one["id"] for one in _incidents(records)), default=0) + 1
        files.write_new(output, draft(number, dates, _facts(records, chosen, policy)).encode())
        told = {"id": number, "known": str(dates.known), "wrongful": wrongful}
        told |= {"preliminary": str(dates.preliminary[1]), "final": str(dates.final), "clips": [c.name for c in chosen]}
        said = f"Incident {number}: final report by {dates.final}."
        folder.append({"act": EventType.INCIDENT, "reason": said, "incident": told})
    click.echo(f"Incident {number}: preliminary report by {dates.preliminary[1]}, final report by {dates.final}.")
    click.echo(output)


def _incidents(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [record["incident"] for record in records if event_type(record) == EventType.INCIDENT]


def _facts(records: Sequence[Mapping[str, Any]], chosen: Sequence[Clip], policy: Path | None) -> Any:
    from dashredact.governance.disclosure.incident import BLANK, Facts  # noqa: PLC0415

    names = {clip.name for clip in chosen}
    about = [one for one in records if (one.get("source") or {}).get("name") in names]
    faces = sum(clip.tried.get("tracks", {}).get(Kind.FACE, {}).get("tracks", 0) for clip in chosen)
    operator = (BLANK, BLANK)
    if policy:
        from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

        name = store.read(policy).policy.operator.name
        operator = (name.ja, name.en)
    lines = [printable(f"{summary_line(parse(one))}  {(one.get('by') or {}).get('user', '')}") for one in about]
    return Facts(operator, [_line(clip, records) for clip in chosen], faces, lines)


def _line(clip: Clip, records: Sequence[Mapping[str, Any]]) -> str:
    state = "masked / 処理済" if clip.output else "no masked file / 処理済ファイルなし"
    source = "original purged / 元映像は削除済" if clip.erased else "original unmasked / 元映像は未処理"
    made = (clip.record.get("output") or {}).get("name")  # duplicates share it
    having = [one.recipient for one in handed(records) if clip.name == one.clip or made == one.output]
    who = ", ".join(dict.fromkeys(having)) or "-"
    return printable(f"{clip.name}: {state}; {source}; handed to / 提供先: {who}")


@incident.command()
@FOLDER
@JSON
def show(folder: OutputFolder, as_json: bool) -> None:
    """List incidents with the dates of their reports, and how many days are left for the final one.

    \b
      dashredact incident show masked
    """
    rows = [
        {**one, "days_left": (date.fromisoformat(one["final"]) - today()).days} for one in _incidents(folder.records())
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
