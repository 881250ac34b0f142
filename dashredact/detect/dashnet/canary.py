"""The canary: a shipped picture with a known face and a known plate. Read without torch."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dashredact.kinds import Kind
from dashredact.values import Array, Picture

NAME = "canary.json"


@dataclass(frozen=True)
class Canary:
    """A picture on which a detector must detect the known objects."""

    picture: Picture
    kinds: tuple[Kind, ...]
    boxes: Array
    """(N, 4)"""


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
