"""What all commands and options have in common: groups of typed options, headings in the help, who is to blame.

A group of options is a frozen dataclass whose fields are options or further groups. A command takes one by naming it as
the type of a parameter:

    @dataclass(frozen=True, kw_only=True)
    class RenderOptions(OptionGroup, heading="How masks look"):
        style: Style = option("--style", type=EnumChoice(Style), default=Style.BLUR, help="How masks look.")

    @command()
    def redact(render: RenderOptions) -> None: ...
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_type_hints

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from dashredact.workspace.output_folder import OutputFolder

E = TypeVar("E", bound=StrEnum)
Callback = Callable[..., None]

CONFIG_FILE = "dashredact.config"
"""Key in `click.Context.meta` of the path of the file of options, where there is one."""
_FEW = 12  # options that need no headings
_GENERAL = "General"
_METAVARS = {
    "integer range": "N",
    "float range": "NUMBER",
    "directory": "FOLDER",
    "datetime": "YYYY-MM-DD",
}
_WIDEST = 30  # characters of an option beside its help; longer ones get a line of their own


class Option(click.Option):
    """Also set by `DASHREDACT_COMMAND_OPTION`; a wrong value is blamed on where it comes from."""

    def __init__(self, *args: Any, heading: str = _GENERAL, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.heading = heading
        if self.metavar is None and not self.is_flag:
            self.metavar = _METAVARS.get(self.type.name)

    @property
    def long_name(self) -> str:
        """Without its dashes."""
        return max(self.opts, key=len).lstrip("-")

    def variable(self, ctx: click.Context) -> str:
        """Of the environment; empty where there is none."""
        if isinstance(self.envvar, str):
            return self.envvar
        automatic = self.allow_from_autoenv and ctx.auto_envvar_prefix
        return f"{ctx.auto_envvar_prefix}_{self.long_name.replace('-', '_').upper()}" if automatic else ""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        return os.environ.get(self.variable(ctx)) or None

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        try:
            return super().handle_parse_result(ctx, opts, args)
        except click.MissingParameter:
            raise
        except click.BadParameter as error:
            source = ctx.get_parameter_source(self.name or "")
            if source is ParameterSource.ENVIRONMENT:
                error.param_hint = f"the environment variable {self.variable(ctx)}"
            elif source is ParameterSource.DEFAULT_MAP:
                error.param_hint = f"{self.long_name} in {ctx.meta.get(CONFIG_FILE)}"
            raise


class OptionGroup:
    """Options that belong together: a frozen dataclass whose fields are made by `option`, or are groups themselves."""

    heading: ClassVar[str]

    def __init_subclass__(cls, heading: str = _GENERAL) -> None:
        cls.heading = heading


def option(*names: str, **attributes: Any) -> Any:
    """A field of a group. attributes: as `click.option` takes them."""
    if attributes.get("required"):
        return field(metadata={"option": (names, attributes)})
    implied = () if attributes.get("multiple") else False if attributes.get("is_flag") else None
    default = attributes.get("default", implied)
    if isinstance(default, StrEnum):
        attributes["default"] = str(default)  # click would show the name of the member
    return field(default=default, metadata={"option": (names, attributes)})


def command_option(*names: str, **attributes: Any) -> Callable[[Callback], Callback]:
    """An option of one command alone, above its callback."""
    return click.option(*names, cls=Option, **attributes)


def _groups(of: Any) -> dict[str, type[OptionGroup]]:
    """What a callback or a group holds, by name of the parameter or field."""
    hints = get_type_hints(of)
    return {name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, OptionGroup)}


def _options(group: type[OptionGroup]) -> Iterator[Option]:
    inner = _groups(group)
    for own in fields(group):  # type: ignore[arg-type]  # it is a dataclass
        if own.name in inner:
            yield from _options(inner[own.name])
        else:
            names, attributes = own.metadata["option"]
            yield Option([*names, own.name], heading=group.heading, **attributes)


def _take(group: type[OptionGroup], values: dict[str, Any]) -> OptionGroup:
    """Made of the values of its options, which leave the others behind."""
    inner = _groups(group)
    names = [own.name for own in fields(group)]  # type: ignore[arg-type]  # it is a dataclass
    return group(**{name: _take(inner[name], values) if name in inner else values.pop(name) for name in names})


def _collecting(callback: Callback, groups: Mapping[str, type[OptionGroup]]) -> Callback:
    @wraps(callback)
    def collected(*args: Any, **values: Any) -> None:
        callback(*args, **{name: _take(group, values) for name, group in groups.items()}, **values)

    return collected


class Command(click.Command):
    """Has the options of the groups that its callback takes, `-v`, and headings where there are many options."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        if self.callback:
            groups = _groups(self.callback)
            self.params += [one for group in groups.values() for one in _options(group)]
            self.callback = _collecting(self.callback, groups)
        self.params.append(verbose_option())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        params = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in params:
            heading = getattr(param, "heading", _GENERAL) if len(params) > _FEW else "Options"
            if record := param.get_help_record(ctx):
                sections.setdefault(heading, []).append(record)
        if general := sections.pop(_GENERAL, None):
            sections[_GENERAL] = general  # comes last
        widths = [len(names) for rows in sections.values() for names, _ in rows]
        widest = max((width for width in widths if width <= _WIDEST), default=0)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(names.ljust(widest), text) for names, text in rows], col_max=_WIDEST)


class Group(click.Group):
    command_class = Command
    group_class = type


def command(name: str | None = None) -> Callable[[Callback], Command]:
    return click.command(name, cls=Command)


def group(name: str | None = None) -> Callable[[Callback], Group]:
    return click.group(name, cls=Group)


def verbose_option() -> Option:
    """May stand before the command and behind it."""

    def apply(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            logging.getLogger().setLevel(logging.DEBUG)

    names = ["-v", "--verbose"]
    return Option(names, is_flag=True, expose_value=False, callback=apply, help="Say more on stderr.")


class EnumChoice(click.Choice[E]):
    """One member of an enumeration, by its value."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:  # noqa: ARG002 - click names it
        return str(choice)


class FolderType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments from click 8.4 on
    """An output folder, named by itself or by its audit.jsonl. UsageError where there is no audit log."""

    name = "folder"
    _path = click.Path(exists=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> OutputFolder:
        return OutputFolder.existing(Path(self._path.convert(value, param, ctx)))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._path.shell_complete(ctx, param, incomplete)
