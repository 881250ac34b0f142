"""Square crops around boxes, all of one size, for the second opinion. Boxes are in pixels of the picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array, Picture

SIDE = 48
"""pixels of a crop"""
DETAIL = 2
"""Factor by which the pictures that crops are taken from may be larger than those for the detector."""
CONTEXT = 1.44
"""side of the square that a crop shows, in longer sides of the box"""


def crop(picture: Picture, box: Array, side: int = SIDE, context: float = CONTEXT) -> NDArray[np.uint8]:
    """(side, side, 3): the square around a box (4,), scaled; beyond the picture its edge is repeated.

    What is larger than the crop is averaged down, so that nothing aliases.
    """
    height, width = picture.shape[:2]
    half = max(float((box[2:] - box[:2]).max()), 1.0) * context / 2
    middle = (box[:2] + box[2:]) / 2
    left, top = np.floor(np.maximum(middle - half, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(middle + half, (width, height))).astype(int)
    if right <= left or bottom <= top:
        return np.zeros((side, side, 3), np.uint8)
    cut, scale = picture[top:bottom, left:right], side / (2 * half)
    small = (max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(cut, small, interpolation=method)
    shift = np.round((np.array([left, top]) - (middle - half)) * scale).astype(int)
    before = np.clip(shift, 0, side - 1)
    scaled = scaled[: side - before[1], : side - before[0]]
    after = side - before - scaled.shape[1::-1]
    padded = cv2.copyMakeBorder(scaled, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)
