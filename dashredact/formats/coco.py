"""COCO with videos, as in TAO: `images` are frames with a `frame_index`, `annotations` have a `track_id`.

Beyond COCO an annotation has `score` and `origin`, an image `pts`, a video `time_base`; other tools pass them by.
Also read: mmtracking's names `frame_id` and `instance_id`, and what CVAT exports of a video, with the number of the
frame in the file name and the track in `attributes`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from dashredact.formats import rows, validation
from dashredact.formats.rows import Canvas, Row
from dashredact.formats.tracks_json import TracksFile
from dashredact.formats.validation import FormatError
from dashredact.kinds import Kind
from dashredact.values import ORIGINS, Track

_Read = TypeVar("_Read")
_VIDEO = 1


def encode(file: TracksFile) -> bytes:
    width, height = file.size
    time_base = str(file.time_base)
    classes = sorted((kind.row.number, kind) for kind in Kind)
    parts = {
        "info": [_text({"description": "masks of a video, written by dashredact"})[1:-1]],
        "videos": [_text({"id": _VIDEO, "name": file.name, "width": width, "height": height, "time_base": time_base})],
        "categories": [_text({"id": number, "name": kind}) for number, kind in classes],
        "images": [_text(_image(file, frame, int(pts))) for frame, pts in enumerate(file.pts)],
        "tracks": [_text({"id": t.id, "category_id": t.kind.row.number, "video_id": _VIDEO}) for t in file.tracks],
        "annotations": [_text({"id": n, **fields}) for n, fields in enumerate(_annotations(file.tracks), 1)],
    }
    brackets = {"info": "{}"}
    lists = (
        f'"{key}":{brackets.get(key, "[]")[0]}{",".join(part)}{brackets.get(key, "[]")[1]}'
        for key, part in parts.items()
    )
    return f"{{{','.join(lists)}}}\n".encode()


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _image(file: TracksFile, frame: int, pts: int) -> dict[str, object]:
    size = {"width": file.size[0], "height": file.size[1]}
    name = f"frame_{frame:06}.png"
    return {"id": frame + 1, "video_id": _VIDEO, "file_name": name, **size, "frame_index": frame, "pts": pts}


def _annotations(tracks: tuple[Track, ...]) -> Iterator[dict[str, object]]:
    for track in tracks:
        own = {"video_id": _VIDEO, "category_id": track.kind.row.number, "track_id": track.id, "iscrowd": 0}
        for place, box in enumerate(track.boxes.tolist()):
            x0, y0, x1, y1 = box
            w, h = rows.tidy(x1 - x0), rows.tidy(y1 - y0)
            seen = {"score": round(float(track.scores[place]), 3), "origin": ORIGINS[track.origins[place]]}
            bounds = {"bbox": [rows.tidy(x0), rows.tidy(y0), w, h], "area": rows.tidy(w * h)}
            yield {"image_id": track.first + place + 1, **own, **bounds, **seen}


def read(content: Mapping[str, Any], canvas: Canvas) -> list[Track]:
    """FormError where it is no COCO file, or one of another video."""
    if len(list(validation.tables({"videos": [], **content}, "videos"))) > 1:
        raise FormatError("has several videos; keep one")
    categories = _by_id(content, "categories", lambda row, where: row.get("name"))
    frames = _by_id(content, "images", lambda row, where: _frame(row, where, canvas))
    read = (
        _row(row, where, number, frames, categories, canvas)
        for number, (where, row) in enumerate(validation.tables(content, "annotations"), 1)
    )
    return rows.tracks_of(read, canvas)


def _by_id(content: Mapping[str, Any], key: str, what: Callable[[Mapping[str, Any], str], _Read]) -> dict[int, _Read]:
    found: dict[int, _Read] = {}
    for where, row in validation.tables(content, key):
        number = _id(row, "id", where)
        if number in found:
            raise FormatError(f'has the "id" {number} twice in "{key}"')
        found[number] = what(row, where)
    return found


def _id(row: Mapping[str, Any], key: str, where: str) -> int:
    return validation.whole(row.get(key), f'"{key}" of {where}', 0, rows.MOST_NUMBER)


def _frame(image: Mapping[str, Any], where: str, canvas: Canvas) -> int:
    """Its index, counted from 0."""
    if "width" in image or "height" in image:
        rows.same_size(_id(image, "width", where), _id(image, "height", where), canvas, where)
    named = re.fullmatch(r"(?:.*/)?frame_(\d{6,9})\.\w+", str(image.get("file_name")))
    told = image.get("frame_index", image.get("frame_id", named and named[1]))
    if told is None:
        raise FormatError(f'has no "frame_index" in {where}')
    return validation.whole(told, f'"frame_index" of {where}', 0, canvas.frames - 1)


def _row(
    row: Mapping[str, Any],
    where: str,
    number: int,
    frames: Mapping[int, int],
    categories: Mapping[int, object],
    canvas: Canvas,
) -> Row:
    image, category = _id(row, "image_id", where), _id(row, "category_id", where)
    if image not in frames or category not in categories:
        raise FormatError(f"names an image or a category in {where} that is not in it")
    score = validation.number(row.get("score", 0), f'"score" of {where}')
    return Row(
        _track_id(row, where, number),
        rows.kind_of(categories[category], where),
        frames[image],
        _box(row.get("bbox"), where, canvas),
        rows.origin_of(row.get("origin")),
        min(max(score, 0.0), 1.0),
    )


def _track_id(row: Mapping[str, Any], where: str, number: int) -> int:
    """Below 0 where it has none: then every annotation is an object of its own."""
    attributes = row.get("attributes")
    beside = attributes.get("track_id") if isinstance(attributes, dict) else None
    told = row.get("track_id", row.get("instance_id", beside))
    return -number if told is None else validation.whole(told, f'"track_id" of {where}', 0, rows.MOST_NUMBER)


def _box(value: Any, where: str, canvas: Canvas) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != 4:
        raise FormatError(f'has no four numbers as "bbox" of {where}')
    x, y, w, h = (validation.number(side, f'"bbox" of {where}') for side in value)
    box = (x, y, rows.tidy(x + w), rows.tidy(y + h))
    validation.box(box, canvas.size, where)
    return box
