"""Makes videos out of labelled pictures: the camera pans, zooms and shakes over each, and its boxes move along.

Nobody has labelled every frame of real drives for us; these measure what linking makes of the detector's misses.
Frames go into a folder as a set of videos that `dashredact evaluate` reads.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from .augment import warp
from .data import CLASSES, Floats, Picture, Role, load

_ZOOM = (1.0, 1.5)
_SHAKE = 3.0  # pixels, standard deviation of a hand or a road
_SEEN = 0.5  # share of an object that must be in view to count as labelled
_RATE = 15


def path(frames: int, size: tuple[int, int], rng: np.random.Generator) -> Iterator[Floats]:
    """(2, 3) affine maps from a picture of width x height to each frame of the same size."""
    extent = np.array(size, np.float64)
    start, end = rng.permuted(rng.uniform(*_ZOOM, 2))
    zooms = np.linspace(start, end, frames)
    focus = np.linspace(rng.uniform(0, 1, 2), rng.uniform(0, 1, 2), frames)
    shake = gaussian_filter1d(rng.normal(0, _SHAKE * 2, (frames, 2)), 1.0, axis=0)
    for zoom, point, jolt in zip(zooms, focus, shake, strict=True):
        corner = np.clip(point * (zoom - 1) * extent + jolt, 0, (zoom - 1) * extent)
        yield np.array([[zoom, 0, -corner[0]], [0, zoom, -corner[1]]], np.float32)


def rows(picture: Picture, matrix: Floats, label: int) -> list[dict[str, Any]]:
    """The boxes of a class on one frame; what is cut to less than half, or doubtful anyway, is ignored."""
    height, width = picture.pixels.shape[:2]
    found = []
    for track, (box, kind, role) in enumerate(
        zip(picture.objects.boxes, picture.objects.labels, picture.objects.roles, strict=True)
    ):
        moved = box * matrix[0, 0] + np.tile(matrix[:, 2], 2)
        seen = moved.clip(0, [width, height, width, height])
        sides, whole = seen[2:] - seen[:2], float((moved[2:] - moved[:2]).prod())
        if kind == label and role != Role.CLUTTER and sides.min() > 0:
            doubtful = bool(role == Role.IGNORED or float(sides.prod()) < _SEEN * whole)
            x, y, w, h = (round(float(value), 1) for value in (*seen[:2], *sides))
            found.append({"label": CLASSES[kind], "x": x, "y": y, "w": w, "h": h, "ignore": doubtful, "track": track})
    return found


def video(name: str, picture: Picture, frames: int, out: Path, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Write the frames of one video and give their entries in the annotation file."""
    height, width = picture.pixels.shape[:2]
    for number, matrix in enumerate(path(frames, (width, height), rng)):
        file = f"images/{name}-{number:03}.jpg"
        view: NDArray[np.uint8] = warp(picture.pixels, matrix, width, height)
        cv2.imwrite(str(out / file), cv2.cvtColor(view, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
        labels = [label for label in range(len(CLASSES)) if picture.complete[label]]
        boxes = [row for label in labels for row in rows(picture, matrix, label)]
        yield {"file": file, "width": width, "height": height, "video": name, "frame": number, "boxes": boxes}


def _usable(picture: Picture) -> bool:
    """It shows an object, and what is not marked on it is nothing."""
    return any(picture.complete) and bool((picture.objects.roles == Role.OBJECT).any())


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the new sets.")
@click.option("--frames", default=40, show_default=True, help="Frames a video.")
@click.option("--most", default=12, show_default=True, help="Videos a set.")
@click.option("--seed", default=1, show_default=True, help="Of the camera's paths.")
def main(data: Path, out: Path, frames: int, most: int, seed: int) -> None:
    """Make moving sets of the pictures held out."""
    rng = np.random.default_rng(seed)
    pictures = [picture for picture in load(data) if picture.held_out and _usable(picture)]
    for name in sorted({picture.dataset for picture in pictures}):
        own = [picture for picture in pictures if picture.dataset == name][:most]
        folder = out / f"moving-{name}"
        (folder / "images").mkdir(parents=True, exist_ok=True)
        entries = [entry for number, one in enumerate(own) for entry in video(f"{number:03}", one, frames, folder, rng)]
        labelled = [label for label, known in zip(CLASSES, own[0].complete, strict=True) if known]
        content = {"source": {"made_from": name}, "labelled": labelled, "rate": str(_RATE), "images": entries}
        (folder / "annotations.json").write_text(json.dumps(content))
        click.echo(f"{folder}: {len(own)} videos of {frames} frames")


if __name__ == "__main__":
    main()
