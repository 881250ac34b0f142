"""The program `dashredact`: its exit codes, its signals, and how it says what went wrong."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import click

from dashredact import __version__
from dashredact.audit import signing
from dashredact.cli.grammar import Group, command_option
from dashredact.errors import DashredactError, StoppedError
from dashredact.text import printable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Commands(Group):
    """Turns our errors into one sentence on stderr and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DashredactError as error:
            for sentence in error.args:
                say(str(sentence))
            ctx.exit(error.exit_code)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DASHREDACT"}
)
@click.version_option(__version__, prog_name="dashredact")
@command_option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
@command_option(
    "--key",
    envvar=signing.VARIABLE,
    type=click.Path(exists=True, dir_okay=False),
    help=f"Private key that signs what is written into the audit log, see `audit keygen` [env: {signing.VARIABLE}].",
)
@click.pass_context
def main(context: click.Context, verbose: bool, key: str | None) -> None:
    """Mask faces and licence plates in dashcam footage.

    Every option can be set by an environment variable, for example DASHREDACT_REDACT_STYLE=fill.

    \b
    Exit codes:
      0 done                          4 machine not ready (ffmpeg, weights, device, disk)
      1 a fault of this tool          5 done, a person should look
      2 wrong command line            6 another run holds the output folder
      3 some videos failed            7 the audit log is broken
                                      8 refused by the policy
      128+N stopped by signal N; run the same command again to go on
    """
    if key:
        context.with_resource(_environment(signing.VARIABLE, key))
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for number in _SIGNALS:
        signal.signal(number, _stop)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Seen by this process and its children until the command ends."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise StoppedError(number)


def say(text: str) -> None:
    """A sentence for a person, on a line of its own beside the progress bar."""
    click.echo(f"dashredact: {printable(text)}", err=True)
