"""The values that travel between the rooms: frozen, typed, each field with its unit.

A box is `x0 y0 x1 y1` in pixels of the upright, decoded picture: origin top left, far side outside.
A range of frames is `first..end`, end outside. A time is a Fraction of seconds or an integer PTS with its time base.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dashredact.kinds import KINDS, Kind

Array = NDArray[np.float64]
Day = date
"""A day as a value: who only compares days need not know what reads the clock."""
Picture = NDArray[np.uint8]
"""uint8 (height, width, 3), RGB."""


LOWEST_SCORE = 0.10
"""of a detection that is kept on disk, so that thresholds can change without detecting again"""


class Origin(StrEnum):
    """How a box of a track came to be on a frame."""

    DETECTED = "detected"
    BRIDGED = "bridged"
    EXTENDED = "extended"
    MANUAL = "manual"


ORIGINS = tuple(Origin)


@dataclass(frozen=True)
class Detections:
    """What the detector saw, N rows ordered by frame."""

    frames: NDArray[np.int32]
    """(N,) frame index"""
    kinds: NDArray[np.int8]
    """(N,) index into `KINDS`; files say it by name, see `to_arrays`"""
    boxes: NDArray[np.float32]
    """(N, 4) x0 y0 x1 y1"""
    scores: NDArray[np.float32]
    """(N,) 0..1"""

    def __len__(self) -> int:
        return len(self.frames)

    def shifted(self, frames: int) -> "Detections":
        """The same, every frame index raised."""
        return Detections((self.frames + frames).astype(np.int32), self.kinds, self.boxes, self.scores)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For a file. `kinds` counts in `kind_names` there, so that a file does not depend on the order of `KINDS`."""
        return {
            "frames": self.frames,
            "kinds": self.kinds,
            "kind_names": np.array(KINDS, np.str_),
            "boxes": self.boxes,
            "scores": self.scores,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Detections":
        """KeyError where an array is missing. ValueError where a kind has no name, or one that is not known here."""
        kinds, names = arrays["kinds"], [Kind(str(name)) for name in arrays["kind_names"]]
        table = np.array([KINDS.index(kind) for kind in names], np.int8)
        if len(kinds) and not 0 <= kinds.min() <= kinds.max() < len(table):
            raise ValueError(f"a detection is of the kind {kinds.max()} of {len(table)}")
        return cls(arrays["frames"], table[kinds], arrays["boxes"], arrays["scores"])

    @classmethod
    def empty(cls) -> "Detections":
        return cls(np.empty(0, np.int32), np.empty(0, np.int8), np.empty((0, 4), np.float32), np.empty(0, np.float32))

    @classmethod
    def concatenate(cls, parts: Sequence["Detections"]) -> "Detections":
        parts = parts or [cls.empty()]
        return cls(
            np.concatenate([part.frames for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )


@dataclass(frozen=True)
class Track:
    """One object over consecutive frames `first..end`; every frame of the range is masked."""

    id: int
    """counts from 1 in each video, so that two videos share no identity"""
    kind: Kind
    first: int
    boxes: Array
    """(n, 4) one box a frame, already grown and inside the picture"""
    origins: NDArray[np.int8]
    """(n,) index into `ORIGINS`"""
    scores: NDArray[np.float32]
    """(n,) detector score, 0 where it did not see the object"""

    @property
    def end(self) -> int:
        return self.first + len(self.boxes)


@dataclass(frozen=True)
class ModelIdentity:
    """Which weights looked; goes into every record."""

    name: str
    sha256: str


class Detector(Protocol):
    """The seam between the journey and whatever finds objects."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def thresholds(self) -> dict[Kind, float]:
        """Score from which a detection may start a track, of each kind that it finds."""
        ...

    @property
    def long_side(self) -> int:
        """Pixels that the longer side of a picture should have."""
        ...

    @property
    def batch_size(self) -> int: ...

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        """One `Detections` a picture, boxes in that picture's pixels, frames all 0, from score 0.10 up."""
        ...


@dataclass(frozen=True)
class SegmentDetections:
    """Pass one of a segment: its frames and what was seen on them."""

    pts: NDArray[np.int64]
    """(n,) rising; the frame indices of `detections` count from the segment's first frame"""
    size: tuple[int, int]
    """width and height of the upright frames"""
    detections: Detections
    lost: tuple[int, ...] = ()
    """PTS of frames that could not be decoded"""


@dataclass(frozen=True)
class ProgressEvent:
    """Something that happened, for whoever shows progress."""

    video: str
    stage: str
    """look, link, hide, join, verify, second look"""
    done: int
    """frames"""
    total: int
    """frames of all passes"""


ProgressCallback = Callable[[ProgressEvent], None]
StageProgress = Callable[[str, int], None]
"""Takes a stage and the number of frames that it has just done. Stage `saved`: a segment is safe on disk."""
