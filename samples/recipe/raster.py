"""Drawing tools: a canvas that knows which object owns each pixel, warped textures, soft shapes, text.

Pictures are uint8 RGB, textures uint8 RGBA with colour already multiplied by alpha ("premultiplied").
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]
Colour = tuple[int, int, int]

OVERSAMPLE = 2


@dataclass
class Canvas:
    """A picture being painted, far objects first."""

    rgb: Pixels
    """(H, W, 3)"""
    owner: npt.NDArray[np.int16] = field(init=False)
    """(H, W): tag of the object painted last over each pixel, 0 for the backdrop"""
    tag: int = 0

    def __post_init__(self) -> None:
        self.owner = np.zeros(self.rgb.shape[:2], np.int16)

    def blend(self, patch: Pixels, x: int, y: int) -> None:
        """Paint a premultiplied RGBA patch with its top left corner at pixel x, y."""
        height, width = self.rgb.shape[:2]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + patch.shape[1], width), min(y + patch.shape[0], height)
        if x0 >= x1 or y0 >= y1:
            return
        part = patch[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)
        under = self.rgb[y0:y1, x0:x1]
        mixed = part[..., :3] + under * (1 - part[..., 3:] / 255)
        under[:] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
        self.owner[y0:y1, x0:x1][part[..., 3] > 127] = self.tag

    def share_owned(self, box: Floats, tag: int) -> float:
        """Share of a box (x0 y0 x1 y1, pixels) that the object of this tag owns, 0..1. Outside counts as not owned."""
        x0, y0, x1, y1 = (round(float(side)) for side in box)
        inside = self.owner[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        return float(np.count_nonzero(inside == tag)) / max((x1 - x0) * (y1 - y0), 1)


def clipped_bounds(points: Floats, canvas: Canvas) -> tuple[int, int, int, int] | None:
    """Bounding box of points (N, 2) clipped to the canvas, whole pixels; None when nothing is inside."""
    height, width = canvas.rgb.shape[:2]
    low = np.clip(np.floor(points.min(0)) - 1, 0, (width, height)).astype(int)
    high = np.clip(np.ceil(points.max(0)) + 1, 0, (width, height)).astype(int)
    if high[0] <= low[0] or high[1] <= low[1]:
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def paint_quad(canvas: Canvas, texture: Pixels, quad: Floats, opacity: float = 1.0, clipped: bool = False) -> None:
    """Paint a texture onto a quad: its corners in pixels, (4, 2), from the top left one, clockwise in the texture.

    opacity: 0..1. clipped: only onto pixels that the current tag owns already.
    """
    area = clipped_bounds(quad, canvas)
    if area is None:
        return
    x0, y0, x1, y1 = area
    sides = np.linalg.norm(quad - np.roll(quad, -1, 0), axis=1)
    texture = _shrunk(texture, float(max(sides[0], sides[2])), float(max(sides[1], sides[3])))
    height, width = texture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    target = (quad - (x0, y0)) * OVERSAMPLE - 0.5
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    size = ((x1 - x0) * OVERSAMPLE, (y1 - y0) * OVERSAMPLE)
    fine = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR)
    patch = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    if opacity < 1:
        patch = patch * np.float32(opacity)
    if clipped:
        mine = (canvas.owner[y0:y1, x0:x1] == canvas.tag).astype(np.float32)
        patch = patch * np.asarray(cv2.GaussianBlur(mine, (3, 3), 0.7))[..., None]
    canvas.blend(patch.astype(np.uint8), x0, y0)


def _shrunk(texture: Pixels, width: float, height: float) -> Pixels:
    """The texture averaged down to about `OVERSAMPLE` times its size on the canvas, so that warping cannot alias."""
    columns = min(texture.shape[1], max(int(width * OVERSAMPLE), 4))
    rows = min(texture.shape[0], max(int(height * OVERSAMPLE), 4))
    return cv2.resize(texture, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8)


def premultiply(rgb: npt.NDArray[np.generic], alpha: Floats) -> Pixels:
    """RGBA texture of colours (H, W, 3), 0..255, and alpha (H, W), 0..1."""
    colours = np.asarray(rgb, np.float32) * alpha[..., None]
    return np.asarray(np.clip(np.dstack((colours, alpha * 255)) + 0.5, 0, 255), np.uint8)


def opaque(rgb: npt.NDArray[np.generic]) -> Pixels:
    """RGBA texture without holes."""
    return premultiply(rgb, np.ones(rgb.shape[:2], np.float32))


def tint(colour: tuple[float, float, float]) -> Floats:
    """A colour that can be multiplied with pictures, (3,)."""
    return np.array(colour, np.float32)


def gradient(top: Colour, bottom: Colour, width: int, height: int) -> Floats:
    """(H, W, 3): colours that run from top to bottom."""
    weight = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    column = np.array(top, np.float32) * (1 - weight) + np.array(bottom, np.float32) * weight
    return np.repeat(column, width, 1)


def soft_polygon(shape: tuple[int, int], points: npt.ArrayLike, blur: float = 0.0) -> Floats:
    """Mask (H, W), 0..1, of a polygon with corners in pixels, its edge softened by a Gaussian of `blur` pixels."""
    mask = np.zeros(shape, np.uint8)
    fixed = np.round(np.asarray(points, np.float64) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    return _softened(mask, blur)


def soft_box(
    shape: tuple[int, int], box: tuple[float, float, float, float], radius: float, blur: float = 0.0
) -> Floats:
    """Mask (H, W), 0..1, of a rectangle x0 y0 x1 y1 with rounded corners, in pixels."""
    x0, y0, x1, y1 = box
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) + 0.5
    out_x = np.maximum(np.abs(x - (x0 + x1) / 2) - (x1 - x0) / 2 + radius, 0)
    out_y = np.maximum(np.abs(y - (y0 + y1) / 2) - (y1 - y0) / 2 + radius, 0)
    mask = np.clip(radius - np.hypot(out_x, out_y) + 0.5, 0, 1).astype(np.float32)
    return _softened((mask * 255).astype(np.uint8), blur)


def _softened(mask: Pixels, blur: float) -> Floats:
    soft = mask.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(soft, (0, 0), blur), np.float32) if blur > 0 else soft


def mix(base: Floats, colour: npt.ArrayLike, mask: Floats) -> None:
    """Mix a colour, or a picture of colours, into (H, W, 3) where the mask says so, in place."""
    base += (np.asarray(colour, np.float32) - base) * mask[..., None]


def smooth_noise(rng: np.random.Generator, height: int, width: int, cell: int, octaves: int = 4) -> Floats:
    """Noise (H, W) that repeats at its borders, mean about 0, within about -1..1. cell: size of its grain, pixels."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        rows, columns = max(height * 2**octave // cell, 2), max(width * 2**octave // cell, 2)
        seeds = rng.standard_normal((min(rows, height), min(columns, width))).astype(np.float32)
        padded = np.pad(seeds, 2, mode="wrap")
        step_x, step_y = width / seeds.shape[1], height / seeds.shape[0]
        big = cv2.resize(
            padded, (round(step_x * padded.shape[1]), round(step_y * padded.shape[0])), interpolation=cv2.INTER_CUBIC
        )
        left, top = round(step_x * 2), round(step_y * 2)
        total += big[top : top + height, left : left + width] * np.float32(0.5 ** (octave + 1))
    return total


@lru_cache(maxsize=256)
def text_mask(text: str, height: int, weight: float = 0.0) -> Floats:
    """Mask (H, W), 0..1, of a line of text; `height` is that of a capital, `weight` thickens it, both in pixels."""
    font = ImageFont.load_default(size=height / 0.715)  # capitals of the font are 0.715 of its size
    pad = int(weight) + 2
    left, _, right, _ = font.getbbox(text)
    width = int(right - left)
    picture = Image.new("L", (width + 2 * pad, height + 2 * pad + height // 4), 0)
    draw = ImageDraw.Draw(picture)
    draw.text((pad - left, pad + height), text, fill=255, font=font, anchor="ls", stroke_width=weight)
    return np.asarray(picture, np.float32) / 255


def draw_text(
    base: Floats, text: str, centre: tuple[float, float], height: int, colour: Colour, weight: float = 0.0
) -> None:
    """Write text with its capitals centred at x, y of (H, W, 3), in place; what falls outside is cut off."""
    mask = text_mask(text, height, weight)
    pad = int(weight) + 2
    x, y = int(centre[0] - mask.shape[1] / 2), int(centre[1] - height / 2 - pad)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + mask.shape[1], base.shape[1]), min(y + mask.shape[0], base.shape[0])
    if x0 < x1 and y0 < y1:
        mix(base[y0:y1, x0:x1], colour, mask[y0 - y : y1 - y, x0 - x : x1 - x])
