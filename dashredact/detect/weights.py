"""A weights file and everything that belongs to it: the network, its manifest, its canary."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load

from dashredact.detect import manifest
from dashredact.detect.network import DashNet
from dashredact.errors import MachineError
from dashredact.values import KINDS, Array, Kind, Picture

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
    manifest: manifest.Manifest
    network: DashNet
    """as it was trained: not folded, float32"""
    canary: Canary


def read(folder: Path) -> Weights:
    """The first model of a weights folder. MachineError where a file is missing, changed or of another form."""
    described = manifest.read(folder)
    path = folder / described.file
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != described.identity.sha256:
            raise MachineError(f"{path} is not the file that its manifest describes; install it again.")
        network = DashNet(**described.architecture, classes=len(KINDS))
        network.load_state_dict(load(content))
        return Weights(described, network.eval(), _canary(folder))
    except OSError as error:
        raise MachineError(f"{error.filename} cannot be read ({error.strerror}); install the weights again.") from None
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise MachineError(f"The weights in {folder} cannot be used ({error}); install them again.") from None


def _canary(folder: Path) -> Canary:
    described = json.loads((folder / CANARY).read_bytes())
    content = np.frombuffer((folder / described["file"]).read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{described['file']} is no picture")
    kinds = tuple(Kind(item["kind"]) for item in described["objects"])
    boxes = np.array([item["box"] for item in described["objects"]], np.float64)
    return Canary(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8), kinds, boxes)
