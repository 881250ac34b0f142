"""The configuration file: options by their names. The environment and the command line overrule it.

    [redact]
    style = "fill"
    jobs = 4

    [review.list]
    all = true

It is `dashredact.toml` in the current folder, else in `$XDG_CONFIG_HOME/dashredact/`, or what `--config` names.
"""

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from dashredact.cli.grammar import Option
from dashredact.errors import UsageError

NAME = "dashredact.toml"
PREFIX = "DASHREDACT_"
APART = ("DASHREDACT_AUDIT_KEY", "DASHREDACT_MODELS", "DASHREDACT_TEST_MEDIA", "DASHREDACT_COMPLETE")
"""Variables that no option is named after."""


def find() -> Path | None:
    """The file that counts where none is named; None where there is none."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return next((path for path in (Path(NAME), home / "dashredact" / NAME) if path.is_file()), None)


def read(path: Path, commands: click.Group) -> dict[str, Any]:
    """The defaults that the file sets, as `click.Context.default_map` takes them.

    UsageError that names file and key where others may write to it, or where a command or option is not known.
    """
    try:
        state = path.stat()
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML ({error}); correct it.") from None
    if stat.S_IMODE(state.st_mode) & 0o022 or state.st_uid not in (0, os.getuid()):
        raise UsageError(f"{path} can be changed by others, so it is not used; chmod it to 600, or remove it.")
    return _defaults(path, content, commands, "")


def _defaults(path: Path, table: Mapping[str, Any], command: click.Command, prefix: str) -> dict[str, Any]:
    options = {option.long_name: option for option in command.params if isinstance(option, Option)}
    commands = command.commands if isinstance(command, click.Group) else {}
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        if key in commands and isinstance(value, dict):
            defaults[key] = _defaults(path, value, commands[key], f"{prefix}{key}.")
        elif key in options and not isinstance(value, dict):
            defaults[str(options[key].name)] = value
        else:
            known = [*options, *commands]
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(sorted(known))}."
            raise UsageError(f"{path}: {prefix}{key} is not an option or command; {hint}")
    return defaults


def unknown_variables(commands: click.Group) -> Iterator[str]:
    """A sentence for each variable that looks as if it set an option, and sets none: a misspelt one does nothing."""
    known = {*APART, *_variables(commands, PREFIX)}
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        near = get_close_matches(name, known, 1, 0.8)
        yield f"The environment variable {name} is not known and does nothing" + (
            f"; did you mean {near[0]}?" if near else "."
        )


def _variables(command: click.Command, prefix: str) -> Iterator[str]:
    for option in command.params:
        if isinstance(option, Option):
            yield f"{prefix}{option.long_name.replace('-', '_').upper()}"
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _variables(inner, f"{prefix}{name.replace('-', '_').upper()}_")
