"""`doctor`: what is ready on this machine, what is not, and what to do."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from dashredact.cli import config
from dashredact.cli.grammar import command
from dashredact.cli.masking import detector_options
from dashredact.cli.options import FOLDER_TO_WRITE, JSON, DetectOptions
from dashredact.errors import ExitCode
from dashredact.text import printable


@command()
@click.argument("folder", required=False, type=FOLDER_TO_WRITE)
@JSON
def doctor(folder: Path | None, detect: DetectOptions, as_json: bool) -> None:
    """Say what is ready for masking on this machine, and what to do about what is not. Exit code 4 if something is not.

    FOLDER is the output folder that is to be used. The detector is loaded and shown its known picture, which takes
    some seconds.

    \b
      dashredact doctor masked
    """
    from dashredact import doctor as checks  # noqa: PLC0415 - loads codecs, which the other commands do later

    ready = True
    for one in checks.check(folder, detector_options(detect)):
        ready &= one.ready or not one.needed
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
            continue
        mark = "ok" if one.ready else "NOT READY" if one.needed else "note"
        cure = "" if one.ready else f"; {one.cure}"
        click.echo(printable(f"{mark:<10} {one.name:<12} {one.found}{cure}"))
    path = config.find()
    if not as_json:
        click.echo(printable(f"{'ok':<10} {'config':<12} {path or 'none'}"))
    raise SystemExit(ExitCode.OK if ready else ExitCode.NOT_READY)
