"""Tracks in the forms of other tools (docs/exchange.md). What cannot be read is a UsageError that names file and place.

Every form is read strictly and for one video, whose size and frames are known: a box misread is a face not masked.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from dashredact import files
from dashredact.errors import UsageError
from dashredact.formats import coco, cvat, mot
from dashredact.formats import coco_datasets as datasets_coco
from dashredact.formats import tracks_json as tracks_store
from dashredact.formats.rows import Canvas, same_size
from dashredact.formats.tracks_json import TracksFile
from dashredact.formats.validation import FormatError
from dashredact.kinds import KINDS, Kind
from dashredact.settings import BoxFile
from dashredact.text import plural
from dashredact.values import Track

__all__ = ["Canvas", "TracksFormat", "guess", "read", "write"]


class TracksFormat(StrEnum):
    JSON = "json"
    """our own, `NAME.tracks.json`"""
    COCO = "coco"
    CVAT = "cvat"
    MOT = "mot"
    """coordinates from 1, as the challenge has it"""
    MOT0 = "mot0"
    """coordinates from 0, as CVAT and Datumaro have it"""


_ENCODE = {TracksFormat.JSON: tracks_store.encode_file, TracksFormat.COCO: coco.encode, TracksFormat.CVAT: cvat.encode}
_CORNER = {TracksFormat.MOT: 1, TracksFormat.MOT0: 0}


def read(path: Path, canvas: Canvas, form: TracksFormat | None = None) -> Sequence[Track]:
    """Zones first, then in order of their first frame. form: guessed from the content where None."""
    form = form or guess(path)
    try:
        if form is TracksFormat.JSON:
            return _ours(tracks_store.read(path), canvas)
        if form is TracksFormat.CVAT:
            return cvat.read(tracks_store.content(path), canvas)
        if form is TracksFormat.COCO:
            return coco.read(_json(path), canvas)
        return mot.read(_text(path), _labels(path), canvas, _CORNER[form])
    except FormatError as error:
        raise UsageError(f"{path} {error}.") from None


def _ours(file: TracksFile, canvas: Canvas) -> Sequence[Track]:
    same_size(*file.size, canvas, "width and height")
    if len(file.pts) != canvas.frames:
        raise FormatError(f"is for a video of {plural(len(file.pts), 'frame')}, and the video has {canvas.frames}")
    return file.tracks


def _json(path: Path) -> dict[str, object]:
    try:
        told = json.loads(tracks_store.content(path))
    except (ValueError, RecursionError):
        raise FormatError("is no JSON") from None
    if not datasets_coco.looks_like(told):
        raise FormatError('is no COCO file; it has no "annotations" and "categories"')
    return dict(told)


def _labels(path: Path) -> str:
    beside = path.with_name(mot.LABELS)
    if not beside.exists():
        raise FormatError(f"needs {mot.LABELS} beside it, a class a line: {', '.join(mot.CLASSES)}")
    return _text(beside)


def _text(path: Path) -> str:
    try:
        return tracks_store.content(path).decode("utf-8-sig")
    except ValueError:
        raise FormatError("is no text") from None


def guess(path: Path) -> TracksFormat:
    """The form of a file by its content. UsageError where it is none that can be read."""
    content = tracks_store.content(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    if content.startswith(b"<"):
        return TracksFormat.CVAT
    if content.startswith(b"{"):
        return TracksFormat.JSON if f'"{tracks_store.FAMILY}'.encode() in content else TracksFormat.COCO
    if mot.looks_like(content[:1000].decode(errors="replace")):
        return TracksFormat.MOT
    if content.startswith(b"PK"):
        raise UsageError(f"{path} is a ZIP archive; unpack it and name the file inside.")
    raise UsageError(f"{path} is in none of the forms that can be read: {', '.join(TracksFormat)}.")


def described(path: Path, kinds: Sequence[Kind] = KINDS) -> BoxFile:
    """What a file of boxes is known by. UsageError where it is in no form that can be read.

    kinds: whose boxes are to be taken.
    """
    beside = path.with_name(mot.LABELS)
    labels = guess(path) in _CORNER and beside.is_file()
    return BoxFile(files.sha256(path), files.sha256(beside) if labels else "", tuple(kinds))


def check_source(path: Path, source: Path) -> None:
    """UsageError where a tracks file says of itself that it is of another video, which other formats cannot say.

    Size and number of frames may be the same by chance, and then the masks lie anywhere but on what they are for.
    """
    if guess(path) is TracksFormat.JSON and tracks_store.read(path).sha256 != files.sha256(source):
        raise UsageError(
            f"{path} was made for another video than {source}, or for another version of it; name the tracks of this"
            " one, or say --boxes-of-another-video if its boxes are to be masked all the same."
        )


def write(path: Path, file: TracksFile, form: TracksFormat) -> None:
    """Under a name that is free. MOT also gets `labels.txt` beside it, unless one is there that fits."""
    if form in _CORNER:
        beside = path.with_name(mot.LABELS)
        if not (beside.is_file() and mot.are_labels_of(_text(beside), file.tracks)):
            files.write_new(beside, mot.labels())
        files.write_new(path, mot.encode(file, _CORNER[form]))
    else:
        files.write_new(path, _ENCODE[form](file))
