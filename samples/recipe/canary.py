"""One small picture with one clear face and one clear plate: a detector that misses them is broken."""

from typing import Any

import numpy as np

from . import story
from .bodies import Pose
from .camera import Camera
from .cars import paint_car
from .people import paint_person
from .raster import Canvas, Floats, Pixels
from .street import paint_backdrop

_VIEW = (490, 168, 1130, 552)
"""x0 y0 x1 y1 of the picture on the canvas, pixels: 640 x 384."""


def draw_canary() -> tuple[Pixels, list[dict[str, Any]]]:
    """The picture (384, 640, 3), RGB, and the kind and box (x0 y0 x1 y1, pixels) of each of its two objects."""
    camera = Camera(0.0, 41.0)
    canvas = Canvas(paint_backdrop(camera, 0.0))
    plate = paint_car(canvas, camera, story.CARS[0].car, Pose(0.05, camera.z + 5.2)).plate
    face = paint_person(canvas, camera, story.WALKERS[2].appearance, (0.92, camera.z + 2.75), step=-1)
    x0, y0, x1, y1 = _VIEW
    picture = canvas.rgb[y0:y1, x0:x1].astype(np.float32)
    picture += np.random.default_rng(1).standard_normal(picture.shape, np.float32) * np.float32(1.5)
    boxes = {"face": face, "plate": plate}
    objects = [{"kind": kind, "box": _shifted(box)} for kind, box in boxes.items() if box is not None]
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), objects


def _shifted(box: Floats) -> list[float]:
    """The box in the picture's own pixels, to one decimal."""
    return [round(float(side) - origin, 1) for side, origin in zip(box, _VIEW[:2] * 2, strict=True)]
