"""The file of options, `dashredact.toml`, and the environment variables that set them."""

import os
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
_PREFIX = "DASHREDACT_"
_OTHERS = {signing.VARIABLE, "DASHREDACT_MODELS", "DASHREDACT_TEST_MEDIA"}
"""Variables that are no options of a command."""
_WRITABLE_BY_OTHERS = 0o022


def find() -> Path | None:
    """The file in the current folder, else the user's own. UsageError where somebody else could have written it."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    path = next((path for path in (Path(NAME), home / "dashredact" / NAME) if path.is_file()), None)
    if path is not None:
        state = path.stat()
        if state.st_mode & _WRITABLE_BY_OTHERS or state.st_uid not in (0, os.geteuid()):
            raise UsageError(
                f"{path} is not read, for others than you can write to it; run `chmod go-w {path}` if it is yours, or"
                " name it with --config."
            )
    return path


def read(path: Path, program: click.Group) -> dict[str, Any]:
    """What the file sets, as click's `default_map`. UsageError where it names what is not an option."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None
    return _defaults(content, program, path, "")


def _defaults(table: Mapping[str, Any], command: click.Command, path: Path, place: str) -> dict[str, Any]:
    """place: of the table in the file, such as `[review.list]`."""
    commands = command.commands if isinstance(command, click.Group) else {}
    options = {one.long_name: one for one in command.params if isinstance(one, Option) and one.expose_value}
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and key in commands:
            inner = f"{place[1:-1]}.{key}" if place else key
            defaults[key] = _defaults(value, commands[key], path, f"[{inner}]")
        elif key in options and not isinstance(value, Mapping):
            defaults[options[key].name or key] = _value(options[key], value, path, place)
        else:
            where = f"{path}: {place or 'it'} has no option or command {key}"
            known = [*commands] if isinstance(value, Mapping) else [*options]
            raise UsageError(f"{where}; {did_you_mean(key, known) or _list(known)}")
    return defaults


def _list(known: list[str]) -> str:
    return f"there are {', '.join(sorted(known))}." if known else "there are none."


def _value(option: Option, value: Any, path: Path, place: str) -> Any:
    """As click converts it further. Relative paths count from the folder of the file."""
    where = f"{path}: {option.long_name} of {place or 'the file'}"
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is {value!r}; write true or false.")
        return value
    if option.multiple:
        return [_scalar(option, one, path, where) for one in (value if isinstance(value, list) else [value])]
    return _scalar(option, value, path, where)


def _scalar(option: Option, value: Any, path: Path, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        raise UsageError(f"{where} is {value!r}; write a text or a number.")
    return str(path.parent / str(value)) if isinstance(option.type, click.Path) else str(value)


def warnings(program: click.Group) -> Iterator[str]:
    """A sentence for each variable that looks like ours and is not: it would be ignored in silence."""
    known = _OTHERS | set(variables(program))
    for name in sorted(os.environ):
        if name.startswith(_PREFIX) and name not in known:
            hint = did_you_mean(name, known) or "`dashredact COMMAND -h` lists the options."
            yield f"The environment variable {name} sets nothing; {hint}"


def variables(program: click.Group) -> Iterator[str]:
    """Of all options of all commands."""
    top = click.Context(program, info_name="dashredact", auto_envvar_prefix=_PREFIX.rstrip("_"))
    yield from _variables(program, top)


def _variables(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (name for one in command.params if isinstance(one, Option) and (name := one.variable(context)))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _variables(inner, click.Context(inner, context, info_name=name))


def load(context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Callback of --config, which runs before other options are looked at."""
    if context.resilient_parsing:
        return
    path = path or find()
    if path and isinstance(context.command, click.Group):
        context.meta[CONFIG_FILE] = path
        context.default_map = read(path, context.command)
