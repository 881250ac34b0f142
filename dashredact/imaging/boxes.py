"""Small functions on boxes: float64 (N, 4), x0 y0 x1 y1 in pixels, far side outside. N may be 0."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dashredact.values import Array


class PixelBox(NamedTuple):
    """A box on whole pixels, far side outside."""

    x0: int
    y0: int
    x1: int
    y1: int


def area(boxes: Array) -> Array:
    """(N,) square pixels; 0 for a box turned inside out."""
    sides = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def centres(boxes: Array) -> Array:
    """(N, 2) x y."""
    return np.asarray((boxes[..., :2] + boxes[..., 2:]) / 2)


def iou(a: Array, b: Array) -> Array:
    """(N, M) share of the union that a's and b's boxes have in common."""
    common = _common(a, b)
    union = area(a)[:, None] + area(b)[None, :] - common
    return np.asarray(common / np.maximum(union, 1e-9))


def shared(a: Array, b: Array) -> Array:
    """(N, M) share of a's boxes that lies inside b's."""
    return np.asarray(_common(a, b) / np.maximum(area(a)[:, None], 1e-9))


def _common(a: Array, b: Array) -> Array:
    """(N, M) square pixels that a's and b's boxes have in common."""
    corner0 = np.maximum(a[:, None, :2], b[None, :, :2])
    corner1 = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return area(np.concatenate((corner0, corner1), -1))


def hull(*stacks: Array) -> Array:
    """(N, 4) the smallest boxes that hold the boxes of the same row in every stack."""
    every = np.stack(stacks)
    return np.concatenate((every[..., :2].min(0), every[..., 2:].max(0)), -1)


def grow(boxes: Array, share: float | Array, least: float = 0.0) -> Array:
    """Move each side out by `share` of the box's width or height, at least `least` pixels.

    share: one for all, or (N, 1).
    """
    margin = np.maximum((boxes[..., 2:] - boxes[..., :2]) * share, least)
    return np.concatenate((boxes[..., :2] - margin, boxes[..., 2:] + margin), -1)


def clip(boxes: Array, width: int, height: int) -> Array:
    """Cut the boxes to a picture of width x height pixels."""
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float64))


def scale(boxes: ArrayLike, x: float, y: float) -> Array:
    """From pixels of one picture to those of another that is x times as wide and y times as high."""
    return np.asarray(np.asarray(boxes, np.float64) * np.array([x, y, x, y]))


def outward(box: ArrayLike, width: int, height: int, step_x: int = 1, step_y: int = 1) -> PixelBox:
    """The smallest box on whole pixels that covers `box`, its sides on multiples of the step or the picture's edge.

    The step is the chroma subsampling: luma and chroma then cover the same ground. A box that touches no pixel
    of the picture comes back empty (x0 == x1 or y0 == y1).
    """
    x0, y0, x1, y1 = (float(side) for side in np.asarray(box, np.float64))
    left, right = _outward(x0, x1, width, step_x)
    top, bottom = _outward(y0, y1, height, step_y)
    return PixelBox(left, top, right, bottom)


def _outward(near: float, far: float, size: int, step: int) -> tuple[int, int]:
    low = min(max(math.floor(near / step) * step, 0), size)
    high = min(max(math.ceil(far / step) * step, 0), size)
    return low, max(low, high)
