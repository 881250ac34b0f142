"""Pedestrians: drawn bodies that walk or stand, with the photographed head of scikit-image's astronaut picture."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from skimage import data

from .camera import Camera, bounds, on_ground, upright
from .raster import Canvas, Colour, Floats, Pixels, paint_quad, premultiply, tint
from .trim import shadow

_HEAD = (136, 2, 314, 206)
"""x0 y0 x1 y1 of the head in the astronaut picture, pixels."""

_FACE = (180, 68, 272, 185)
"""x0 y0 x1 y1 of the face, hairline to chin, in the same pixels."""

_HEAD_SCALE = 0.00168  # metres per pixel of the astronaut picture
HEAD_SIZE = ((_HEAD[2] - _HEAD[0]) * _HEAD_SCALE, (_HEAD[3] - _HEAD[1]) * _HEAD_SCALE)
"""Width and height of the head's texture, metres."""

_GRAIN = 250  # pixels of a body texture per metre
_COAT = (
    (0.76, 0.205),
    (0.90, 0.20),
    (1.06, 0.178),
    (1.25, 0.19),
    (1.35, 0.195),
    (1.405, 0.165),
    (1.45, 0.09),
    (1.465, 0.06),
)
"""Height and half width of a jacket, metres."""

_BODY = (1.10, 1.62)  # width and height of a body texture, metres


@dataclass(frozen=True)
class Appearance:
    """What tells one person from the next."""

    jacket: Colour
    trousers: Colour
    shirt: Colour = (225, 222, 214)
    mirrored: bool = False
    light: float = 1.0
    """brightness of the face"""
    hair: Colour | None = None
    """colour to blend into the hair"""


def _astronaut() -> Pixels:
    """The 512 x 512 RGB photograph."""
    return np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1)
def _outline() -> Floats:
    """Mask (512, 512), 0..1, of head and neck, by GrabCut inside ellipses."""
    photo = _astronaut()
    marks = np.full(photo.shape[:2], cv2.GC_BGD, np.uint8)
    for label, grow in ((cv2.GC_PR_FGD, 1.0), (cv2.GC_FGD, 0.78)):
        cv2.ellipse(marks, (227, 74), (round(79 * grow), round(64 * grow)), 0, 0, 360, int(label), -1)
        cv2.ellipse(marks, (225, 124), (round(57 * grow), round(78 * grow)), 0, 0, 360, int(label), -1)
    cv2.setRNGSeed(7)
    cv2.grabCut(
        photo[:, :, ::-1].copy(), marks, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK
    )
    kept = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    kept = np.asarray(cv2.morphologyEx(kept, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    soft = np.asarray(cv2.GaussianBlur(kept.astype(np.float32), (0, 0), 1.6), np.float32)
    return np.asarray(np.clip(soft * 1.3 - 0.25, 0, 1), np.float32)


@lru_cache(maxsize=16)
def head_texture(mirrored: bool = False, light: float = 1.0, hair: Colour | None = None) -> Pixels:
    """RGBA picture of the head."""
    x0, y0, x1, y1 = _HEAD
    rgb = _astronaut()[y0:y1, x0:x1].astype(np.float32)
    if hair is not None:
        rgb += (tint(hair) * (rgb.mean(2, keepdims=True) / 110) - rgb) * _hairiness(rgb)[..., None]
    rgb = np.clip(rgb * light, 0, 255)
    texture = premultiply(rgb, _outline()[y0:y1, x0:x1])
    return np.ascontiguousarray(texture[:, ::-1]) if mirrored else texture


def _hairiness(rgb: Floats) -> Floats:
    """Mask (H, W), 0..1: outside the face's ellipse, where the head is hair."""
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]].astype(np.float32)
    reach = np.hypot((x - (226 - _HEAD[0])) / 48, (y - (134 - _HEAD[1])) / 62)
    return np.asarray(cv2.GaussianBlur(np.clip((reach - 0.95) * 6, 0, 1), (0, 0), 3) * 0.9, np.float32)


def _face_in_head(mirrored: bool) -> Floats:
    """x0 y0 x1 y1 of the face within the head's texture, as shares of its width and height."""
    x0, y0, x1, y1 = _HEAD
    left, right = (_FACE[0] - x0) / (x1 - x0), (_FACE[2] - x0) / (x1 - x0)
    if mirrored:
        left, right = 1 - right, 1 - left
    return np.array([left, (_FACE[1] - y0) / (y1 - y0), right, (_FACE[3] - y0) / (y1 - y0)], np.float32)


def _limb(body: Floats, ends: tuple[float, float, float, float], radii: tuple[float, float], colour: Colour) -> None:
    """Paint a shaded capsule into (H, W, 4), alpha 0..1, in place.

    ends: x0 y0 x1 y1, metres, y up, x from the middle. radii: at the two ends, metres.
    """
    height, width = body.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x + 0.5) / _GRAIN - _BODY[0] / 2, (height - y - 0.5) / _GRAIN
    run = np.array([ends[2] - ends[0], ends[3] - ends[1]], np.float32)
    along = np.clip(((x - ends[0]) * run[0] + (y - ends[1]) * run[1]) / max(float(run @ run), 1e-6), 0, 1)
    off_x, off_y = x - ends[0] - along * run[0], y - ends[1] - along * run[1]
    radius = radii[0] + (radii[1] - radii[0]) * along
    distance = np.hypot(off_x, off_y)
    rise = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
    light = 0.50 + 0.42 * rise + 0.20 * off_x / radius + 0.12 * off_y / radius
    mask = np.clip((radius - distance) * _GRAIN + 0.5, 0, 1)[..., None]
    shade = tint(colour) * light[..., None]
    body[..., :3] += (shade - body[..., :3]) * mask
    body[..., 3:] = np.maximum(body[..., 3:], mask)


def _torso(body: Floats, profile: tuple[tuple[float, float], ...], colour: Colour) -> None:
    """Paint a shaded trunk into (H, W, 4), in place. profile: (height, half width), metres, from low to high."""
    height, width = body.shape[:2]
    y = (height - np.arange(height, dtype=np.float32)[:, None] - 0.5) / _GRAIN
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) / _GRAIN - _BODY[0] / 2
    levels, halves = zip(*profile, strict=True)
    half = np.interp(y, levels, halves)
    half = np.asarray(cv2.GaussianBlur(half, (1, 9), 2.0), np.float32)
    inside = np.clip((y - levels[0]) * _GRAIN + 0.5, 0, 1) * np.clip((levels[-1] - y) * _GRAIN + 0.5, 0, 1)
    mask = (np.clip((half - np.abs(x)) * _GRAIN + 0.5, 0, 1) * inside)[..., None]
    rise = np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1))
    light = 0.52 + 0.38 * rise + 0.16 * x / half + 0.25 * (y - 1.15)
    body[..., :3] += (tint(colour) * light[..., None] - body[..., :3]) * mask
    body[..., 3:] = np.maximum(body[..., 3:], mask)


@lru_cache(maxsize=64)
def body_texture(appearance: Appearance, step: int) -> Pixels:
    """RGBA picture of a body without its head; step: 0..23 through a walk, -1 standing."""
    body = np.zeros((round(_BODY[1] * _GRAIN), round(_BODY[0] * _GRAIN), 4), np.float32)
    swing = 0.0 if step < 0 else float(np.sin(2 * np.pi * step / 24))
    for side in (-1, 1):
        lift = max(0.0, swing * side)
        foot, knee = 0.05 + 0.13 * lift, 0.50 + 0.05 * lift
        _limb(body, (side * 0.10, foot, side * 0.115, foot - 0.012), (0.05, 0.052), (38, 34, 34))
        _limb(
            body,
            (side * 0.095, knee, side * 0.10, foot + 0.06),
            (0.075, 0.055),
            _dimmed(appearance.trousers, 1 - 0.25 * lift),
        )
        _limb(body, (side * 0.09, 0.90, side * 0.095, knee), (0.105, 0.078), appearance.trousers)
    _torso(body, ((1.34, 0.075), (1.50, 0.062), (1.58, 0.058)), (172, 126, 102))
    _torso(body, ((1.30, 0.16), (1.44, 0.08), (1.50, 0.056), (1.515, 0.05)), appearance.shirt)
    for side in (-1, 1):
        reach = 0.05 * swing * side
        elbow, hand = (side * 0.245, 1.11 + reach * 0.4), (side * 0.232, 0.86 + reach)
        _limb(body, (*hand, hand[0], hand[1] - 0.05), (0.038, 0.032), (190, 142, 116))
        _limb(body, (*elbow, *hand), (0.056, 0.045), _dimmed(appearance.jacket, 0.92))
        _limb(body, (side * 0.165, 1.355, *elbow), (0.056, 0.054), _dimmed(appearance.jacket, 0.97))
    _torso(body, _COAT, appearance.jacket)
    for side in (-1, 1):
        _limb(body, (side * 0.062, 1.45, side * 0.012, 1.23), (0.016, 0.01), _dimmed(appearance.jacket, 0.72))
    _limb(body, (0, 1.46, 0, 1.25), (0.05, 0.006), appearance.shirt)
    _limb(body, (0, 1.25, 0, 0.80), (0.0045, 0.0045), _dimmed(appearance.jacket, 0.55))
    return premultiply(body[..., :3] * _weave(body.shape[0], body.shape[1]), body[..., 3])


def _weave(height: int, width: int) -> Floats:
    """Folds and threads of cloth, (H, W, 1) about 1."""
    rng = np.random.default_rng(5)
    folds = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 7)
    threads = rng.standard_normal((height, width)).astype(np.float32)
    return np.asarray(1 + folds * 1.6 + threads * 0.03, np.float32)[..., None]


def _dimmed(colour: Colour, share: float) -> Colour:
    return round(colour[0] * share), round(colour[1] * share), round(colour[2] * share)


def paint_person(
    canvas: Canvas, camera: Camera, appearance: Appearance, position: tuple[float, float], step: int
) -> Floats:
    """Paint a person at x, z metres; returns the box of the face, pixels. step: as of `body_texture`."""
    x, z = position
    bob = 0.0 if step < 0 else 0.018 * float(np.cos(4 * np.pi * step / 24))
    owner, canvas.tag = canvas.tag, 0
    paint_quad(canvas, shadow(), camera.project(on_ground(x - 0.35, x + 0.45, z - 0.2, z + 0.5)), 0.7)
    canvas.tag = owner
    half, top = _BODY[0] / 2, _BODY[1] + bob
    paint_quad(canvas, body_texture(appearance, step), camera.project(upright(x - half, x + half, 0.0, top, z)))
    width, height = HEAD_SIZE
    chin = 1.445 + bob
    corners = camera.project(upright(x - width / 2, x + width / 2, chin, chin + height, z))
    paint_quad(canvas, head_texture(appearance.mirrored, appearance.light, appearance.hair), corners)
    return face_box(corners, appearance.mirrored)


def face_box(corners: Floats, mirrored: bool) -> Floats:
    """x0 y0 x1 y1 of the face, pixels, of a head painted into an upright rectangle."""
    x0, y0, x1, y1 = bounds(corners)
    return np.array([x0, y0, x0, y0], np.float32) + _face_in_head(mirrored) * np.array(
        [x1 - x0, y1 - y0] * 2, np.float32
    )
