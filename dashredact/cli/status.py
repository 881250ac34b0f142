"""`status`: what an output folder waits for: uploads, retries, people."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from dashredact.batch.status import Waiting
from dashredact.batch.status import status as status_of
from dashredact.batch.summary import clock
from dashredact.cli.grammar import command
from dashredact.cli.options import FOLDER, INBOX, JSON
from dashredact.text import plural, printable
from dashredact.workspace.output_folder import OutputFolder


@command()
@FOLDER
@INBOX
@JSON
def status(folder: OutputFolder, inbox: Path | None, as_json: bool) -> None:
    """Print what FOLDER waits for: why, and when it is tried again. Uploads are looked for in the last run's inbox.

    \b
      dashredact status masked
    """
    now = status_of(folder, inbox)
    if as_json:
        for one in now.waiting:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
        return
    if now.last_run:
        ended = datetime.fromtimestamp(now.last_run.ended)
        click.echo(
            printable(f"Last run: {ended:%Y-%m-%d %H:%M}, exit code {now.last_run.exit_code}. {now.last_run.summary}.")
        )
    click.echo(f"{plural(len(now.waiting), 'video')} waiting." if now.waiting else "Nothing waits.")
    for one in now.waiting:
        click.echo(printable(_line(one)))
    if now.unreviewed:
        click.echo(
            f"Besides, {plural(now.unreviewed, 'masked video')} nobody has reviewed; see `dashredact review list`."
        )


def _line(one: Waiting) -> str:
    due = f", not before {clock(one.due)}" if one.due else ""
    reason = one.reason.removeprefix(f"{one.name}:").strip()
    return f"{one.name}: {one.state}{due}{f' ({reason})' if reason else ''}"
