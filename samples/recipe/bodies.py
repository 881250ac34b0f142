"""Car bodies: a smooth shell of small faces, shaded like paint under an open sky.

Car coordinates are metres: x to the car's right, y up, z from the rear bumper forward.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from .camera import EYE, FOCAL, Camera
from .raster import OVERSAMPLE, Canvas, Colour, Floats, Pixels, clipped_bounds, tint

_AROUND = 40  # faces from the floor's to the roof's middle, one side
_CAP = (0.0, 0.35, 0.62, 0.80, 0.91, 0.97)  # rings that close the ends, shares of the outline

_SILL = 0.21  # height of the lower edge, metres
_SUN = np.array([0.45, 0.75, -0.5], np.float64) / np.linalg.norm([0.45, 0.75, -0.5])


@dataclass(frozen=True)
class Shape:
    """Side view of a car type."""

    length: float
    width: float
    top: tuple[tuple[float, float], ...]
    """(z, y) along the roof line, from the rear to the front"""
    belt: tuple[float, float]
    """height of the window sill at the rear and the front, metres"""

    @property
    def wheels(self) -> tuple[float, float]:
        """z of the rear and the front axle."""
        return 0.17 * self.length, 0.815 * self.length

    def roof(self, z: float) -> float:
        """Height of the roof line at z."""
        stations, heights = zip(*self.top, strict=True)
        return float(np.interp(z, stations, heights))


HATCH = Shape(
    4.1, 1.76,
    (
        (0, 0.96), (0.06, 1.00), (0.50, 1.40), (0.85, 1.47), (1.6, 1.49),
        (2.25, 1.43), (3.05, 0.98), (3.6, 0.88), (4.1, 0.74),
    ),
    (0.96, 0.90),
)  # fmt: skip
SEDAN = Shape(
    4.6, 1.80,
    (
        (0, 0.92), (0.1, 0.98), (0.55, 1.0), (1.15, 1.36), (1.55, 1.43),
        (2.1, 1.45), (2.65, 1.40), (3.45, 0.97), (4.1, 0.86), (4.6, 0.72),
    ),
    (0.95, 0.90),
)  # fmt: skip
VAN = Shape(
    4.4, 1.78,
    (
        (0, 0.98), (0.04, 1.02), (0.18, 1.62), (0.45, 1.76), (1.6, 1.80),
        (2.6, 1.74), (3.5, 1.06), (4.0, 0.95), (4.4, 0.78),
    ),
    (1.00, 0.96),
)  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """Position of a car: x, z of the middle of its rear bumper; of its front bumper if it comes towards us."""

    x: float
    z: float
    towards: bool = False
    yaw: float = 0.0
    """turn to the left, radians"""

    def to_street(self, points: npt.ArrayLike, length: float) -> Floats:
        """Street metres (N, 3) of points in car coordinates."""
        local = np.asarray(points, np.float64).copy()
        if self.towards:
            local[:, 0], local[:, 2] = -local[:, 0], length - local[:, 2]
        sine, cosine = np.sin(self.yaw), np.cos(self.yaw)
        x = local[:, 0] * cosine - local[:, 2] * sine + self.x
        z = local[:, 0] * sine + local[:, 2] * cosine + self.z
        return np.column_stack((x, local[:, 1], z)).astype(np.float32)


def half_width(shape: Shape, y: float, z: float) -> float:
    """Half the width of the shell at height y, metres: above the belt it leans in towards the roof."""
    belt = float(np.interp(z, (0, shape.length), shape.belt))
    return shape.width / 2 * 0.985 - 0.36 * max(y - belt, 0)


def _outline(shape: Shape, z: float) -> Floats:
    """Right half of the cross-section at z: (_AROUND + 1, 2) x, y from the sill to the middle of the roof."""
    half, roof = shape.width / 2, shape.roof(z)
    belt = min(float(np.interp(z, (0, shape.length), shape.belt)), roof - 0.02)
    shoulder = half * 0.985 - 0.36 * max(roof - 0.07 - belt, 0)
    x = [0, half * 0.90, half * 0.985, half, half * 0.985, shoulder, shoulder - 0.10, 0]
    y = [_SILL, _SILL, _SILL + 0.10, 0.55, belt, max(roof - 0.07, belt), roof - 0.01, roof + 0.02]
    distance = np.concatenate(([0], np.cumsum(np.hypot(np.diff(x), np.diff(y)) + 1e-4)))
    at = np.linspace(0, distance[-1], _AROUND + 1)
    curve = np.column_stack((np.interp(at, distance, x), np.interp(at, distance, y)))
    rounded = np.asarray(cv2.GaussianBlur(curve, (1, 5), 1.0, borderType=cv2.BORDER_REPLICATE))
    rounded[[0, -1], 0] = 0
    return rounded.astype(np.float32)


@lru_cache(maxsize=8)
def shell(shape: Shape) -> tuple[Floats, npt.NDArray[np.intp], Floats]:
    """Corners (P, 3), faces (F, 4) and the corners' outward normals (P, 3), in car coordinates."""
    rings = []
    cap, length = np.array(_CAP), shape.length
    body = np.linspace(0, 1, 64)
    for share in cap:
        rings.append(_ring(shape, 0.0, float(share), -0.10 * (1 - share**4)))
    for step in body:
        rings.append(_ring(shape, float(step) * length, 1.0, 0.0))
    for share in cap[::-1]:
        rings.append(_ring(shape, length, float(share), 0.12 * (1 - share**4)))
    grid = np.stack(rings)
    inner = slice(len(cap), -len(cap))
    grid[inner] = cv2.GaussianBlur(grid[inner], (1, 9), 1.5, borderType=cv2.BORDER_REPLICATE)
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    faces = np.stack((index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]), -1).reshape(-1, 4)
    along = np.gradient(grid, axis=0)
    around = np.gradient(grid, axis=1)
    normals = np.cross(along, around)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    middle = np.array([0, 0.6, length / 2])
    flip = np.sign(((grid - middle) * normals).sum(2, keepdims=True))
    normals = normals * np.where(flip == 0, 1, flip)
    normals = np.asarray(cv2.GaussianBlur(normals.astype(np.float32), (5, 5), 1.0, borderType=cv2.BORDER_REPLICATE))
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    return grid.reshape(-1, 3).astype(np.float32), faces, normals.reshape(-1, 3).astype(np.float32)


def _ring(shape: Shape, z: float, share: float, bulge: float) -> Floats:
    """Both halves of the cross-section at z, (2 * _AROUND + 1, 3), narrower where the ends of the car are rounded."""
    right = _outline(shape, z)
    both = np.concatenate((right, right[-2::-1] * (-1, 1)))
    near_end = min(z, shape.length - z)
    pinch = 1 - 0.10 * float(np.exp(-((near_end / 0.22) ** 1.3))) - 0.03 * float(np.exp(-near_end / 0.8))
    both = (both * (pinch, 1) - (0, 0.58)) * share + (0, 0.58)
    return np.column_stack((both, np.full(len(both), z + bulge))).astype(np.float32)


def paint_shell(canvas: Canvas, camera: Camera, shape: Shape, pose: Pose, colour: Colour) -> None:
    """Paint the body of a car."""
    corners, faces, normals = shell(shape)
    street = pose.to_street(corners, shape.length)
    turned = pose.to_street(normals, 0.0) - pose.to_street(np.zeros((1, 3)), 0.0)
    flat = camera.project(street)
    area = clipped_bounds(flat, canvas)
    if area is None or street[:, 2].min() - camera.z < 0.6:
        return
    view = np.array([camera.x, EYE, camera.z], np.float32) - street
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    shades = _paint(turned, view, street[:, 1], colour)
    middle_normal, middle_view = turned[faces].mean(1), view[faces].mean(1)
    distance = street[faces].mean(1)[:, 2] - camera.z + np.abs(street[faces].mean(1)[:, 0] - camera.x) * 0.3
    seen = np.flatnonzero((middle_normal * middle_view).sum(1) > -0.12)
    x0, y0, x1, y1 = area
    fine = np.zeros(((y1 - y0) * OVERSAMPLE, (x1 - x0) * OVERSAMPLE, 4), np.uint8)
    pixels = np.round(((flat - (x0, y0)) * OVERSAMPLE - 0.5) * 16).astype(np.int32)
    tones = shades[faces].mean(1)
    for face in seen[np.argsort(-distance[seen])]:
        tone = tones[face]
        cv2.fillConvexPoly(
            fine, pixels[faces[face]], (float(tone[0]), float(tone[1]), float(tone[2]), 255.0), cv2.LINE_8, 4
        )
    fine = _smoothed(fine, 0.035 * FOCAL / max(float(street[:, 2].min()) - camera.z, 0.8) * OVERSAMPLE)
    canvas.blend(np.asarray(cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA), np.uint8), x0, y0)


def _smoothed(fine: Pixels, reach: float) -> Pixels:
    """Blur the faces' tones (premultiplied RGBA) over `reach` pixels; the outline stays sharp."""
    if reach < 1:
        return fine
    wide = np.asarray(cv2.GaussianBlur(fine.astype(np.float32), (0, 0), reach))
    colours = wide[..., :3] / np.maximum(wide[..., 3:], 1) * fine[..., 3:]
    return np.dstack((np.clip(colours, 0, 255), fine[..., 3:])).astype(np.uint8)


def _paint(normals: Floats, view: Floats, heights: Floats, colour: Colour) -> Floats:
    """Colours (P, 3), 0..255, of glossy paint: daylight, sun, and the sky and street mirrored in it."""
    sky = 0.55 + 0.45 * normals[:, 1]
    sun = np.clip(normals @ _SUN.astype(np.float32), 0, 1)
    base = tint(colour) * (0.34 + 0.42 * sky + 0.38 * sun)[:, None]
    facing = np.clip((normals * view).sum(1), 0, 1)
    mirrored = 2 * facing[:, None] * normals - view
    bright = 1 / (1 + np.exp(-(mirrored[:, 1] - 0.10) * 14))
    world = tint((62, 62, 64)) * (1 - bright[:, None]) + tint((214, 224, 236)) * bright[:, None]
    gloss = 0.07 + 0.55 * (1 - facing) ** 4
    spark = np.clip(mirrored @ _SUN.astype(np.float32), 0, 1) ** 60
    grime = np.clip((heights - 0.18) / 0.35, 0.5, 1)
    lit = (base * (1 - gloss[:, None]) + world * gloss[:, None]) * grime[:, None] + 200 * spark[:, None]
    return np.asarray(np.clip(lit, 0, 250), np.float32)
