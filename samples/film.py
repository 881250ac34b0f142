"""Paints one moment of the story and notes where its faces and plates are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import story
from bodies import Pose
from camera import Camera
from cars import PANE, paint_car
from furniture import NEAREST, paint_lamp, paint_sign, paint_tree
from people import paint_person
from raster import Canvas, Floats
from street import paint_backdrop
from trim import shadow

SHUTTER = 1 / 90
"""Seconds that the shutter stays open."""


@dataclass(frozen=True)
class Found:
    """One face or plate on the canvas."""

    name: str
    kind: str
    box: Floats
    """x0 y0 x1 y1, canvas pixels"""
    tag: int
    """What `Canvas.owner` holds where the object's carrier is painted last."""


@dataclass
class Scene:
    """A canvas and what was painted on it."""

    canvas: Canvas
    found: list[Found] = field(default_factory=list)

    def note(self, name: str, kind: str, box: Floats | None, layer: int = 0) -> None:
        """Remember an object that was just painted."""
        if box is not None:
            self.found.append(Found(name, kind, box, self.canvas.tag + layer))


def paint_moment(t: float) -> Scene:
    """The street at t seconds, before the lens's own faults."""
    camera = story.camera(t)
    scene = Scene(Canvas(paint_backdrop(camera, story.speed(t) * SHUTTER)))
    jobs = [*_standing(scene, camera), *_moving(scene, camera, t)]
    for tag, (_, paint) in enumerate(sorted(jobs, key=lambda job: -job[0]), 1):
        scene.canvas.tag = tag
        paint()
    return scene


Job = tuple[float, Callable[[], None]]


def _standing(scene: Scene, camera: Camera) -> list[Job]:
    """Street furniture within sight, each with its distance."""
    canvas = scene.canvas
    jobs: list[Job] = []
    jobs += [(camera.depth(z), partial(paint_lamp, canvas, camera, x, z)) for x, z in story.LAMPS]
    jobs += [(camera.depth(z), partial(paint_tree, canvas, camera, x, z)) for x, z in story.TREES]
    jobs += [(camera.depth(z), partial(paint_sign, canvas, camera, x, z, number)) for x, z, number in story.SIGNS]
    return [job for job in jobs if NEAREST < job[0] < 90]


def _moving(scene: Scene, camera: Camera, t: float) -> list[Job]:
    """Cars and people within sight, each with its distance."""
    jobs: list[Job] = []
    for driver in story.CARS:
        pose = driver.pose(t)
        middle = camera.depth(pose.z) + driver.car.shape.length / 2
        if -0.5 < middle < 100:
            jobs.append((middle, partial(_car, scene, camera, driver, pose, t)))
    for walker in story.WALKERS:
        away = camera.depth(walker.spot(t)[1])
        if 0.8 < away < 60:
            jobs.append((away, partial(_walker, scene, camera, walker, t)))
    return jobs


def _car(scene: Scene, camera: Camera, driver: story.Driver, pose: Pose, t: float) -> None:
    painted = paint_car(scene.canvas, camera, driver.car, pose, driver.brakes(t))
    scene.note(driver.name, "plate", painted.plate)
    scene.note(driver.name, "face", painted.face, PANE)


def _walker(scene: Scene, camera: Camera, walker: story.Walker, t: float) -> None:
    box = paint_person(scene.canvas, camera, walker.look, walker.spot(t), walker.step(t), shadow())
    scene.note(walker.name, "face", box)


def visible(scene: Scene) -> list[Found]:
    """What is in view: at least half of the box belongs to the object's carrier, the last painted there."""
    return [
        item for item in scene.found if np.all(np.isfinite(item.box)) and scene.canvas.share(item.box, item.tag) >= 0.5
    ]
