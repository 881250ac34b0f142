"""Tracks in the formats of other tools (docs/exchange.md). A UsageError names the file and what in it cannot be read.

Every format is read strictly and for one video, whose size and frames are known: a misread box is a face not masked.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from dashredact import files
from dashredact.errors import UsageError
from dashredact.formats import coco, coco_datasets, cvat, mot, tracks_json
from dashredact.formats.rows import Canvas, check_size
from dashredact.formats.tracks_json import TracksFile
from dashredact.formats.validation import FormatError
from dashredact.kinds import KINDS, Kind
from dashredact.settings import BoxFile
from dashredact.text import plural
from dashredact.values import Track

__all__ = ["Canvas", "TracksFormat", "read", "write"]


class TracksFormat(StrEnum):
    JSON = "json"
    """our own, `NAME.tracks.json`"""
    COCO = "coco"
    CVAT = "cvat"
    MOT = "mot"
    """coordinates from 1, as the challenge has it"""
    MOT0 = "mot0"
    """coordinates from 0, as CVAT and Datumaro have it"""

    @property
    def description(self) -> str:
        """With what tells it from its neighbour."""
        return f"{self} (coordinates from {_CORNER[self]})" if self in _CORNER else str(self)


_ENCODE = {TracksFormat.JSON: tracks_json.encode_file, TracksFormat.COCO: coco.encode, TracksFormat.CVAT: cvat.encode}
_CORNER = {TracksFormat.MOT: 1, TracksFormat.MOT0: 0}
_SUFFIXES = {
    TracksFormat.JSON: ".tracks.json",
    TracksFormat.COCO: ".coco.json",
    TracksFormat.CVAT: ".xml",
    TracksFormat.MOT: ".txt",
    TracksFormat.MOT0: ".txt",
}


def read(path: Path, canvas: Canvas, format: TracksFormat | None = None) -> Sequence[Track]:
    """Zones first, then in order of their first frame. format: None for `format_of` the content."""
    format = format or format_of(path)
    try:
        if format is TracksFormat.JSON:
            return _tracks(tracks_json.read(path), canvas)
        if format is TracksFormat.CVAT:
            return cvat.read(tracks_json.content(path), canvas)
        if format is TracksFormat.COCO:
            return coco.read(_json(path), canvas)
        return mot.read(_text(path), _labels(path), canvas, _CORNER[format])
    except FormatError as error:
        raise UsageError(f"{path} {error}.") from None


def _tracks(file: TracksFile, canvas: Canvas) -> Sequence[Track]:
    check_size(*file.size, canvas, "width and height")
    if len(file.pts) != canvas.frames:
        raise FormatError(f"is for a video of {plural(len(file.pts), 'frame')}, and the video has {canvas.frames}")
    return file.tracks


def _json(path: Path) -> dict[str, object]:
    try:
        document = json.loads(tracks_json.content(path))
    except (ValueError, RecursionError):
        raise FormatError("is not JSON") from None
    if not coco_datasets.looks_like(document):
        raise FormatError('is not a COCO file; it has no "annotations" and "categories"')
    return dict(document)


def _labels(path: Path) -> str:
    labels = path.with_name(mot.LABELS)
    if not labels.exists():
        raise FormatError(f"needs {mot.LABELS} beside it, one class per line: {', '.join(mot.CLASSES)}")
    return _text(labels)


def _text(path: Path) -> str:
    try:
        return tracks_json.content(path).decode("utf-8-sig")
    except ValueError:
        raise FormatError("is not text") from None


def format_of(path: Path) -> TracksFormat:
    """The format of a file, by its content. `MOT` may be `MOT0` as well: nothing in a file tells the two apart.

    UsageError where it is none that can be read.
    """
    content = tracks_json.content(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    if content.startswith(b"<"):
        return TracksFormat.CVAT
    if content.startswith(b"{"):
        return TracksFormat.JSON if f'"{tracks_json.FAMILY}'.encode() in content else TracksFormat.COCO
    if mot.looks_like(content[:1000].decode(errors="replace")):
        return TracksFormat.MOT
    if content.startswith(b"PK"):
        raise UsageError(f"{path} is a ZIP archive; unpack it and name the file inside.")
    raise UsageError(f"{path} has none of the formats that can be read: {', '.join(TracksFormat)}.")


def format_of_name(path: Path) -> TracksFormat | None:
    """The format of a file to be written, by its name; None where the name fits several, or none."""
    fitting = [format for format, suffix in _SUFFIXES.items() if path.name.lower().endswith(suffix)]
    return fitting[0] if len(fitting) == 1 else None


def name_in(format: TracksFormat, tracks_file: Path) -> str:
    """What the tracks of `NAME.tracks.json` are called in another format, such as `NAME.xml`."""
    stem = tracks_file.name.removesuffix(_SUFFIXES[TracksFormat.JSON])
    return files.bounded_name(stem, _SUFFIXES[format])


def box_file(path: Path, kinds: Sequence[Kind] = KINDS) -> BoxFile:
    """What settings say of a file of boxes. UsageError where it has no format that can be read.

    kinds: whose boxes are to be used.
    """
    labels = path.with_name(mot.LABELS)
    has_labels = format_of(path) in _CORNER and labels.is_file()
    return BoxFile(files.sha256(path), files.sha256(labels) if has_labels else "", tuple(kinds))


def check_source(path: Path, source: Path, format: TracksFormat | None = None) -> None:
    """UsageError where a tracks file names another video as its source; other formats name none.

    Size and number of frames may be the same by chance, and then the masks lie anywhere but on what they are for.
    """
    format = format or format_of(path)
    try:
        differs = format is TracksFormat.JSON and tracks_json.read(path).sha256 != files.sha256(source)
    except OSError as error:
        raise UsageError(f"{source} cannot be read ({error.strerror}).") from None
    if differs:
        raise UsageError(
            f"{path} was made for another video than {source}, or for another version of it; name the tracks of this"
            " one, or say --boxes-of-another-video if its boxes are to be used all the same."
        )


def write(path: Path, file: TracksFile, format: TracksFormat) -> None:
    """Under a name that is free. MOT also gets `labels.txt` beside it, unless one is there that fits."""
    if format in _CORNER:
        labels = path.with_name(mot.LABELS)
        if not (labels.is_file() and mot.are_labels_of(_text(labels), file.tracks)):
            files.write_new(labels, mot.labels())
        files.write_new(path, mot.encode(file, _CORNER[format]))
    else:
        files.write_new(path, _ENCODE[format](file))
