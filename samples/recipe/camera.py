"""The dashcam: where points of the street land in the picture.

Street coordinates are metres: x to the right of the lane's centre, y up from the ground, z along the street.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .raster import Floats

WIDTH, HEIGHT = 1280, 720
MARGIN = 16
"""Pixels painted around the picture, so that shaking never shows a border."""

FOCAL = 1080.0
EYE = 1.32
"""Height of the lens above the ground, metres."""

CENTRE_X = WIDTH / 2 + MARGIN
HORIZON = 332.0 + MARGIN
NEAR = 0.5


@dataclass(frozen=True)
class Camera:
    """The lens at x and z metres of the street, looking along it."""

    x: float
    z: float

    def project(self, points: npt.ArrayLike) -> Floats:
        """Canvas pixels (N, 2) of street points (N, 3), metres. Points behind the lens land far outside."""
        relative = np.asarray(points, np.float64) - (self.x, EYE, self.z)
        depth = np.maximum(relative[:, 2], NEAR)
        flat = np.column_stack((CENTRE_X + FOCAL * relative[:, 0] / depth, HORIZON - FOCAL * relative[:, 1] / depth))
        return flat.astype(np.float32)

    def depth(self, z: float) -> float:
        """Metres from the lens to the plane z of the street."""
        return z - self.z


def bounds(points: Floats) -> Floats:
    """x0 y0 x1 y1 around points (N, 2)."""
    return np.concatenate((points.min(0), points.max(0))).astype(np.float32)


def upright(x0: float, x1: float, low: float, high: float, z: float) -> Floats:
    """Corners (4, 3) of a rectangle that faces the lens, metres, from the top left one, clockwise."""
    return np.array([(x0, high, z), (x1, high, z), (x1, low, z), (x0, low, z)], np.float32)


def on_ground(x0: float, x1: float, near: float, far: float) -> Floats:
    """Corners (4, 3) of a rectangle on the ground, metres, from the far left one, clockwise as seen from above."""
    return np.array([(x0, 0.0, far), (x1, 0.0, far), (x1, 0.0, near), (x0, 0.0, near)], np.float64)
