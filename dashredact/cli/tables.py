"""What the commands about the audit log's clips share: days, and tables on a terminal."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import click

from dashredact.text import printable


def today() -> date:
    """Where the clerk sits."""
    return date.today()


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
