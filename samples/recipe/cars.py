"""Whole cars: shadow, shell, wheels, windows, panels and the licence plate."""

from dataclasses import dataclass

import numpy as np

from . import trim
from .bodies import Pose, Shape, half_width, paint_shell
from .camera import Camera, bounds
from .people import HEAD_SIZE, face_box, head_texture
from .plates import Plate
from .raster import Canvas, Colour, Floats, Pixels, paint_quad

PANE = 1000
"""Added to a car's tag where its windscreen is, so that the driver stays behind it."""

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Car:
    """What a car looks like."""

    shape: Shape
    colour: Colour
    plate: Plate
    plate_y: float = 0.62
    """height of the plate's middle, metres"""
    driver: bool = False


@dataclass(frozen=True)
class PaintedCar:
    """Boxes of a car's objects, pixels x0 y0 x1 y1; None where they face away."""

    plate: Floats | None
    face: Floats | None


@dataclass(frozen=True)
class _Brush:
    """Paints textures onto parts of one car."""

    canvas: Canvas
    camera: Camera
    car: Car
    pose: Pose

    def quad(self, texture: Pixels, corners: list[Point], clipped: bool = False, opacity: float = 1.0) -> Floats | None:
        """Paint a texture with its corners, clockwise from top left, at points of the car; None if it faces away.

        clipped: only onto the car's own pixels, so that flat panels do not stick out of the round shell.
        """
        street = self.pose.to_street(corners, self.car.shape.length)
        if street[:, 2].min() - self.camera.z < 0.6:
            return None
        flat = self.camera.project(street)
        if not _clockwise(flat):
            return None
        paint_quad(self.canvas, texture, flat, opacity, clipped)
        return flat


def _clockwise(quad: Floats) -> bool:
    x, y = quad[:, 0], quad[:, 1]
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) > 0


def paint_car(canvas: Canvas, camera: Camera, car: Car, pose: Pose, brake: bool = False) -> PaintedCar:
    """Paint a car; returns where its plate and its driver's face are."""
    brush = _Brush(canvas, camera, car, pose)
    length, half = car.shape.length, car.shape.width / 2
    owner, canvas.tag = canvas.tag, 0
    _ground(brush, half + 0.22, length)
    canvas.tag = owner
    _tyres(brush)
    if not pose.towards:
        _mirrors(brush)
    paint_shell(canvas, camera, car.shape, pose, car.colour)
    for side in (-1, 1):
        _flank(brush, side)
    if pose.towards:
        _mirrors(brush)
    plate, face = _rear(brush, brake), None
    if pose.towards:
        plate, face = _front(brush)
    return PaintedCar(plate, face)


def _ground(brush: _Brush, half: float, length: float) -> None:
    corners: list[Point] = [
        (-half, 0.0, length + 0.2),
        (half, 0.0, length + 0.2),
        (half, 0.0, -0.25),
        (-half, 0.0, -0.25),
    ]
    street = brush.pose.to_street(corners, length)
    street[:, 2] = np.maximum(street[:, 2], brush.camera.z + 0.7)
    paint_quad(brush.canvas, trim.shadow(), brush.camera.project(street))


def _tyres(brush: _Brush) -> None:
    """The ends of the tyres below the bumper."""
    half = brush.car.shape.width / 2
    flip = brush.pose.towards
    z = brush.car.shape.wheels[1] + 0.28 if flip else brush.car.shape.wheels[0] - 0.28
    for side in (-1, 1):
        outer, inner = side * (half - 0.03), side * (half - 0.23)
        left, right = (outer, inner) if (side < 0) != flip else (inner, outer)
        brush.quad(trim.tyre(), [(left, 0.36, z), (right, 0.36, z), (right, 0.0, z), (left, 0.0, z)])


def _flank(brush: _Brush, side: int) -> None:
    """Wheels, window and door seams of one side: -1 left, 1 right."""
    shape = brush.car.shape
    x, ends = side * (shape.width / 2 + 0.004), -side
    for axle in shape.wheels:
        back, front = axle - ends * 0.345, axle + ends * 0.345
        brush.quad(trim.wheel(), [(x, 0.675, front), (x, 0.675, back), (x, -0.015, back), (x, -0.015, front)])
    dark = np.full((4, 4, 4), (9, 9, 10, 150), np.uint8)
    low, high = (min(z for z, y in shape.top if y > 1.3), max(z for z, y in shape.top if y > 1.3))
    for z in (low + 0.42, (low + high) / 2 + 0.12, high + 0.28):
        brush.quad(
            dark,
            [
                (x, 0.95, z + ends * 0.008),
                (x, 0.95, z - ends * 0.008),
                (x, 0.36, z - ends * 0.008),
                (x, 0.36, z + ends * 0.008),
            ],
        )
    for first, last in ((low + 0.02, (low + high) / 2 + 0.06), ((low + high) / 2 + 0.16, high + 0.34)):
        _side_window(brush, side, first, last, high)


def _mirrors(brush: _Brush) -> None:
    """The two wing mirrors' housings."""
    shape = brush.car.shape
    z = max(z for z, y in shape.top if y > 1.3) + 0.3
    out = -1 if brush.pose.towards else 1
    for side in (-1, 1):
        inner, outer = side * (shape.width / 2 - 0.05), side * (shape.width / 2 + 0.17)
        left, right = sorted((inner, outer), key=lambda x: x * out)
        brush.quad(
            trim.mirror(brush.car.colour), [(left, 1.07, z), (right, 1.07, z), (right, 0.92, z), (left, 0.92, z)]
        )


def _side_window(brush: _Brush, side: int, first: float, last: float, high: float) -> None:
    """A pane between z = first and last, its top edge a little shorter than its sill where the roof falls."""
    shape = brush.car.shape
    sill = float(np.interp((first + last) / 2, (0, shape.length), shape.belt)) + 0.035
    top_first, top_last = first + (0.22 if first < high - 1.2 else 0.0), min(last, high + 0.02)
    head = min(shape.roof(top_first + 0.05), shape.roof(top_last)) - 0.10
    low_x, top_x = half_width(shape, sill, first) + 0.012, half_width(shape, head, first) + 0.012
    corners: list[Point] = [
        (side * top_x, head, top_first),
        (side * top_x, head, top_last),
        (side * low_x, sill, last),
        (side * low_x, sill, first),
    ]
    if side < 0:
        corners = [corners[1], corners[0], corners[3], corners[2]]
    brush.quad(trim.glass("side", 3), corners)


def _slope(shape: Shape, lower: float, upper: float, inset: float) -> list[Point]:
    """Corners of a window that leans between z = lower and upper, seen from the lower end."""
    low, high = shape.roof(lower) + 0.03, shape.roof(upper) + 0.015
    bottom = half_width(shape, low, lower) - inset
    top = half_width(shape, high, upper) - inset * 1.1
    return [(-top, high, upper), (top, high, upper), (bottom, low, lower), (-bottom, low, lower)]


def _rear(brush: _Brush, brake: bool) -> Floats | None:
    car, half = brush.car, brush.car.shape.width / 2
    sill = car.shape.belt[0]
    steep = next(z for z, y in car.shape.top if y > sill + 0.3)
    foot = [z for z, y in car.shape.top if y <= 1.05 and z < steep][-1]
    brush.quad(trim.glass("rear", 4), _slope(car.shape, foot + 0.03, steep - 0.02, 0.10))
    share = (sill - 0.02 - car.plate_y) / (sill - 0.02 - 0.24)
    x, z = half * 0.93, -0.085
    panel: list[Point] = [(-x, sill - 0.02, z), (x, sill - 0.02, z), (x, 0.24, z), (-x, 0.24, z)]
    brush.quad(trim.rear_panel(brake, share, car.shape.length > 4.5), panel, clipped=True)
    return _plate(brush, 1, z - 0.025)


def _front(brush: _Brush) -> tuple[Floats | None, Floats | None]:
    car, half, length = brush.car, brush.car.shape.width / 2, brush.car.shape.length
    highest = [z for z, y in car.shape.top if y > 1.3][-1]
    foot = next(z for z, y in car.shape.top if z > highest)
    screen = [(-x, y, z) for x, y, z in _slope(car.shape, foot + 0.02, highest + 0.02, 0.07)]
    tag, brush.canvas.tag = brush.canvas.tag, brush.canvas.tag + PANE
    pane = brush.quad(trim.glass("front", 5), screen)
    face = None if pane is None or not car.driver else _driver(brush, highest + 0.12)
    brush.canvas.tag = tag
    x, top, z = half * 0.93, 0.82, length + 0.09
    brush.quad(trim.front_panel(), [(x, top, z), (-x, top, z), (-x, 0.22, z), (x, 0.22, z)], clipped=True)
    return _plate(brush, -1, z + 0.03), face


def _plate(brush: _Brush, side: int, z: float) -> Floats | None:
    width, height = brush.car.plate.size
    x, low, high = side * width / 2, brush.car.plate_y - height / 2, brush.car.plate_y + height / 2
    quad = brush.quad(brush.car.plate.texture(), [(-x, high, z), (x, high, z), (x, low, z), (-x, low, z)])
    return None if quad is None else bounds(quad)


def _driver(brush: _Brush, z: float) -> Floats | None:
    """Seat a driver upright behind the windscreen, dimmed as through glass; returns the face's box, pixels."""
    width, height = HEAD_SIZE
    x, chin = -0.33, 1.04
    coat = np.full((4, 4, 4), (52, 58, 74, 255), np.uint8)
    brush.quad(
        coat,
        [(x + 0.22, chin + 0.05, z), (x - 0.22, chin + 0.05, z), (x - 0.22, 1.0, z), (x + 0.22, 1.0, z)],
        clipped=True,
    )
    left, right, top = x + width / 2, x - width / 2, chin + height
    corners: list[Point] = [(left, top, z), (right, top, z), (right, chin, z), (left, chin, z)]
    flat = brush.quad(head_texture(light=1.06), corners, clipped=True, opacity=0.96)
    return None if flat is None else face_box(flat, False)
