"""Changes of light, colour, sharpness and noise, cheap enough for one worker on a CPU.

Colour goes through look-up tables. Night, glare and motion blur are here because the sets hold little of them.
"""

import cv2
import numpy as np

from .data import Floats, Pixels

_RAMP = np.linspace(0, 1, 256, dtype=np.float32)
_BANK = np.clip(np.random.default_rng(1).normal(0, 32, (512, 896, 3)), -127, 127).astype(np.float32) / 32


def relight(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Gamma, gain, offset and colour cast, or night; sometimes grey. (H, W, 3) in and out."""
    tables = _night(rng) if rng.random() < 0.15 else _day(rng)
    pixels = np.asarray(cv2.LUT(pixels, np.clip(tables * 255, 0, 255).astype(np.uint8)[None]), np.uint8)
    if rng.random() < 0.1:
        pixels = np.repeat(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, 2)
    return glare(pixels, rng) if rng.random() < 0.08 else pixels


def _day(rng: np.random.Generator) -> Floats:
    curve = _RAMP ** np.exp(rng.normal(0, 0.3)) * rng.uniform(0.7, 1.3) + rng.uniform(-0.12, 0.12)
    cast = rng.uniform(0.72, 1.28, 3) if rng.random() < 0.5 else rng.uniform(0.94, 1.06, 3)
    return np.asarray(curve[:, None] * cast, np.float32)


def _night(rng: np.random.Generator) -> Floats:
    curve = _RAMP ** rng.uniform(1.1, 2.2) * rng.uniform(0.3, 0.8) + rng.uniform(0, 0.06)
    lamps = np.array([1.1, 1.0, 0.75]) if rng.random() < 0.5 else np.ones(3)
    return np.asarray(curve[:, None] * lamps * rng.uniform(0.9, 1.1, 3), np.float32)


def glare(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Add the halo of a lamp or of a windscreen reflection: a soft bright ellipse."""
    height, width = pixels.shape[:2]
    spread = rng.uniform(0.05, 0.6, 2) * max(height, width)
    down = np.exp(-(((np.arange(height) - rng.uniform(0, height)) / spread[0]) ** 2))
    across = np.exp(-(((np.arange(width) - rng.uniform(0, width)) / spread[1]) ** 2))
    halo = np.outer(down, across * rng.uniform(60, 230)).astype(np.uint8)
    return np.asarray(cv2.add(pixels, np.repeat(halo[..., None], 3, 2)), np.uint8)


def soften(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Now and then motion blur along a random direction, or box blur."""
    draw = rng.random()
    if draw < 0.15:
        return np.asarray(cv2.filter2D(pixels, -1, _streak(int(rng.integers(3, 10)), rng.uniform(0, np.pi))), np.uint8)
    if draw < 0.25:
        return np.asarray(cv2.blur(pixels, (int(rng.integers(2, 4)), int(rng.integers(2, 4)))), np.uint8)
    return pixels


def _streak(length: int, angle: float) -> Floats:
    """(L, L) kernel of a line of L pixels at an angle in radians, summing to 1."""
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    kernel = np.zeros((length, length), np.float32)
    start, end = np.rint(middle - reach).astype(int).tolist(), np.rint(middle + reach).astype(int).tolist()
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def degrade(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """What the camera adds after the optics: sensor noise, then JPEG blocks. Each now and then."""
    if rng.random() < 0.35:
        pixels = _grain(pixels, rng)
    if rng.random() < 0.3:
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return pixels


def _grain(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    top, left = rng.integers(0, _BANK.shape[0] - height + 1), rng.integers(0, _BANK.shape[1] - width + 1)
    grain = _BANK[top : top + height, left : left + width] * np.float32(rng.uniform(2, 14))
    return np.asarray(cv2.add(pixels, grain, dtype=cv2.CV_8U), np.uint8)
