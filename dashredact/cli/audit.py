"""`audit`: reads and checks the audit log."""

import json
from pathlib import Path

import click

from dashredact.cli.options import JSON
from dashredact.describe import line_of
from dashredact.errors import LedgerError
from dashredact.pure import ledger
from dashredact.store import audit as audit_store


@click.group()
def audit() -> None:
    """Read and check the audit log."""


_LOG = click.argument("log", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@audit.command()
@_LOG
def verify(log: Path) -> None:
    """Check that no line of LOG was changed, removed, added or moved. Exit code 7 if one was.

    The log alone cannot tell that its tail was cut off, or that it was written anew from the start: keep the hash of
    the last line, which this prints, somewhere else.

    \b
      dashredact audit verify masked/audit.jsonl
    """
    lines = audit_store.lines(log)
    faults = list(ledger.verify(lines))
    for fault in faults:
        click.echo(f"{log}: line {fault.line} {fault.reason}.")
    if faults:
        raise LedgerError(f"{log} is broken in {len({fault.line for fault in faults})} of its {len(lines)} lines.")
    count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
    click.echo(f"{log}: {count}, unbroken. The last one: {ledger.digest(lines[-1]) if lines else 'none'}")


@audit.command()
@_LOG
@JSON
def show(log: Path, as_json: bool) -> None:
    """Print what LOG says, one line a video, oldest first.

    \b
      dashredact audit show masked/audit.jsonl
    """
    for record in audit_store.records(log):
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else line_of(record))
