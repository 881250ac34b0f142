"""The program `dashredact`: its exit codes, its signals, and how it says what went wrong."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from dashredact import __version__
from dashredact.audit import signing
from dashredact.cli import config
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


def _show_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """What a report of a fault needs: this tool, its weights, its engine and ffmpeg."""
    if not value or context.resilient_parsing:
        return
    from dashredact.detect.dashnet import manifest  # noqa: PLC0415 - only this needs it here
    from dashredact.media import ffmpeg  # noqa: PLC0415

    click.echo(f"dashredact {__version__}")
    try:
        identity = manifest.read(manifest.default_folder()).identity
        click.echo(f"weights {identity.name}, sha256 {identity.sha256[:12]}")
        click.echo(f"engine torch {version('torch')}, ffmpeg {'.'.join(map(str, ffmpeg.ffmpeg_version()))}")
    except (DashredactError, PackageNotFoundError) as error:
        click.echo(f"not ready: {error}")
    context.exit()


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DASHREDACT"}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Versions in use."
)
@command_option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Options by their names, as TOML [default: {config.NAME} here, else in $XDG_CONFIG_HOME/dashredact].",
)
@command_option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
@command_option(
    "--key",
    envvar=signing.VARIABLE,
    type=click.Path(exists=True, dir_okay=False),
    help=f"Private key that signs what is written into the audit log, see `audit keygen` [env: {signing.VARIABLE}].",
)
@click.pass_context
def main(context: click.Context, verbose: bool, config_file: Path | None, key: str | None) -> None:
    """Mask faces and licence plates in dashcam footage.

    Every option can be set by an environment variable, for example DASHREDACT_REDACT_STYLE=fill, or in dashredact.toml.

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
    assert isinstance(context.command, click.Group)
    for sentence in config.unknown_variables(context.command):
        say(sentence)
    if path := config_file or config.find():
        context.default_map = config.read(path, context.command)


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
