"""How much boxes cover together, exactly: the plane is cut along all their sides, so nothing is counted twice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.values import Array

ENOUGH = 0.95
"""share of an object under masks from which it is covered"""
LEAST = 32.0
"""pixels from which an uncovered object counts in the one figure"""


@dataclass(frozen=True)
class Cover:
    """Objects of one class on the frames of videos."""

    sizes: Array
    """(F,) pixels of the original picture, one entry an object and frame"""
    uncovered: NDArray[np.bool_]
    """(F,) true where masks leave more than 5 % of it to be seen"""
    tracks: NDArray[np.str_]
    """(F,) which object it is, the same on all its frames; empty where that is not known"""


def union_area(boxes: Array) -> float:
    """Square pixels that the boxes (N, 4) cover together."""
    boxes = boxes[geometry.area(boxes) > 0]
    x, y = np.unique(boxes[:, 0::2]), np.unique(boxes[:, 1::2])
    under = np.zeros((max(len(y) - 1, 0), max(len(x) - 1, 0)), np.bool_)
    columns, rows = np.searchsorted(x, boxes[:, 0::2]), np.searchsorted(y, boxes[:, 1::2])
    for (left, right), (top, bottom) in zip(columns, rows, strict=True):
        under[top:bottom, left:right] = True
    return float(np.diff(y) @ under @ np.diff(x)) if len(boxes) else 0.0


def covered(objects: Array, masks: Array) -> Array:
    """(O,) share of each object's area that lies under the masks (M, 4) together. 1 for one without an area."""
    shares = np.ones(len(objects))
    for row, (box, whole) in enumerate(zip(objects, geometry.area(objects), strict=True)):
        if whole > 0:
            low, high = np.maximum(masks[:, :2], box[:2]), np.minimum(masks[:, 2:], box[2:])
            shares[row] = union_area(np.concatenate((low, high), -1)) / whole
    return shares


def falsely_masked(false: Array, right: Array, width: int, height: int) -> float:
    """Share of a picture that only false boxes cover: what of them lies over the right ones is not counted."""
    right = geometry.clip(right, width, height)
    both = np.concatenate((geometry.clip(false, width, height), right))
    return (union_area(both) - union_area(right)) / (width * height)


def join(parts: list[Cover]) -> Cover:
    return Cover(
        np.concatenate([np.empty(0), *(part.sizes for part in parts)]),
        np.concatenate([np.empty(0, np.bool_), *(part.uncovered for part in parts)]),
        np.concatenate([np.empty(0, np.str_), *(part.tracks for part in parts)]),
    )


def bare_tracks(cover: Cover, least: float = LEAST) -> NDArray[np.bool_]:
    """(T,) for each object that is at least so many pixels on a frame: whether it is uncovered on one of those."""
    counts = (cover.sizes >= least) & (cover.tracks != "")
    names, number = np.unique(cover.tracks[counts], return_inverse=True)
    return np.asarray(np.bincount(number, cover.uncovered[counts], len(names)) > 0)
