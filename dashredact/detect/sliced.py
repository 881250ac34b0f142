"""Detects on large pictures as a whole and in overlapping tiles: far plates are too small on a scaled-down picture."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.detect.nms import nms
from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.values import Detections, Detector, ModelIdentity, Picture

_OVERLAP = 6  # neighbouring tiles share at least a sixth of their side
_SAME = 0.5  # IoU from which two boxes of a kind are one object
_INSIDE = 0.8  # least fraction of a cut box inside another box of the same object
_EDGE = 4.0  # pixels from an inner edge of a tile within which a box counts as cut: sides of boxes are not exact
_MIN_SCORE_RATIO = 0.5  # of the other box to the cut one: a faint large box does not replace a clear small one


class TiledDetector:
    """Runs another detector on pictures up to `tiles` times as large as those that it takes.

    A tile has the size of the whole picture scaled down to the inner detector's long side, so that all its pictures are
    of one size. For 2, 3 and 4 tiles it runs up to 10, 17 and 26 times a picture.
    """

    def __init__(self, detector: Detector, tiles: int) -> None:
        self.identity: ModelIdentity = detector.identity
        self.thresholds: dict[Kind, float] = detector.thresholds
        self.long_side = tiles * detector.long_side
        self._inner, self._tiles = detector, tiles

    @property
    def detail(self) -> int:
        return self.long_side

    @property
    def batch_size(self) -> int:
        """Number of pictures that need about as much memory as a batch of the inner detector."""
        return max(self._inner.batch_size // self._tiles**2, 1)

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        views = [view for number, picture in enumerate(pictures) for view in self._views(number, picture)]
        views.sort(key=lambda view: view.pixels.shape)
        parts: list[list[_ViewDetections]] = [[] for _ in pictures]
        for _, same_size in groupby(views, key=lambda view: view.pixels.shape):
            for view, detections in self._detect(list(same_size)):
                parts[view.picture].append(_on_picture(view, detections, pictures[view.picture]))
        return [_merged(own) for own in parts]

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
        return [*tiles, whole]  # of two detections with the same score the first is kept: the one at full scale

    def _detect(self, views: Sequence["_View"]) -> list[tuple["_View", Detections]]:
        """views: all of one size."""
        results: list[Detections] = []
        while len(results) < len(views):  # the inner batch size may shrink in between
            batch = views[len(results) : len(results) + self._inner.batch_size]
            results += self._inner([view.pixels for view in batch])
        return list(zip(views, results, strict=True))


class _View(NamedTuple):
    """A picture for the inner detector: a whole picture scaled down, or a tile of one."""

    picture: int
    """index of the picture that it shows"""
    pixels: Picture
    x: int = 0
    """pixels of the picture to the left of it"""
    y: int = 0
    """and above it"""
    scale_x: float = 1.0
    """pixels of the picture per pixel of the view"""
    scale_y: float = 1.0


class _ViewDetections(NamedTuple):
    detections: Detections
    """boxes in pixels of the picture"""
    cut: NDArray[np.bool_]
    """(N,) whether the box touches an inner edge of its tile"""


def starts(size: int, tile: int) -> list[int]:
    """First pixel of each tile along a side. Tiles are evenly spaced and overlap by a sixth or more.

    size, tile: in pixels, at least 1.
    """
    if size <= tile:
        return [0]
    count = 1 + math.ceil((size - tile) / max(tile - math.ceil(tile / _OVERLAP), 1))
    return [(size - tile) * number // (count - 1) for number in range(count)]


def _on_picture(view: _View, detections: Detections, picture: Picture) -> _ViewDetections:
    height, width = view.pixels.shape[:2]
    boxes = geometry.scale(detections.boxes, view.scale_x, view.scale_y) + np.array([view.x, view.y] * 2)
    edges = np.array([view.x, view.y, view.x + width * view.scale_x, view.y + height * view.scale_y])
    inner = np.abs(edges - np.array([0, 0, picture.shape[1], picture.shape[0]])) >= 0.5
    cut = ((np.abs(boxes - edges) <= _EDGE) & inner).any(1)
    moved = Detections(detections.frames, detections.kinds, boxes.astype(np.float32), detections.scores)
    return _ViewDetections(moved, cut)


def _merged(parts: Sequence[_ViewDetections]) -> Detections:
    """Each object once, best score first.

    Whole boxes come first. A cut box is dropped if another box of its object was kept, to which it passes a better
    score; otherwise it is kept, since it may be all that was detected of an object.
    """
    if len(parts) == 1:
        return parts[0].detections
    every = Detections.concatenate([part.detections for part in parts])
    cut = np.concatenate([part.cut for part in parts])
    boxes, scores = every.boxes.astype(np.float64), every.scores.copy()
    whole = np.flatnonzero(~cut)
    kept: list[int] = whole[nms(boxes[whole], scores[whole], every.kinds[whole], _SAME)].tolist()
    by_size = np.argsort(-geometry.area(boxes), kind="stable")
    for row in by_size[cut[by_size]].tolist():
        same = geometry.iou(boxes[row : row + 1], boxes[kept])[0] >= _SAME
        inside = geometry.ioa(boxes[row : row + 1], boxes[kept])[0] >= _INSIDE
        same |= inside & (scores[kept] >= _MIN_SCORE_RATIO * scores[row])
        others = np.flatnonzero(same & (every.kinds[kept] == every.kinds[row]))
        if others.size:
            best = max((kept[number] for number in others), key=scores.__getitem__)
            scores[best] = max(scores[best], scores[row])
        else:
            kept.append(row)
    kept.sort(key=lambda row: -scores[row])
    merged = every.take(kept)
    return Detections(merged.frames, merged.kinds, merged.boxes, scores[kept])
