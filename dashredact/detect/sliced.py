"""Looks at large pictures whole and in overlapping parts: far plates are too small on a scaled-down 4K picture."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.values import Detections, Detector, ModelIdentity, Picture

_OVERLAP = 6  # a tile shares at least the sixth part of its side with the next one
_SAME = 0.5  # overlap of two boxes of a kind from which they are one object
_INSIDE = 0.8  # share of a cut box that lies in a whole one of the same object
_NEAR = 4.0  # pixels from a tile's inner edge within which a box counts as cut: edges of boxes are guesses
_WORTH = 0.5  # share of the cut box's score that the whole one must have: a faint large box is no home for a clear one


class TiledDetector:
    """Another detector over pictures that are up to `tiles` times as large as those it takes.

    A tile has the size of the whole picture scaled down to the inner detector's long side, so that it sees pictures of
    one size. What it costs: up to 10, 17 and 26 looks a picture for 2, 3 and 4.
    """

    def __init__(self, detector: Detector, tiles: int) -> None:
        self.identity: ModelIdentity = detector.identity
        self.thresholds: dict[Kind, float] = detector.thresholds
        self.long_side = tiles * detector.long_side
        self._inner, self._tiles = detector, tiles

    @property
    def batch_size(self) -> int:
        """Pictures: as many as fill about the memory that the inner detector's batch would."""
        return max(self._inner.batch_size // self._tiles**2, 1)

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        views = [view for number, picture in enumerate(pictures) for view in self._views(number, picture)]
        views.sort(key=lambda view: view.pixels.shape)
        found: list[list[_Found]] = [[] for _ in pictures]
        for _, alike in groupby(views, key=lambda view: view.pixels.shape):
            for view, answer in self._answers(list(alike)):
                found[view.picture].append(_put_back(view, answer, pictures[view.picture]))
        return [_united(parts) for parts in found]

    def _views(self, number: int, picture: Picture) -> list["_View"]:
        height, width = picture.shape[:2]
        factor = self._inner.long_side / max(width, height)
        if factor >= 1:
            return [_View(number, picture)]
        across, down = max(round(width * factor), 1), max(round(height * factor), 1)
        small = np.asarray(cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA), np.uint8)
        whole = _View(number, small, 0, 0, width / across, height / down)
        tiles = [
            _View(number, picture[y : y + down, x : x + across], x, y)
            for y in starts(height, down)
            for x in starts(width, across)
        ]
        return [*tiles, whole]  # of two equal answers the first one stays: that of full scale

    def _answers(self, views: Sequence["_View"]) -> list[tuple["_View", Detections]]:
        """views: of one size."""
        answers: list[Detections] = []
        while len(answers) < len(views):  # the batch size may shrink on the way
            batch = views[len(answers) : len(answers) + self._inner.batch_size]
            answers += self._inner([view.pixels for view in batch])
        return list(zip(views, answers, strict=True))


class _View(NamedTuple):
    """A picture for the inner detector: the whole one or a tile of it."""

    picture: int
    """number of the picture that it shows"""
    pixels: Picture
    x: int = 0
    """pixels of the picture left of it"""
    y: int = 0
    """and above it"""
    step_x: float = 1.0
    """pixels of the picture a pixel of the view"""
    step_y: float = 1.0


class _Found(NamedTuple):
    seen: Detections
    """boxes in pixels of the picture"""
    cut: NDArray[np.bool_]
    """(N,) whether the box ends at an inner edge of its tile"""


def starts(size: int, tile: int) -> list[int]:
    """First pixels of the tiles along a side, evenly spaced: each shares a sixth or more with the next one.

    size, tile: pixels, both at least 1.
    """
    if size <= tile:
        return [0]
    count = 1 + math.ceil((size - tile) / max(tile - math.ceil(tile / _OVERLAP), 1))
    return [(size - tile) * number // (count - 1) for number in range(count)]


def _put_back(view: _View, answer: Detections, picture: Picture) -> _Found:
    height, width = view.pixels.shape[:2]
    boxes = geometry.scale(answer.boxes, view.step_x, view.step_y) + np.array([view.x, view.y] * 2)
    limits = np.array([view.x, view.y, view.x + width * view.step_x, view.y + height * view.step_y])
    inner = np.abs(limits - np.array([0, 0, picture.shape[1], picture.shape[0]])) >= 0.5
    cut = ((np.abs(boxes - limits) <= _NEAR) & inner).any(1)
    return _Found(Detections(answer.frames, answer.kinds, boxes.astype(np.float32), answer.scores), cut)


def _united(parts: Sequence[_Found]) -> Detections:
    """Each object once, best score first.

    What is dropped lies for half or more in one that stays, which takes over a better score: whole boxes come first, by
    score, then cut ones, the largest first. Without a taker a cut box stays: it may be all that was seen of an object.
    """
    if len(parts) == 1:
        return parts[0].seen
    seen, cut = Detections.concatenate([part.seen for part in parts]), np.concatenate([part.cut for part in parts])
    boxes, scores = seen.boxes.astype(np.float64), seen.scores.copy()
    kept: list[int] = []
    for row in np.lexsort((np.where(cut, -geometry.area(boxes), -scores), cut)):
        alike = geometry.iou(boxes[row : row + 1], boxes[kept])[0] >= _SAME
        if cut[row]:
            holds = geometry.ioa(boxes[row : row + 1], boxes[kept])[0] >= _INSIDE
            alike |= holds & (scores[kept] >= _WORTH * scores[row])
        takers = np.flatnonzero(alike & (seen.kinds[kept] == seen.kinds[row]))
        if takers.size:
            taker = max((kept[number] for number in takers), key=scores.__getitem__)
            scores[taker] = max(scores[taker], scores[row])
        else:
            kept.append(int(row))
    kept.sort(key=lambda row: -scores[row])
    return Detections(seen.frames[kept], seen.kinds[kept], seen.boxes[kept], scores[kept])
