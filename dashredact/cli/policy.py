"""`policy`: begins, checks and shows a policy."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from dashredact.cli.grammar import group
from dashredact.cli.options import EXISTING_FILE, FILE_TO_WRITE, JSON


@group()
def policy() -> None:
    """Begin, check and show the policy: who films, why, and how long anything is kept."""


_FILE = click.argument("file", type=EXISTING_FILE)


@policy.command()
@click.argument("file", default="policy.toml", type=FILE_TO_WRITE)
def init(file: Path) -> None:
    """Write a policy with blanks to fill in to FILE, policy.toml if none is named.

    \b
      dashredact policy init policy.toml
    """
    from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

    store.begin(file)
    click.echo(file)


@policy.command()
@_FILE
def check(file: Path) -> None:
    """Check that FILE is complete. Exit code 8, and a sentence for each field to correct, if not.

    \b
      dashredact policy check policy.toml
    """
    from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

    click.echo(f"{file}: complete. sha256 {store.read(file).sha256}")


@policy.command()
@_FILE
@JSON
def show(file: Path, as_json: bool) -> None:
    """Print what FILE says, a field a line.

    \b
      dashredact policy show policy.toml --json
    """
    from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

    read = store.read(file)
    content = read.policy.model_dump(mode="json")
    if as_json:
        click.echo(json.dumps({"sha256": read.sha256, "policy": content}, ensure_ascii=False))
    else:
        click.echo("\n".join(_fields(content)))


def _fields(content: Any, path: str = "") -> Iterator[str]:
    """`contact.email = camera@example.jp`; tables of a kind count from 1."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _fields(value, f"{path}.{name}" if path else name)
    elif isinstance(content, list) and content and isinstance(content[0], Mapping):
        for number, value in enumerate(content, 1):
            yield from _fields(value, f"{path} {number}")
    elif content is not None:
        yield f"{path} = {content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)}"
