"""The program `dashredact`: its exit codes, its signals, and how it says what went wrong."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from dashredact.audit import signing
from dashredact.cli import config, exit_codes, version
from dashredact.cli.grammar import Group, command_option
from dashredact.errors import DashredactError, ExitCode, StoppedError
from dashredact.text import printable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Program(Group):
    """Turns errors into one sentence on stderr and an exit code, and lists all commands in its help."""

    sections: Mapping[str, Sequence[str]] = {}
    """headings of the help, and the names of the commands under each"""

    def main(self, *args: Any, **extra: Any) -> Any:
        _open_standard_streams()
        return super().main(*args, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _one_sentence(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_sentence(ctx):
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name, _about(self.commands[name])) for name in names])
        with formatter.section("Exit codes"):
            formatter.write_dl(exit_codes.rows())


def _about(command: click.Command) -> str:
    """What it does, and the names of the commands in it."""
    inner = f" ({', '.join(command.commands)})" if isinstance(command, click.Group) else ""
    return command.get_short_help_str(200).rstrip(".") + inner


def _open_standard_streams() -> None:
    """A daemon may have closed them: then the next file that is opened would get their number, and what is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


@contextmanager
def _one_sentence(ctx: click.Context) -> Iterator[None]:
    try:
        yield
    except DashredactError as error:
        for sentence in error.args:
            say(str(sentence))
        ctx.exit(error.exit_code)
    except BrokenPipeError:  # whoever read what is printed has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        ctx.exit(ExitCode.SIGNAL + signal.SIGPIPE)
    except NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        message = error.format_message().rstrip()
        if error.ctx and not isinstance(error, click.BadParameter) and not message.endswith("?"):
            message = f"{message.rstrip('.')}; see `{error.ctx.command_path} -h`."
        say(" ".join(message.split()))
        ctx.exit(ExitCode.USAGE)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DASHREDACT"})
@command_option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=config.load,
    help=f"File of options [default: {config.NAME} in the current folder, else in $XDG_CONFIG_HOME/dashredact].",
)
@command_option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    allow_from_autoenv=False,
    callback=version.show,
    help="Print the versions of this tool, its weights, its engine and ffmpeg.",
)
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

    Every option can be set by an environment variable, such as DASHREDACT_REDACT_STYLE=fill, and in a file
    dashredact.toml, such as `style = "fill"` under `[redact]`. The command line counts before the environment, and that
    before the file.
    """
    if key:
        context.with_resource(_environment(signing.VARIABLE, key))
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for number in _SIGNALS:
        signal.signal(number, _stop)
    for warning in config.unknown_variables(main):
        say(warning)


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
