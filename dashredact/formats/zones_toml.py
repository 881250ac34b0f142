"""The zones file: TOML, cameras with their zones. Read strictly: a misread zone is a face that is not masked."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dashredact.errors import UsageError
from dashredact.formats import validation
from dashredact.formats.validation import FormatError
from dashredact.settings import CameraZones, Zone, Zones

_EXAMPLE = "[0.0, 0.85, 1.0, 1.0]"
_FAR = {0: 2, 1: 3}
_SIDES = ("x0", "y0", "x1", "y1")


def read(path: Path) -> tuple[CameraZones, ...]:
    """In the order of the file. UsageError that names file, camera and key where anything in it is wrong."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise UsageError(f"{path} is not TOML ({error}); correct it.") from None
    try:
        _check_keys(content, "camera")
        tables = _tables(content, "camera")
        if not tables:
            raise FormatError("has no [[camera]]; add one, or leave --zones out")
        return tuple(_camera(table, f"camera {number}") for number, table in enumerate(tables, 1))
    except FormatError as error:
        raise UsageError(f"{path} {error}.") from None


def _camera(table: Mapping[str, Any], where: str) -> CameraZones:
    files = validation.text(table.get("files"), f"files of {where}")
    where = f"{where} ({files})"
    if "/" in files:
        raise FormatError(f"has a folder in files of {where}, which must be a pattern of file names alone")
    _check_keys(table, "files", "ignore", "mask", where=where)
    ignore, mask = (
        tuple(_zone(zone, f"{where}, {key} zone {number}") for number, zone in enumerate(_tables(table, key, where), 1))
        for key in ("ignore", "mask")
    )
    return CameraZones(files, Zones(ignore, mask))


def _zone(table: Mapping[str, Any], where: str) -> Zone:
    name = validation.text(table.get("name"), f"name of {where}")
    where = f"{where} ({name})"
    _check_keys(table, "name", "box", where=where)
    return Zone(name, _box(table.get("box"), where))


def _box(sides: Any, where: str) -> tuple[float, float, float, float]:
    if not isinstance(sides, list) or len(sides) != 4 or not all(type(side) in (int, float) for side in sides):
        raise FormatError(f"needs four numbers as box of {where}: x0, y0, x1, y1, such as {_EXAMPLE}")
    for name, side in zip(_SIDES, sides, strict=True):
        if not (math.isfinite(side) and 0 <= side <= 1):
            raise FormatError(f"has {side} as {name} of {where}, which must be a fraction of the upright frame, 0 to 1")
    for near, far in _FAR.items():
        if sides[near] >= sides[far]:
            raise FormatError(f"has {_SIDES[near]} not less than {_SIDES[far]} in the box of {where}")
    x0, y0, x1, y1 = map(float, sides)
    return x0, y0, x1, y1


def _tables(table: Mapping[str, Any], key: str, where: str = "") -> Sequence[Mapping[str, Any]]:
    tables = table.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
        path = f"camera.{key}" if where else key
        raise FormatError(f"needs tables as {key}{_of(where)}; write [[{path}]] above each")
    return tables


def _check_keys(table: Mapping[str, Any], *known: str, where: str = "") -> None:
    unknown = sorted(table.keys() - set(known))
    if unknown:
        raise FormatError(f"has the unknown key {unknown[0]}{_of(where)}; use {', '.join(known)}")


def _of(where: str) -> str:
    return f" of {where}" if where else ""
