"""Boxes given on some or all frames of a video are interpolated and become tracks."""

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
    """The n >= 1 given boxes of one object, by rising frame; frames in between may be missing."""

    id: int
    """id of the object in its file; below 1 if it has none"""
    kind: Kind
    frames: NDArray[np.int64]
    """(n,)"""
    boxes: Array
    """(n, 4) x0 y0 x1 y1, may extend beyond the picture"""
    origins: NDArray[np.int8]
    """(n,) index into `ORIGINS`"""
    scores: NDArray[np.float32]
    """(n,) 0..1"""

    @classmethod
    def manual(cls, id: int, kind: Kind, frames: ArrayLike, boxes: ArrayLike) -> "KeyframedBoxes":
        """Boxes drawn by a person: origin manual, score 0."""
        key_frames = np.asarray(frames, np.int64)
        key_boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        origins, scores = np.full(len(key_frames), _MANUAL, np.int8), np.zeros(len(key_frames), np.float32)
        return cls(id, kind, key_frames, key_boxes, origins, scores)

    def take(self, rows: NDArray[np.bool_] | slice) -> "KeyframedBoxes":
        """Some of the rows: a slice, or where a mask is true."""
        frames, boxes = self.frames[rows], self.boxes[rows]
        return replace(self, frames=frames, boxes=boxes, origins=self.origins[rows], scores=self.scores[rows])


def interpolated(keys: KeyframedBoxes, outside: NDArray[np.bool_], end: int) -> KeyframedBoxes:
    """One box a frame from the first key on: linear between neighbouring keys, the last box held until `end`.

    outside: (n,) true where the object leaves the picture at that key and is absent until the next one. As in CVAT, its
    box there still is the end of the interpolation towards it. Frames between keys are manual and have no score.
    """
    frames = np.arange(keys.frames[0], max(end, int(keys.frames[-1]) + 1))
    previous = np.searchsorted(keys.frames, frames, "right") - 1
    boxes = np.stack([np.interp(frames, keys.frames, side) for side in keys.boxes.T], -1)
    is_key = keys.frames[previous] == frames
    origins = np.where(is_key, keys.origins[previous], _MANUAL).astype(np.int8)
    scores = np.where(is_key, keys.scores[previous], 0).astype(np.float32)
    return KeyframedBoxes(keys.id, keys.kind, frames, boxes, origins, scores).take(~outside[previous])


def tracks(objects: Iterable[KeyframedBoxes], width: int, height: int) -> list[Track]:
    """Tracks of these boxes, clipped to the picture: zones first, then by first frame.

    An object that is absent for some frames becomes several tracks, since a track masks every frame of its range. The
    first object with an id from 1 up keeps it; the others get ids that are not in use.
    """
    runs = sorted((run for boxes in objects for run in _runs(boxes)), key=_order)
    return [
        Track(number, run.kind, int(run.frames[0]), geometry.clip(run.boxes, width, height), run.origins, run.scores)
        for number, run in zip(_ids([run.id for run in runs]), runs, strict=True)
    ]


def _order(run: KeyframedBoxes) -> tuple[bool, int]:
    return run.kind is not Kind.ZONE, int(run.frames[0])


def _runs(boxes: KeyframedBoxes) -> Iterator[KeyframedBoxes]:
    """Its parts on consecutive frames."""
    starts = [0, *(np.flatnonzero(np.diff(boxes.frames) != 1) + 1).tolist(), len(boxes.frames)]
    yield from (boxes.take(slice(start, end)) for start, end in pairwise(starts) if end > start)


def _ids(wanted: Sequence[int]) -> Iterator[int]:
    used: set[int] = set()
    free = max(wanted, default=0)
    for number in wanted:
        if number < 1 or number in used:
            free = max(free, 0) + 1
            yield free
        else:
            used.add(number)
            yield number
