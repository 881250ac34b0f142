"""Boxes that somebody gave, on some frames or on all: one box a frame, then tracks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.values import ORIGINS, Array, Origin, Track

_MANUAL = ORIGINS.index(Origin.MANUAL)


@dataclass(frozen=True)
class KeyframedBoxes:
    """The given boxes of one object, n of them, at least one, by rising frame; frames between may be missing."""

    id: int
    """what the giver calls it; below 1 where it has no number"""
    kind: Kind
    frames: NDArray[np.int64]
    """(n,)"""
    boxes: Array
    """(n, 4) x0 y0 x1 y1, may reach out of the picture"""
    origins: NDArray[np.int8]
    """(n,) index into `ORIGINS`"""
    scores: NDArray[np.float32]
    """(n,) 0..1"""

    @classmethod
    def manual(cls, id: int, kind: Kind, frames: ArrayLike, boxes: ArrayLike) -> "KeyframedBoxes":
        """As a person draws them: no score, every box by hand."""
        at = np.asarray(frames, np.int64)
        drawn = np.asarray(boxes, np.float64).reshape(-1, 4)
        return cls(id, kind, at, drawn, np.full(len(at), _MANUAL, np.int8), np.zeros(len(at), np.float32))

    def at(self, rows: NDArray[np.bool_] | slice) -> "KeyframedBoxes":
        """Those rows only."""
        frames, boxes = self.frames[rows], self.boxes[rows]
        return replace(self, frames=frames, boxes=boxes, origins=self.origins[rows], scores=self.scores[rows])


def interpolated(keys: KeyframedBoxes, outside: NDArray[np.bool_], end: int) -> KeyframedBoxes:
    """One box a frame from the first key on: straight lines between neighbouring keys, the last box held to `end`.

    outside: (n,) true where the object has left the picture at that key: it is away until the next key. Its box is
    still where the line towards it ends, as in CVAT. A frame between keys is by hand and has no score.
    """
    every = np.arange(keys.frames[0], max(end, int(keys.frames[-1]) + 1))
    before = np.searchsorted(keys.frames, every, "right") - 1
    boxes = np.stack([np.interp(every, keys.frames, side) for side in keys.boxes.T], -1)
    is_key = keys.frames[before] == every
    origins = np.where(is_key, keys.origins[before], _MANUAL).astype(np.int8)
    scores = np.where(is_key, keys.scores[before], 0).astype(np.float32)
    return KeyframedBoxes(keys.id, keys.kind, every, boxes, origins, scores).at(~outside[before])


def tracks(objects: Iterable[KeyframedBoxes], width: int, height: int) -> list[Track]:
    """Tracks of these boxes, cut to the picture: zones first, then by first frame.

    An object that is away for some frames becomes several tracks, since a track masks every frame of its range. The
    first to use a number from 1 up keeps it, the others get numbers that nobody has.
    """
    runs = sorted((run for marks in objects for run in _runs(marks)), key=_place)
    return [
        Track(number, run.kind, int(run.frames[0]), geometry.clip(run.boxes, width, height), run.origins, run.scores)
        for number, run in zip(_numbers([run.id for run in runs]), runs, strict=True)
    ]


def _place(run: KeyframedBoxes) -> tuple[bool, int]:
    return run.kind is not Kind.ZONE, int(run.frames[0])


def _runs(marks: KeyframedBoxes) -> Iterator[KeyframedBoxes]:
    """Parts on consecutive frames."""
    starts = [0, *(np.flatnonzero(np.diff(marks.frames) != 1) + 1).tolist(), len(marks.frames)]
    yield from (marks.at(slice(start, end)) for start, end in pairwise(starts) if end > start)


def _numbers(wanted: Sequence[int]) -> Iterator[int]:
    taken: set[int] = set()
    free = max(wanted, default=0)
    for number in wanted:
        if number < 1 or number in taken:
            free = max(free, 0) + 1
            yield free
        else:
            taken.add(number)
            yield number
