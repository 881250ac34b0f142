"""Textures that dress a car's shell: rear, front, windows, wheels. Widths and heights are in texture pixels."""

from functools import lru_cache

import numpy as np

from .raster import Colour, Floats, Pixels, gradient, mix, premultiply, smooth_noise, soft_box, soft_polygon

_PANEL = (560, 250)  # texture of the rear and the front: the width of the car, from the bumper to the window sill
_GLASS = (520, 190)


def _lamp(base: Floats, box: tuple[float, float, float, float], colour: Colour, glow: float) -> None:
    """A glass lamp with a bright heart; glow 0..1."""
    shape = base.shape[:2]
    x0, y0, x1, y1 = box
    mix(base, (28, 26, 28), soft_box(shape, (x0 - 4, y0 - 4, x1 + 4, y1 + 4), 12))
    tone = tuple(int(part * (0.62 + 0.38 * glow)) for part in colour)
    mix(
        base,
        gradient((tone[0], tone[1], tone[2]), _deep(colour), base.shape[1], base.shape[0]),
        soft_box(shape, box, 9),
    )
    heart = soft_box(shape, (x0 + 8, y0 + (y1 - y0) * 0.15, x1 - 8, y0 + (y1 - y0) * 0.5), 7, 4)
    mix(base, (255, 214, 196) if colour[1] < 120 else (255, 255, 250), heart * (0.25 + 0.7 * glow))


def _deep(colour: Colour) -> Colour:
    return int(colour[0] * 0.55), int(colour[1] * 0.45), int(colour[2] * 0.45)


def _layered(layers: list[tuple[Floats, Floats]]) -> Pixels:
    """One RGBA texture of (colours, mask) layers, bottom first."""
    colours = layers[0][0].copy()
    alpha = layers[0][1].copy()
    for layer, mask in layers[1:]:
        mix(colours, layer, mask / np.maximum(mask + alpha * (1 - mask), 1e-3))
        alpha = alpha + mask * (1 - alpha)
    return premultiply(np.clip(colours, 0, 255), alpha.astype(np.float32))


@lru_cache(maxsize=16)
def rear_panel(brake: bool, plate_y: float, wide: bool) -> Pixels:
    """Lamps, bumper, seams and the plate's recess. plate_y: the plate's middle, 0 top..1 bottom."""
    width, height = _PANEL
    shape = (height, width)
    marks = np.zeros((height, width, 3), np.float32)
    bumper = soft_box(shape, (8, 178, width - 8, height + 30), 26)
    seam = soft_box(shape, (40, 150, width - 40, 153), 1)
    recess = soft_box(shape, (width / 2 - 150, plate_y * height - 30, width / 2 + 150, plate_y * height + 30), 14, 2)
    lamps: Floats = gradient((0, 0, 0), (0, 0, 0), width, height)
    lamp_mask = np.zeros(shape, np.float32)
    tall = (18.0, 30.0, 92.0, 118.0) if wide else (14.0, 14.0, 66.0, 142.0)
    for x0, x1 in ((tall[0], tall[2]), (width - tall[2], width - tall[0])):
        _lamp(lamps, (x0, tall[1], x1, tall[3]), (214, 30, 34), 1.0 if brake else 0.25)
        mix(lamps, (236, 220, 204), soft_box(shape, (x0 + 5, tall[3] - 26, x1 - 5, tall[3] - 8), 5))
        lamp_mask = np.maximum(lamp_mask, soft_box(shape, (x0 - 4, tall[1] - 4, x1 + 4, tall[3] + 4), 12))
    reflect = np.maximum(soft_box(shape, (40, 196, 96, 206), 4), soft_box(shape, (width - 96, 196, width - 40, 206), 4))
    badge = soft_box(shape, (width / 2 - 17, 22, width / 2 + 17, 44), 11)
    pipe = soft_box(shape, (420, 232, 462, 246), 7)
    plain = np.ones((height, width, 3), np.float32)
    return _layered(
        [
            (marks + 18, seam * 0.7),
            (marks + 14, recess * 0.3),
            (gradient((58, 58, 60), (24, 24, 25), width, height), bumper * 0.78),
            (plain * (150, 26, 28), reflect),
            (lamps, lamp_mask),
            (gradient((236, 238, 242), (130, 132, 138), width, height), badge),
            (plain * (96, 96, 98), pipe),
        ]
    )


@lru_cache(maxsize=1)
def front_panel() -> Pixels:
    """Lit headlamps, grille and bumper intake."""
    width, height = _PANEL
    shape = (height, width)
    plain = np.ones((height, width, 3), np.float32)
    grille = soft_polygon(shape, [(170, 52), (390, 52), (372, 100), (188, 100)], 1)
    bars = plain * 26
    bars[56:100:9] = 110
    intake = soft_polygon(shape, [(90, 178), (470, 178), (440, 226), (120, 226)], 1.5)
    mask = np.zeros(shape, np.float32)
    lamps = plain * 30
    for side in (-1, 1):
        corners = [(width / 2 + side * x, y) for x, y in ((124, 62), (262, 34), (270, 84), (150, 96))]
        pod = soft_polygon(shape, corners, 1)
        mask = np.maximum(mask, pod)
        mix(lamps, gradient((176, 184, 194), (74, 78, 86), width, height), pod)
        for x in (168, 222):
            bulb = soft_box(shape, (width / 2 + side * x - 17, 54, width / 2 + side * x + 17, 88), 17, 2)
            mix(lamps, (255, 253, 240), bulb)
    fog = np.maximum(
        soft_box(shape, (48, 186, 84, 212), 12, 1), soft_box(shape, (width - 84, 186, width - 48, 212), 12, 1)
    )
    badge = soft_box(shape, (width / 2 - 18, 62, width / 2 + 18, 88), 13)
    return _layered(
        [
            (plain * 10, soft_box(shape, (30, 112, width - 30, 115), 1) * 0.5),
            (bars, grille),
            (plain * 22, intake * 0.92),
            (plain * (196, 200, 206), fog * 0.8),
            (lamps, mask),
            (plain * (226, 228, 232), badge),
        ]
    )


@lru_cache(maxsize=16)
def glass(kind: str, seed: int) -> Pixels:
    """A window, dark with the sky mirrored in it. kind: rear, front or side."""
    width, height = _GLASS
    shape = (height, width)
    inset = 0.0 if kind == "side" else 0.02 * width
    pane = soft_polygon(shape, [(inset, 5), (width - inset, 5), (width - 4, height - 5), (4, height - 5)], 1.2)
    colours = gradient((54, 60, 66), (22, 25, 29), width, height)
    for middle in (0.29, 0.71):
        seat = soft_box(shape, (width * middle - 42, height * 0.38, width * middle + 42, height + 60), 24, 3)
        mix(colours, (14, 15, 17), seat * 0.8)
        mix(
            colours,
            (16, 17, 19),
            soft_box(shape, (width * middle - 25, height * 0.16, width * middle + 25, height * 0.5), 14, 3) * 0.8,
        )
    rng = np.random.default_rng(seed)
    mirror = np.clip(0.35 + 0.7 * smooth_noise(rng, 256, 1024, 128)[:height, :width], 0, 1)
    mirror *= np.linspace(1, 0.15, height, dtype=np.float32)[:, None]
    mix(colours, (178, 196, 214), mirror * (0.22 if kind == "front" else 0.38))
    mix(colours, (12, 12, 13), np.clip(pane - soft_polygon(shape, _shrink(inset, width, height), 1.5), 0, 1) * 0.9)
    return premultiply(colours, pane)


def _shrink(inset: float, width: int, height: int) -> list[tuple[float, float]]:
    return [(inset + 8, 14), (width - inset - 8, 14), (width - 17, height - 14), (17, height - 14)]


@lru_cache(maxsize=1)
def wheel() -> Pixels:
    """Tyre and rim inside a dark arch."""
    size = 200
    y, x = np.mgrid[:size, :size].astype(np.float32)
    reach, angle = np.hypot(x - 99.5, y - 99.5) / 100, np.arctan2(y - 99.5, x - 99.5)
    colours = np.full((size, size, 3), 16, np.float32)
    mix(colours, (40, 40, 42), np.clip((0.86 - reach) * 40, 0, 1))
    mix(colours, (150, 153, 158), np.clip((0.58 - reach) * 40, 0, 1))
    spokes = (
        np.clip(np.cos(angle * 5) * 3 + 0.2, 0, 1)
        * np.clip((0.52 - reach) * 40, 0, 1)
        * np.clip((reach - 0.12) * 40, 0, 1)
    )
    mix(colours, (38, 39, 42), spokes)
    return premultiply(colours, np.clip((1 - reach) * 50, 0, 1))


@lru_cache(maxsize=1)
def tyre() -> Pixels:
    """End of a tyre, as seen from behind."""
    across = np.sqrt(1 - np.linspace(-0.95, 0.95, 60, dtype=np.float32) ** 2)
    colours = np.full((100, 60, 3), 30, np.float32) * (0.35 + 0.65 * across)[None, :, None]
    return premultiply(colours, soft_box((100, 60), (1, -40, 59, 99), 16, 1))


@lru_cache(maxsize=8)
def mirror(colour: Colour) -> Pixels:
    """Housing of a wing mirror."""
    body = gradient(colour, colour, 88, 60) * np.linspace(1.0, 0.45, 60, dtype=np.float32)[:, None, None]
    return premultiply(body, soft_box((60, 88), (2, 2, 86, 58), 22, 1))


@lru_cache(maxsize=1)
def shadow() -> Pixels:
    """A soft dark patch, for the ground under things."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j].astype(np.float32)
    edge = (np.abs(x) ** 3.2 + np.abs(y) ** 3.2) ** (1 / 3.2)
    return premultiply(np.full((96, 96, 3), 8, np.float32), np.clip((1 - edge) * 2.4, 0, 1) * np.float32(0.82))
