"""Exact area of the union of boxes, and what of an object lies under masks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.values import Array

COVERED_FROM = 0.95
"""fraction of an object under masks from which it counts as covered"""
MIN_SIZE = 32.0
"""size in pixels from which an uncovered object counts in summary figures"""


@dataclass(frozen=True)
class ObjectCoverage:
    """Objects of one class on the frames of videos, one entry an object and frame."""

    sizes: Array
    """(F,) pixels of the original picture"""
    uncovered: NDArray[np.bool_]
    """(F,) true where more than 5 % of the object is outside the masks"""
    tracks: NDArray[np.str_]
    """(F,) name of the object, the same on all its frames; empty where unknown"""


def union_area(boxes: Array) -> float:
    """Square pixels of the union of the boxes (N, 4). The plane is divided along all their sides: it is exact."""
    boxes = boxes[geometry.area(boxes) > 0]
    x, y = np.unique(boxes[:, 0::2]), np.unique(boxes[:, 1::2])
    covered_cells = np.zeros((max(len(y) - 1, 0), max(len(x) - 1, 0)), np.bool_)
    columns, rows = np.searchsorted(x, boxes[:, 0::2]), np.searchsorted(y, boxes[:, 1::2])
    for (left, right), (top, bottom) in zip(columns, rows, strict=True):
        covered_cells[top:bottom, left:right] = True
    return float(np.diff(y) @ covered_cells @ np.diff(x)) if len(boxes) else 0.0


def covered(objects: Array, masks: Array) -> Array:
    """(O,) fraction of each object's area under the union of the masks (M, 4); 1 for an object without area."""
    fractions = np.ones(len(objects))
    for row, (box, area) in enumerate(zip(objects, geometry.area(objects), strict=True)):
        if area > 0:
            low, high = np.maximum(masks[:, :2], box[:2]), np.minimum(masks[:, 2:], box[2:])
            fractions[row] = union_area(np.concatenate((low, high), -1)) / area
    return fractions


def falsely_masked(false: Array, correct: Array, width: int, height: int) -> float:
    """Fraction of the picture that is covered by false boxes and by no correct one."""
    correct = geometry.clip(correct, width, height)
    both = np.concatenate((geometry.clip(false, width, height), correct))
    return (union_area(both) - union_area(correct)) / (width * height)


def concatenate(parts: list[ObjectCoverage]) -> ObjectCoverage:
    return ObjectCoverage(
        np.concatenate([np.empty(0), *(part.sizes for part in parts)]),
        np.concatenate([np.empty(0, np.bool_), *(part.uncovered for part in parts)]),
        np.concatenate([np.empty(0, np.str_), *(part.tracks for part in parts)]),
    )


def uncovered_tracks(cover: ObjectCoverage, min_size: float = MIN_SIZE) -> NDArray[np.bool_]:
    """(T,) for each object that is `min_size` pixels or more on some frame, whether it is uncovered on such a frame."""
    counted = (cover.sizes >= min_size) & (cover.tracks != "")
    names, number = np.unique(cover.tracks[counted], return_inverse=True)
    return np.asarray(np.bincount(number, cover.uncovered[counted], len(names)) > 0)
