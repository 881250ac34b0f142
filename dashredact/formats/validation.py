"""What is read from files of other people is looked at before it is believed. Everything here raises `FormError`."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dashredact.values import Array

_FARTHEST = 1e6  # pixels; beyond it floats no longer tell parts of a pixel apart


class FormatError(Exception):
    """Says what is wrong in a file and where, without the file's name and the full stop."""


def number(value: Any, what: str) -> float:
    """A finite number, or a text that is one."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not abs(found) <= _FARTHEST:
        raise FormatError(f"has {_shown(value)} as {what}, which is no number of pixels or frames")
    return found


def whole(value: Any, what: str, least: int, most: int) -> int:
    """A whole number, least..most."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not (least <= found <= most and found == int(found)):
        raise FormatError(f"has {_shown(value)} as {what}, which must be a whole number from {least} to {most}")
    return int(found)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise FormatError(f"has {_shown(value)} as {what}, which must be a text that is not empty")
    return value


def table(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"has no object as {what}")
    return value


def tables(content: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a list, each with the place where it stands, such as `tracks[3]`."""
    rows = content.get(key)
    if not isinstance(rows, list):
        raise FormatError(f'has no list "{key}"')
    return ((f"{key}[{n}]", table(row, f"{key}[{n}]")) for n, row in enumerate(rows))


def array(value: Any, shape: tuple[int, ...], what: str) -> Array:
    """Finite numbers of that shape."""
    try:
        found = np.array(value if isinstance(value, list) else None)
    except (ValueError, OverflowError):
        found = np.empty(0, object)
    if found.dtype.kind not in "iuf" or found.shape != shape or not np.isfinite(found).all():
        raise FormatError(f"has something else than {' by '.join(map(str, shape))} numbers as {what}")
    return found.astype(np.float64)


def box(sides: tuple[float, float, float, float], size: tuple[int, int], where: str) -> None:
    """x0 y0 x1 y1 that is not inside out and not wholly out of the picture. size: its width and height."""
    x0, y0, x1, y1 = sides
    if x1 < x0 or y1 < y0:
        raise FormatError(f"has a negative width or height in {where}")
    if x0 > size[0] or y0 > size[1] or x1 < 0 or y1 < 0:
        raise FormatError(f"has a box in {where} that lies outside the picture of {size[0]}x{size[1]} pixels")
