"""Following a box from picture to picture by optical flow (median flow), with an eye on whether it is still there.

Points inside the box are tracked forward and back again; those that do not come back to where they were are not
believed. The others say how far the box has moved and how much it has grown. Unlike a tracker that always answers, this
one says when it has lost its object.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array

Grey = NDArray[np.uint8]
"""(height, width)"""

_GRID = 10  # points across and down
_INSET = 0.1  # of the box's sides: the rim is often background
_WINDOW, _LEVELS = 13, 3
_FARTHEST_BACK = 1.5  # pixels, or a twentieth of the box: how far off a point may come back
_FEWEST = 0.25  # share of the points that must be believed
_ALIKE, _STILL_ALIKE = 0.6, 0.3  # correlation with the picture before, with the first one
_PATCH = (24, 24)
_SCALES = (0.9, 1.1)  # by which a box may change from picture to picture


class Follower:
    """Follows one box."""

    def __init__(self, first: Grey, box: Array) -> None:
        """box: (4,) x0 y0 x1 y1 in pixels of the picture."""
        self.box = box
        self._before = first
        self._first = _patch(first, box)

    def step(self, picture: Grey) -> Array | None:
        """Where the object is on the next picture. None where it is lost; nothing more comes then."""
        moved = _moved(self._before, picture, self.box)
        if moved is None:
            return None
        now, seen = _patch(self._before, self.box), _patch(picture, moved)
        if _alike(now, seen) < _ALIKE or _alike(self._first, seen) < _STILL_ALIKE:
            return None
        self._before, self.box = picture, moved
        return moved


def _moved(before: Grey, after: Grey, box: Array) -> Array | None:
    points = _grid(box)
    there, found, _ = _flow(before, after, points)
    back, found_back, _ = _flow(after, before, there)
    off = np.linalg.norm(points - back, axis=-1)
    limit = max(_FARTHEST_BACK, 0.05 * float((box[2:] - box[:2]).max()))
    good = (found.ravel() == 1) & (found_back.ravel() == 1) & (off <= limit)
    if np.count_nonzero(good) < _FEWEST * len(points):
        return None
    scale = _scale(points[good], there[good])
    centre = (box[:2] + box[2:]) / 2 + np.median(there[good] - points[good], axis=0)
    half = (box[2:] - box[:2]) / 2 * scale
    height, width = after.shape
    inside = 0 < centre[0] < width and 0 < centre[1] < height
    return np.concatenate((centre - half, centre + half)) if inside else None


def _grid(box: Array) -> NDArray[np.float32]:
    margin = (box[2:] - box[:2]) * _INSET
    x, y = (np.linspace(low, high, _GRID) for low, high in zip(box[:2] + margin, box[2:] - margin - 1, strict=True))
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)


def _flow(before: Grey, after: Grey, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], Array, Array]:
    there, found, error = cv2.calcOpticalFlowPyrLK(
        before, after, points[:, None], np.empty(0, np.float32), winSize=(_WINDOW, _WINDOW), maxLevel=_LEVELS
    )
    return np.asarray(there, np.float32).reshape(-1, 2), np.asarray(found), np.asarray(error)


def _scale(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """By how much the distances between the points have grown, in the middle."""
    one, other = np.triu_indices(len(before), 1)
    was = np.linalg.norm(before[one] - before[other], axis=-1)
    is_now = np.linalg.norm(after[one] - after[other], axis=-1)
    far = was > 1
    return float(np.clip(np.median(is_now[far] / was[far]), *_SCALES)) if far.any() else 1.0


def _patch(picture: Grey, box: Array) -> Grey:
    """What is in the box, always of one size; beyond the picture its edge goes on."""
    scale = np.array(_PATCH) / np.maximum(box[2:] - box[:2], 1)
    place = np.array([[scale[0], 0, -scale[0] * box[0]], [0, scale[1], -scale[1] * box[1]]])
    cut = cv2.warpAffine(picture, place, _PATCH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _alike(one: Grey, other: Grey) -> float:
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0])
