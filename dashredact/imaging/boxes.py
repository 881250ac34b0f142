"""Functions on boxes: float64 (N, 4), x0 y0 x1 y1 in pixels, x1 and y1 exclusive. N may be 0."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dashredact.values import Array


class PixelBox(NamedTuple):
    """A box on whole pixels, x1 and y1 exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int


def area(boxes: Array) -> Array:
    """(N,) square pixels; 0 where x1 < x0 or y1 < y0."""
    sides = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def centres(boxes: Array) -> Array:
    """(N, 2) x y."""
    return np.asarray((boxes[..., :2] + boxes[..., 2:]) / 2)


def iou(a: Array, b: Array) -> Array:
    """(N, M) intersection over union of each of a's boxes with each of b's."""
    intersection = _intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - intersection
    return np.asarray(intersection / np.maximum(union, 1e-9))


def ioa(a: Array, b: Array) -> Array:
    """(N, M) intersection over the area of a: the fraction of each of a's boxes inside each of b's."""
    return np.asarray(_intersection(a, b) / np.maximum(area(a)[:, None], 1e-9))


def _intersection(a: Array, b: Array) -> Array:
    """(N, M) square pixels."""
    corner0 = np.maximum(a[:, None, :2], b[None, :, :2])
    corner1 = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return area(np.concatenate((corner0, corner1), -1))


def hull(*stacks: Array) -> Array:
    """(N, 4) row by row, the smallest box around the boxes of all stacks."""
    stacked = np.stack(stacks)
    return np.concatenate((stacked[..., :2].min(0), stacked[..., 2:].max(0)), -1)


def grow(boxes: Array, fraction: float | Array, min_margin: float = 0.0) -> Array:
    """Move each side outwards by a fraction of the box's width or height, and by at least `min_margin` pixels.

    fraction: one number, or (N, 1).
    """
    margin = np.maximum((boxes[..., 2:] - boxes[..., :2]) * fraction, min_margin)
    return np.concatenate((boxes[..., :2] - margin, boxes[..., 2:] + margin), -1)


def clip(boxes: Array, width: int, height: int) -> Array:
    """Clip the boxes to a picture of width x height pixels."""
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float64))


def scale(boxes: ArrayLike, x: float, y: float) -> Array:
    """Convert to pixels of a picture that is x times as wide and y times as high."""
    return np.asarray(np.asarray(boxes, np.float64) * np.array([x, y, x, y]))


def round_outward(box: ArrayLike, width: int, height: int, subsampling_x: int = 1, subsampling_y: int = 1) -> PixelBox:
    """The smallest box on whole pixels that contains `box`; its sides are multiples of the chroma subsampling or lie on
    the edge of the picture, so that luma and chroma masks cover the same area.

    A box that touches no pixel of the picture gives an empty one (x0 == x1 or y0 == y1).
    """
    x0, y0, x1, y1 = (float(side) for side in np.asarray(box, np.float64))
    left, right = _round_range(x0, x1, width, subsampling_x)
    top, bottom = _round_range(y0, y1, height, subsampling_y)
    return PixelBox(left, top, right, bottom)


def _round_range(first: float, end: float, size: int, multiple: int) -> tuple[int, int]:
    low = min(max(math.floor(first / multiple) * multiple, 0), size)
    high = min(max(math.ceil(end / multiple) * multiple, 0), size)
    return low, max(low, high)
