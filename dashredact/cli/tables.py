"""What the commands about the audit log's clips share: arguments, days, and tables on a terminal."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from dashredact.cli.app import printable
from dashredact.errors import UsageError
from dashredact.store import audit

OUT = click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
DAY = click.DateTime(["%Y-%m-%d"])


def day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


def today() -> date:
    """Where the clerk sits."""
    return date.today()


def records_of(out: Path) -> list[dict[str, Any]]:
    """UsageError where there is no audit log. LedgerError where it is broken."""
    if not (out / audit.NAME).is_file():
        raise UsageError(f"{out} holds no {audit.NAME}; name the folder that redact wrote to.")
    return list(audit.records(out / audit.NAME))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Nothing at all where there is no row."""
    lines = [list(columns), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines if rows else []:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
