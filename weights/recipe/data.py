"""Reads the annotated sets: every picture is decoded once and kept in memory with its boxes.

A set is a folder with `annotations.json` and the pictures it names. Boxes marked `ignore` are neither objects nor
background; a class that a set is not labelled for says nothing about its pictures. `corrections.json` beside this file
adds what people looked up later: plates that a set left unmarked, things that only look like
plates, and pictures that show nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Objects:
    """B annotated boxes of one picture or canvas."""

    boxes: Floats
    """(B, 4) x0 y0 x1 y1, pixels"""
    labels: NDArray[np.int64]
    """(B,) index into `CLASSES`"""
    ignore: NDArray[np.bool_]
    """(B,) true where the box is neither an object nor background"""

    def select(self, mask: NDArray[np.bool_]) -> "Objects":
        return Objects(self.boxes[mask], self.labels[mask], self.ignore[mask])

    def trusted(self, label: int) -> NDArray[np.bool_]:
        """(B,) true for the objects of a class that carry a label to learn from."""
        own: NDArray[np.bool_] = self.labels == label
        return own & ~self.ignore


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture, its longer side at most the limit given to `load`."""

    dataset: str
    file: str
    pixels: Pixels
    """(H, W, 3) RGB"""
    objects: Objects
    labelled: tuple[bool, ...]
    """per class: whether a picture without a box of it has none"""
    clutter: Floats
    """(M, 4) what an earlier network took for an object, and is none"""

    @property
    def held_out(self) -> bool:
        return held_out(self.dataset, self.file)


class Entry(NamedTuple):
    """One picture of an annotation file, not yet decoded."""

    folder: Path
    row: dict[str, Any]
    labelled: tuple[bool, ...]
    corrections: list[list[Any]]
    """label, x0, y0, x1, y1, verdict"""


def held_out(dataset: str, file: str) -> bool:
    """Whether a picture is for measuring only: a fixed share of each set, chosen by a hash of the name."""
    digest = hashlib.sha256(f"{dataset}/{file}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HOLD_OUT * 2**32


def join(parts: list[Objects]) -> Objects:
    """All boxes of several lists, in order."""
    return Objects(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.ignore for part in parts]),
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
        later, left_out = corrections["sets"].get(name, {}), corrections["left_out"].get(name, [])
        for entry in (row for row in content["images"] if row["file"] not in left_out):
            yield Entry(root / name, entry, labelled, later.get(entry["file"], []))


def _picture(entry: Entry, long_side: int) -> Picture:
    path = entry.folder / entry.row["file"]
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise click.FileError(str(path), "not a readable picture")
    scale = min(1.0, long_side / max(pixels.shape[:2]))
    unit = scale * pixels.shape[1] / entry.row["width"]
    later = [row for row in entry.corrections if row[5] != "clutter"]
    objects = join([_objects(entry.row["boxes"], unit), _corrected(later, unit)])
    clutter = _corrected([row for row in entry.corrections if row[5] == "clutter"], unit).boxes
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Picture(entry.folder.name, entry.row["file"], np.asarray(pixels, np.uint8), objects, entry.labelled, clutter)


def _corrected(rows: list[list[Any]], scale: float) -> Objects:
    return Objects(
        np.array([row[1:5] for row in rows], np.float32).reshape(-1, 4) * np.float32(scale),
        np.array([CLASSES.index(row[0]) for row in rows], np.int64),
        np.array([row[5] == "ignore" for row in rows], np.bool_),
    )


def _objects(rows: list[dict[str, Any]], scale: float) -> Objects:
    corners = [(row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"]) for row in rows]
    return Objects(
        np.array(corners, np.float32).reshape(-1, 4) * np.float32(scale),
        np.array([CLASSES.index(row["label"]) for row in rows], np.int64),
        np.array([bool(row.get("ignore", False)) for row in rows], np.bool_),
    )
