"""The backdrop seen from the moving lens: sky, road, pavements and the houses' fronts."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from .camera import CENTRE_X, EYE, FOCAL, HEIGHT, HORIZON, MARGIN, WIDTH, Camera
from .houses import GRAIN, LENGTH, TALL, front
from .raster import Floats, Pixels, gradient, smooth_noise, tint

_KERB = (-5.1, 2.05)  # x of the left and right one, metres
_WALLS = (-8.4, 5.3)  # x of the houses' fronts, metres
_ZEBRA = (78.0, 81.0)  # z of the crossing, metres
_HAZE = (206, 216, 226)
_DAYLIGHT = ((0.80, 0.84, 0.92), (1.04, 1.02, 0.98))  # the left side lies in the shade
_DIVIDER = -1.55  # x of the line between the lanes, metres
_TILE = 512  # pixels of the asphalt's texture
_PER_METRE = 128


def paint_backdrop(camera: Camera, motion: float) -> Pixels:
    """Everything that stands still, (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, 3).

    motion: metres that the lens moves while the shutter is open, for the blur.
    """
    picture = _sky().copy()
    picture[_FIRST:] = _ground(camera)
    for side in (0, 1):
        _fronts(picture, camera, side)
    sharp = np.clip(picture, 0, 255).astype(np.uint8)
    return _streaked(sharp, motion)


def _streaked(picture: Pixels, motion: float) -> Pixels:
    """Blur away from the vanishing point. The blur of a point 12 m away stands for all of them."""
    total = picture.astype(np.float32)
    steps = 3
    for step in range(1, steps + 1):
        zoom = 1 + motion / 12.0 * step / steps
        matrix = np.array([[zoom, 0, CENTRE_X * (1 - zoom)], [0, zoom, HORIZON * (1 - zoom)]])
        size = (picture.shape[1], picture.shape[0])
        total += cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(total / (steps + 1) + 0.5, np.uint8)


_ROWS, _COLUMNS = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
_FIRST = int(HORIZON) + 2


@lru_cache(maxsize=1)
def _sky() -> Floats:
    """Sky with thin clouds and a far skyline; the rows below the horizon are haze."""
    rng = np.random.default_rng(11)
    horizon = int(HORIZON)
    sky = np.empty((_ROWS, _COLUMNS, 3), np.float32)
    sky[:] = _HAZE
    sky[:horizon] = gradient((104, 150, 204), _HAZE, _COLUMNS, horizon)
    clouds = cv2.resize(smooth_noise(rng, 256, 512, 128, 5), (_COLUMNS, horizon * 2), interpolation=cv2.INTER_CUBIC)[
        :horizon
    ]
    cover = np.clip(clouds * 1.1 + 0.12, 0, 1)[..., None] * np.float32(0.75)
    sky[:horizon] += (tint((246, 247, 249)) - sky[:horizon]) * cover
    tops = np.repeat(rng.uniform(8, 46, 44), 30)[:_COLUMNS] + np.repeat(rng.uniform(0, 8, 132), 10)[:_COLUMNS]
    tops = np.asarray(cv2.GaussianBlur(tops.astype(np.float32)[None], (5, 1), 0.8))[0]
    rows = np.arange(_ROWS, dtype=np.float32)[:, None]
    town = np.clip(rows - (horizon - tops) + 0.5, 0, 1) * (rows < horizon + 3)
    sky += (tint((170, 184, 200)) - sky) * (town * np.float32(0.8))[..., None]
    return sky


@lru_cache(maxsize=1)
def _tiles() -> tuple[Floats, Floats]:
    """Grain of asphalt and slower stains, both repeating: (_TILE, _TILE) each."""
    rng = np.random.default_rng(21)
    grain = rng.standard_normal((_TILE, _TILE)).astype(np.float32)
    grain = np.asarray(cv2.GaussianBlur(np.pad(grain, 8, mode="wrap"), (0, 0), 1.1))[8:-8, 8:-8] * 2.4
    return grain + smooth_noise(rng, _TILE, _TILE, 64), smooth_noise(rng, _TILE, _TILE, 128, 5)


def _band(x: Floats, low: float, high: float, footprint: Floats) -> Floats:
    """Share of each pixel that lies between low and high, 0..1; footprint: metres that a pixel covers."""
    return np.clip((x - low) / footprint + 0.5, 0, 1) * np.clip((high - x) / footprint + 0.5, 0, 1)


def _dashes(z: Floats, period: float, length: float, footprint: Floats) -> Floats:
    """Share of each pixel on a dash, fading to the average where pixels are longer than the pattern."""
    offset = np.abs(np.mod(z, period) - period / 2)
    sharp = np.clip((length / 2 - offset) / footprint + 0.5, 0, 1)
    fade = np.clip(footprint / period * 1.5 - 0.5, 0, 1)
    return np.asarray(sharp * (1 - fade) + length / period * fade, np.float32)


def _sampled(tile: Floats, x: Floats, z: Floats, per_metre: float, deep: Floats) -> Floats:
    """A repeating texture on the ground, faded where a pixel covers many of its own."""
    column = np.mod(x * per_metre, _TILE - 1).astype(np.float32)
    row = np.mod(z * per_metre, _TILE - 1).astype(np.float32)
    near = np.clip(2.2 / np.maximum(deep * per_metre, 1e-3), 0, 1)
    return np.asarray(cv2.remap(tile, column, row, cv2.INTER_LINEAR) * near, np.float32)


def _ground(camera: Camera) -> Floats:
    """Rows below the horizon: (rows, columns, 3)."""
    rows = np.arange(_FIRST, _ROWS, dtype=np.float32)[:, None] + 0.5
    columns = np.arange(_COLUMNS, dtype=np.float32)[None] + 0.5
    depth = FOCAL * EYE / (rows - HORIZON)
    x = (columns - CENTRE_X) * depth / FOCAL + camera.x
    z = np.broadcast_to(depth + camera.z, x.shape).astype(np.float32)
    wide = np.broadcast_to(depth / FOCAL, x.shape).astype(np.float32)
    deep = np.broadcast_to(depth**2 / (FOCAL * EYE), x.shape).astype(np.float32)
    grain, stains = _tiles()
    fine = _sampled(grain, x, z, _PER_METRE, deep)
    slow = _sampled(stains, x, z, 36, deep)
    colours = _road(x, z, wide, deep, fine, slow)
    walk = _pavement(x, z, wide, deep, fine, slow)
    outside = 1 - _band(x, _KERB[0], _KERB[1], wide)
    colours += (walk - colours) * outside[..., None]
    fog = (1 - np.exp(-((depth / 150) ** 1.3)))[..., None]
    return np.asarray(colours + (tint(_HAZE) - colours) * fog, np.float32)


def _road(x: Floats, z: Floats, wide: Floats, deep: Floats, fine: Floats, slow: Floats) -> Floats:
    """Asphalt with worn wheel tracks, gutters and white lines."""
    tracks = sum(np.exp(-(((x - middle) / 0.28) ** 2)) for middle in (-0.75, 0.75, -2.6, -4.1))
    level = 104 + 9 * fine + 9 * slow - 7 * np.asarray(tracks)
    level -= 16 * (_band(x, _KERB[0], _KERB[0] + 0.3, wide) + _band(x, _KERB[1] - 0.3, _KERB[1], wide))
    level -= 22 * _band(x, 0.2, 1.3, wide) * _band(z, 24, 29, deep) + 16 * _band(x, -4.6, -3.0, wide) * _band(
        z, 52, 61, deep
    )
    lines = _band(x, _DIVIDER - 0.07, _DIVIDER + 0.07, wide) * _dashes(z, 6.0, 3.0, deep)
    bars = (
        _dashes(x, 1.0, 0.5, wide)
        * _band(z, _ZEBRA[0], _ZEBRA[1], deep)
        * _band(x, _KERB[0] + 0.4, _KERB[1] - 0.4, wide)
    )
    stop = _band(x, _DIVIDER, _KERB[1] - 0.3, wide) * _band(z, _ZEBRA[0] - 1.9, _ZEBRA[0] - 1.5, deep)
    white = np.clip(lines + bars + stop, 0, 1) * np.clip(0.9 + 0.10 * fine + 0.14 * slow, 0, 1)
    colours = level[..., None] * tint((1.0, 1.0, 1.015))
    return np.asarray(colours + (tint((222, 222, 216)) - colours) * white[..., None], np.float32)


def _pavement(x: Floats, z: Floats, wide: Floats, deep: Floats, fine: Floats, slow: Floats) -> Floats:
    """Slabs, with the kerb stone along the road."""
    level = 150 + 5 * fine + 9 * slow
    joints = np.maximum(_dashes(x, 0.6, 0.014, wide), _dashes(z, 0.6, 0.014, deep))
    level = level * (1 - 0.35 * joints)
    kerb = _band(x, _KERB[0] - 0.16, _KERB[0], wide) + _band(x, _KERB[1], _KERB[1] + 0.16, wide)
    level += (186 + 4 * fine - level) * kerb
    face = _band(x, _KERB[0], _KERB[0] + 0.02, wide) + _band(x, _KERB[1], _KERB[1] + 0.09, wide)
    level += (112 - level) * face
    dark = 1 - 0.30 * np.exp(-np.maximum(x - _WALLS[0], 0) / 0.5) - 0.35 * np.exp(-np.maximum(_WALLS[1] - x, 0) / 0.5)
    return np.asarray((level * dark)[..., None] * tint((1.01, 0.99, 0.95)), np.float32)


@lru_cache(maxsize=32)
def _level(side: int, across: int, down: int) -> tuple[Floats, Floats]:
    """One side's fronts with 2**across by 2**down pixels averaged into one."""
    colours, solid = front(3 if side else 8)
    size = (colours.shape[1] >> across, colours.shape[0] >> down)
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return small, np.asarray(cv2.resize(solid, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255)


def _fronts(picture: Floats, camera: Camera, side: int) -> None:
    """Paint the houses of one side: 0 left, 1 right. Every column of the picture shows one depth."""
    offset = _WALLS[side] - camera.x
    columns = np.arange(_COLUMNS, dtype=np.float32) + 0.5
    reach = (columns - CENTRE_X) / offset
    depth = FOCAL / np.maximum(reach, 1e-3)
    seen = (reach > 0) & (depth < 165)
    across = np.clip(np.round(np.log2(np.maximum(GRAIN * depth**2 / (FOCAL * abs(offset)), 1))), 0, 7).astype(int)
    for level in np.unique(across[seen]):
        here = np.flatnonzero(seen & (across == level))
        _strip(picture, camera, side, int(level), slice(int(here[0]), int(here[-1]) + 1), depth)


def _strip(picture: Floats, camera: Camera, side: int, across: int, part: slice, depth: Floats) -> None:
    away = depth[part]
    down = int(np.clip(np.round(np.log2(max(GRAIN * float(away.mean()) / FOCAL, 1))), 0, 4))
    colours, solid = _level(side, across, down)
    rows = np.arange(_ROWS, dtype=np.float32)[:, None] + 0.5
    y = EYE - (rows - HORIZON) * away[None] / FOCAL
    along = np.mod(away + camera.z, LENGTH)
    if side == 1:
        along = LENGTH - along
    per_x, per_y = colours.shape[1] / LENGTH, colours.shape[0] / TALL
    map_x = np.broadcast_to(along * per_x - 0.5, y.shape).astype(np.float32)
    map_y = np.asarray((TALL - y) * per_y - 0.5, np.float32)
    wall = cv2.remap(colours, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.remap(solid, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = mask * np.clip((y + 0.02) * FOCAL / away[None], 0, 1) * (y < TALL)
    wall = np.asarray(wall, np.float32) * tint(_DAYLIGHT[side])
    fog = 1 - np.exp(-((away / 150) ** 1.3))
    wall = wall + (tint(_HAZE) - wall) * fog[None, :, None]
    target = picture[:, part]
    target += (wall - target) * _column(mask)


def _column(mask: npt.NDArray[np.generic]) -> Floats:
    return np.asarray(mask, np.float32)[..., None]
