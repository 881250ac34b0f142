"""Checks on what is read from files of other people and tools. All of them raise `FormatError`."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dashredact.values import Array

_MAX_NUMBER = 1e6  # beyond it float32 no longer resolves a fraction of a pixel


class FormatError(Exception):
    """Continues the sentence that a file's name begins, without the full stop: `has no list "images"`."""


def number(value: Any, what: str) -> float:
    """A finite number, which may be written as text."""
    parsed = _parsed(value)
    if not abs(parsed) <= _MAX_NUMBER:
        raise FormatError(f"has {_shown(value)} as {what}, which must be a number between -1000000 and 1000000")
    return parsed


def whole(value: Any, what: str, least: int, most: int) -> int:
    """A whole number from least to most, both included, which may be written as text."""
    parsed = _parsed(value)
    if not (least <= parsed <= most and parsed == int(parsed)):
        raise FormatError(f"has {_shown(value)} as {what}, which must be a whole number from {least} to {most}")
    return int(parsed)


def _parsed(value: Any) -> float:
    """NaN where it is not a number."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise FormatError(f"has {_shown(value)} as {what}, which must be non-empty text")
    return value


def table(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"has {_shown(value)} as {what}, which must be an object")
    return value


def tables(content: Mapping[str, Any], key: str, owner: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a list, each with its path in the file, such as `tracks[3]`, or `boxes[0] of images[2]`.

    owner: path of what has the list; empty for the file itself.
    """
    of_owner = f" of {owner}" if owner else ""
    rows = content.get(key)
    if not isinstance(rows, list):
        raise FormatError(f'has no list "{key}"{of_owner}')
    return ((path, table(row, path)) for path, row in ((f"{key}[{n}]{of_owner}", row) for n, row in enumerate(rows)))


def array(value: Any, shape: tuple[int, ...], what: str) -> Array:
    """Finite numbers of that shape, float64."""
    try:
        numbers = np.array(value if isinstance(value, list) else None)
    except (ValueError, OverflowError):
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iuf" or numbers.shape != shape or not np.isfinite(numbers).all():
        raise FormatError(f"needs {' by '.join(map(str, shape))} finite numbers as {what}")
    return numbers.astype(np.float64)


def box(sides: tuple[float, float, float, float], size: tuple[int, int], where: str) -> None:
    """x0 y0 x1 y1 with no negative side, at least partly inside the picture. size: the picture's width and height."""
    x0, y0, x1, y1 = sides
    if x1 < x0 or y1 < y0:
        raise FormatError(f"has a negative width or height in {where}")
    if x0 > size[0] or y0 > size[1] or x1 < 0 or y1 < 0:
        raise FormatError(f"has a box in {where} that lies outside the picture of {size[0]}x{size[1]} pixels")
