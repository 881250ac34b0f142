"""`report`: pages that say what became of the videos of an output folder."""

import click

from dashredact.cli.app import say
from dashredact.cli.grammar import command
from dashredact.cli.options import FOLDER
from dashredact.errors import ExitCode
from dashredact.workspace.output_folder import OutputFolder


@command()
@FOLDER
def report(folder: OutputFolder) -> None:
    """Write pages about the videos of FOLDER, and print the path of the first one.

    They lie in FOLDER/report, open in any browser without a network, and show pictures of the masked files only. Exit
    code 7 if the audit log is broken, 5 if a file is gone or not the one that the log names.

    \b
      dashredact report masked
    """
    from dashredact.report import build  # noqa: PLC0415 - jinja2 is slow to load, and only this needs it

    written = build.write_report(folder)
    click.echo(written.index)
    for name in written.changed:
        say(f"{name} is gone, or not the file that the audit log names; find out who did that.")
    raise SystemExit(ExitCode.NEEDS_REVIEW if written.changed else ExitCode.OK)
