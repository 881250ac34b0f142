"""`audit`: reads, checks and exports the audit log."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dashredact.audit import chain, schemas, signing
from dashredact.audit import export as exports
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.audit.describe import AUDIT_COLUMNS, cells, summary_line
from dashredact.audit.events import Event, EventFilter, EventType
from dashredact.cli.app import printable
from dashredact.cli.options import JSON, choice, options
from dashredact.errors import LedgerError, UsageError
from dashredact.formats.spreadsheet import csv_safe
from dashredact.workspace.output_folder import OutputFolder


@click.group()
def audit() -> None:
    """Read, check and export the audit log."""


def _day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> str:
    return value.date().isoformat() if value else ""


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LOG = click.argument("log", type=_FILE)
_PUBLIC = click.option(
    "--pub",
    "public_keys",
    multiple=True,
    type=_FILE,
    help="Public key that lines may be signed with; may be given several times.",
)
_DATE = click.DateTime(["%Y-%m-%d"])
_PERIOD = options(
    click.option("--since", type=_DATE, callback=_day, help="First day, in UTC."),
    click.option("--until", type=_DATE, callback=_day, help="Last day, in UTC."),
)


@audit.command()
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.option("--files", "results", is_flag=True, help="Also the sha256 of every masked video and tracks file.")
@click.option("--head", type=_FILE, help="Also against a copy of audit.head.json that was kept elsewhere.")
@_PUBLIC
def verify(log: Path, results: bool, head: Path | None, public_keys: Sequence[Path]) -> None:
    """Check that no line of LOG was changed, removed, added or moved. Exit code 7 if one was.

    LOG is an audit.jsonl, or a folder with one: of results, or from `audit export`. audit.head.json beside the log
    tells whether its tail was cut off. Whoever can write both can write both anew: keep copies of that file elsewhere,
    for --head, or sign the log with a key that is not theirs, for --pub. Only the newest line of each file counts for
    --files; a purged file is not missing.

    \b
      dashredact audit verify masked/audit.jsonl
      dashredact audit verify masked --files --pub fleet.key.pub
    """
    folder = OutputFolder(log if log.is_dir() else log.parent)
    found = audit_verify.verify(log, audit_verify.VerifyOptions(head, public_keys, folder.fault if results else None))
    for fault in found.faults:
        click.echo(printable(f"{log}: line {fault.line} {fault.reason}."))
    if found.faults:
        broken, faults = len({fault.line for fault in found.faults}), len(found.faults)
        raise LedgerError(f"{log} is broken: {_counted(faults, 'fault')} in {broken} of its {len(found.lines)} lines.")
    last = chain.digest(found.lines[-1]) if found.lines else "none"
    click.echo(printable(f"{log}: {_counted(len(found.lines), 'line')}, unbroken. The last one: {last}"))
    for note in found.notes:
        click.echo(printable(note))


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


@audit.command()
@_LOG
@_PERIOD
@click.option("--name", "names", multiple=True, metavar="PATTERN", help="Only videos whose name fits, as in 'front-*'.")
@click.option(
    "--outcome", "outcomes", multiple=True, type=choice(EventType), help="Only these; may be given several times."
)
@JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print a table for a spreadsheet.")
def show(
    log: Path,
    since: str,
    until: str,
    names: Sequence[str],
    outcomes: Sequence[str],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print what LOG says, one line an act, oldest first.

    \b
      dashredact audit show masked/audit.jsonl
      dashredact audit show masked/audit.jsonl --since 2026-01-01 --outcome refused --outcome failed --csv
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv cannot be had together; choose one.")
    wanted = EventFilter(since, until, names, outcomes)
    entries = [(event, record) for event, record in audit_log.entries(log) if wanted.takes(event)]
    if as_csv:
        click.echo(_csv(entries), nl=False)
    for event, record in [] if as_csv else entries:
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else printable(summary_line(event)))


def _csv(entries: Sequence[tuple[Event, Mapping[str, Any]]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    table.writerow(AUDIT_COLUMNS)
    for event, record in entries:
        table.writerow([printable(csv_safe(cell)) for cell in cells(event, str(record.get("sha256", "")))])
    return text.getvalue()


@audit.command()
@_LOG
@_PERIOD
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="New folder for the export.")
@_PUBLIC
def export(log: Path, since: str, until: str, out: Path, public_keys: Sequence[Path]) -> None:
    """Write the lines of a period, and all that is needed to check them elsewhere, into a folder.

    `audit verify FOLDER` checks it; a README says how to do so without dashredact. A signed log needs its --key, so
    that the ends of the period are signed too.

    \b
      dashredact audit export masked/audit.jsonl --since 2026-01-01 --until 2026-01-31 -o january
    """
    count = exports.write(log, EventFilter(since, until), out, public_keys)
    click.echo(printable(f"{out}: {_counted(count, 'line')}."))


@audit.command()
@click.option(
    "--version",
    type=click.IntRange(schemas.VERSIONS[0], schemas.VERSIONS[-1]),
    default=schemas.VERSIONS[-1],
    show_default=True,
    help="Of the lines, as their field `schema` says.",
)
def schema(version: int) -> None:
    """Print the JSON Schema of a line.

    \b
      dashredact audit schema > audit-line.json
    """
    click.echo(schemas.text(schemas.file_name(version)), nl=False)


@audit.command()
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> None:
    """Make a key that signs the audit log: FILE, which is private, and FILE.pub for whoever checks.

    Every command given the key signs what it writes: `dashredact --key FILE redact ...`, or DASHREDACT_AUDIT_KEY=FILE.
    Once a log is signed it takes no unsigned line. Keep FILE off the machines of those who should not be able to write
    the log anew.

    \b
      dashredact audit keygen fleet.key
    """
    name = signing.generate(file)
    click.echo(
        printable(f"{file} is private, {signing.public_path(file)} is for whoever checks. The key's name: {name}")
    )
