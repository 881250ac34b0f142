"""What the dashcam adds: shake, the taxi's bonnet, darker corners, noise and the caption at the bottom."""

from functools import lru_cache

import cv2
import numpy as np

from .camera import HEIGHT, MARGIN, WIDTH
from .raster import Floats, Pixels, gradient, smooth_noise, text_mask

_NOISE = 1.7  # standard deviation of the sensor's noise, 0..255


def shake(t: float, speed: float) -> Floats:
    """Affine matrix (2, 3) from canvas to picture pixels. speed: metres per second; the faster, the more shake."""
    amount = 0.45 + 0.55 * min(speed / 8, 1)
    dx = amount * (1.3 * np.sin(5.1 * t + 0.3) + 0.8 * np.sin(11.7 * t + 1.1))
    dy = amount * (1.7 * np.sin(7.3 * t + 2.0) + 1.2 * np.sin(15.1 * t) + 0.5 * np.sin(29.0 * t + 0.7))
    angle = amount * np.radians(0.11) * np.sin(4.3 * t + 0.9)
    cosine, sine = np.cos(angle), np.sin(angle)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    turn = np.array([[cosine, -sine], [sine, cosine]])
    offset = middle + np.array((dx, dy)) - turn @ (middle + MARGIN)
    return np.column_stack((turn, offset)).astype(np.float32)


def transform_box(box: Floats, matrix: Floats) -> Floats:
    """x0 y0 x1 y1 around a box after an affine transform."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]], np.float32) @ matrix.T
    return np.concatenate((corners.min(0), corners.max(0))).astype(np.float32)


def expose(canvas: Pixels, matrix: Floats, number: int, caption: str) -> Pixels:
    """The finished frame (HEIGHT, WIDTH, 3) of a canvas; number seeds the noise."""
    picture = cv2.warpAffine(canvas, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    colours = picture.astype(np.float32)
    bonnet, mask = _bonnet()
    colours[-bonnet.shape[0] :] += (bonnet - colours[-bonnet.shape[0] :]) * mask
    colours *= _vignette()
    colours += np.random.default_rng(number).standard_normal(colours.shape, np.float32) * np.float32(_NOISE)
    _caption(colours, caption)
    return np.asarray(np.clip(colours + 0.5, 0, 255), np.uint8)


@lru_cache(maxsize=1)
def _vignette() -> Floats:
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
    return np.asarray(1.03 - 0.13 * (x**2 + y**2 * 0.6) ** 1.2, np.float32)[..., None]


@lru_cache(maxsize=1)
def _bonnet() -> tuple[Floats, Floats]:
    """The front edge of our own bonnet along the bottom: colours (rows, WIDTH, 3) and mask (rows, WIDTH, 1)."""
    rows = 64
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None]
    y = np.arange(rows, dtype=np.float32)[:, None]
    edge = 18 + 40 * np.abs(x) ** 2.6
    colours = gradient((70, 76, 84), (16, 17, 20), WIDTH, rows)
    colours += 10 * smooth_noise(np.random.default_rng(2), 64, WIDTH, 64)[..., None]
    colours += (64 * np.exp(-(((y - edge - 5) / 4) ** 2)))[..., None]
    return np.asarray(colours, np.float32), np.clip((y - edge) / 2.5, 0, 1)[..., None].astype(np.float32)


def _caption(colours: Floats, text: str) -> None:
    """Burn a line of white text with a dark edge into the bottom left corner."""
    edge, ink = text_mask(text, 17, 2.0), text_mask(text, 17, 0.0)
    for mask, inset, tone in ((edge, 0, 12.0), (ink, 2, 246.0)):
        y, x = HEIGHT - 40 + inset, 24 + inset
        part = colours[y : y + mask.shape[0], x : x + mask.shape[1]]
        part += (tone - part) * mask[: part.shape[0], : part.shape[1], None]
