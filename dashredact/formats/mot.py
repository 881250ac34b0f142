"""MOT challenge, the format of gt.txt: `frame,track,left,top,width,height,1,class,visibility`, one box per line.

Frames count from 1. Coordinates too, says the challenge: the corner of the first pixel is at 1,1, so that our x0 is
left - 1 and our x1 is left - 1 + width. CVAT and Datumaro write and read this format with coordinates from 0 instead.
Classes are the lines of labels.txt beside it, counted from 1. The format has no scores, origins, PTS or picture size.
"""

import re
from collections.abc import Iterator, Sequence

from dashredact.formats import rows, validation
from dashredact.formats.rows import Canvas, Row
from dashredact.formats.tracks_json import TracksFile
from dashredact.formats.validation import FormatError
from dashredact.kinds import Kind
from dashredact.values import Track

LABELS = "labels.txt"
CLASSES = sorted(Kind, key=lambda kind: kind.row.number)
"""in the order of their numbers, which count from 1"""
_WIDTHS = range(8, 11)
_MAX_LINE = 1000  # characters of a line


def looks_like(text: str) -> bool:
    return re.match(r"\s*\d+(\.0*)?\s*,\s*-?\d+(\.0*)?\s*(,\s*[-+\w.]+\s*){4,}", text[:_MAX_LINE]) is not None


def encode(file: TracksFile, corner: int) -> bytes:
    """corner: coordinate of the near side of the first pixel, 1 as the challenge has it, or 0."""
    lines = sorted(_lines(file.tracks, corner))
    return "".join(f"{line}\n" for _, _, line in lines).encode()


def labels() -> bytes:
    """The content of labels.txt."""
    return "".join(f"{kind}\n" for kind in CLASSES).encode()


def are_labels_of(content: str, tracks: Sequence[Track]) -> bool:
    """Whether a labels.txt is one that this or an earlier version writes, and has the kinds of these tracks."""
    names = content.splitlines()
    return names == CLASSES[: len(names)] and {track.kind for track in tracks} <= set(names)


def _lines(tracks: Sequence[Track], corner: int) -> Iterator[tuple[int, int, str]]:
    for track in tracks:
        for frame, (x0, y0, x1, y1) in enumerate(track.boxes.tolist(), track.first + 1):
            sides = (x0 + corner, y0 + corner, x1 - x0, y1 - y0)
            box = ",".join(f"{rows.rounded(side)!r}" for side in sides)
            yield frame, track.id, f"{frame},{track.id},{box},1,{track.kind.row.number},1"


def read(text: str, labels: str, canvas: Canvas, corner: int) -> list[Track]:
    """labels: content of labels.txt. FormatError where it is not such a file, or not for this video."""
    names = [line.strip() for line in labels.splitlines()]
    lines = ((number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())
    return rows.tracks_of((_row(line, number, names, canvas, corner) for number, line in lines), canvas)


def _row(line: str, number: int, names: Sequence[str], canvas: Canvas, corner: int) -> Row:
    where = f"line {number}"
    parts = [part.strip() for part in line[:_MAX_LINE].split(",")]
    if len(parts) not in _WIDTHS:
        raise FormatError(f"has {len(parts)} values in {where}, which must have 8 to 10, separated by commas")
    class_number = validation.whole(parts[7], f"the class in {where}", -1, rows.MAX_NUMBER)
    if not 1 <= class_number <= len(names):
        raise FormatError(f"has the class {class_number} in {where}, and {LABELS} beside it names {len(names)}")
    track = validation.whole(parts[1], f"the track in {where}", -1, rows.MAX_NUMBER)
    frame = validation.whole(parts[0], f"the frame in {where}", 1, canvas.frames) - 1
    kind = rows.kind_of(names[class_number - 1], where)
    return Row(-number if track < 0 else track, kind, frame, _box(parts[2:6], where, canvas, corner))


def _box(parts: Sequence[str], where: str, canvas: Canvas, corner: int) -> tuple[float, float, float, float]:
    left, top, width, height = (validation.number(part, f"the box in {where}") for part in parts)
    x0, y0 = left - corner, top - corner
    box = (rows.rounded(x0), rows.rounded(y0), rows.rounded(x0 + width), rows.rounded(y0 + height))
    validation.box(box, canvas.size, where)
    return box
