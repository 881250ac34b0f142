"""Letterboxing: pictures into the input of a model, and boxes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.detect.external.formats import Preprocessing
from dashredact.values import Array, Picture

_MULTIPLE = 32  # of the sides of a flexible input


@dataclass(frozen=True)
class Letterbox:
    """The position of a picture in the input of a model."""

    width: int
    height: int
    """of the input"""
    scale: float
    """input pixels per picture pixel"""
    left: int
    top: int

    @classmethod
    def fit(cls, size: tuple[int, int], fixed_size: tuple[int, int] | None, centred: bool) -> "Letterbox":
        """size, fixed_size: width and height of the picture, and of an input that takes no other size.

        A picture is padded for a flexible input, and scaled to fit a fixed one.
        """
        width, height = fixed_size or (size[0] + -size[0] % _MULTIPLE, size[1] + -size[1] % _MULTIPLE)
        scale = min(width / size[0], height / size[1]) if fixed_size else 1.0
        spare = width - _scaled(size[0], scale), height - _scaled(size[1], scale)
        left, top = (spare[0] // 2, spare[1] // 2) if centred else (0, 0)
        return cls(width, height, scale, left, top)

    def to_picture(self, boxes: Array) -> Array:
        """Convert boxes from input pixels to picture pixels."""
        shift = np.array([self.left, self.top, self.left, self.top], np.float64)
        return np.asarray((boxes - shift) / self.scale)


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def batch(
    pictures: Sequence[Picture], letterbox: Letterbox, preprocessing: Preprocessing, dtype: type[np.floating[Any]]
) -> NDArray[Any]:
    """(N, 3, H, W) with the channels, range and padding of a model format. pictures: all of one size."""
    canvas = np.full((len(pictures), letterbox.height, letterbox.width, 3), preprocessing.pad, np.uint8)
    height, width = pictures[0].shape[:2]
    scaled_width, scaled_height = _scaled(width, letterbox.scale), _scaled(height, letterbox.scale)
    rows = slice(letterbox.top, letterbox.top + scaled_height)
    columns = slice(letterbox.left, letterbox.left + scaled_width)
    for target, picture in zip(canvas, pictures, strict=True):
        is_scaled = (scaled_width, scaled_height) == (width, height)
        target[rows, columns] = picture if is_scaled else _resized(picture, scaled_width, scaled_height)
    pixels = canvas[..., ::-1] if preprocessing.bgr else canvas
    values = pixels.transpose(0, 3, 1, 2).astype(np.float32) * np.float32(preprocessing.white / 255)
    return np.ascontiguousarray(values, dtype)


def _resized(picture: Picture, width: int, height: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
