"""CVAT for video 1.1: XML with a `track` for each object and a `box` for each key frame.

Read as CVAT does: straight lines between key frames, the last box held to the end of the task, nothing from a box that
is `outside` to the next. Entities and document types are refused. `origin` and `score` are attributes of a box.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from dashredact.formats import rows, validation
from dashredact.formats.rows import Canvas, Row
from dashredact.formats.tracks_json import TracksFile
from dashredact.formats.validation import FormatError
from dashredact.kinds import Kind
from dashredact.tracking import keyframes
from dashredact.tracking.keyframes import KeyframedBoxes
from dashredact.values import ORIGINS, Origin, Track

_SIDES = ("xtl", "ytl", "xbr", "ybr")
_ATTRIBUTES = (
    ("origin", "select", Origin.MANUAL, "\n".join(Origin)),
    ("score", "number", "0", "0;1;0.001"),
)


def encode(file: TracksFile) -> bytes:
    """Every frame is a key frame, so that nothing is left to interpolation."""
    tracks = "".join(_track(track, len(file.pts)) for track in file.tracks)
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n{_meta(file)}'
    return f"{head}{tracks}</annotations>\n".encode()


def _meta(file: TracksFile) -> str:
    frames = len(file.pts)
    name = _xml_text(file.name)
    return (
        f"  <meta>\n    <task>\n      <id>1</id>\n      <name>{name}</name>\n      <size>{frames}</size>\n"
        "      <mode>interpolation</mode>\n      <overlap>0</overlap>\n      <bugtracker></bugtracker>\n"
        f"      <start_frame>0</start_frame>\n      <stop_frame>{frames - 1}</stop_frame>\n"
        f"      <frame_filter></frame_filter>\n      <labels>\n{''.join(map(_label, Kind))}      </labels>\n"
        f"      <segments>\n        <segment>\n          <id>1</id>\n          <start>0</start>\n"
        f"          <stop>{frames - 1}</stop>\n          <url></url>\n        </segment>\n      </segments>\n"
        f"      <original_size>\n        <width>{file.size[0]}</width>\n        <height>{file.size[1]}</height>\n"
        f"      </original_size>\n      <source>{name}</source>\n    </task>\n  </meta>\n"
    )


def _xml_text(name: str) -> str:
    """File names may hold characters that XML does not allow."""
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name))


def _label(kind: Kind) -> str:
    attributes = "".join(
        f"            <attribute>\n              <name>{name}</name>\n              <mutable>True</mutable>\n"
        f"              <input_type>{input_type}</input_type>\n              <default_value>{default}</default_value>\n"
        f"              <values>{values}</values>\n            </attribute>\n"
        for name, input_type, default, values in _ATTRIBUTES
    )
    return (
        f"        <label>\n          <name>{kind}</name>\n          <type>rectangle</type>\n"
        f"          <attributes>\n{attributes}          </attributes>\n        </label>\n"
    )


def _track(track: Track, frames: int) -> str:
    boxes = [
        _box(track.first + index, box, ORIGINS[track.origins[index]], float(track.scores[index]))
        for index, box in enumerate(track.boxes.tolist())
    ]
    if track.end < frames:
        boxes.append(_box(track.end, track.boxes[-1].tolist(), ORIGINS[track.origins[-1]], 0.0, outside=1))
    source = "manual" if all(ORIGINS[number] is Origin.MANUAL for number in track.origins) else "auto"
    return f'  <track id="{track.id}" label="{track.kind}" source="{source}">\n{"".join(boxes)}  </track>\n'


def _box(frame: int, box: list[float], origin: Origin, score: float, outside: int = 0) -> str:
    sides = " ".join(f'{name}="{rows.rounded(side)!r}"' for name, side in zip(_SIDES, box, strict=True))
    return (
        f'    <box frame="{frame}" keyframe="1" outside="{outside}" occluded="0" {sides} z_order="0">\n'
        f'      <attribute name="origin">{origin}</attribute>\n'
        f'      <attribute name="score">{round(score, 3)!r}</attribute>\n    </box>\n'
    )


def read(content: bytes, canvas: Canvas) -> list[Track]:
    """FormatError where it is not such a file, or not for this video."""
    objects, boxes, end = [], 0, canvas.frames
    for element in _elements(content):
        if element.tag == "image":
            raise FormatError('is "CVAT for images"; export the task as "CVAT for video 1.1"')
        if element.tag == "version" and not (element.text or "").strip().startswith("1."):
            raise FormatError(
                f"has the version {(element.text or '').strip()[:20]!r} of CVAT's format; export it as 1.1"
            )
        if element.tag == "meta":
            end = _end(element, canvas)
        if element.tag == "track" and (keyframed := _keyframes(element, canvas, end, rows.MAX_BOXES - boxes)):
            boxes += len(keyframed.frames)
            objects.append(keyframed)
    return keyframes.tracks(objects, *canvas.size)


def _elements(content: bytes) -> Iterator[Element]:
    """The children of `annotations`, each complete; its memory is freed before the next one."""
    depth, root = 0, None
    try:
        for event, element in iterparse(BytesIO(content), ("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            root = element if root is None else root
            if root.tag != "annotations":
                raise FormatError("is XML, but not from CVAT")
            if event == "end" and depth == 1:
                yield element
                root.clear()
    except DefusedXmlException:
        raise FormatError("has a document type or entities, which CVAT never writes") from None
    except (ParseError, ValueError, LookupError) as error:
        raise FormatError(f"is not well-formed XML ({error})") from None


def _end(meta: Element, canvas: Canvas) -> int:
    """The frame after the last that was annotated."""
    if meta.find("project") is not None:
        raise FormatError("is the export of a whole CVAT project; export the one task")
    if meta.find("*/original_size") is not None:
        width, height = (
            validation.whole(meta.findtext(f"*/original_size/{side}"), f'"{side}"', 1, rows.MAX_NUMBER)
            for side in ("width", "height")
        )
        rows.check_size(width, height, canvas, "original_size")
    last = meta.findtext("*/stop_frame")
    if last is None:
        return canvas.frames
    return min(validation.whole(last, '"stop_frame"', 0, rows.MAX_NUMBER) + 1, canvas.frames)


def _keyframes(track: Element, canvas: Canvas, end: int, limit: int) -> KeyframedBoxes | None:
    """None where the object is never in the picture. limit: the most boxes that it may come to."""
    where = f"track {track.get('id', '')[:20]}".strip()
    kind = rows.kind_of(track.get("label", ""), where)
    other_shape = next((shape.tag for shape in track if shape.tag not in ("box", "attribute")), None)
    if other_shape is not None:
        raise FormatError(f"has a {other_shape[:20]} in {where}; only boxes can be read")
    boxes = track.findall("box")
    keys = [box for box in boxes if box.get("keyframe", "1") == "1"]
    if not keys:
        if boxes:
            raise FormatError(f"has no key frame in {where}")
        return None
    number = validation.whole(track.get("id", "0"), f"the id of {where}", 0, rows.MAX_NUMBER)
    parsed = [_row(box, f"{where}, frame {box.get('frame', '')[:20]}", number, kind, canvas) for box in keys]
    absent = {row.frame for row, outside in parsed if outside}
    keyframed = rows.keyframes_of([row for row, _ in parsed])
    if end - int(keyframed.frames[0]) > limit:
        raise FormatError(f"has more than {rows.MAX_BOXES} boxes once interpolated")
    dense = keyframes.interpolated(keyframed, np.isin(keyframed.frames, list(absent)), end)
    return dense if len(dense.frames) else None


def _row(box: Element, where: str, number: int, kind: Kind, canvas: Canvas) -> tuple[Row, bool]:
    """The box, and whether it says that the object is outside the picture."""
    outside = box.get("outside") == "1"
    frame = validation.whole(box.get("frame"), f"the frame in {where}", 0, canvas.frames - (not outside))
    if validation.number(box.get("rotation", "0"), f"the rotation in {where}"):
        raise FormatError(f"has a rotated box in {where}; only upright ones can be read")
    x0, y0, x1, y1 = (validation.number(box.get(side), f"{side} in {where}") for side in _SIDES)
    if not outside:
        validation.box((x0, y0, x1, y1), canvas.size, where)
    attributes: dict[Any, str] = {one.get("name"): (one.text or "").strip() for one in box.findall("attribute")}
    score = min(max(validation.number(attributes.get("score", "0"), f"the score in {where}"), 0.0), 1.0)
    return Row(number, kind, frame, (x0, y0, x1, y1), rows.origin_of(attributes.get("origin")), score), outside
