"""Paints the street at one moment, and records where its faces and plates are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from . import story
from .bodies import Pose
from .camera import Camera
from .cars import PANE, paint_car
from .furniture import NEAREST, paint_lamp, paint_sign, paint_tree
from .people import paint_person
from .raster import Canvas, Floats
from .street import paint_backdrop

SHUTTER = 1 / 90
"""Seconds that the shutter stays open."""


@dataclass(frozen=True)
class PaintedObject:
    """A face or plate on the canvas."""

    name: str
    kind: str
    box: Floats
    """x0 y0 x1 y1, canvas pixels"""
    tag: int
    """what `Canvas.owner` holds where the person or car with the object was painted last"""


@dataclass
class Scene:
    """A canvas and what was painted on it."""

    canvas: Canvas
    objects: list[PaintedObject] = field(default_factory=list)

    def add(self, name: str, kind: str, box: Floats | None, layer: int = 0) -> None:
        """Record an object that was just painted; None: it faces away."""
        if box is not None:
            self.objects.append(PaintedObject(name, kind, box, self.canvas.tag + layer))


def paint_scene(t: float) -> Scene:
    """The street at t seconds, before the lens's own faults."""
    camera = story.camera(t)
    scene = Scene(Canvas(paint_backdrop(camera, story.speed(t) * SHUTTER)))
    tasks = [*_furniture(scene, camera), *_traffic(scene, camera, t)]
    for tag, (_, paint) in enumerate(sorted(tasks, key=lambda task: -task[0]), 1):
        scene.canvas.tag = tag
        paint()
    return scene


PaintTask = tuple[float, Callable[[], None]]
"""Distance from the lens, metres, and what paints the thing."""


def _furniture(scene: Scene, camera: Camera) -> list[PaintTask]:
    """Lamps, trees and signs within sight."""
    canvas = scene.canvas
    tasks: list[PaintTask] = []
    tasks += [(camera.depth(z), partial(paint_lamp, canvas, camera, x, z)) for x, z in story.LAMPS]
    tasks += [(camera.depth(z), partial(paint_tree, canvas, camera, x, z)) for x, z in story.TREES]
    tasks += [(camera.depth(z), partial(paint_sign, canvas, camera, x, z, number)) for x, z, number in story.SIGNS]
    return [task for task in tasks if NEAREST < task[0] < 90]


def _traffic(scene: Scene, camera: Camera, t: float) -> list[PaintTask]:
    """Cars and people within sight."""
    tasks: list[PaintTask] = []
    for driver in story.CARS:
        pose = driver.pose(t)
        middle = camera.depth(pose.z) + driver.car.shape.length / 2
        if -0.5 < middle < 100:
            tasks.append((middle, partial(_car, scene, camera, driver, pose, t)))
    for walker in story.WALKERS:
        away = camera.depth(walker.position(t)[1])
        if 0.8 < away < 60:
            tasks.append((away, partial(_walker, scene, camera, walker, t)))
    return tasks


def _car(scene: Scene, camera: Camera, driver: story.Driver, pose: Pose, t: float) -> None:
    painted = paint_car(scene.canvas, camera, driver.car, pose, driver.brakes(t))
    scene.add(driver.name, "plate", painted.plate)
    scene.add(driver.name, "face", painted.face, PANE)


def _walker(scene: Scene, camera: Camera, walker: story.Walker, t: float) -> None:
    box = paint_person(scene.canvas, camera, walker.appearance, walker.position(t), walker.step(t))
    scene.add(walker.name, "face", box)


def visible(scene: Scene) -> list[PaintedObject]:
    """Objects in view: the person or car with the object was painted last over at least half of its box."""
    return [
        item
        for item in scene.objects
        if np.all(np.isfinite(item.box)) and scene.canvas.share_owned(item.box, item.tag) >= 0.5
    ]
