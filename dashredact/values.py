"""Values that are passed between packages: frozen, typed, with their units.

A box is `x0 y0 x1 y1` in pixels of the upright, decoded picture: origin at the top left, x1 and y1 exclusive.
A range of frames is `first..end`, end exclusive. A time is a Fraction of seconds or an integer PTS with its time base.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dashredact.kinds import KINDS, Kind

Array = NDArray[np.float64]
Day = date
"""A calendar day, for modules that compare days and must not read the clock."""
Picture = NDArray[np.uint8]
"""uint8 (height, width, 3), RGB."""


LOWEST_SCORE = 0.10
"""Least score of a detection that is stored, so that thresholds can change without detecting again."""


REACH = 0.5
"""Seconds that a detection is followed through the pixels, either way."""
LEAST_FOLLOWED = 0.15
"""Least score of a detection that is followed, and of one that ends a path that meets it."""


class Origin(StrEnum):
    """Where the box of a track on a frame comes from."""

    DETECTED = "detected"
    BRIDGED = "bridged"
    EXTENDED = "extended"
    MANUAL = "manual"


ORIGINS = tuple(Origin)


@dataclass(frozen=True)
class Detections:
    """N detections, ordered by frame."""

    frames: NDArray[np.int32]
    """(N,) frame index"""
    kinds: NDArray[np.int8]
    """(N,) index into `KINDS`; files store names, see `to_arrays`"""
    boxes: NDArray[np.float32]
    """(N, 4) x0 y0 x1 y1"""
    scores: NDArray[np.float32]
    """(N,) 0..1"""

    def __len__(self) -> int:
        return len(self.frames)

    def shifted(self, frames: int) -> "Detections":
        """A copy whose frame indices are increased by `frames`."""
        return Detections((self.frames + frames).astype(np.int32), self.kinds, self.boxes, self.scores)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For a file. `kinds` are indices into `kind_names`, so that files do not depend on the order of `KINDS`."""
        return {
            "frames": self.frames,
            "kinds": self.kinds,
            "kind_names": np.array(KINDS, np.str_),
            "boxes": self.boxes,
            "scores": self.scores,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Detections":
        """KeyError if an array is missing, ValueError if a kind is unknown."""
        kinds, names = arrays["kinds"], [Kind(str(name)) for name in arrays["kind_names"]]
        table = np.array([KINDS.index(kind) for kind in names], np.int8)
        if len(kinds) and not 0 <= kinds.min() <= kinds.max() < len(table):
            raise ValueError(f"a detection is of the kind {kinds.max()} of {len(table)}")
        return cls(arrays["frames"], table[kinds], arrays["boxes"], arrays["scores"])

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | Sequence[int]) -> "Detections":
        """Some of the rows: by index, or where a mask is true."""
        return Detections(self.frames[rows], self.kinds[rows], self.boxes[rows], self.scores[rows])

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
    """One object on consecutive frames `first..end`; it is masked on every one of them."""

    id: int
    """counts from 1 in each video, so that no id links two videos"""
    kind: Kind
    first: int
    boxes: Array
    """(n, 4) one box a frame, with its margin, clipped to the picture"""
    origins: NDArray[np.int8]
    """(n,) index into `ORIGINS`"""
    scores: NDArray[np.float32]
    """(n,) score of the detection, 0 on frames without one"""

    @property
    def end(self) -> int:
        return self.first + len(self.boxes)

    def shows(self, frame: int) -> bool:
        """Whether it has a box on the frame."""
        return self.first <= frame < self.end


@dataclass(frozen=True)
class ModelIdentity:
    """Which weights were used; part of every record."""

    name: str
    sha256: str


class Detector(Protocol):
    """Finds objects on pictures. The pipeline knows detectors by this protocol only."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def thresholds(self) -> dict[Kind, float]:
        """Least score of a detection that starts a track, of each kind that it finds."""
        ...

    @property
    def long_side(self) -> int:
        """Length in pixels of the longer side of the pictures that it takes."""
        ...

    @property
    def detail(self) -> int:
        """Length in pixels of the longer side up to which it has use for larger pictures; `long_side` where it has
        none.
        """
        ...

    @property
    def batch_size(self) -> int: ...

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        """One `Detections` a picture: boxes in pixels of that picture, frames all 0, scores from 0.10 up."""
        ...


@dataclass(frozen=True)
class Paths:
    """P ways that detections take on the frames after or before them, told from the pixels, in the order of `rows`.

    The k-th box of a path lies k + 1 frames away from its detection. A path ends where the object is lost, where it
    meets another detection, or after `REACH` seconds; it may leave its segment.
    """

    rows: NDArray[np.int32]
    """(P,) index of the detection"""
    steps: NDArray[np.int8]
    """(P,) 1: to later frames, -1: to earlier ones"""
    lengths: NDArray[np.int32]
    """(P,) number of boxes, at least 1"""
    boxes: NDArray[np.float32]
    """(sum of lengths, 4)"""

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def empty(cls) -> "Paths":
        return cls(np.empty(0, np.int32), np.empty(0, np.int8), np.empty(0, np.int32), np.empty((0, 4), np.float32))

    @classmethod
    def concatenate(cls, parts: Sequence["Paths"], rows: Sequence[int]) -> "Paths":
        """rows: how much the index of each part's detections increases."""
        parts, rows = parts or [cls.empty()], rows or [0]
        return cls(
            np.concatenate([part.rows + first for part, first in zip(parts, rows, strict=True)]).astype(np.int32),
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.boxes for part in parts]),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For a file that may hold detections too."""
        names = ("rows", "steps", "lengths", "boxes")
        return {f"path_{name}": getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Paths":
        """KeyError if an array is missing, ValueError if they do not fit together."""
        paths = cls(*(arrays[f"path_{name}"] for name in ("rows", "steps", "lengths", "boxes")))
        if not len(paths.rows) == len(paths.steps) == len(paths.lengths) or paths.lengths.sum() != len(paths.boxes):
            raise ValueError("the arrays of its paths do not fit together")
        return paths

    def of(self, kept: NDArray[np.bool_]) -> "Paths":
        """Those of some of the detections, numbered anew. kept: (N,) for each detection."""
        numbers, own = np.cumsum(kept) - 1, kept[self.rows]
        boxes = self.boxes[np.repeat(own, self.lengths)]
        return Paths(numbers[self.rows[own]].astype(np.int32), self.steps[own], self.lengths[own], boxes)

    def between(self, first: int, end: int) -> "Paths":
        """Those of the detections first..end, numbered from the first."""
        low, high = np.searchsorted(self.rows, [first, end])
        start, stop = (int(self.lengths[:row].sum()) for row in (low, high))
        own = slice(low, high)
        return Paths(self.rows[own] - np.int32(first), self.steps[own], self.lengths[own], self.boxes[start:stop])

    def by_detection(self) -> dict[tuple[int, int], Array]:
        """The boxes (n, 4) of each path, by detection and step."""
        ends = np.cumsum(self.lengths)
        return {
            (int(row), int(step)): self.boxes[end - length : end].astype(np.float64)
            for row, step, length, end in zip(self.rows, self.steps, self.lengths, ends, strict=True)
        }


@dataclass(frozen=True)
class SegmentDetections:
    """Result of pass one for a segment: its frames and the detections on them."""

    pts: NDArray[np.int64]
    """(n,) rising; frame indices of `detections` count from the first frame of the segment"""
    size: tuple[int, int]
    """width and height of the upright frames"""
    detections: Detections
    lost: tuple[int, ...] = ()
    """PTS of frames that could not be decoded"""
    hidden: int = 0
    """packets without a frame of their own that the source shows"""
    forms: bytes = b""
    """how many frames have which form, as JSON (`media.form`)"""
    paths: Paths = field(default_factory=Paths.empty)
    """of its detections"""
    changes: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """(n,) mean difference of each frame from the one before it, grey levels; empty where nothing was followed"""


@dataclass(frozen=True)
class ProgressEvent:
    """Progress of one video."""

    video: str
    stage: str
    """probe, detect, track, render, join, verify, recheck"""
    done: int
    """frames, each counted once a pass"""
    total: int
    """frames times passes"""


ProgressCallback = Callable[[ProgressEvent], None]
StageProgress = Callable[[str, int], None]
"""Called with a stage and the number of frames just done. The stage `saved` means that a segment is on disk."""
