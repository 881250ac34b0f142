"""COCO with videos, as in TAO: `images` are frames with a `frame_index`, `annotations` have a `track_id`.

Beyond COCO an annotation has `score` and `origin`, an image `pts`, a video `time_base`; other tools ignore them.
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
        for index, box in enumerate(track.boxes.tolist()):
            x0, y0, x1, y1 = box
            w, h = rows.rounded(x1 - x0), rows.rounded(y1 - y0)
            evidence = {"score": round(float(track.scores[index]), 3), "origin": ORIGINS[track.origins[index]]}
            bounds = {"bbox": [rows.rounded(x0), rows.rounded(y0), w, h], "area": rows.rounded(w * h)}
            yield {"image_id": track.first + index + 1, **own, **bounds, **evidence}


def read(content: Mapping[str, Any], canvas: Canvas) -> list[Track]:
    """FormatError where it is not a COCO file, or not for this video."""
    if len(list(validation.tables({"videos": [], **content}, "videos"))) > 1:
        raise FormatError("has several videos; keep the one that is masked")
    categories = _by_id(content, "categories", lambda row, where: row.get("name"))
    frames = _by_id(content, "images", lambda row, where: _frame(row, where, canvas))
    boxes = (
        _row(row, where, number, frames, categories, canvas)
        for number, (where, row) in enumerate(validation.tables(content, "annotations"), 1)
    )
    return rows.tracks_of(boxes, canvas)


def _by_id(
    content: Mapping[str, Any], key: str, value_of: Callable[[Mapping[str, Any], str], _Read]
) -> dict[int, _Read]:
    by_id: dict[int, _Read] = {}
    for where, row in validation.tables(content, key):
        number = _id(row, "id", where)
        if number in by_id:
            raise FormatError(f'has the "id" {number} twice in "{key}"')
        by_id[number] = value_of(row, where)
    return by_id


def _id(row: Mapping[str, Any], key: str, where: str) -> int:
    return validation.whole(row.get(key), f'"{key}" of {where}', 0, rows.MAX_NUMBER)


def _frame(image: Mapping[str, Any], where: str, canvas: Canvas) -> int:
    """Its index, counted from 0."""
    if "width" in image or "height" in image:
        rows.check_size(_id(image, "width", where), _id(image, "height", where), canvas, where)
    in_name = re.fullmatch(r"(?:.*/)?frame_(\d{6,9})\.\w+", str(image.get("file_name")))
    index = image.get("frame_index", image.get("frame_id", in_name and in_name[1]))
    if index is None:
        raise FormatError(f'has no "frame_index" in {where}')
    return validation.whole(index, f'"frame_index" of {where}', 0, canvas.frames - 1)


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
        raise FormatError(f"names an image or a category in {where} that the file does not have")
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
    """Negative where it has none: then every annotation is an object of its own."""
    attributes = row.get("attributes")
    attribute = attributes.get("track_id") if isinstance(attributes, dict) else None
    track = row.get("track_id", row.get("instance_id", attribute))
    return -number if track is None else validation.whole(track, f'"track_id" of {where}', 0, rows.MAX_NUMBER)


def _box(value: Any, where: str, canvas: Canvas) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != 4:
        raise FormatError(f'needs four numbers as "bbox" of {where}')
    x, y, w, h = (validation.number(side, f'"bbox" of {where}') for side in value)
    box = (x, y, rows.rounded(x + w), rows.rounded(y + h))
    validation.box(box, canvas.size, where)
    return box
