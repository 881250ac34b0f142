"""The fronts of the houses along the street, one long picture a side, and the signs that hang from them."""

from functools import lru_cache

import cv2
import numpy as np

from .raster import Colour, Floats, Pixels, draw_text, gradient, mix, opaque, smooth_noise, soft_box, tint

GRAIN = 56
"""Pixels of a front's texture per metre."""

LENGTH, TALL = 96.0, 13.0
"""Metres of street after which the fronts repeat, and height of the texture."""

_WALLS: tuple[Colour, ...] = (
    (196, 178, 150), (172, 118, 96), (206, 202, 192), (158, 160, 158),
    (188, 152, 120), (214, 196, 158), (140, 120, 108),
)  # fmt: skip
_SIGNS: tuple[tuple[str, Colour, Colour], ...] = (
    ("BAKERY", (122, 62, 30), (216, 190, 150)), ("CAFE LUNA", (28, 74, 66), (240, 232, 210)),
    ("BOOKS", (40, 54, 96), (236, 236, 230)), ("FLOWERS", (226, 220, 206), (150, 46, 84)),
    ("HAMMAM", (60, 30, 36), (178, 146, 98)), ("OPTIK", (230, 232, 234), (30, 90, 150)),
    ("RAMEN", (170, 36, 30), (252, 244, 226)), ("BICYCLES", (52, 92, 58), (244, 240, 226)),
)  # fmt: skip


@lru_cache(maxsize=2)
def front(seed: int) -> tuple[Pixels, Pixels]:
    """Colours (H, W, 3) and opacity (H, W), 0..255, of one side of the street; row 0 is the top."""
    rng = np.random.default_rng(seed)
    height, width = round(TALL * GRAIN), round(LENGTH * GRAIN)
    colours, solid = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.uint8)
    at, number = 0, seed
    while at < width:
        end = at + round(float(rng.uniform(8.5, 13.0)) * GRAIN)
        end = width if width - end < 8 * GRAIN else end
        floors = int(rng.integers(3, 5))
        roof = height - round((3.7 + 2.9 * (floors - 1) + 0.5) * GRAIN)
        _house(colours[max(roof, 0) :, at:end], floors, number, rng)
        solid[max(roof, 0) :, at:end] = 255
        at, number = end, number + 1
    grit = (
        1
        + 0.05 * smooth_noise(rng, height, width, 160)
        + 0.025 * rng.standard_normal((height, width)).astype(np.float32)
    )
    return np.clip(colours * grit[..., None], 0, 255).astype(np.uint8), solid


def _house(wall: Floats, floors: int, number: int, rng: np.random.Generator) -> None:
    """Paint one house into its part of the front."""
    height, width = wall.shape[:2]
    wall[:] = _WALLS[number % len(_WALLS)]
    wall *= np.linspace(1.06, 0.90, height, dtype=np.float32)[:, None, None]
    if number % 3 == 1:
        wall[:: round(0.11 * GRAIN)] *= 0.86
    shade = soft_box((height, width), (0, 0, width, 0.45 * GRAIN), 2, 2)
    mix(wall, (112, 104, 96), shade * 0.75)
    mix(wall, (60, 56, 52), soft_box((height, width), (0, 0.45 * GRAIN, width, 0.55 * GRAIN), 1, 3) * 0.6)
    columns = max(round(width / GRAIN / 2.4), 2)
    for floor in range(1, floors):
        low = height - (3.7 + 2.9 * (floor - 1) + 0.75) * GRAIN
        for column in range(columns):
            middle = (column + 0.5) * width / columns
            _window(wall, (middle - 0.55 * GRAIN, low - 1.55 * GRAIN, middle + 0.55 * GRAIN, low), rng)
    _shop(wall, number, rng)
    mix(wall, (40, 38, 36), soft_box((height, width), (0, 0, 3, height), 1, 1) * 0.7)


def _pane(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Glass with the sky and the other side of the street in it."""
    glass = gradient((150, 172, 192), (58, 66, 74), width, height)
    glass += 26 * smooth_noise(rng, 64, 64, 24)[np.arange(height)[:, None] % 64, np.arange(width)[None] % 64, None]
    return glass


def _window(wall: Floats, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    x0, y0, x1, y1 = (round(side) for side in box)
    edge = 6
    part = wall[y0 - edge : y1 + edge + 6, x0 - edge : x1 + edge]
    part[:] = (226, 222, 214)
    part[-8:] *= 0.7
    inner = wall[y0:y1, x0:x1]
    inner[:] = _pane(rng, y1 - y0, x1 - x0)
    if rng.random() < 0.55:
        drop = int((y1 - y0) * float(rng.uniform(0.2, 0.9)))
        inner[:drop] += (tint((214, 206, 192)) - inner[:drop]) * 0.65
    inner[:9] *= 0.55
    inner[:, (x1 - x0) // 2 - 2 : (x1 - x0) // 2 + 2] = (220, 216, 208)
    inner[(y1 - y0) // 3 - 2 : (y1 - y0) // 3 + 2] = (220, 216, 208)


def _shop(wall: Floats, number: int, rng: np.random.Generator) -> None:
    """Ground floor: display windows, a door, an awning and the shop's board."""
    height, width = wall.shape[:2]
    name, ground, ink = _SIGNS[number % len(_SIGNS)]
    low = wall[height - round(3.6 * GRAIN) :]
    low[:] = tint((92, 84, 78)) * (0.8 + 0.05 * (number % 4))
    rows = low.shape[0]
    door = width - round(1.9 * GRAIN)
    for x0, x1, y1 in ((round(0.4 * GRAIN), door - round(0.3 * GRAIN), 3.05), (door, width - round(0.5 * GRAIN), 3.5)):
        y0, bottom = round(0.95 * GRAIN), round(y1 * GRAIN)
        low[y0 - 5 : bottom + 5, x0 - 5 : x1 + 5] = tint(ground) * 0.8
        pane = _pane(rng, bottom - y0, x1 - x0) * 0.62
        glow = cv2.GaussianBlur(rng.random((bottom - y0, x1 - x0)).astype(np.float32) ** 6, (0, 0), 9) * 6 - 0.75
        pane += glow[..., None] * tint((110, 92, 66))
        _goods(pane, rng)
        low[y0:bottom, x0:x1] = pane
        low[y0:bottom, x0 : x1 : max((x1 - x0) // 3, 20)] = tint(ground) * 0.6
    board = low[round(0.12 * GRAIN) : round(0.82 * GRAIN), round(0.25 * GRAIN) : width - round(0.25 * GRAIN)]
    board[:] = ground
    board[-4:] *= 0.6
    draw_text(board, "  ".join(name), (board.shape[1] / 2, board.shape[0] / 2), round(0.30 * GRAIN), ink, 1)
    if number % 2:
        _awning(low[round(0.84 * GRAIN) : round(1.45 * GRAIN), round(0.3 * GRAIN) : door], ink, ground)
    low[rows - 10 :] *= 0.6


def _goods(pane: Floats, rng: np.random.Generator) -> None:
    """Things on display behind the glass, blurred by reflections."""
    height, width = pane.shape[:2]
    at = 14.0
    while at < width - 30:
        wide, tall = float(rng.uniform(16, 46)), float(rng.uniform(0.18, 0.46)) * height
        item = soft_box((height, width), (at, height - tall, at + wide, height + 8), 7, 2.5)
        mix(pane, rng.uniform(60, 170) + rng.uniform(-26, 26, 3), item * 0.55)
        at += wide + float(rng.uniform(4, 40))
    lamps = soft_box((height, width), (10, 8, width - 10, 13), 2, 3)
    mix(pane, (250, 232, 196), lamps * 0.5)


def _awning(part: Floats, first: Colour, second: Colour) -> None:
    columns = (np.arange(part.shape[1]) // round(0.35 * GRAIN)) % 2 == 0
    part[:] = np.where(columns[None, :, None], tint(first), tint(second))
    part *= np.linspace(1.05, 0.72, part.shape[0], dtype=np.float32)[:, None, None]


@lru_cache(maxsize=16)
def hanging_sign(number: int) -> Pixels:
    """RGBA picture of a sign that hangs from a wall: letters from top to bottom."""
    _, ground, ink = _SIGNS[number % len(_SIGNS)]
    letters = ("RAMEN", "TEA", "INN", "LAMPS", "KIMA", "FILM", "TAXI", "MILK")[number % 8]
    base = gradient(
        ground, (int(ground[0] * 0.85), int(ground[1] * 0.85), int(ground[2] * 0.85)), 90, 70 * len(letters) + 30
    )
    for row, letter in enumerate(letters):
        draw_text(base, letter, (45, 50 + 70 * row), 42, ink, 2.5)
    base[:5] = base[-5:] = ink
    base[:, :5] = base[:, -5:] = ink
    return opaque(base)
