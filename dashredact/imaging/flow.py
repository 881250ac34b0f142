"""Follows a box from picture to picture by median flow, and reports when the object is lost.

Points inside the box are tracked forwards and backwards by optical flow. Points that do not return to where they
started are discarded; the median shift of the others moves the box, and their distances scale it. The object is lost
when too few points are left or the content of the box no longer resembles the object.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array

GreyImage = NDArray[np.uint8]
"""(height, width)"""

_GRID = 10  # points across and down
_INSET = 0.1  # fraction of the box's sides without points: the rim is often background
_WINDOW, _LEVELS = 13, 3  # pixels, pyramid levels
_MAX_RETURN_ERROR = 1.5  # pixels, or a twentieth of the box if that is more
_MIN_GOOD_POINTS = 0.25  # fraction of all points
_MIN_CORRELATION, _MIN_FIRST_CORRELATION = 0.6, 0.3  # with the previous picture, with the first one
_PATCH = (24, 24)  # pixels of the pictures that are correlated
_SCALES = (0.9, 1.1)  # limits of the change in size from picture to picture


class MedianFlowTracker:
    """Follows one box."""

    def __init__(self, first: GreyImage, box: Array) -> None:
        """box: (4,) x0 y0 x1 y1 in pixels of the picture."""
        self.box = box
        self._previous = first
        self._first = _patch(first, box)

    def step(self, picture: GreyImage) -> Array | None:
        """The box (4,) on the next picture; None when the object is lost, and the tracker must not be used again."""
        moved = _move(self._previous, picture, self.box)
        if moved is None:
            return None
        before, after = _patch(self._previous, self.box), _patch(picture, moved)
        if _correlation(before, after) < _MIN_CORRELATION or _correlation(self._first, after) < _MIN_FIRST_CORRELATION:
            return None
        self._previous, self.box = picture, moved
        return moved


def _move(before: GreyImage, after: GreyImage, box: Array) -> Array | None:
    points = _grid(box)
    moved, status = _flow(before, after, points)
    returned, return_status = _flow(after, before, moved)
    error = np.linalg.norm(points - returned, axis=-1)
    limit = max(_MAX_RETURN_ERROR, 0.05 * float((box[2:] - box[:2]).max()))
    good = status & return_status & (error <= limit)
    if np.count_nonzero(good) < _MIN_GOOD_POINTS * len(points):
        return None
    scale = _scale(points[good], moved[good])
    centre = (box[:2] + box[2:]) / 2 + np.median(moved[good] - points[good], axis=0)
    half = (box[2:] - box[:2]) / 2 * scale
    height, width = after.shape
    inside = 0 < centre[0] < width and 0 < centre[1] < height
    return np.concatenate((centre - half, centre + half)) if inside else None


def _grid(box: Array) -> NDArray[np.float32]:
    margin = (box[2:] - box[:2]) * _INSET
    x, y = (np.linspace(low, high, _GRID) for low, high in zip(box[:2] + margin, box[2:] - margin - 1, strict=True))
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)


def _flow(
    before: GreyImage, after: GreyImage, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where the points (N, 2) are on the other picture, and (N,) whether they were found there."""
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points[:, None], np.empty(0, np.float32), winSize=(_WINDOW, _WINDOW), maxLevel=_LEVELS
    )
    return np.asarray(moved, np.float32).reshape(-1, 2), np.asarray(status).ravel() == 1


def _scale(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Median factor by which the distances between the points have grown."""
    one, other = np.triu_indices(len(before), 1)
    distances = np.linalg.norm(before[one] - before[other], axis=-1)
    new_distances = np.linalg.norm(after[one] - after[other], axis=-1)
    far = distances > 1
    return float(np.clip(np.median(new_distances[far] / distances[far]), *_SCALES)) if far.any() else 1.0


def _patch(picture: GreyImage, box: Array) -> GreyImage:
    """The content of the box, resized to `_PATCH`; outside the picture its edge is repeated."""
    scale = np.array(_PATCH) / np.maximum(box[2:] - box[:2], 1)
    transform = np.array([[scale[0], 0, -scale[0] * box[0]], [0, scale[1], -scale[1] * box[1]]])
    patch = cv2.warpAffine(picture, transform, _PATCH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.uint8)


def _correlation(one: GreyImage, other: GreyImage) -> float:
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0])
