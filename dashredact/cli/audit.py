"""`audit`: reads, checks and exports the audit log."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dashredact.audit import chain, schemas, signing
from dashredact.audit import export as exports
from dashredact.audit import verify as audit_verify
from dashredact.audit.describe import AUDIT_COLUMNS, cells, summary_line
from dashredact.audit.events import Event, EventFilter, EventType
from dashredact.cli.app import say
from dashredact.cli.grammar import EnumChoice, OptionGroup, command_option, group, option
from dashredact.cli.options import DAY, EXISTING_FILE, FOLDER, JSON, PATTERNS
from dashredact.errors import LedgerError, UsageError
from dashredact.formats.spreadsheet import csv_safe
from dashredact.text import plural, printable
from dashredact.workspace.output_folder import OutputFolder


@group()
def audit() -> None:
    """Read, check and export the audit log."""


def _day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> str:
    return value.date().isoformat() if value else ""


_PUBLIC = command_option(
    "--pub",
    "public_keys",
    multiple=True,
    type=EXISTING_FILE,
    help="Public key that lines may be signed with; may be given several times.",
)


@dataclass(frozen=True, kw_only=True)
class PeriodOptions(OptionGroup):
    """Days, ISO 8601; empty where the period is open."""

    since: str = option("--since", type=DAY, callback=_day, help="First day, in UTC.")
    until: str = option("--until", type=DAY, callback=_day, help="Last day, in UTC.")


@audit.command()
@FOLDER
@command_option("--files", "results", is_flag=True, help="Also the sha256 of every masked video and tracks file.")
@command_option("--head", type=EXISTING_FILE, help="Also against a copy of audit.head.json that was kept elsewhere.")
@_PUBLIC
def verify(folder: OutputFolder, results: bool, head: Path | None, public_keys: Sequence[Path]) -> None:
    """Check that no line of the audit log was changed, removed, added or moved. Exit code 7 if one was.

    FOLDER may also be one that `audit export` wrote. audit.head.json beside the log tells whether its tail was cut off.
    Whoever can write both can write both anew: keep copies of that file elsewhere, for --head, or sign the log with a
    key that is not theirs, for --pub. Only the newest line of each file counts for --files; a purged file is not
    missing.

    \b
      dashredact audit verify masked
      dashredact audit verify masked --files --pub fleet.key.pub
    """
    log = folder.log
    found = audit_verify.verify(
        folder.path, audit_verify.VerifyOptions(head, public_keys, folder.fault if results else None)
    )
    for fault in found.faults:
        click.echo(printable(f"{log}: line {fault.line} {fault.reason}."))
    if folder.interrupted:
        say(f"A change of {folder} was cut short; the next command that writes there finishes it. Verify again then.")
    lines = plural(len(found.lines), "line")
    if found.faults:
        broken = len({fault.line for fault in found.faults})
        raise LedgerError(f"{log} is broken: {plural(len(found.faults), 'fault')} in {broken} of its {lines}.")
    last = chain.digest(found.lines[-1]) if found.lines else "none"
    click.echo(printable(f"{log}: {lines}, unbroken. The last one: {last}"))
    for note in found.notes:
        click.echo(printable(note))


@audit.command()
@FOLDER
@PATTERNS
@command_option(
    "--event", "events", multiple=True, type=EnumChoice(EventType), help="Only these; may be given several times."
)
@JSON
@command_option("--csv", "as_csv", is_flag=True, help="Print a table for a spreadsheet.")
def show(
    folder: OutputFolder,
    period: PeriodOptions,
    names: Sequence[str],
    events: Sequence[str],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the audit log, one line an event, oldest first.

    \b
      dashredact audit show masked
      dashredact audit show masked --since 2026-01-01 --event refused --event failed --csv
    """
    if as_json and as_csv:
        raise UsageError("Use either --json or --csv.")
    wanted = EventFilter(period.since, period.until, names, events)
    entries = [(event, record) for event, record in folder.entries() if wanted.takes(event)]
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
@FOLDER
@command_option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New folder for the export.")
@_PUBLIC
def export(folder: OutputFolder, period: PeriodOptions, output: Path, public_keys: Sequence[Path]) -> None:
    """Write the lines of a period, and all that is needed to check them elsewhere, into a folder.

    `audit verify OUTPUT` checks it; a README says how to do so without dashredact. A signed log needs its --key, so
    that the ends of the period are signed too.

    \b
      dashredact audit export masked --since 2026-01-01 --until 2026-01-31 -o january
    """
    count = exports.write(folder.log, EventFilter(period.since, period.until), output, public_keys)
    click.echo(printable(f"{output}: {plural(count, 'line')}."))


@audit.command()
@command_option(
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
