"""A complete policy, and the same with something wrong."""

import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from dashredact.governance.policy.faults import parse
from dashredact.governance.policy.model import Policy

DOCS = Path(__file__).resolve().parents[1] / "docs" / "policy.md"
Place = tuple[str | int, ...]

SHORT = re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[0]
"""The example of the documentation."""

FULL: dict[str, Any] = {
    **tomllib.loads(SHORT),
    "processors": [
        {
            "name": {"ja": "倉庫株式会社", "en": "Soko Inc."},
            "task": {"ja": "処理済の映像の保管", "en": "Storing masked footage"},
            "contract": "2026-18",
        }
    ],
}
FULL["purposes"] = [
    *FULL["purposes"],
    {
        "id": "evidence",
        "name": {"ja": "事故の証明", "en": "Proof of accidents"},
        "made": {"ja": "処理済の動画", "en": "A masked video"},
        "identifiable": True,
    },
]
FULL["cameras"] = [
    FULL["cameras"][0],
    {
        "files": "cabin-*",
        "facing": "cabin",
        "purpose": "security",
        "view": {"ja": "天井から客席", "en": "From the ceiling to the seats"},
    },
]


def toml(content: Any) -> str:
    """One key a line, tables written inline."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in content.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, float):
        return repr(value)  # TOML and Python both say nan and inf
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | int) else value.isoformat()


def changed(place: Place, value: Any) -> dict[str, Any]:
    """FULL with another value there."""
    content = deepcopy(FULL)
    inside(content, place[:-1])[place[-1]] = value
    return content


def without(place: Place) -> dict[str, Any]:
    content = deepcopy(FULL)
    del inside(content, place[:-1])[place[-1]]
    return content


def inside(content: Any, place: Place) -> Any:
    for part in place:
        content = content[part]
    return content


def policy(content: Any = FULL) -> Policy:
    return parse(toml(content))


def keys(content: Any = FULL, place: Place = ()) -> Iterator[Place]:
    """Every key, tables before what is in them."""
    entries: Any = ()
    if isinstance(content, dict):
        entries = content.items()
    elif isinstance(content, list):
        entries = enumerate(content)
    for part, value in entries:
        if isinstance(part, str):
            yield (*place, part)
        yield from keys(value, (*place, part))


def texts(content: Any = FULL) -> Iterator[str]:
    """Every text."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from texts(value)


UNREVIEWED = changed(("review", "share"), 0)
"""Asks for no review."""
