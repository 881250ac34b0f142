"""Reads the annotated sets: every picture is decoded once and kept in memory with its boxes.

A set is a folder with `annotations.json` and the pictures it names. Boxes marked `ignore` are neither objects nor
background; a class that a set is not labelled for says nothing about its pictures, and in one that is `partial` only
what is marked says something. `corrections.json` beside this file adds what people looked up later: plates that a set
left unmarked, things that only look like plates, and pictures that show nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
from numpy.typing import NDArray

CLASSES = ("face", "plate")
LONG_SIDE = 1280
CORRECTIONS = Path(__file__).with_name("corrections.json")
HOLD_OUT = 0.08
ASIDE = frozenset({"faces-india", "faces-street-fashion", "plates-dashcam2", "plates-malaysia", "plates-us"})
"""Sets that nothing is learned from: other cameras, other countries, other photographers than those of training."""

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Role(IntEnum):
    """What a marked box is good for."""

    OBJECT = 0
    IGNORED = 1
    """neither an object nor background"""
    CLUTTER = 2
    """background for certain, though an earlier network took it for an object of the class"""


@dataclass(frozen=True, slots=True)
class Objects:
    """B annotated boxes of one picture or canvas."""

    boxes: Floats
    """(B, 4) x0 y0 x1 y1, pixels"""
    labels: NDArray[np.int64]
    """(B,) index into `CLASSES`"""
    roles: NDArray[np.int8]
    """(B,) of `Role`"""

    def select(self, mask: NDArray[np.bool_]) -> "Objects":
        return Objects(self.boxes[mask], self.labels[mask], self.roles[mask])

    def of(self, role: Role) -> "Objects":
        return self.select(self.roles == role)

    def trusted(self, label: int) -> NDArray[np.bool_]:
        """(B,) true for the objects of a class that carry a label to learn from."""
        own = self.labels == label
        return np.asarray(own & (self.roles == Role.OBJECT), np.bool_)


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture, its longer side at most the limit given to `load`."""

    dataset: str
    file: str
    pixels: Pixels
    """(H, W, 3) RGB"""
    objects: Objects
    labelled: tuple[bool, ...]
    """per class: whether the set marks it"""
    complete: tuple[bool, ...]
    """per class: whether a place without a box of it has none"""

    @property
    def held_out(self) -> bool:
        return held_out(self.dataset, self.file)


class Entry(NamedTuple):
    """One picture of an annotation file, not yet decoded."""

    folder: Path
    row: dict[str, Any]
    labelled: tuple[bool, ...]
    complete: tuple[bool, ...]
    corrections: list[list[Any]]
    """label, x0, y0, x1, y1, verdict"""


def held_out(dataset: str, file: str) -> bool:
    """Whether a picture is for measuring only: whole sets, and a share of each other one by a hash of the name."""
    if dataset in ASIDE:
        return True
    digest = hashlib.sha256(f"{dataset}/{file}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HOLD_OUT * 2**32


def join(parts: list[Objects]) -> Objects:
    """All boxes of several lists, in order."""
    return Objects(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.roles for part in parts]),
    )


def load(root: Path, long_side: int = LONG_SIDE) -> list[Picture]:
    """Decode the pictures of every set below root, sets and pictures in a fixed order."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda entry: _picture(entry, long_side), _entries(root)))


def annotations(root: Path) -> dict[str, dict[str, Any]]:
    """The annotation files below root by set name, as read."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(root.glob("*/annotations.json"))}


def _entries(root: Path) -> Iterator[Entry]:
    corrections = json.loads(CORRECTIONS.read_text())
    for name, content in annotations(root).items():
        known = corrections["labelled"].get(name, content["labelled"])
        labelled = tuple(label in known for label in CLASSES)
        complete = tuple(label in known and label not in content.get("partial", []) for label in CLASSES)
        later, left_out = corrections["sets"].get(name, {}), corrections["left_out"].get(name, [])
        for entry in (row for row in content["images"] if row["file"] not in left_out):
            yield Entry(root / name, entry, labelled, complete, later.get(entry["file"], []))


def _picture(entry: Entry, long_side: int) -> Picture:
    path = entry.folder / entry.row["file"]
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise click.FileError(str(path), "not a readable picture")
    scale = min(1.0, long_side / max(pixels.shape[:2]))
    unit = scale * pixels.shape[1] / entry.row["width"]
    marked = [*entry.row["boxes"], *map(_clutter, entry.row.get("background", []))]
    later = _corrected(entry.corrections, unit)
    objects = join([_standing(_objects(marked, unit), later), later])
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    content = np.asarray(pixels, np.uint8)
    return Picture(entry.folder.name, entry.row["file"], content, objects, entry.labelled, entry.complete)


def _standing(marked: Objects, later: Objects) -> Objects:
    """Without the objects that turned out to be clutter."""
    wrong = later.of(Role.CLUTTER)
    same = (marked.labels[:, None] == wrong.labels) & (np.abs(marked.boxes[:, None] - wrong.boxes).max(-1) < _SAME)
    return marked.select(~same.any(1))


_SAME = 1.0  # pixels
_VERDICTS = {"object": Role.OBJECT, "ignore": Role.IGNORED, "clutter": Role.CLUTTER}


def _clutter(box: list[float]) -> dict[str, Any]:
    """An entry for a box that was looked at one by one and is no plate."""
    return {**dict(zip("xywh", box, strict=True)), "label": "plate", "role": Role.CLUTTER}


def _corrected(rows: list[list[Any]], scale: float) -> Objects:
    return Objects(
        np.array([row[1:5] for row in rows], np.float32).reshape(-1, 4) * np.float32(scale),
        np.array([CLASSES.index(row[0]) for row in rows], np.int64),
        np.array([_VERDICTS[row[5]] for row in rows], np.int8),
    )


def _objects(rows: list[dict[str, Any]], scale: float) -> Objects:
    corners = [(row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"]) for row in rows]
    return Objects(
        np.array(corners, np.float32).reshape(-1, 4) * np.float32(scale),
        np.array([CLASSES.index(row["label"]) for row in rows], np.int64),
        np.array([row.get("role", Role.IGNORED if row.get("ignore") else Role.OBJECT) for row in rows], np.int8),
    )
