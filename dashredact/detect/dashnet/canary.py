"""The canary: a shipped picture with a known face and a known plate. Read without torch."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dashredact.errors import MachineError
from dashredact.imaging.boxes import iou
from dashredact.kinds import KINDS, Kind
from dashredact.values import Array, Detections, Detector, Picture

NAME = "canary.json"
_OVERLAP = 0.4


@dataclass(frozen=True)
class Canary:
    """A picture on which a detector must detect the known objects."""

    picture: Picture
    kinds: tuple[Kind, ...]
    boxes: Array
    """(N, 4)"""


def scores(canary: Canary, detections: Detections) -> list[float]:
    """For each known object, the best score of a detection on it; 0 if there is none."""
    overlap = iou(canary.boxes, detections.boxes.astype(np.float64))
    found = []
    for row, kind in zip(overlap, canary.kinds, strict=True):
        on_it = (row >= _OVERLAP) & (detections.kinds == KINDS.index(kind))
        found.append(float(detections.scores[on_it].max(initial=0.0)))
    return found


def check(canary: Canary, detector: Detector, where: str) -> None:
    """MachineError if a known object is not detected: a detector that silently finds nothing must not start.

    where: what it runs on.
    """
    for kind, score in zip(canary.kinds, scores(canary, detector([canary.picture])[0]), strict=True):
        if score < detector.thresholds[kind]:
            raise MachineError(
                f"The detector {detector.identity.name} does not detect a known {kind} on {where} (score {score:.2f})"
                " and cannot be trusted there; use another --device or other weights."
            )


def read(folder: Path) -> Canary:
    """OSError, ValueError, KeyError or TypeError if it is missing or invalid."""
    described = json.loads((folder / NAME).read_bytes())
    content = np.frombuffer((folder / described["file"]).read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{described['file']} is not a picture")
    kinds = tuple(Kind(item["kind"]) for item in described["objects"])
    boxes = np.array([item["box"] for item in described["objects"]], np.float64)
    return Canary(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8), kinds, boxes)
