"""The tracks file: every box of every frame, for people and for other tools (docs/schemas/tracks-1.json)."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dashredact.errors import UsageError
from dashredact.formats import validation
from dashredact.formats.validation import FormatError
from dashredact.kinds import Kind
from dashredact.media.info import VideoInfo
from dashredact.text import plural
from dashredact.values import ORIGINS, Array, ModelIdentity, Track

SCHEMA = "dashredact/tracks/1"
FAMILY = SCHEMA.rpartition("/")[0] + "/"
_MAX_BYTES = 512 << 20
_MAX_SIDE = 1 << 16  # pixels
_MAX_FRAMES = 100_000_000
_MAX_NUMBER = 1_000_000_000


class MaskedVideo(Protocol):
    """What a tracks file is written from."""

    @property
    def info(self) -> VideoInfo: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        ...

    @property
    def pts(self) -> NDArray[np.int64]:
        """(frames,) in the source's time base."""
        ...

    @property
    def tracks(self) -> Sequence[Track]: ...


@dataclass(frozen=True)
class TracksFile:
    """All that a tracks file holds."""

    name: str
    """file name of the source"""
    sha256: str
    """of the source"""
    model: ModelIdentity
    size: tuple[int, int]
    """width and height of the upright picture"""
    time_base: Fraction
    """seconds a tick"""
    pts: NDArray[np.int64]
    """(frames,) ticks, increasing"""
    tracks: tuple[Track, ...]

    @property
    def times(self) -> Array:
        """(frames,) seconds since the first frame."""
        return np.asarray((self.pts - self.pts[0]) * float(self.time_base))


def encode(video: MaskedVideo, *, source_sha256: str, model: ModelIdentity, second_look: Mapping[str, object]) -> bytes:
    """second_look: result of the detection on the masked video."""
    info = video.info
    time_base, tracks = info.video.time_base, tuple(video.tracks)
    file = TracksFile(info.name, source_sha256, model, video.size, time_base, video.pts, tracks)
    return encode_file(file, {"second_look": second_look})


def encode_file(file: TracksFile, more: Mapping[str, object] | None = None) -> bytes:
    """more: fields written before the tracks."""
    head = _text(
        {
            "schema": SCHEMA,
            "source": {"name": file.name, "sha256": file.sha256},
            "model": {"name": file.model.name, "sha256": file.model.sha256},
            "width": file.size[0],
            "height": file.size[1],
            "time_base": str(file.time_base),
            "pts": file.pts.tolist(),
            **(more or {}),
        }
    )
    # Track by track: the boxes of a long video as Python objects would take a gigabyte.
    return f'{head[:-1]},"tracks":[{",".join(_text(fields(track)) for track in file.tracks)}]}}'.encode()


def _text(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))


def fields(track: Track) -> dict[str, object]:
    """A track as the file has it."""
    return {
        "id": track.id,
        "kind": track.kind,
        "first": track.first,
        "end": track.end,
        "boxes": tenths(track.boxes).tolist(),
        "origins": [[ORIGINS[number], len(list(run))] for number, run in groupby(track.origins)],
        "scores": [round(float(score), 3) for score in track.scores],
    }


def tenths(boxes: Array) -> Array:
    """Rounded outward to tenths of a pixel: a mask painted from the file covers the same whole pixels."""
    tenths = np.round(boxes * 10, 3)  # 0.7 * 10 is a little more than 7
    return np.concatenate((np.floor(tenths[:, :2]), np.ceil(tenths[:, 2:])), 1) / 10


def content(path: Path) -> bytes:
    """Bytes of a file that a person named. UsageError where it is not a file, cannot be read or is far too large."""
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file; name one that holds tracks.")
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path} is larger than {_MAX_BYTES >> 20} MiB, too large for tracks; name another.")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None


def read(path: Path) -> TracksFile:
    """UsageError that names the file and what in it is wrong where it is not a tracks file."""
    try:
        return _decode(json.loads(content(path)))
    except FormatError as error:
        raise UsageError(f"{path} {error}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON; name a file that ends in .tracks.json.") from None


def _decode(document: Any) -> TracksFile:
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        other = isinstance(schema, str) and schema.startswith(FAMILY)
        raise FormatError(
            f"has a different format from {SCHEMA}, which this version reads" if other else "is not a tracks file"
        )
    source, model = (
        validation.table(document.get("source"), '"source"'),
        validation.table(document.get("model"), '"model"'),
    )
    width, height = (validation.whole(document.get(side), f'"{side}"', 1, _MAX_SIDE) for side in ("width", "height"))
    pts = _pts(document.get("pts"))
    tracks = tuple(
        track_of(row, where, (width, height), len(pts)) for where, row in validation.tables(document, "tracks")
    )
    if len({track.id for track in tracks}) < len(tracks):
        raise FormatError('has two tracks of one "id"')
    return TracksFile(
        validation.text(source.get("name"), '"name" of "source"'),
        _sha256(source, "source"),
        ModelIdentity(validation.text(model.get("name"), '"name" of "model"'), _sha256(model, "model")),
        (width, height),
        _time_base(document.get("time_base")),
        pts,
        tracks,
    )


def _sha256(owner: Mapping[str, Any], where: str) -> str:
    digest = owner.get("sha256")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise FormatError(f'has no valid "sha256" of "{where}"')
    return digest


def _time_base(value: Any) -> Fraction:
    """A pattern first: a Fraction takes exponents that fill the memory."""
    if not isinstance(value, str) or not re.fullmatch(r"0*[1-9]\d{0,11}(/0*[1-9]\d{0,11})?", value):
        raise FormatError('needs a fraction of a second as "time_base", such as "1/90000"')
    return Fraction(value)


def _pts(value: Any) -> NDArray[np.int64]:
    """Checked as Python integers: a float could not hold every tick."""
    if not isinstance(value, list) or not value or not all(type(tick) is int for tick in value):
        raise FormatError('needs a list of whole numbers as "pts"')
    if len(value) > _MAX_FRAMES or not -(2**63) <= min(value) <= max(value) < 2**63:
        raise FormatError('has too many or too large numbers as "pts"')
    pts = np.array(value, np.int64)
    if (pts[1:] <= pts[:-1]).any():
        raise FormatError('has "pts" that do not increase')
    return pts


def track_of(row: Mapping[str, Any], where: str, size: tuple[int, int], frames: int) -> Track:
    """The track of a row; `where` names the row in the FormatError that says what is wrong."""
    if row.get("kind") not in list(Kind):
        raise FormatError(f'needs one of {", ".join(Kind)} as "kind" of {where}')
    first = validation.whole(row.get("first"), f'"first" of {where}', 0, frames - 1)
    end = validation.whole(row.get("end"), f'"end" of {where}', first + 1, frames)
    scores = validation.array(row.get("scores"), (end - first,), f'"scores" of {where}')
    if ((scores < 0) | (scores > 1)).any():
        raise FormatError(f'has "scores" of {where} that are not between 0 and 1')
    return Track(
        validation.whole(row.get("id"), f'"id" of {where}', 1, _MAX_NUMBER),
        Kind(row["kind"]),
        first,
        _boxes(row.get("boxes"), where, size, end - first),
        _origins(row.get("origins"), where, end - first),
        scores.astype(np.float32),
    )


def _boxes(value: Any, where: str, size: tuple[int, int], count: int) -> Array:
    boxes = validation.array(value, (count, 4), f'"boxes" of {where}')
    wrong = (boxes < 0) | (boxes > [*size, *size]) | (boxes < np.roll(boxes, 2, 1)) & [False, False, True, True]
    if wrong.any():
        index = wrong.any(1).argmax()
        raise FormatError(f"has a box with a negative side or outside the picture as boxes[{index}] of {where}")
    return boxes


def _origins(value: Any, where: str, count: int) -> NDArray[np.int8]:
    try:
        numbers = [ORIGINS.index(origin) for origin, _ in value]
        lengths = [validation.whole(length, f'"origins" of {where}', 1, count) for _, length in value]
    except (TypeError, ValueError):
        raise FormatError(f'needs pairs of an origin and a number of frames as "origins" of {where}') from None
    if sum(lengths) != count:
        raise FormatError(f'has "origins" of {where} for {plural(sum(lengths), "frame")} instead of {count}')
    return np.repeat(np.array(numbers, np.int8), lengths)
