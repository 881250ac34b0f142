"""Street furniture: lamp posts, trees, and signs that hang from the walls."""

from functools import lru_cache

import cv2
import numpy as np

from .camera import Camera, on_ground, upright
from .houses import hanging_sign
from .raster import Canvas, Pixels, gradient, opaque, paint_quad, premultiply, smooth_noise, tint
from .trim import shadow

NEAREST = 1.2
"""Metres from the lens below which furniture is left out."""


@lru_cache(maxsize=1)
def _pole() -> Pixels:
    """A round grey post, lit from the right."""
    across = np.sqrt(1 - np.linspace(-0.98, 0.98, 16, dtype=np.float32) ** 2) * np.linspace(
        0.7, 1.2, 16, dtype=np.float32
    )
    return opaque(gradient((96, 100, 104), (78, 80, 82), 16, 64) * across[None, :, None])


@lru_cache(maxsize=4)
def _crown(seed: int) -> Pixels:
    """Leaves of a tree: clumps lit from above, ragged at the edge."""
    rng = np.random.default_rng(seed)
    size = 420
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    lumps = smooth_noise(rng, size, size, 110, 3)
    leaves = smooth_noise(rng, size, size, 22, 3)
    alpha = np.clip((0.86 - np.hypot(x, y * 1.04) + 0.20 * lumps + 0.16 * leaves) * 14, 0, 1)
    alpha *= np.clip((leaves + 0.55 + 0.9 * (1 - np.hypot(x, y))) * 6, 0, 1)
    light = np.clip(0.74 - 0.30 * y + 0.20 * x + 0.36 * lumps + 0.30 * leaves, 0.25, 1.4)
    return premultiply(
        tint((88, 122, 58)) * light[..., None], np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.0), np.float32)
    )


def _paint_shadow(canvas: Canvas, camera: Camera, x: float, z: float, half: float) -> None:
    paint_quad(canvas, shadow(), camera.project(on_ground(x - half, x + half, z - half, z + half)), 0.6)


def paint_lamp(canvas: Canvas, camera: Camera, x: float, z: float) -> None:
    """A street lamp whose arm reaches over the road."""
    _paint_shadow(canvas, camera, x, z, 0.3)
    paint_quad(canvas, _pole(), camera.project(upright(x - 0.06, x + 0.06, 0, 6.2, z)))
    out = -1.3 if x > 0 else 1.3
    arm = upright(min(x, x + out), max(x, x + out), 6.12, 6.2, z)
    paint_quad(canvas, _pole(), camera.project(arm))
    paint_quad(canvas, _pole(), camera.project(upright(x + out - 0.28, x + out + 0.28, 6.02, 6.16, z)))


def paint_tree(canvas: Canvas, camera: Camera, x: float, z: float) -> None:
    """A young street tree."""
    _paint_shadow(canvas, camera, x, z, 0.9)
    trunk = opaque(
        gradient((92, 76, 60), (70, 58, 46), 12, 40) * np.linspace(0.7, 1.15, 12, dtype=np.float32)[None, :, None]
    )
    paint_quad(canvas, trunk, camera.project(upright(x - 0.09, x + 0.09, 0, 2.9, z)))
    paint_quad(canvas, _crown(int(z) % 3), camera.project(upright(x - 1.5, x + 1.5, 2.0, 5.2, z)))


def paint_sign(canvas: Canvas, camera: Camera, x: float, z: float, number: int) -> None:
    """A sign that hangs from a wall; x is its middle."""
    texture = hanging_sign(number)
    tall = 0.62 * texture.shape[0] / texture.shape[1]
    paint_quad(canvas, texture, camera.project(upright(x - 0.31, x + 0.31, 3.5, 3.5 + tall, z)))
