"""Annotated pictures on disk, in our own format or COCO's.

A malformed set is a UsageError that names the file and what in it is wrong; a picture that cannot be used is a
VideoError. Names of pictures never lead out of the folder of their set.
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
from dashredact.formats import coco_datasets, validation
from dashredact.formats.validation import FormatError
from dashredact.kinds import KINDS, Kind
from dashredact.values import Array, Picture

NAME = "annotations.json"
_MAX_PIXELS = 100_000_000
_RATE = "10"  # frames per second of a video whose set does not say


@dataclass(frozen=True)
class Image:
    """A picture and its annotations, B boxes."""

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
    """kinds it was labelled for; of the others nothing is known"""
    images: tuple[Image, ...]


def read(path: Path) -> list[Dataset]:
    """The set in a folder, the sets in its subfolders in order of their names, or the set of one file."""
    if path.is_file():
        return [_read(path, path.stem)]
    if (path / NAME).is_file():
        return [_read(path / NAME, path.resolve().name)]
    sets = sorted(path.glob(f"*/{NAME}"))
    if not sets:
        raise UsageError(f"{path} holds no {NAME}, nor does a folder in it; name a folder of pictures or a COCO file.")
    return [_read(file, file.parent.name) for file in sets]


def _read(file: Path, name: str) -> Dataset:
    try:
        content = json.loads(file.read_bytes())
        if coco_datasets.looks_like(content):
            content = coco_datasets.to_annotations(content)
        rows = validation.tables(content if isinstance(content, dict) else {}, "images")
        rate = _rate(content.get("rate", _RATE))
        images = tuple(_image(row, where, file.parent, rate) for where, row in rows)
        _check_names(images)
        return Dataset(name, labelled_kinds(content.get("labelled")), images)
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}).") from None
    except FormatError as error:
        raise UsageError(f"{file} {error}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{file} is not JSON; name a folder with {NAME}, or a COCO file.") from None


def labelled_kinds(names: Any) -> frozenset[Kind]:
    if not isinstance(names, list) or not names or not set(map(str, names)) <= set(KINDS):
        raise FormatError(f'needs "labelled", the kinds it was labelled for: a list of {", ".join(KINDS)}')
    return frozenset(map(Kind, names))


def _rate(text: Any) -> Fraction:
    """Frames per second. A pattern first: a Fraction takes exponents that fill the memory."""
    try:
        rate = Fraction(text) if re.fullmatch(r"\d{1,9}([./]\d{1,9})?", str(text)) else Fraction(0)
    except (ZeroDivisionError, TypeError):
        rate = Fraction(0)
    if not rate:
        raise FormatError(f'has the "rate" {text}, which must be frames per second, such as "10" or "30000/1001"')
    return rate


def _check_names(images: Sequence[Image]) -> None:
    """Each picture once; the frames of a video of one size, each once, later ones at later times."""
    name, count = Counter(image.file for image in images).most_common(1)[0] if images else ("", 0)
    if count > 1:
        raise FormatError(f"names the picture {name} twice")
    frames = sorted(
        (image.video, image.frame, image.time, image.width, image.height) for image in images if image.video
    )
    for (video, *one), (other, *next_one) in pairwise(frames):
        if video != other:
            continue
        if one[2:] != next_one[2:]:
            raise FormatError(f"has frames of two sizes in the video {video}")
        if one[0] == next_one[0]:
            raise FormatError(f"has frame {one[0]} of the video {video} twice")
        if one[1] >= next_one[1]:
            raise FormatError(f"has frame {next_one[0]} of the video {video} at no later time than the one before")


def _image(row: Mapping[str, Any], where: str, folder: Path, rate: Fraction) -> Image:
    name = validation.text(row.get("file"), f'"file" of {where}')
    width, height = (whole(row.get(side), f'"{side}" of {where}', least=1) for side in ("width", "height"))
    boxes = list(validation.tables(row, "boxes", where))
    parsed = [marked_box(one, path) for path, one in boxes]
    video, frame, time = _moment(row, where, rate)
    return Image(
        _inside(folder, name),
        name,
        width,
        height,
        np.array([corners for corners, _, _ in parsed], np.float64).reshape(-1, 4),
        np.array([kind for _, kind, _ in parsed], np.int8),
        np.array([ignore for _, _, ignore in parsed], np.bool_),
        tuple(track_name(one, path) for path, one in boxes),
        video,
        frame,
        time,
    )


def _moment(row: Mapping[str, Any], where: str, rate: Fraction) -> tuple[str | None, int, float]:
    """Video, frame and seconds; a picture of no video is at 0."""
    video = row.get("video")
    if video is None:
        return None, 0, 0.0
    video = validation.text(video, f'"video" of {where}')
    frame = whole(row.get("frame"), f'"frame" of {where}', least=0)
    time = float(frame / rate) if row.get("time") is None else _number(row["time"], f'"time" of {where}')
    return video, frame, time


def marked_box(box: Mapping[str, Any], where: str) -> tuple[tuple[float, ...], int, bool]:
    """x0 y0 x1 y1, index into `KINDS`, and whether it is ignored."""
    if box.get("label") not in KINDS:
        raise FormatError(f'needs one of {", ".join(KINDS)} as "label" of {where}')
    x, y, w, h = (_number(box.get(side), f'"{side}" of {where}') for side in "xywh")
    if w < 0 or h < 0:
        raise FormatError(f"has a negative width or height in {where}")
    empty = w == 0 or h == 0  # some tools leave such boxes behind: there is nothing to find
    return (x, y, x + w, y + h), KINDS.index(box["label"]), bool(box.get("ignore", False)) or empty


def track_name(box: Mapping[str, Any], where: str) -> str:
    name = box.get("track")
    if isinstance(name, bool) or not isinstance(name, int | str | None):
        raise FormatError(f'needs a number or a name as "track" of {where}')
    return "" if name is None else str(name)


def _number(value: Any, what: str) -> float:
    """Unlike `validation.number` no text, and times of day since 1970 fit."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
        raise FormatError(f"needs a number as {what}")
    return float(value)


def whole(value: Any, what: str, least: int) -> int:
    number = _number(value, what)
    if number < least or number != int(number):
        raise FormatError(f"needs a whole number of at least {least} as {what}")
    return int(number)


def _inside(folder: Path, name: str) -> Path:
    """Path of the picture: under that name, or in `images`."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise FormatError(f"names a picture outside its folder ({name!r})")
    path = next((path for path in (folder / pure, folder / "images" / pure) if path.is_file()), None)
    if path is None:
        raise FormatError(f"names the picture {name}, which does not exist")
    return path


def load(image: Image) -> Picture:
    """The decoded picture. RefusedError where it is too large or its size differs from the annotations',
    UnreadableError where it cannot be decoded.
    """
    if image.width * image.height > _MAX_PIXELS:
        raise RefusedError(f"{image.path} has more than 100 megapixels; scale it down, with its boxes.")
    try:
        content = np.frombuffer(image.path.read_bytes(), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if len(content) else None
    except OSError as error:
        raise UnreadableError(f"{image.path} cannot be read ({error.strerror}).") from None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise UnreadableError(f"{image.path} cannot be decoded as a picture; replace it or leave it out.")
    height, width = pixels.shape[:2]
    if (width, height) != (image.width, image.height):
        raise RefusedError(
            f"{image.path} has {width}x{height} pixels and its annotations say {image.width}x{image.height};"
            " its boxes cannot be trusted."
        )
    return np.asarray(pixels, np.uint8)


def encode(picture: Picture, suffix: str) -> bytes:
    """A picture as the content of a file. suffix: of its format, such as `.png`."""
    return cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
