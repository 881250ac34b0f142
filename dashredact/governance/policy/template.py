"""A policy to fill in: every field blank, above each what to write there."""

import textwrap
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dashredact.governance.policy.faults import model_in
from dashredact.governance.policy.model import BothNames, BothTexts, Policy

_HEAD = """\
# Policy for the use of camera footage. Fill in every blank, then run: dashredact policy check THIS-FILE
# Days are written 2026-04-01. Copy a whole [[table]] to add another camera, purpose, recipient or processor.
"""
_NONE = "# If there are none, delete this table and write above all tables:\n# {name} = []\n"


def template() -> str:
    return "\n".join([_HEAD, *_lines(Policy)]) + "\n"


def _lines(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is None or inner in (BothNames, BothTexts):
            yield _blank(name, field, inner is not None)
        else:
            yield from _table(name, field, inner)


def _table(name: str, field: FieldInfo, inner: type[BaseModel]) -> Iterator[str]:
    several = field.annotation is not inner
    yield f"\n# {(inner.__doc__ or '').splitlines()[0]}"
    if several and not field.metadata:
        yield _NONE.format(name=name).rstrip()
    yield f"[[{name}]]" if several else f"[{name}]"
    yield from _lines(inner)


def _blank(name: str, field: FieldInfo, both: bool) -> str:
    hint = textwrap.fill(field.description or "", 110, initial_indent="# ", subsequent_indent="# ")
    blank = '{ ja = "", en = "" }' if both else '""'
    return f"{hint}\n{'' if field.is_required() else '# '}{name} = {blank}"
