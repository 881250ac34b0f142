"""What the readers of all formats share: the video that boxes lie on, one box, and tracks of boxes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dashredact.formats.validation import FormatError
from dashredact.kinds import Kind, kind_named
from dashredact.tracking import keyframes
from dashredact.tracking.keyframes import KeyframedBoxes
from dashredact.values import ORIGINS, Origin, Track

MAX_BOXES = 10_000_000
MAX_NUMBER = 1_000_000_000
_DECIMALS = 4  # of a pixel; differences of float coordinates are no more exact


@dataclass(frozen=True)
class Canvas:
    """The video that boxes are read for."""

    width: int
    """pixels of the upright picture"""
    height: int
    frames: int

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


class Row(NamedTuple):
    """One box on one frame."""

    id: int
    kind: Kind
    frame: int
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1"""
    origin: Origin = Origin.MANUAL
    score: float = 0.0


def kind_of(name: object, where: str) -> Kind:
    """FormatError for an unknown label: one left out because of its spelling would be a face that is not masked."""
    kind = Kind.ZONE if name == Kind.ZONE else kind_named(str(name))
    if kind is None:
        raise FormatError(f"has the label {str(name)[:80]!r} in {where}, which is not one of {', '.join(Kind)}")
    return kind


def origin_of(name: object) -> Origin:
    return next((origin for origin in ORIGINS if origin == name), Origin.MANUAL)


def rounded(side: float) -> float:
    """Without the rounding errors of sums and differences."""
    return round(float(side), _DECIMALS)


def check_size(width: int, height: int, canvas: Canvas, where: str) -> None:
    if (width, height) != canvas.size:
        raise FormatError(
            f"is for pictures of {width}x{height} pixels ({where}), and the video has {canvas.width}x{canvas.height}"
        )


def _limited(rows: Iterable[Row]) -> Iterable[Row]:
    for number, row in enumerate(rows, 1):
        if number > MAX_BOXES:
            raise FormatError(f"has more than {MAX_BOXES} boxes")
        yield row


def keyframes_of(rows: Sequence[Row]) -> KeyframedBoxes:
    """rows: of one object, in any order."""
    rows = sorted(rows, key=lambda row: row.frame)
    frames = np.array([row.frame for row in rows], np.int64)
    repeated = np.flatnonzero(np.diff(frames) == 0)
    if len(repeated):
        raise FormatError(f"has two boxes of track {rows[0].id} on frame {frames[repeated[0]]}, counted from 0")
    return KeyframedBoxes(
        rows[0].id,
        rows[0].kind,
        frames,
        np.array([row.box for row in rows], np.float64),
        np.array([ORIGINS.index(row.origin) for row in rows], np.int8),
        np.array([row.score for row in rows], np.float32),
    )


def tracks_of(rows: Iterable[Row], canvas: Canvas) -> list[Track]:
    """One object for each track number and kind."""
    objects: dict[tuple[int, Kind], list[Row]] = defaultdict(list)
    for row in _limited(rows):
        objects[row.id, row.kind].append(row)
    return keyframes.tracks((keyframes_of(own) for own in objects.values()), *canvas.size)
