"""The man page, made from the commands themselves (docs/dashredact.1; `make man` writes it)."""

from collections.abc import Iterator
from inspect import cleandoc

import click

_VERBATIM = "\b\n"


def page(main: click.Group, version: str) -> str:
    """dashredact(1) in roff: every command with its help and options."""
    lines = [f'.TH DASHREDACT 1 "" "dashredact {version}" "User Commands"', ".SH NAME"]
    lines += ["dashredact \\- masks faces and licence plates in dashcam footage", ".SH SYNOPSIS"]
    lines += [".B dashredact", "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...", ".SH DESCRIPTION"]
    with click.Context(main, info_name="dashredact", **main.context_settings) as context:
        lines += _text(main.help or "")
        lines += [".SH OPTIONS", *_options(main, context), ".SH COMMANDS"]
        for command, own in _commands(main, context):
            usage = " ".join(command.collect_usage_pieces(own))
            lines += [f".SS {_escaped(own.command_path)} {_escaped(usage)}", *_text(command.help or "")]
            lines += _options(command, own)
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    for name, command in group.commands.items():
        with click.Context(command, info_name=name, parent=context) as own:
            if isinstance(command, click.Group):
                yield from _commands(command, own)
            else:
                yield command, own


def _text(help_text: str) -> Iterator[str]:
    """Paragraphs; those that click leaves as they stand, such as examples, stay so here."""
    for paragraph in cleandoc(help_text).split("\n\n"):
        rows = paragraph.splitlines()
        if paragraph.startswith(_VERBATIM):
            yield from (".nf", *map(_escaped, rows[1:]), ".fi", ".PP")
        else:
            yield from (_escaped(" ".join(row.strip() for row in rows)), ".PP")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if record:
            yield from (".TP", f"\\fB{_escaped(record[0])}\\fR", _escaped(" ".join(record[1].split())) or "\\&")


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
