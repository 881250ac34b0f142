"""How a request is answered: a copy for one person, or erasing."""

from collections.abc import Sequence
from pathlib import Path

import click

from dashredact.cli.app import say
from dashredact.cli.export import print_recalls
from dashredact.cli.grammar import command, command_option
from dashredact.cli.masking import workers_of
from dashredact.cli.options import FILE_TO_WRITE, FOLDER, INBOXES, NAMES, QUIET, WorkerOptions
from dashredact.cli.tables import today
from dashredact.errors import ExitCode
from dashredact.governance.retention import erasure
from dashredact.progress import ProgressDisplay
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder

ID = click.argument("number", type=click.IntRange(1), metavar="ID")


@command()
@FOLDER
@ID
@click.argument("name")
@command_option(
    "--track", "tracks", type=click.IntRange(1), multiple=True, required=True, help="Id of a track of theirs."
)
@INBOXES
@command_option("-o", "--output", required=True, type=FILE_TO_WRITE, help="File to write.")
@QUIET
def copy(
    folder: OutputFolder,
    number: int,
    name: str,
    tracks: Sequence[int],
    inboxes: Sequence[Path],
    output: Path,
    quiet: bool,
) -> None:
    """Make a copy of clip NAME for the person of request ID: their tracks unmasked, everybody else's masked.

    It is made from the original, which has to be under --inbox and unchanged; audio and positions are left out. OUTPUT
    lies outside of FOLDER, for its owner's eyes only. Look at all of it before you hand it over: a track may have gone
    from one person to another on the way. `dashredact tracks show` and the report tell which track is whose.

    \b
      dashredact request copy masked 1 taxi7-20260412-081502.mp4 --track 4 --track 9 --inbox uploads -o copy.mp4
    """
    from dashredact.governance.disclosure import subject_copy  # noqa: PLC0415 - video takes long to load

    options = subject_copy.CopyOptions(number, name, tracks, inboxes, output)
    with folder.deciding():
        prepared = subject_copy.prepare(folder, options)
        with ProgressDisplay(quiet=quiet) as progress, workers_of(WorkerOptions(), "cpu") as pool:
            progress.start({prepared.source.name: prepared.source.stat().st_size})
            prepared.make(folder, pool, progress)
    click.echo(output)
    say(f"{output} shows a person unmasked: look at all of it, hand it over, and delete it.")


@command()
@FOLDER
@ID
@NAMES
@INBOXES
@command_option("--beyond", is_flag=True, help="Also clips that do not fit the vehicle and time of the request.")
def erase(folder: OutputFolder, number: int, names: Sequence[str], inboxes: Sequence[Path], beyond: bool) -> None:
    """Delete the clips NAMES in all stages for request ID, and name everybody who was handed one.

    The original under --inbox, the masked file, the tracks file, detections and the page of the report go, and each
    file gets into a `purged` line of the audit log. A clip that is held stays (exit code 8). Exit code 5 if an
    original was not found, or somebody has to be told. Backups and copies elsewhere are not reached. Where the same
    content arrives again, it is refused.

    \b
      dashredact request erase masked 2 taxi7-20260412-081502.mp4 --inbox uploads
    """
    result = erasure.erase(folder, erasure.ErasureOptions(number, names, inboxes, beyond), today())
    for file in result.files:
        click.echo(printable(f"{file.stage}: {file.entry.name}"))
    for name in result.missing:
        say(f"{name}: its original was not found; if it still exists, name its folder with --inbox and run again.")
    if result.to_tell:
        say("Tell these recipients to delete it too:")
        print_recalls(result.to_tell)
    raise SystemExit(ExitCode.NEEDS_REVIEW if result.missing or result.to_tell else ExitCode.OK)
