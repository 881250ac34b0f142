"""Annotated pictures on disk, in our own form or COCO's.

A set that is not of its form is a UsageError that names the file and the place in it; a picture that cannot be used
is a VideoError. Names of pictures never lead out of the folder of their set.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.errors import RefusedError, UnreadableError, UsageError
from dashredact.formats import coco_datasets
from dashredact.kinds import KINDS, Kind
from dashredact.values import Array, Picture

NAME = "annotations.json"
_MOST_PIXELS = 100_000_000
_RATE = "10"  # frames a second of a video set that does not say


@dataclass(frozen=True)
class Image:
    """A picture and what people marked on it, B boxes."""

    path: Path
    file: str
    """its name in the set"""
    width: int
    height: int
    boxes: Array
    """(B, 4) x0 y0 x1 y1, pixels"""
    kinds: NDArray[np.int8]
    """(B,) index into `KINDS`"""
    ignore: NDArray[np.bool_]
    """(B,) true where the box is neither an object nor background"""
    tracks: tuple[str, ...]
    """(B,) the object that a box is of, the same on every frame of its video; empty where the set does not say"""
    video: str | None = None
    frame: int = 0
    time: float = 0.0
    """seconds; of a video's frames only"""


@dataclass(frozen=True)
class Dataset:
    name: str
    labelled: frozenset[Kind]
    """the other kinds say nothing about its pictures"""
    images: tuple[Image, ...]


class _FormError(Exception):
    """Says what is wrong in a file, without its name."""


def read(path: Path) -> list[Dataset]:
    """The set in a folder, those in its sub-folders, or the one of a COCO file, in order of their names."""
    if path.is_file():
        return [_read(path, path.stem)]
    if (path / NAME).is_file():
        return [_read(path / NAME, path.resolve().name)]
    found = sorted(path.glob(f"*/{NAME}"))
    if not found:
        raise UsageError(f"{path} holds no {NAME}, nor does a folder in it; name a folder of pictures or a COCO file.")
    return [_read(file, file.parent.name) for file in found]


def _read(file: Path, name: str) -> Dataset:
    try:
        content = json.loads(file.read_bytes())
        if coco_datasets.looks_like(content):
            content = coco_datasets.to_ours(content)
        if not isinstance(content, dict) or not isinstance(content.get("images"), list):
            raise _FormError('has no list "images"')
        rate = _rate(content.get("rate", _RATE))
        images = tuple(_image(row, f"images[{n}]", file.parent, rate) for n, row in enumerate(content["images"]))
        _check_names(images)
        return Dataset(name, _labelled(content.get("labelled")), images)
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}).") from None
    except (_FormError, coco_datasets.NotOursError) as error:
        raise UsageError(f"{file} {error}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{file} is no JSON; name a folder with {NAME}, or a COCO file.") from None


def _labelled(names: Any) -> frozenset[Kind]:
    if not isinstance(names, list) or not names or not set(map(str, names)) <= set(KINDS):
        raise _FormError(f'needs "labelled", the kinds it was labelled for: a list of {", ".join(KINDS)}')
    return frozenset(map(Kind, names))


def _rate(text: Any) -> Fraction:
    """Frames a second. A pattern first: a Fraction takes exponents that fill the memory."""
    try:
        rate = Fraction(text) if re.fullmatch(r"\d{1,9}([./]\d{1,9})?", str(text)) else Fraction(0)
    except (ZeroDivisionError, TypeError):
        rate = Fraction(0)
    if not rate:
        raise _FormError(f'has the "rate" {text}, which is no number of frames a second, such as "10" or "30000/1001"')
    return rate


def _check_names(images: Sequence[Image]) -> None:
    """Each picture once; the frames of a video of one size, each once, later ones at later times."""
    name, times = Counter(image.file for image in images).most_common(1)[0] if images else ("", 0)
    if times > 1:
        raise _FormError(f"names the picture {name} twice")
    frames = sorted(
        (image.video, image.frame, image.time, image.width, image.height) for image in images if image.video
    )
    for (video, *one), (other, *next_one) in pairwise(frames):
        if video != other:
            continue
        if one[2:] != next_one[2:]:
            raise _FormError(f"has frames of two sizes in the video {video}")
        if one[0] == next_one[0]:
            raise _FormError(f"has frame {one[0]} of the video {video} twice")
        if one[1] >= next_one[1]:
            raise _FormError(f"has frame {next_one[0]} of the video {video} at no later time than the one before")


def _image(row: Any, where: str, folder: Path, rate: Fraction) -> Image:
    if not isinstance(row, dict) or not isinstance(row.get("file"), str) or not row["file"]:
        raise _FormError(f'has no "file" in {where}')
    width, height = (_whole(row.get(side), f'"{side}" of {where}', least=1) for side in ("width", "height"))
    marks = row.get("boxes")
    if not isinstance(marks, list):
        raise _FormError(f'has no list "boxes" in {where}')
    parsed = [_box(mark, f"boxes[{n}] of {where}") for n, mark in enumerate(marks)]
    video, frame, time = _moment(row, where, rate)
    return Image(
        _inside(folder, row["file"]),
        row["file"],
        width,
        height,
        np.array([box for box, _, _ in parsed], np.float64).reshape(-1, 4),
        np.array([kind for _, kind, _ in parsed], np.int8),
        np.array([ignore for _, _, ignore in parsed], np.bool_),
        tuple(_track(mark, f"boxes[{n}] of {where}") for n, mark in enumerate(marks)),
        video,
        frame,
        time,
    )


def _moment(row: Mapping[str, Any], where: str, rate: Fraction) -> tuple[str | None, int, float]:
    """Video, frame and seconds; a picture of no video is at 0."""
    video = row.get("video")
    if video is None:
        return None, 0, 0.0
    if not isinstance(video, str) or not video:
        raise _FormError(f'has no name as "video" of {where}')
    frame = _whole(row.get("frame"), f'"frame" of {where}', least=0)
    time = float(frame / rate) if row.get("time") is None else _number(row["time"], f'"time" of {where}')
    return video, frame, time


def _box(mark: Any, where: str) -> tuple[tuple[float, ...], int, bool]:
    if not isinstance(mark, dict) or mark.get("label") not in KINDS:
        raise _FormError(f'needs one of {", ".join(KINDS)} as "label" in {where}')
    x, y, w, h = (_number(mark.get(side), f'"{side}" of {where}') for side in "xywh")
    if w < 0 or h < 0:
        raise _FormError(f"has a negative width or height in {where}")
    nothing = w == 0 or h == 0  # some tools leave such marks behind: there is nothing to find
    return (x, y, x + w, y + h), KINDS.index(mark["label"]), bool(mark.get("ignore", False)) or nothing


def _track(mark: Mapping[str, Any], where: str) -> str:
    name = mark.get("track")
    if isinstance(name, bool) or not isinstance(name, int | str | None):
        raise _FormError(f'has neither a number nor a name as "track" of {where}')
    return "" if name is None else str(name)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
        raise _FormError(f"has no number as {what}")
    return float(value)


def _whole(value: Any, what: str, least: int) -> int:
    number = _number(value, what)
    if number < least or number != int(number):
        raise _FormError(f"has no whole number from {least} up as {what}")
    return int(number)


def _inside(folder: Path, name: str) -> Path:
    """Where the picture lies: under that name, or in `images`."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise _FormError(f"names a picture outside its folder ({name!r})")
    places = [folder / pure, folder / "images" / pure]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise _FormError(f"names the picture {name}, which is not there")
    return found


def load(image: Image) -> Picture:
    """The decoded picture. RefusedError where it is too large or not of its size, UnreadableError where it is none."""
    if image.width * image.height > _MOST_PIXELS:
        raise RefusedError(f"{image.path} has more than 100 megapixels; scale it down, with its boxes.")
    try:
        content = np.frombuffer(image.path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if len(content) else None
    except OSError as error:
        raise UnreadableError(f"{image.path} cannot be read ({error.strerror}).") from None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise UnreadableError(f"{image.path} is no picture that can be decoded; replace it or leave it out.")
    height, width = pixels.shape[:2]
    if (width, height) != (image.width, image.height):
        raise RefusedError(
            f"{image.path} has {width}x{height} pixels and its annotations say {image.width}x{image.height};"
            " its boxes cannot be trusted."
        )
    return np.asarray(pixels, np.uint8)


def encode(picture: Picture, ending: str) -> bytes:
    """A picture as the content of a file. ending: such as `.png`."""
    return cv2.imencode(ending, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
