"""The configuration file and the environment variables: options by their names, where the command line does not say.

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
from datetime import date
from pathlib import Path
from typing import Any

import click

from dashredact.audit import signing
from dashredact.cli.grammar import CONFIG_FILE, Option
from dashredact.errors import UsageError, did_you_mean

NAME = "dashredact.toml"
_PREFIX = "DASHREDACT"
_OTHERS = {signing.VARIABLE, "DASHREDACT_MODELS", "DASHREDACT_TEST_MEDIA"}
"""Variables that set no option."""
_WRITABLE_BY_OTHERS = 0o022


def load(context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Callback of --config, which runs before other options are looked at."""
    if context.resilient_parsing:
        return
    path = path or find()
    if path and isinstance(context.command, click.Group):
        context.meta[CONFIG_FILE] = path
        context.default_map = read(path, context.command)


def find() -> Path | None:
    """The file that counts where none is named; None where there is none."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    candidates = (Path(NAME), home / "dashredact" / NAME)
    return next((path for path in candidates if os.path.lexists(path)), None)


def read(path: Path, program: click.Group) -> dict[str, Any]:
    """The defaults that the file sets, as `click.Context.default_map` takes them.

    UsageError that names file and key where others may write to it, where a command or option is not known, or where a
    value is of a wrong type.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise UsageError(f"{path} is not a file; name one, or remove it.")
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML ({error}); correct it.") from None
    if state.st_mode & _WRITABLE_BY_OTHERS or state.st_uid not in (0, os.geteuid()):
        raise UsageError(f"{path} can be changed by others, so it is not used; own it, chmod it to 600, or remove it.")
    return _defaults(path, content, program, "")


def _defaults(path: Path, table: Mapping[str, Any], command: click.Command, prefix: str) -> dict[str, Any]:
    """prefix: names of the commands that lead to the command, each with a dot."""
    options = {one.long_name: one for one in command.params if isinstance(one, Option) and one.expose_value}
    commands = command.commands if isinstance(command, click.Group) else {}
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        if key in commands and isinstance(value, dict):
            defaults[key] = _defaults(path, value, commands[key], f"{prefix}{key}.")
        elif key in options and not isinstance(value, dict):
            defaults[str(options[key].name)] = _value(options[key], value, path, f"{path}: {prefix}{key}")
        elif key in options:
            raise UsageError(f"{path}: {prefix}{key} is a table; write a text, as behind --{key}.")
        elif key in commands:
            raise UsageError(f"{path}: {prefix}{key} is a command; give its options in a table, [{prefix}{key}].")
        else:
            known = [*options, *commands]
            hint = did_you_mean(key, known) or f"use one of {', '.join(sorted(known))}."
            raise UsageError(f"{path}: {prefix}{key} is not an option or command; {hint}")
    return defaults


def _value(option: Option, value: Any, path: Path, where: str) -> Any:
    """As click converts it further."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is {value!r}; write true or false.")
        return value
    if option.multiple and isinstance(value, list):
        return [_text(option, one, path, where) for one in value]
    if isinstance(value, list) and option.type.name == "kinds":
        return ",".join(_text(option, one, path, where) for one in value)
    return [_text(option, value, path, where)] if option.multiple else _text(option, value, path, where)


def _text(option: Option, value: Any, path: Path, where: str) -> str:
    """Relative paths count from the folder of the file; `-` stays the standard stream."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        raise UsageError(f"{where} is {value!r}; write a text or a number.")
    if "\0" in str(value):
        raise UsageError(f"{where} holds a zero character; leave it out.")
    if isinstance(option.type, click.Path) and value != "-":
        return str(path.parent / str(value))
    return str(value)


def unknown_variables(program: click.Group) -> Iterator[str]:
    """A sentence for each variable that looks as if it set an option, and sets none: a misspelt one does nothing."""
    known = _OTHERS | set(_variables(program, click.Context(program, auto_envvar_prefix=_PREFIX)))
    for name in sorted(os.environ):
        if name.startswith(f"{_PREFIX}_") and name not in known:
            hint = did_you_mean(name, known) or "`-h` behind a command lists its options."
            yield f"The environment variable {name} is not known and does nothing; {hint}"


def _variables(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (name for one in command.params if isinstance(one, Option) and (name := one.variable(context)))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _variables(inner, click.Context(inner, context, info_name=name))
