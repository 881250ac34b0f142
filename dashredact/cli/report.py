"""`report`: pages that say what became of the videos of an output folder."""

from pathlib import Path

import click

from dashredact.cli.app import say
from dashredact.errors import ExitCode


@click.command()
@click.argument("out", type=click.Path(exists=True, file_okay=False, path_type=Path))
def report(out: Path) -> None:
    """Write pages about the videos that redact masked into the folder OUT, and print the path of the first one.

    They lie in OUT/report, open in any browser without a network, and show pictures of the masked files only. Exit
    code 7 if the audit log is broken, 5 if a file is gone or not the one that the log names.

    \b
      dashredact report masked
    """
    from dashredact.report import build as journey  # noqa: PLC0415 - jinja2 is slow to load, and only this needs it

    written = journey.write_report(out)
    click.echo(written.index)
    for name in written.changed:
        say(f"{name} is gone, or not the file that the audit log names; find out who did that.")
    raise SystemExit(ExitCode.NEEDS_REVIEW if written.changed else ExitCode.OK)
