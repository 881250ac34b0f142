"""Follows boxes from picture to picture by median flow, and reports which of them are lost.

Points inside a box are tracked forwards and backwards by optical flow. Points that do not return to where they started
are discarded; the median shift of the others moves the box, and their distances scale it. The object is lost when too
few points are left or the content of the box no longer resembles the object (Kalal, Mikolajczyk, Matas 2010).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array

GreyImage = NDArray[np.uint8]
"""(height, width)"""
Patches = NDArray[np.float32]
"""(N, pixels) contents of boxes, resized, with a mean of 0 and a length of 1"""

_GRID = 5  # points across and down
_INSET = 0.1  # fraction of the box's sides without points: the rim is often background
_WINDOW, _LEVELS = 11, 2  # pixels, pyramid levels
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)
_MAX_RETURN_ERROR, _MAX_RETURN_SHARE = 1.5, 0.05  # pixels, or that fraction of the box if it is more
_MIN_GOOD_POINTS = 0.25  # fraction of all points
_MIN_CORRELATION, _MIN_FIRST_CORRELATION = 0.6, 0.3  # with the previous picture, with the first one
_PATCH = (24, 24)  # pixels of the contents that are correlated
_SCALES = (0.9, 1.1)  # limits of the change in size from picture to picture
_PAIRS = np.triu_indices(_GRID**2, 1)


@dataclass(frozen=True)
class Followed:
    """N objects on one picture, with what is needed to find them on the next."""

    boxes: Array
    """(N, 4) x0 y0 x1 y1 in pixels of the picture"""
    first: Patches
    """of the picture on which each was first seen"""
    last: Patches
    """of this picture"""

    @classmethod
    def start(cls, picture: GreyImage, boxes: Array) -> "Followed":
        patches = _patches(picture, boxes)
        return cls(boxes, patches, patches)

    def take(self, rows: NDArray[np.bool_]) -> "Followed":
        return Followed(self.boxes[rows], self.first[rows], self.last[rows])

    def joined(self, other: "Followed") -> "Followed":
        return Followed(
            np.concatenate((self.boxes, other.boxes)),
            np.concatenate((self.first, other.first)),
            np.concatenate((self.last, other.last)),
        )

    def step(self, before: GreyImage, after: GreyImage) -> tuple["Followed", NDArray[np.bool_]]:
        """Those that are found on the next picture, there, and (N,) which of all these they are."""
        if not len(self.boxes):
            return self, np.zeros(0, np.bool_)
        boxes, found = _moved(before, after, self.boxes)
        patches = _patches(after, boxes)
        found &= (self.last * patches).sum(1) >= _MIN_CORRELATION
        found &= (self.first * patches).sum(1) >= _MIN_FIRST_CORRELATION
        return Followed(boxes[found], self.first[found], patches[found]), found


class MedianFlowTracker:
    """Follows one box."""

    def __init__(self, first: GreyImage, box: Array) -> None:
        """box: (4,) x0 y0 x1 y1 in pixels of the picture."""
        self._previous, self._object = first, Followed.start(first, box[None])

    def step(self, picture: GreyImage) -> Array | None:
        """The box (4,) on the next picture; None when the object is lost, and the tracker must not be used again."""
        self._object, found = self._object.step(self._previous, picture)
        self._previous = picture
        return self._object.boxes[0] if found[0] else None


def _moved(before: GreyImage, after: GreyImage, boxes: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The boxes on the next picture, and which of them have enough points there to tell."""
    points = _grids(boxes)
    moved = _flow(before, after, points)
    returned = _flow(after, before, moved)
    errors = np.linalg.norm(points - returned, axis=-1)
    sides = boxes[:, 2:] - boxes[:, :2]
    good = errors <= np.maximum(_MAX_RETURN_ERROR, _MAX_RETURN_SHARE * sides.max(1))[:, None]
    enough = good.mean(1) >= _MIN_GOOD_POINTS
    good[~enough] = True
    shifts = np.where(good[..., None], moved - points, np.nan)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + np.nanmedian(shifts, 1)
    halves = sides / 2 * _scales(points, moved, good)[:, None]
    height, width = after.shape
    inside = ((centres > 0) & (centres < (width, height))).all(1)
    return np.concatenate((centres - halves, centres + halves), 1), enough & inside


def _grids(boxes: Array) -> NDArray[np.float32]:
    """(N, points, 2)"""
    inset = _INSET * (boxes[:, 2:] - boxes[:, :2])
    x, y = (np.linspace(boxes[:, a] + inset[:, a], boxes[:, a + 2] - inset[:, a] - 1, _GRID, axis=1) for a in (0, 1))
    grid = np.stack((np.tile(x, (1, _GRID)), np.repeat(y, _GRID, 1)), -1)
    return np.asarray(grid, np.float32)


def _flow(before: GreyImage, after: GreyImage, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the points (N, points, 2) are on the other picture; far outside where they are not found there."""
    flat = np.ascontiguousarray(points.reshape(-1, 1, 2))
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        before, after, flat, np.empty(0, np.float32), winSize=(_WINDOW,) * 2, maxLevel=_LEVELS, criteria=_CRITERIA
    )
    moved[status[:, 0] == 0] = 1e6
    return np.asarray(moved, np.float32).reshape(points.shape)


def _scales(before: NDArray[np.float32], after: NDArray[np.float32], good: NDArray[np.bool_]) -> Array:
    """(N,) median factors by which the distances between good points have grown; 1 where all lie within a pixel."""
    one, other = _PAIRS
    distances, now = (np.linalg.norm(points[:, one] - points[:, other], axis=-1) for points in (before, after))
    tells = good[:, one] & good[:, other] & (distances > 1)
    tells[~tells.any(1), 0] = True
    ratios = np.where(tells, now / np.maximum(distances, 1e-6), np.nan)
    medians = np.where((distances > 1).any(1), np.nanmedian(ratios, 1), 1.0)
    return np.clip(medians, *_SCALES)


def _patches(picture: GreyImage, boxes: Array) -> Patches:
    """Outside the picture its edge is repeated."""
    patches = np.array([_patch(picture, box) for box in boxes], np.float32).reshape(len(boxes), _PATCH[0] * _PATCH[1])
    patches -= patches.mean(1, keepdims=True)
    return np.asarray(patches / np.maximum(np.linalg.norm(patches, axis=1, keepdims=True), 1e-6), np.float32)


def _patch(picture: GreyImage, box: Array) -> GreyImage:
    scale = np.array(_PATCH) / np.maximum(box[2:] - box[:2], 1)
    transform = np.array([[scale[0], 0, -scale[0] * box[0]], [0, scale[1], -scale[1] * box[1]]])
    patch = cv2.warpAffine(picture, transform, _PATCH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.uint8)
