"""What the commands about the audit log's clips share: arguments, days, and tables on a terminal."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from dashredact.audit import log as audit_log
from dashredact.errors import UsageError
from dashredact.text import printable

OUT = click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
DAY = click.DateTime(["%Y-%m-%d"])


def day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


def today() -> date:
    """Where the clerk sits."""
    return date.today()


def records_of(out: Path) -> list[dict[str, Any]]:
    """UsageError where there is no audit log. LedgerError where it is broken."""
    if not (out / audit_log.NAME).is_file():
        raise UsageError(f"{out} holds no {audit_log.NAME}; name the folder that redact wrote to.")
    return list(audit_log.records(out / audit_log.NAME))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print the rows in columns under their names; nothing at all where there is no row."""
    lines = [list(columns), *([printable(_cell(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines if rows else []:
        padded = (cell + " " * (width - len(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def print_rows(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """One JSON object a row, or a table under the keys of all rows."""
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        columns = list(dict.fromkeys(key for row in rows for key in row))
        table(columns, [[row.get(column, "") for column in columns] for row in rows])


def _cell(value: object) -> str:
    """Counts by name become `name 2, other`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" if count > 1 else str(name) for name, count in value.items())
    return str(value)
