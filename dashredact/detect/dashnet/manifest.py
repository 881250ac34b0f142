"""The manifest of a weights folder. Read without torch, so that a run that has nothing to do is quick."""

import hashlib
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from dashredact.detect.second_opinion.crops import DETAIL
from dashredact.errors import MachineError
from dashredact.kinds import KINDS, Kind
from dashredact.values import Detections, Detector, ModelIdentity, Picture

NAME = "manifest.json"


@dataclass(frozen=True)
class WeightsFile:
    """A file in the folder of the manifest."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    folder: Path
    weights: WeightsFile
    opinion: WeightsFile | None
    """weights of the second opinion; None: there is none"""
    identity: ModelIdentity
    architecture: dict[str, Any]
    classes: tuple[Kind, ...]
    """of the network's outputs, in their order"""
    long_side: int
    """of the pictures that it takes, in pixels"""
    detail: int
    """up to which it has use for larger ones"""
    thresholds: dict[Kind, float]


def default_folder() -> Path:
    """Beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def read(folder: Path) -> Manifest:
    """The first model of the folder. MachineError if the manifest is missing or invalid."""
    try:
        entry = json.loads((folder / NAME).read_bytes())["models"][0]
        names = entry["classes"]
        if not names or len(set(names)) < len(names) or not set(names) <= set(KINDS):
            raise ValueError(f"its classes are {names} instead of some of {', '.join(KINDS)}, each once")
        classes = tuple(map(Kind, names))
        weights, opinion = _file(entry), _file(entry["opinion"]) if entry.get("opinion") else None
        long_side = int(entry["input"]["long_side"])
        return Manifest(
            folder,
            weights,
            opinion,
            ModelIdentity(entry["name"], _identity(weights, opinion)),
            entry["architecture"],
            classes,
            long_side,
            DETAIL * long_side if opinion else long_side,
            {kind: float(entry["thresholds"][kind]) for kind in classes},
        )
    except OSError as error:
        raise MachineError(f"{error.filename} cannot be read ({error.strerror}); install the weights again.") from None
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise MachineError(
            f"{folder / NAME} does not describe a model of this tool ({error}); install the weights again."
        ) from None


def _file(entry: dict[str, Any]) -> WeightsFile:
    return WeightsFile(str(entry["file"]), str(entry["sha256"]))


def _identity(weights: WeightsFile, opinion: WeightsFile | None) -> str:
    """sha256 of the weights; with a second opinion, over both: either changes what is found."""
    if opinion is None:
        return weights.sha256
    return hashlib.sha256(f"{weights.sha256}\n{opinion.sha256}\n".encode()).hexdigest()


class LazyDetector:
    """A detector that is loaded, and checked with its canary, at the first picture.

    It can be pickled if `load` can. All copies of it in one process share what is loaded.
    """

    def __init__(self, manifest: Manifest, load: Callable[[], Detector], long_side: int | None = None) -> None:
        self.identity, self.thresholds = manifest.identity, manifest.thresholds
        self.long_side = long_side or manifest.long_side
        self.detail = self.long_side * manifest.detail // manifest.long_side
        self._arguments = (manifest, load, long_side)

    def __reduce__(self) -> tuple[Any, ...]:
        return _shared_copy, (pickle.dumps(self._arguments),)

    @cached_property
    def _loaded(self) -> Detector:
        return self._arguments[1]()

    @property
    def batch_size(self) -> int:
        return self._loaded.batch_size

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        return self._loaded(pictures)


@cache
def _shared_copy(arguments: bytes) -> LazyDetector:
    """The same detector for all copies that are unpickled in this process."""
    return LazyDetector(*pickle.loads(arguments))
