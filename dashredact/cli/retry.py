"""`retry`: videos that failed or were quarantined are tried again."""

from collections.abc import Sequence
from pathlib import Path

import click

from dashredact.batch import retry as retries
from dashredact.cli.grammar import command
from dashredact.cli.options import FOLDER, NAMES, REQUIRED_INBOX
from dashredact.workspace.output_folder import OutputFolder


@command()
@FOLDER
@NAMES
@REQUIRED_INBOX
def retry(folder: OutputFolder, names: Sequence[str], inbox: Path) -> None:
    """Let the next `batch` run try the videos of these NAMES again, as the log calls them, and print their paths.

    What is in quarantine is moved back to where it was. May be done while a run goes on.

    \b
      dashredact retry masked trip.mp4 --inbox uploads
    """
    with folder.deciding():
        for path in retries.retry(folder, inbox, names):
            click.echo(path)
