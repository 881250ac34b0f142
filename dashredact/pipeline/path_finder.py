"""Follows detections through the pixels of a segment, to later and to earlier frames: their `Paths`.

Only detections that have no neighbour on the next frame in that direction are followed. Small grey frames of the last
second are kept for the way back, which is gone in sweeps of many detections at once. What is found depends on the
segment and half a second around it, not on who else worked on the video.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.imaging.flow import Followed, GreyImage
from dashredact.values import LEAST_FOLLOWED, REACH, Array, Detections, Paths, Picture

_LONG_SIDE = 640  # pixels of the grey frames
_AFAR = (64, 36)  # pixels of the pictures that are compared
_MOST = 200  # detections of a frame that are followed, best first: noise that looks like a crowd must not take hours
_MEETS = 0.3  # IoU from which a detection of the same kind is of the same object
_EPSILON = 1e-6  # seconds, for rounding of float times


@dataclass(frozen=True)
class GreyFrame:
    """A frame, small and grey."""

    time: float
    """seconds"""
    picture: GreyImage


def grey_frame(time: float, picture: Picture) -> GreyFrame:
    height, width = picture.shape[:2]
    scale = min(_LONG_SIDE / max(width, height), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = picture if scale == 1 else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return GreyFrame(time, np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8))


@dataclass(frozen=True)
class _Seen:
    """A frame and those of its detections that can be followed; none where it lies outside of the segment."""

    frame: GreyFrame
    rows: NDArray[np.intp]
    """(N,) of all detections of the segment"""
    kinds: NDArray[np.int8]
    boxes: Array
    """(N, 4) pixels of the grey frame"""

    def near(self, kinds: NDArray[np.int8], boxes: Array) -> NDArray[np.bool_]:
        """(M,) which of the boxes have a detection of their kind here."""
        same = kinds[:, None] == self.kinds
        return np.asarray((same & (geometry.iou(boxes, self.boxes) >= _MEETS)).any(1))


class _Sweep:
    """Followed detections on their way in one direction."""

    def __init__(self) -> None:
        self._rows, self._kinds = np.empty(0, np.intp), np.empty(0, np.int8)
        self._since = np.empty(0)
        self._objects: Followed | None = None
        self.found: dict[int, list[Array]] = defaultdict(list)
        """boxes by detection"""

    @property
    def idle(self) -> bool:
        return not len(self._rows)

    def step(self, here: _Seen, there: _Seen, *, start: bool = True) -> None:
        """From a frame to one beside it. start: also follow the detections of the first."""
        before, after = here.frame, there.frame
        in_time = np.abs(self._since - after.time) <= REACH + _EPSILON
        self._keep(in_time)
        if start and abs(after.time - before.time) <= REACH + _EPSILON:
            self._start(here, ~there.near(here.kinds, here.boxes))
        if self._objects is None or self.idle:
            return
        self._objects, found = self._objects.step(before.picture, after.picture)
        self._rows, self._kinds, self._since = self._rows[found], self._kinds[found], self._since[found]
        for row, box in zip(self._rows, self._objects.boxes, strict=True):
            self.found[int(row)].append(box)
        self._keep(~there.near(self._kinds, self._objects.boxes))

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        if self._objects is not None and not rows.all():
            self._objects = self._objects.take(rows)
            self._rows, self._kinds, self._since = self._rows[rows], self._kinds[rows], self._since[rows]

    def _start(self, here: _Seen, lone: NDArray[np.bool_]) -> None:
        if not lone.any():
            return
        objects = Followed.start(here.frame.picture, here.boxes[lone])
        self._objects = self._objects.joined(objects) if self._objects is not None else objects
        self._rows = np.concatenate((self._rows, here.rows[lone]))
        self._kinds = np.concatenate((self._kinds, here.kinds[lone]))
        self._since = np.concatenate((self._since, np.full(int(lone.sum()), here.frame.time)))


class PathFinder:
    """Of one segment. Frames are added in order."""

    def __init__(self, lead: Iterable[GreyFrame] = ()) -> None:
        """lead: the frames of the last `REACH` seconds before the segment."""
        self._kept = deque(_outside(frame) for frame in lead)
        self._unswept = 0  # of the kept ones, the last
        self._scale = 1.0
        self._count = 0
        self._forward = _Sweep()
        self._backward: dict[int, list[Array]] = {}
        self.changes: list[float] = []
        """mean difference of each frame from the one before it, grey levels; 0 for the first of a video"""

    def lead(self, frame: GreyFrame) -> None:
        """One more frame before the segment."""
        self._kept.append(_outside(frame))

    def add(self, frame: GreyFrame, detections: Detections, width: int) -> None:
        """The next frame. width: of the picture that the boxes are on, in pixels."""
        self._scale = frame.picture.shape[1] / width
        rows = np.flatnonzero(detections.scores >= LEAST_FOLLOWED)
        rows = np.sort(rows[np.argsort(-detections.scores[rows], kind="stable")[:_MOST]])
        boxes = detections.boxes[rows].astype(np.float64) * self._scale
        seen = _Seen(frame, rows + self._count, detections.kinds[rows], boxes)
        self.changes.append(_difference(self._kept[-1].frame.picture, frame.picture) if self._kept else 0.0)
        if self._kept:
            self._forward.step(self._kept[-1], seen)
        self._kept.append(seen)
        self._count, self._unswept = self._count + len(detections), self._unswept + 1
        if frame.time - self._kept[-self._unswept].frame.time >= REACH:
            self._sweep_back()

    def finish(self, tail: Iterable[GreyFrame] = ()) -> Paths:
        """The paths of all detections. tail: the frames of `REACH` seconds behind the segment, read while needed."""
        self._sweep_back()
        if self._kept:
            here = self._kept[-1]
            for start, frame in enumerate(tail):
                there = _outside(frame)
                self._forward.step(here, there, start=not start)
                here = there
                if self._forward.idle:
                    break
        return self._paths()

    @property
    def last(self) -> list[GreyFrame]:
        """The frames of the last `REACH` seconds, as the lead of the next segment."""
        end = self._kept[-1].frame.time if self._kept else 0.0
        return [seen.frame for seen in self._kept if end - seen.frame.time <= REACH + _EPSILON]

    def _sweep_back(self) -> None:
        """From the newest frame as far back as anything is followed that has not been followed before."""
        sweep, frames = _Sweep(), list(self._kept)
        for number in range(len(frames) - 1, 0, -1):
            new = number >= len(frames) - self._unswept
            if not new and sweep.idle:
                break
            sweep.step(frames[number], frames[number - 1], start=new)
        self._backward |= sweep.found
        self._unswept = 0
        newest = frames[-1].frame.time if frames else 0.0
        while self._kept and newest - self._kept[0].frame.time > REACH + _EPSILON:
            self._kept.popleft()

    def _paths(self) -> Paths:
        found = [(row, 1, boxes) for row, boxes in self._forward.found.items()]
        found += [(row, -1, boxes) for row, boxes in self._backward.items()]
        found.sort(key=lambda one: one[:2])
        every: Sequence[Array] = [box for _, _, boxes in found for box in boxes]
        return Paths(
            np.array([row for row, _, _ in found], np.int32),
            np.array([step for _, step, _ in found], np.int8),
            np.array([len(boxes) for _, _, boxes in found], np.int32),
            (np.array(every).reshape(-1, 4) / self._scale).astype(np.float32),
        )


def _difference(before: GreyImage, after: GreyImage) -> float:
    """Of two pictures seen from afar: a shaking camera moves details, not scenes."""
    one, other = (cv2.resize(picture, _AFAR, interpolation=cv2.INTER_AREA) for picture in (before, after))
    return float(cv2.absdiff(one, other).mean())


def _outside(frame: GreyFrame) -> _Seen:
    return _Seen(frame, np.empty(0, np.intp), np.empty(0, np.int8), np.empty((0, 4)))
