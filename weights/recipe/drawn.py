"""Draws licence plates over photographed ones, so that the network meets more kinds than the sets hold.

Two lines, motorcycles and Japan's colours are rare in the sets. A drawn plate takes the place, the range of light and
about the sharpness of the one it covers; what is written on it is chance.
"""

import string

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .data import CLASSES, Objects, Pixels

Colour = tuple[int, int, int]

_SHARE = 0.35  # of the plates of a crop
_LEAST = 12.0  # pixels of width below which a drawing would be a mere spot
_LONG = 2.6  # width by height from which a plate has one line
_HEIGHT = 96  # pixels of a drawing, before it is brought to the size of its place
_COLOURS: tuple[tuple[Colour, Colour], ...] = (  # ground and ink
    ((240, 240, 236), (20, 20, 24)),
    ((240, 240, 236), (20, 90, 50)),
    ((240, 240, 236), (30, 50, 140)),
    ((240, 240, 236), (170, 25, 30)),
    ((245, 200, 40), (20, 20, 24)),
    ((25, 95, 60), (240, 240, 236)),
    ((20, 20, 24), (240, 240, 236)),
    ((20, 20, 24), (245, 200, 40)),
    ((30, 60, 150), (240, 240, 236)),
)


def repaint(pixels: Pixels, objects: Objects, rng: np.random.Generator) -> Pixels:
    """Cover some of the plates of a crop (H, W, 3) with drawn ones, in a copy."""
    plates = objects.boxes[objects.trusted(CLASSES.index("plate"))]
    chosen = plates[(rng.random(len(plates)) < _SHARE) & (plates[:, 2] - plates[:, 0] >= _LEAST)]
    if len(chosen):
        pixels = pixels.copy()
    for box in np.rint(chosen).astype(int):
        x0, y0, x1, y1 = box.tolist()
        place = pixels[y0:y1, x0:x1]
        if min(place.shape[:2]) >= 4:
            place[:] = _fitted(plate(place.shape[1] / place.shape[0], rng), place, rng)
    return pixels


def _fitted(drawing: Pixels, place: Pixels, rng: np.random.Generator) -> Pixels:
    """The drawing at the size of its place, between the darkest and the brightest light found there."""
    height, width = place.shape[:2]
    small = cv2.resize(drawing, (width, height), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 0.3 + 0.012 * width)))
    dark, bright = np.percentile(cv2.cvtColor(place, cv2.COLOR_RGB2GRAY), (5, 95))
    bright = max(bright, dark + 25)
    return np.clip(dark + small * ((bright - dark) / 240), 0, 255).astype(np.uint8)


def plate(aspect: float, rng: np.random.Generator) -> Pixels:
    """One drawn plate, about aspect times as wide as high."""
    ground, ink = _COLOURS[int(rng.integers(len(_COLOURS)))]
    size = (max(int(_HEIGHT * aspect), _HEIGHT // 2), _HEIGHT)
    picture = Image.new("RGB", size, ground)
    brush = ImageDraw.Draw(picture)
    if rng.random() < 0.7:
        brush.rectangle((2, 2, size[0] - 3, size[1] - 3), outline=ink, width=3)
    if aspect >= _LONG:
        _long(brush, size, ink, rng)
    else:
        _high(brush, size, ink, rng)
    return np.asarray(picture, np.uint8)


def _long(brush: ImageDraw.ImageDraw, size: tuple[int, int], ink: Colour, rng: np.random.Generator) -> None:
    """One line, often with a blue band at an end, as in Europe."""
    left, right = 6, size[0] - 6
    if rng.random() < 0.5:
        brush.rectangle((3, 3, 3 + size[0] // 12, size[1] - 4), fill=(30, 60, 150))
        left += size[0] // 12
    if rng.random() < 0.2:
        brush.rectangle((size[0] - 3 - size[0] // 12, 3, size[0] - 4, size[1] - 4), fill=(30, 60, 150))
        right -= size[0] // 12
    _write(brush, _chance(int(rng.integers(5, 9)), rng), (left, 8, right, size[1] - 8), ink)


def _high(brush: ImageDraw.ImageDraw, size: tuple[int, int], ink: Colour, rng: np.random.Generator) -> None:
    """Two lines: a small one over a large one, as in Japan and America, or two alike, as on motorcycles."""
    cut = int(size[1] * (rng.uniform(0.28, 0.4) if rng.random() < 0.6 else 0.5))
    _write(brush, _chance(int(rng.integers(3, 8)), rng), (size[0] // 6, 6, size[0] * 5 // 6, cut), ink)
    _write(brush, _chance(int(rng.integers(3, 7)), rng), (8, cut + 2, size[0] - 8, size[1] - 6), ink)
    if rng.random() < 0.5:
        for x in (0.16, 0.84):
            middle = int(size[0] * x)
            brush.ellipse((middle - 4, 8, middle + 4, 16), fill=(120, 120, 120))


def _write(brush: ImageDraw.ImageDraw, text: str, area: tuple[int, int, int, int], ink: Colour) -> None:
    """Text that fills an area left, top, right, bottom as far as its shape allows."""
    width, height = area[2] - area[0], area[3] - area[1]
    font = ImageFont.load_default(max(height, 8))
    scale = min(1.0, width / max(brush.textlength(text, font), 1))
    font = ImageFont.load_default(max(int(height * scale * 1.1), 8))
    middle = ((area[0] + area[2]) / 2, (area[1] + area[3]) / 2)
    brush.text(middle, text, ink, font, anchor="mm", stroke_width=max(int(height * scale) // 20, 0))


def _chance(count: int, rng: np.random.Generator) -> str:
    """Letters and digits, now and then with a gap or a hyphen."""
    text = "".join(rng.choice(list(string.ascii_uppercase + string.digits * 2), count))
    cut = int(rng.integers(1, count))
    return text[:cut] + str(rng.choice(["", " ", "-", "·"])) + text[cut:]
