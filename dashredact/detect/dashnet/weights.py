"""Loads a weights folder: the network, its manifest and its canary."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load

from dashredact.detect.dashnet import canary, manifest
from dashredact.detect.dashnet.canary import Canary
from dashredact.detect.dashnet.network import DashNet
from dashredact.errors import MachineError


@dataclass(frozen=True)
class Weights:
    manifest: manifest.Manifest
    network: DashNet
    """as trained: float32, BatchNorm not folded"""
    canary: Canary


def read(folder: Path) -> Weights:
    """The first model of a weights folder. MachineError if a file is missing, changed or invalid."""
    described = manifest.read(folder)
    path = folder / described.weights.name
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != described.weights.sha256:
            raise MachineError(f"{path} is not the file that its manifest describes; install it again.")
        network = DashNet(**described.architecture, classes=len(described.classes))
        network.load_state_dict(load(content))
        shown = canary.read(folder)
        if set(shown.kinds) != set(described.classes):
            classes = ", ".join(described.classes)
            raise ValueError(f"the canary shows {', '.join(shown.kinds)}, and the classes are {classes}")
        return Weights(described, network.eval(), shown)
    except OSError as error:
        raise MachineError(f"{error.filename} cannot be read ({error.strerror}); install the weights again.") from None
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise MachineError(f"The weights in {folder} cannot be used ({error}); install them again.") from None
