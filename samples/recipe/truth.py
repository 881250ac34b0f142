"""Ground truth: where every face and plate of the clip is, frame by frame."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .camera import HEIGHT, WIDTH
from .raster import Floats


@dataclass
class _Object:
    kind: str
    text: str | None
    """of a plate"""
    boxes: dict[int, list[float]] = field(default_factory=dict)
    """by frame number: x0 y0 x1 y1, pixels, to one decimal"""


class GroundTruth:
    """Collects the objects of the frames as they are painted."""

    def __init__(self, texts: dict[str, str]) -> None:
        """texts: of the plates, by the name of their car."""
        self._texts = texts
        self._objects: dict[str, _Object] = {}

    def add(self, name: str, kind: str, frame: int, box: Floats) -> None:
        """Record a box (x0 y0 x1 y1, pixels) unless more than half of it is outside the picture."""
        inside = np.clip(box, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
        area, kept = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, inside))
        if kept < 0.5 * area or area <= 0:
            return
        text = self._texts[name] if kind == "plate" else None
        entry = self._objects.setdefault(f"{name}-{kind}", _Object(kind, text))
        entry.boxes[frame] = [round(float(side), 1) for side in inside]

    def to_json(self, file: str, frames: int) -> dict[str, Any]:
        """file: name of the clip. frames: how many it has."""
        objects = [_to_json(name, entry) for name, entry in self._objects.items()]
        return {"file": file, "width": WIDTH, "height": HEIGHT, "frames": frames, "objects": objects}


def _to_json(name: str, entry: _Object) -> dict[str, Any]:
    boxes = {str(frame): box for frame, box in entry.boxes.items()}
    text = {} if entry.text is None else {"text": entry.text}
    return {"id": name, "kind": entry.kind, "boxes": boxes, **text}
