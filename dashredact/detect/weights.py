"""A weights file and everything that belongs to it: architecture, classes, input rule, thresholds, canary."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load

from dashredact.detect.network import DashNet
from dashredact.errors import MachineError
from dashredact.values import KINDS, Array, Kind, ModelIdentity, Picture

MANIFEST = "manifest.json"
CANARY = "canary.json"


@dataclass(frozen=True)
class Canary:
    """A picture in which the detector must find what is known to be there."""

    picture: Picture
    kinds: tuple[Kind, ...]
    boxes: Array
    """(N, 4)"""


@dataclass(frozen=True)
class Weights:
    """A network as it was trained, not folded, float32."""

    identity: ModelIdentity
    network: DashNet
    long_side: int
    """pixels that the longer side of a picture should have"""
    thresholds: dict[Kind, float]
    canary: Canary


def default_folder() -> Path:
    """Beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def read(folder: Path) -> Weights:
    """The first model of a weights folder. MachineError where a file is missing, changed or of another form."""
    try:
        entry = json.loads((folder / MANIFEST).read_bytes())["models"][0]
        content = (folder / entry["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise MachineError(f"{folder / entry['file']} is not the file its manifest describes; install it again.")
        network = _network(entry, content)
        thresholds = {Kind(name): float(score) for name, score in entry["thresholds"].items()}
        canary = _canary(folder)
    except OSError as error:
        raise MachineError(f"The weights are incomplete: {error.filename} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, IndexError, RuntimeError, SafetensorError) as error:
        raise MachineError(f"The weights in {folder} cannot be used ({error}); install them again.") from None
    return Weights(
        ModelIdentity(entry["name"], entry["sha256"]), network, int(entry["input"]["long_side"]), thresholds, canary
    )


def _network(entry: dict[str, Any], content: bytes) -> DashNet:
    if tuple(entry["classes"]) != KINDS:
        raise ValueError(f"its classes are {entry['classes']} instead of {list(KINDS)}")
    network = DashNet(**entry["architecture"], classes=len(KINDS))
    network.load_state_dict(load(content))
    return network.eval()


def _canary(folder: Path) -> Canary:
    described = json.loads((folder / CANARY).read_bytes())
    content = np.frombuffer((folder / described["file"]).read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{described['file']} is no picture")
    kinds = tuple(Kind(item["kind"]) for item in described["objects"])
    boxes = np.array([item["box"] for item in described["objects"]], np.float64)
    return Canary(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8), kinds, boxes)
