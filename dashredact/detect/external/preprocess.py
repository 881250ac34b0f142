"""Pictures on their way into a model, and boxes on their way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.detect.external.formats import Preprocessing
from dashredact.values import Array, Picture

_MULTIPLE = 32  # of the sides that a network of open input size takes


@dataclass(frozen=True)
class Place:
    """Where the picture lies in the model's input."""

    width: int
    height: int
    """of the input"""
    scale: float
    """input pixels a picture pixel"""
    left: int
    top: int

    def back(self, boxes: Array) -> Array:
        """From input pixels to picture pixels."""
        shift = np.array([self.left, self.top, self.left, self.top], np.float64)
        return np.asarray((boxes - shift) / self.scale)


def place(size: tuple[int, int], fixed: tuple[int, int] | None, centred: bool) -> Place:
    """size, fixed: width and height of the pictures, and of the input where it is not open.

    An open input takes the picture as it is, padded; a fixed one takes it scaled to fit.
    """
    width, height = fixed or (size[0] + -size[0] % _MULTIPLE, size[1] + -size[1] % _MULTIPLE)
    scale = min(width / size[0], height / size[1]) if fixed else 1.0
    spare = width - _scaled(size[0], scale), height - _scaled(size[1], scale)
    left, top = (spare[0] // 2, spare[1] // 2) if centred else (0, 0)
    return Place(width, height, scale, left, top)


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def batch(
    pictures: Sequence[Picture], where: Place, traits: Preprocessing, dtype: type[np.floating[Any]]
) -> NDArray[Any]:
    """(N, 3, H, W) in the colours, range and padding of the form. pictures: of one size."""
    canvas = np.full((len(pictures), where.height, where.width, 3), traits.pad, np.uint8)
    height, width = pictures[0].shape[:2]
    wide, high = _scaled(width, where.scale), _scaled(height, where.scale)
    for row, picture in zip(canvas, pictures, strict=True):
        fitting = picture if (wide, high) == (width, height) else _resized(picture, wide, high)
        row[where.top : where.top + high, where.left : where.left + wide] = fitting
    pixels = canvas[..., ::-1] if traits.bgr else canvas
    scaled = pixels.transpose(0, 3, 1, 2).astype(np.float32) * np.float32(traits.largest / 255)
    return np.ascontiguousarray(scaled, dtype)


def _resized(picture: Picture, width: int, height: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
