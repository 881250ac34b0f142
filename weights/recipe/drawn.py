"""Draws licence plates over photographed ones, so that the network meets more kinds than the sets hold.

Two lines, motorcycles and Japan's colours are rare in the sets. A drawn plate takes the place, the range of light and
about the sharpness of the one it covers, and now and then a form of its own; what is written on it is chance.
"""

import string

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .data import CLASSES, Floats, Objects, Pixels

Colour = tuple[int, int, int]

_SHARE = 0.35  # of the plates of a crop
_LEAST = 12.0  # pixels of width below which a drawing would be a mere spot
_LONG = 2.6  # width by height from which a plate has one line
_HEIGHT = 96  # pixels of a drawing, before it is brought to the size of its place
_FORMS = (1.0, 1.35, 2.0, 2.0, 2.0, 3.1, 4.6)  # width by height: motorcycles, India, Japan and America, Europe
_OTHER_FORM = 0.5
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


def repaint(pixels: Pixels, objects: Objects, rng: np.random.Generator) -> tuple[Pixels, Objects]:
    """Cover some of the plates of a crop (H, W, 3) with drawn ones, in copies."""
    plates = objects.trusted(CLASSES.index("plate")) & (objects.boxes[:, 2] - objects.boxes[:, 0] >= _LEAST)
    chosen = np.flatnonzero(plates & (rng.random(len(plates)) < _SHARE))
    if not len(chosen):
        return pixels, objects
    pixels, boxes = pixels.copy(), objects.boxes.copy()
    for number in chosen:
        old = boxes[number].copy()
        new = _reformed(old, rng) if rng.random() < _OTHER_FORM else old
        if _touches(new, np.delete(boxes, number, 0)) or not _within(new, pixels):
            new = old
        x0, y0, x1, y1 = np.rint(new).astype(int).tolist()
        light = pixels[slice(*np.rint(old[1::2]).astype(int)), slice(*np.rint(old[::2]).astype(int))]
        if min(y1 - y0, x1 - x0) >= 4 and light.size:
            drawing = _fitted(plate((x1 - x0) / (y1 - y0), rng), (x1 - x0, y1 - y0), light, rng)
            _cover(pixels, old, new)
            pixels[y0:y1, x0:x1] = drawing
            boxes[number] = new
    return pixels, Objects(boxes, objects.labels, objects.roles)


def _reformed(box: Floats, rng: np.random.Generator) -> Floats:
    """About the same area and middle, another width by height."""
    width, height = box[2:] - box[:2]
    form = _FORMS[int(rng.integers(len(_FORMS)))] * rng.uniform(0.9, 1.1)
    half = np.sqrt(max(width * height, 1.0)) * np.array([np.sqrt(form), 1 / np.sqrt(form)]) / 2
    middle = (box[:2] + box[2:]) / 2
    return np.concatenate((middle - half, middle + half)).astype(np.float32)


def _touches(box: Floats, others: Floats) -> bool:
    meets = np.minimum(box[2:], others[:, 2:]) > np.maximum(box[:2], others[:, :2])
    return bool(meets.all(1).any())


def _within(box: Floats, pixels: Pixels) -> bool:
    return bool((box[:2] >= 0).all() and (box[2:] <= pixels.shape[1::-1]).all())


def _cover(pixels: Pixels, old: Floats, new: Floats) -> None:
    """What the new plate leaves of the old one gets the colour of the bodywork around it, in place."""
    if (new == old).all():
        return
    x0, y0, x1, y1 = np.rint(old).astype(int).tolist()
    ring = pixels[max(y0 - 3, 0) : y1 + 3, max(x0 - 3, 0) : x1 + 3]
    edge = np.concatenate((ring[0], ring[-1], ring[:, 0], ring[:, -1]))
    pixels[y0:y1, x0:x1] = np.median(edge, 0).astype(np.uint8)


def _fitted(drawing: Pixels, size: tuple[int, int], light: Pixels, rng: np.random.Generator) -> Pixels:
    """The drawing at the size of its place, between the darkest and the brightest light found there."""
    small = cv2.resize(drawing, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 0.3 + 0.012 * size[0])))
    dark, bright = np.percentile(cv2.cvtColor(light, cv2.COLOR_RGB2GRAY), (5, 95))
    bright = max(bright, dark + 25)
    return np.asarray(np.clip(dark + small * ((bright - dark) / 240), 0, 255), np.uint8)


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
    upper, lower = (size[0] // 6, 6, size[0] * 5 // 6, cut), (8, cut + 2, size[0] - 8, size[1] - 6)
    if rng.random() < 0.4:
        _strokes(brush, upper, ink, rng)
    else:
        _write(brush, _chance(int(rng.integers(3, 8)), rng), upper, ink)
    if rng.random() < 0.4:  # a syllable before the number
        edge = lower[0] + (lower[2] - lower[0]) // 6
        _strokes(brush, (lower[0], lower[1] + size[1] // 6, edge, lower[3] - size[1] // 8), ink, rng)
        lower = (edge + 4, *lower[1:])
    _write(brush, _chance(int(rng.integers(3, 7)), rng), lower, ink)
    if rng.random() < 0.5:
        for x in (0.16, 0.84):
            middle = int(size[0] * x)
            brush.ellipse((middle - 4, 8, middle + 4, 16), fill=(120, 120, 120))


def _strokes(
    brush: ImageDraw.ImageDraw, area: tuple[int, int, int, int], ink: Colour, rng: np.random.Generator
) -> None:
    """Signs of a script for which there is no font here, as wide as high: a few crossing strokes each."""
    side = max(area[3] - area[1], 6)
    for left in range(area[0], max(area[2] - side, area[0]) + 1, side + 2):
        for _ in range(int(rng.integers(3, 7))):
            ends = rng.uniform(0.05, 0.95, (2, 2))
            if rng.random() < 0.7:  # most strokes lie or stand
                ends[1, int(rng.integers(2))] = ends[0, int(rng.integers(2))]
            points = [(left + x * side, area[1] + y * side) for x, y in ends.tolist()]
            brush.line(points, ink, max(side // 9, 2))


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
