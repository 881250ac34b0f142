"""The zones file: TOML, cameras with their zones. Read strictly: a zone misread is a face that is not masked."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashredact.errors import UsageError
from dashredact.settings import CameraZones, Zone, Zones

_EXAMPLE = "[0.0, 0.85, 1.0, 1.0]"
_FAR = {0: 2, 1: 3}
_SIDES = ("x0", "y0", "x1", "y1")


def read(path: Path) -> tuple[CameraZones, ...]:
    """In the order of the file. UsageError that names file, camera and key where anything in it is not as it should."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise UsageError(f"{path} is not TOML ({error}); correct it.") from None
    try:
        _only(content, "camera")
        tables = _tables(content, "camera")
        if not tables:
            raise _WrongError("there is no [[camera]]; add one, or leave --zones out")
        return tuple(_camera(table, f"camera {number}") for number, table in enumerate(tables, 1))
    except _WrongError as error:
        raise UsageError(f"{path}: {error}.") from None


class _WrongError(Exception):
    """What is wrong, without the file and the full stop."""


def _camera(table: Mapping[str, Any], place: str) -> CameraZones:
    files = _text(table, "files", place)
    place = f"{place} ({files})"
    if "/" in files:
        raise _WrongError(f"{place}: files is a pattern of file names; leave the folder out")
    _only(table, "files", "ignore", "mask", place=place)
    ignore, mask = (
        tuple(_zone(zone, f"{place}, {key} zone {number}") for number, zone in enumerate(_tables(table, key, place), 1))
        for key in ("ignore", "mask")
    )
    return CameraZones(files, Zones(ignore, mask))


def _zone(table: Mapping[str, Any], place: str) -> Zone:
    name = _text(table, "name", place)
    place = f"{place} ({name})"
    _only(table, "name", "box", place=place)
    return Zone(name, _box(table.get("box"), place))


def _box(sides: Any, place: str) -> tuple[float, float, float, float]:
    if not isinstance(sides, list) or len(sides) != 4 or not all(type(side) in (int, float) for side in sides):
        raise _WrongError(f"{place}: box must be four numbers, x0, y0, x1, y1, such as {_EXAMPLE}")
    for name, side in zip(_SIDES, sides, strict=True):
        if not (math.isfinite(side) and 0 <= side <= 1):
            raise _WrongError(f"{place}: {name} of box is {side}, and must be a share of the upright frame, 0 to 1")
    for near, far in _FAR.items():
        if sides[near] >= sides[far]:
            raise _WrongError(f"{place}: {_SIDES[near]} of box must be less than {_SIDES[far]}")
    x0, y0, x1, y1 = map(float, sides)
    return x0, y0, x1, y1


def _text(table: Mapping[str, Any], key: str, place: str) -> str:
    text = table.get(key)
    if not isinstance(text, str) or not text:
        raise _WrongError(f"{place}: {key} must be a text that is not empty")
    return text


def _tables(table: Mapping[str, Any], key: str, place: str = "") -> Sequence[Mapping[str, Any]]:
    tables = table.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        path = f"camera.{key}" if place else key
        raise _WrongError(f"{place + ': ' if place else ''}{key} must be tables; write [[{path}]] above each")
    return tables


def _only(table: Mapping[str, Any], *known: str, place: str = "") -> None:
    unknown = sorted(table.keys() - set(known))
    if unknown:
        where = f"{place}: " if place else ""
        raise _WrongError(f"{where}the key {unknown[0]} is not known; use {', '.join(known)}")
