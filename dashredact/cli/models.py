"""`models`: the detectors that can be used, and the one command that opens a network connection."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from dashredact import files
from dashredact.cli.grammar import Group
from dashredact.cli.options import JSON
from dashredact.detect.dashnet import manifest
from dashredact.detect.external import fetch, registry
from dashredact.errors import MachineError, UsageError

_SHIPPED = "dashnet"


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List, check and fetch detectors. Alone it lists them.

    Fetched ones lie in $DASHREDACT_MODELS, or in ~/.local/share/dashredact/models. A models.json there, of the same
    form as the list inside this tool, adds your own.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_models, as_json=False)


@models.command("list")
@JSON
def list_models(as_json: bool) -> None:
    """Say which models are known, and which are here.

    \b
      dashredact models list --json
    """
    for told in _known():
        if as_json:
            click.echo(json.dumps({**told, "path": str(told["path"])}, ensure_ascii=False))
        else:
            here = "here" if told["present"] else "not here"
            click.echo(f"{told['name']}  finds {'+'.join(told['finds'])}  {told['form']}  {here}  {_origin(told)}")


def _origin(told: dict[str, Any]) -> str:
    return ", ".join(part for part in (told["licence"], told["source"]) if part)


@models.command()
@click.argument("names", nargs=-1)
def verify(names: Sequence[str]) -> None:
    """Check that the models that are here are the ones of the list. Exit code 4 if one is not.

    \b
      dashredact models verify yunet-n
    """
    known = {told["name"]: told for told in _known()}
    chosen = [_named(known, name) for name in names] or [told for told in known.values() if told["present"]]
    missing = [told for told in chosen if not told["present"]]
    changed = [told for told in chosen if told["present"] and not files.has_digest(told["path"], told["sha256"])]
    for told in chosen:
        states = {"is missing": missing, "is not what the list says": changed, "as the list says": chosen}
        click.echo(f"{told['name']}: {next(state for state, those in states.items() if told in those)}")
    if missing or changed:
        raise MachineError(" ".join([*map(_missing, missing), *map(_changed, changed)]))


def _missing(told: dict[str, Any]) -> str:
    return f"{told['path']} is missing; {_cure(told, 'fetches it')}."


def _changed(told: dict[str, Any]) -> str:
    return f"{told['path']} is not the file that the list describes; {_cure(told, 'fetches it again')}."


def _cure(told: dict[str, Any], does: str) -> str:
    shipped = told["form"] == _SHIPPED
    return "install dashredact again" if shipped else f"`dashredact models get {told['name']}` {does}"


@models.command()
@click.argument("name")
def get(name: str) -> None:
    """Fetch the model NAME of the list, over https, and keep it only if its sha256 is right.

    \b
      dashredact models get yunet-n
    """
    entry = _named(registry.read(), name)
    if not files.has_digest(entry.path, entry.sha256):
        fetch.fetch(entry)
    click.echo(entry.path)


def _named(known: dict[str, Any], name: str) -> Any:
    if name not in known:
        raise UsageError(f"{name} is no model of the list: {', '.join(known)}.")
    return known[name]


def _known() -> Iterator[dict[str, Any]]:
    """The shipped model, then the list: what there is to say of each."""
    shipped = manifest.read(manifest.default_folder())
    path, card = shipped.folder / shipped.weights.name, "shipped, see weights/MODEL_CARD.md"
    yield _row(shipped.identity.name, path, shipped.weights.sha256, shipped.classes, _SHIPPED, "Apache-2.0", card)
    for entry in registry.read().values():
        source = entry.source + (f" ({entry.note})" if entry.note else "")
        finds = [str(kind or "-") for kind in entry.class_kinds]
        yield _row(entry.name, entry.path, entry.sha256, finds, entry.format or "", entry.licence, source)


def _row(
    name: str, path: Path, sha256: str, finds: Sequence[str], form: str, licence: str, source: str
) -> dict[str, Any]:
    return {
        "name": name,
        "finds": finds,
        "form": form,
        "present": path.is_file(),
        "licence": licence,
        "source": source,
        "sha256": sha256,
        "path": path,
    }
