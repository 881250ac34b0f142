"""Makes training canvases: one to six crops of different pictures packed side by side, with their boxes.

Most crops sit around an object scaled to a size drawn evenly in octaves, so small faces are as common as large ones.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.detect.dashnet.network import PAD_VALUE

from .data import CLASSES, Floats, Objects, Picture, Pixels, Role, join
from .drawn import repaint
from .photometric import degrade, relight, soften

CANVAS = (384, 640)
"""height, width in pixels"""

MIN_SIDE = 6.0
"""Objects whose longer side is shorter are not asked for, in pixels of the network input."""

_SIZES = ((8.0, 260.0), (12.0, 480.0))  # longer side per class, pixels: plates are wide, so their range is shifted
_SCALES = (0.12, 2.2)
_LEAST_FILL = 0.7  # share of a crop's width or height that a shrunken picture still fills: padding teaches nothing
_RANDOM_SHARE, _CLUTTER_SHARE = 0.22, 0.12
_COVERED_SHARE = 0.8  # crops moved to show as little padding as possible
_CROPS = 6

Tile = tuple[int, int, int, int]
"""x, y, width, height on the canvas"""

Points = NDArray[np.float64]
"""(2,) x, y"""


class Sampler:
    """Draws pictures so that classes are even and sets count by the square root of their size."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._all = _by_set(pictures)
        self._holding = [
            _by_set([picture for picture in pictures if picture.objects.trusted(label).any()])
            for label in range(len(CLASSES))
        ]
        self._cluttered = _by_set([picture for picture in pictures if (picture.objects.roles == Role.CLUTTER).any()])

    def any(self, rng: np.random.Generator) -> Picture:
        return _draw(self._all, rng)

    def holding(self, label: int, rng: np.random.Generator) -> Picture:
        """A picture with at least one trusted object of the class."""
        return _draw(self._holding[label], rng)

    def cluttered(self, rng: np.random.Generator) -> Picture:
        """A picture with something that was taken for an object."""
        return _draw(self._cluttered, rng)


def _by_set(pictures: Sequence[Picture]) -> list[list[Picture]]:
    names = sorted({picture.dataset for picture in pictures})
    return [[picture for picture in pictures if picture.dataset == name] for name in names]


def _draw(groups: list[list[Picture]], rng: np.random.Generator) -> Picture:
    weights = np.sqrt([len(group) for group in groups])
    group = groups[rng.choice(len(groups), p=weights / weights.sum())]
    return group[rng.integers(len(group))]


def canvas(sampler: Sampler, rng: np.random.Generator) -> tuple[Pixels, Objects]:
    """One training example: pixels (*CANVAS, 3) and its boxes, in canvas pixels."""
    pixels = np.empty((*CANVAS, 3), np.uint8)
    parts = []
    for tile in tiles(int(rng.integers(1, _CROPS + 1)), rng):
        x, y, width, height = tile
        crop, objects = _crop(sampler, width, height, rng)
        pixels[y : y + height, x : x + width] = soften(relight(crop, rng), rng)
        parts.append(Objects(objects.boxes + _floats(x, y, x, y), objects.labels, objects.roles))
    return degrade(pixels, rng), join(parts)


def tiles(count: int, rng: np.random.Generator) -> list[Tile]:
    """Cut the canvas into count tiles by halving the largest one, roughly, along its longer side."""
    result: list[Tile] = [(0, 0, CANVAS[1], CANVAS[0])]
    while len(result) < count:
        result.sort(key=lambda tile: tile[2] * tile[3])
        result += _split(result.pop(), rng.uniform(0.35, 0.65))
    return result


def _split(tile: Tile, share: float) -> list[Tile]:
    x, y, width, height = tile
    if width >= height:
        cut = int(width * share)
        return [(x, y, cut, height), (x + cut, y, width - cut, height)]
    cut = int(height * share)
    return [(x, y, width, cut), (x, y + cut, width, height - cut)]


def _crop(sampler: Sampler, width: int, height: int, rng: np.random.Generator) -> tuple[Pixels, Objects]:
    """width x height pixels of some picture, with the boxes seen there."""
    draw = rng.random()
    if draw < _RANDOM_SHARE:
        picture = sampler.any(rng)
        matrix = _anywhere(picture, width, height, rng)
    elif draw < _RANDOM_SHARE + _CLUTTER_SHARE:
        picture = sampler.cluttered(rng)
        matrix = _around_one(picture, picture.objects.of(Role.CLUTTER).boxes, _SIZES[0], (width, height), rng)
    else:
        label = int(rng.integers(len(CLASSES)))
        picture = sampler.holding(label, rng)
        boxes = picture.objects.boxes[picture.objects.trusted(label)]
        matrix = _around_one(picture, boxes, _SIZES[label], (width, height), rng)
    return repaint(warp(picture.pixels, matrix, width, height), place(picture, matrix, width, height), rng)


def _anywhere(picture: Picture, width: int, height: int, rng: np.random.Generator) -> Floats:
    scale = float(np.exp(rng.uniform(np.log(0.35), np.log(1.4))))
    focus = rng.random(2) * picture.pixels.shape[1::-1]
    return _matrix(picture, focus, np.array([width, height]) / 2, scale, size=(width, height), rng=rng)


def _around_one(
    picture: Picture, boxes: Floats, sides: tuple[float, float], size: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """One of the boxes lands anywhere on the crop where it fits, its longer side drawn log-uniformly from sides."""
    box = boxes[rng.integers(len(boxes))]
    side = max(float((box[2:] - box[:2]).max()), 1.0)
    wanted = float(np.exp(rng.uniform(*np.log(sides))))
    fill = _LEAST_FILL * max(size[0] / picture.pixels.shape[1], size[1] / picture.pixels.shape[0])
    scale = float(np.clip(wanted / side, max(_SCALES[0], min(fill, 0.6)), _SCALES[1]))
    half = np.minimum((box[2:] - box[:2]) * scale / 2, np.array(size) / 2)
    target = rng.uniform(half, np.array(size) - half)
    return _matrix(picture, (box[:2] + box[2:]) / 2, target, scale, size=size, rng=rng)


def _matrix(
    picture: Picture, source: Points, target: Points, scale: float, *, size: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """(2, 3) affine map that brings source near target with a random flip, turn and aspect at about the scale."""
    angle = np.deg2rad(rng.uniform(-8, 8)) if rng.random() < 0.5 else 0.0
    stretch, mirrored = np.exp(rng.uniform(-0.075, 0.075)), rng.random() < 0.5
    extent = np.array(picture.pixels.shape[1::-1], np.float64)
    scales = np.array([scale * stretch, scale / stretch])
    if rng.random() < _COVERED_SHARE:
        seen = np.array([extent[0] - source[0], source[1]]) if mirrored else source
        target = scales * seen + _cover(target - scales * seen, scales * extent, np.array(size, np.float64))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag(scales * [-1.0 if mirrored else 1.0, 1.0])
    return np.column_stack((linear, target - linear @ source)).astype(np.float32)


def _cover(offset: Points, extent: Points, size: Points) -> Points:
    """Move a picture of the extent at the offset so that it leaves as little of the crop empty as it can."""
    slack = size - extent
    return np.clip(offset, np.minimum(slack, 0), np.maximum(slack, 0))


def warp(pixels: Pixels, matrix: Floats, width: int, height: int) -> Pixels:
    """Apply a (2, 3) affine map; what lies outside the picture is padding. Shrinks by area first: no aliasing."""
    left, top, right, bottom = _window(matrix, width, height, pixels)
    if right <= left or bottom <= top:
        return np.full((height, width, 3), PAD_VALUE, np.uint8)
    cut, origin, shrink = pixels[top:bottom, left:right], _floats(left, top), _floats(1, 1)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.75:
        small = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        shrink = _floats(small[0] / (right - left), small[1] / (bottom - top))
        cut = np.asarray(cv2.resize(cut, small, interpolation=cv2.INTER_AREA), np.uint8)
    linear = matrix[:, :2] / shrink
    shift = matrix[:, 2] + matrix[:, :2] @ origin + linear.sum(1) / 2 - 0.5  # OpenCV counts from pixel centres
    full = np.column_stack((linear, shift)).astype(np.float32)
    padding = (PAD_VALUE, PAD_VALUE, PAD_VALUE)
    return np.asarray(cv2.warpAffine(cut, full, (width, height), borderValue=padding), np.uint8)


def _window(matrix: Floats, width: int, height: int, pixels: Pixels) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the source pixels that the crop can show."""
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float32)
    seen = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    left, top = np.maximum(np.floor(seen.min(0)) - 2, 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(seen.max(0)) + 2, pixels.shape[1::-1]).astype(int).tolist()
    return left, top, right, bottom


def place(picture: Picture, matrix: Floats, width: int, height: int) -> Objects:
    """The picture's boxes on a crop of width x height, and an ignored box over it for a class not marked in full."""
    seen = _clip(_move(picture.objects, matrix), width, height)
    silent = np.flatnonzero(~np.array(picture.complete))
    whole = np.tile(_floats(0, 0, width, height), (len(silent), 1))
    return join([seen, Objects(whole, silent.astype(np.int64), np.full(len(silent), Role.IGNORED, np.int8))])


def _move(objects: Objects, matrix: Floats) -> Objects:
    """Map the boxes: a face as an ellipse, a plate as a rectangle, each within its upright box."""
    half = (objects.boxes[:, 2:] - objects.boxes[:, :2]) / 2
    centre = (objects.boxes[:, 2:] + objects.boxes[:, :2]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    ellipse = np.sqrt(half**2 @ (matrix[:, :2] ** 2).T)
    rectangle = half @ np.abs(matrix[:, :2]).T
    reach = np.where((objects.labels == CLASSES.index("face"))[:, None], ellipse, rectangle)
    boxes = np.concatenate((centre - reach, centre + reach), 1).astype(np.float32)
    return Objects(boxes, objects.labels, objects.roles)


def _clip(objects: Objects, width: int, height: int) -> Objects:
    """Cut boxes at the crop's edge. Less than half left, or too small to tell: ignored. Nothing left: gone."""
    boxes = objects.boxes.clip(0, _floats(width, height, width, height))
    whole, sides = (objects.boxes[:, 2:] - objects.boxes[:, :2]).prod(1), boxes[:, 2:] - boxes[:, :2]
    doubtful = (sides.prod(1) < 0.5 * whole) | (sides.max(1, initial=0) < MIN_SIDE)
    roles = np.where(doubtful & (objects.roles == Role.OBJECT), np.int8(Role.IGNORED), objects.roles)
    return Objects(boxes, objects.labels, roles).select(sides.min(1, initial=np.inf) > 0)


def _floats(*values: float) -> Floats:
    return np.array(values, np.float32)
