"""Files of boxes that are broken or mean harm are refused in one sentence that names the file and the place in it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from dashredact.errors import UsageError
from dashredact.formats import exchange, rows
from dashredact.formats.exchange import Canvas, TracksFormat

_CANVAS = Canvas(200, 100, 50)


def _refused(path: Path, wanted: str, format: TracksFormat | None = None) -> None:
    with pytest.raises(UsageError) as caught:
        exchange.read(path, _CANVAS, format)
    message = str(caught.value)
    assert message.startswith(str(path)) and wanted in message
    assert message.endswith(".") and "\n" not in message


def _coco(annotation: dict[str, Any] | None = None, **parts: Any) -> str:
    one = {"id": 1, "image_id": 1, "category_id": 1, "track_id": 1, "bbox": [1, 2, 3, 4], **(annotation or {})}
    content: dict[str, Any] = {
        "images": [{"id": 1, "frame_index": 0, "width": 200, "height": 100}],
        "categories": [{"id": 1, "name": "face"}, {"id": 2, "name": "bus"}],
        "annotations": [one],
    }
    return json.dumps(content | parts)


COCO = {
    "no json": ('{"annotations":', "is not JSON"),
    "deep": ('{"annotations":' * 50_000, "is not JSON"),
    "other json": ('{"a": 1}', "is not a COCO file"),
    "no images": (_coco(images=None), 'no list "images"'),
    "images no objects": (_coco(images=[1]), "images[0]"),
    "no frame": (_coco(images=[{"id": 1, "file_name": "000001.jpg"}]), '"frame_index" in images[0]'),
    "frame outside": (_coco(images=[{"id": 1, "frame_index": 50}]), '"frame_index" of images[0]'),
    "frame negative": (_coco(images=[{"id": 1, "frame_index": -1}]), '"frame_index" of images[0]'),
    "frame part": (_coco(images=[{"id": 1, "frame_index": 0.5}]), '"frame_index" of images[0]'),
    "image twice": (_coco(images=[{"id": 1, "frame_index": 0}, {"id": 1, "frame_index": 1}]), 'twice in "images"'),
    "image missing": (_coco({"image_id": 2}), "annotations[0]"),
    "image list": (_coco({"image_id": [1]}), '"image_id" of annotations[0]'),
    "two videos": (_coco(videos=[{"id": 1}, {"id": 2}]), "several videos"),
    "bus": (_coco({"category_id": 2}), "the label 'bus' in annotations[0]"),
    "no box": (_coco({"bbox": None}), '"bbox" of annotations[0]'),
    "three": (_coco({"bbox": [1, 2, 3]}), '"bbox" of annotations[0]'),
    "nan": (_coco({"bbox": [1, math.nan, 3, 4]}), '"bbox" of annotations[0]'),
    "infinite": (_coco({"bbox": [1, 2, math.inf, 4]}), '"bbox" of annotations[0]'),
    "huge": (_coco({"bbox": [1, 2, 10**400, 4]}), '"bbox" of annotations[0]'),
    "true": (_coco({"bbox": [1, 2, True, 4]}), '"bbox" of annotations[0]'),
    "negative width": (_coco({"bbox": [1, 2, -3, 4]}), "negative width or height in annotations[0]"),
    "right of it": (_coco({"bbox": [201, 2, 3, 4]}), "annotations[0] that lies outside the picture of 200x100"),
    "above it": (_coco({"bbox": [1, -9, 3, 4]}), "annotations[0] that lies outside the picture"),
    "track": (_coco({"track_id": "a"}), '"track_id" of annotations[0]'),
    "score": (_coco({"score": math.nan}), '"score" of annotations[0]'),
    "twice": (_coco(annotations=[json.loads(_coco())["annotations"][0]] * 2), "two boxes of track 1 on frame 0"),
}


@pytest.mark.parametrize("name", COCO)
def test_coco(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a 'file'.json"
    path.write_text(COCO[name][0])
    _refused(path, COCO[name][1])


MOT = {
    "empty": ("", "none of the formats"),
    "words": ("a,b,c,d,e,f,g,h", "none of the formats"),
    "zip": ("PK\x03\x04", "unpack it"),
    "few": ("1,1,1,1,2,2,1\n", "line 1"),
    "many": ("1,1,1,1,2,2,1,1,1,1,1\n", "11 values in line 1"),
    "frame nought": ("0,1,1,1,2,2,1,1,1\n", "the frame in line 1"),
    "frame outside": ("1,1,1,1,2,2,1,1,1\n51,1,1,1,2,2,1,1,1\n", "the frame in line 2"),
    "no class": ("1,1,1,1,2,2,1,-1,-1,-1\n", "the class -1 in line 1"),
    "unknown class": ("1,1,1,1,2,2,1,4,1\n", "labels.txt beside it names 3"),
    "bicycle": ("1,1,1,1,2,2,1,3,1\n", "the label 'bicycle' in line 1"),
    "nan": ("1,1,1,nan,2,2,1,1,1\n", "the box in line 1"),
    "infinite": ("1,1,1,1,inf,2,1,1,1\n", "the box in line 1"),
    "negative": ("1,1,1,1,2,-2,1,1,1\n", "line 1"),
    "outside": ("1,1,203,1,2,2,1,1,1\n", "line 1 that lies outside"),
    "long": ("1,1,1,1,2," + "1" * 100_000, "6 values in line 1"),
    "twice": ("1,1,1,1,2,2,1,1,1\n1,1,5,1,2,2,1,1,1\n", "two boxes of track 1 on frame 0"),
}


@pytest.mark.parametrize("name", MOT)
def test_mot(tmp_path: Path, name: str) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(MOT[name][0])
    (tmp_path / "labels.txt").write_text("face\nplate\nbicycle\n")
    _refused(path, MOT[name][1], None if "none of" in MOT[name][1] or "unpack" in MOT[name][1] else TracksFormat.MOT)


def test_mot_needs_its_labels(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("1,1,1,1,2,2,1,1,1\n")
    _refused(tmp_path / "gt.txt", "needs labels.txt beside it")


def test_mot_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_bytes(b"1,1,1,1,2,2,1,1,1\n\xff")
    _refused(tmp_path / "gt.txt", "is not text")


def _cvat(tracks: str, meta: str = "", head: str = "<version>1.1</version>") -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{head}<meta>{meta}</meta>{tracks}</annotations>'


def _box(**changed: str) -> str:
    fields = {"frame": "0", "keyframe": "1", "outside": "0", "xtl": "1", "ytl": "2", "xbr": "3", "ybr": "4"} | changed
    attributes = " ".join(f'{name}="{value}"' for name, value in fields.items() if value)
    return f'<track id="7" label="face"><box {attributes}/></track>'


_BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
CVAT = {
    "cut off": ("<annotations><version>1.1", "is not well-formed XML"),
    "html": ("<html><body/></html>", "is XML, but not from CVAT"),
    "bomb": (f'<?xml version="1.0"?>{_BOMB}<annotations>&i;</annotations>', "document type or entities"),
    "outside file": (
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations><version>&x;</version></annotations>',
        "document type or entities",
    ),
    "outside type": ('<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><annotations/>', "document type or entities"),
    "encoding": ('<?xml version="1.0" encoding="klingon"?><annotations/>', "is not well-formed XML"),
    "old": (_cvat("", head="<version>2.0</version>"), "the version '2.0'"),
    "images": (_cvat('<image id="0" name="a.png" width="200" height="100"/>'), 'is "CVAT for images"'),
    "project": (_cvat("", "<project><id>1</id></project>"), "project"),
    "size": (_cvat("", "<task><original_size><width>x</width><height>1</height></original_size></task>"), '"width"'),
    "stop": (_cvat("", "<task><stop_frame>all</stop_frame></task>"), '"stop_frame"'),
    "label": (_cvat('<track id="1" label="bus"/>'), "the label 'bus' in track 1"),
    "polygon": (
        _cvat('<track id="1" label="face"><polygon frame="0" points="1,2;3,4"/></track>'),
        "a polygon in track 1",
    ),
    "turned": (_cvat(_box(rotation="30.0")), "a rotated box in track 7, frame 0"),
    "no key": (_cvat(_box(keyframe="0")), "no key frame in track 7"),
    "nan": (_cvat(_box(xtl="nan")), "xtl in track 7, frame 0"),
    "infinite": (_cvat(_box(ybr="1e999")), "ybr in track 7, frame 0"),
    "missing": (_cvat(_box(ybr="")), "ybr in track 7, frame 0"),
    "no frame": (_cvat(_box(frame="")), "the frame in track 7"),
    "frame outside": (_cvat(_box(frame="50")), "the frame in track 7, frame 50"),
    "frame negative": (_cvat(_box(frame="-1")), "the frame in track 7, frame -1"),
    "inside out": (_cvat(_box(xbr="0")), "negative width or height in track 7, frame 0"),
    "box outside": (_cvat(_box(xtl="201", xbr="210")), "track 7, frame 0 that lies outside the picture of 200x100"),
    "twice": (_cvat(_box().replace("/></track>", "/>") + _box().split(">", 1)[1]), "two boxes of track 7 on frame 0"),
}


@pytest.mark.parametrize("name", CVAT)
def test_cvat(tmp_path: Path, name: str) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text(CVAT[name][0])
    _refused(path, CVAT[name][1])


def test_cvat_that_is_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text("<annotations>" + "<a>" * 200_000)
    _refused(path, "is not well-formed XML")


def test_few_keys_that_come_to_too_many_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_BOXES", 99)
    path = tmp_path / "annotations.xml"
    path.write_text(_cvat(_box() * 2))
    _refused(path, "more than 99 boxes")


@pytest.mark.parametrize("format", [TracksFormat.COCO, TracksFormat.MOT])
def test_too_many_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: TracksFormat) -> None:
    monkeypatch.setattr(rows, "MAX_BOXES", 0)
    path = tmp_path / "gt.txt"
    path.write_text(_coco() if format is TracksFormat.COCO else "1,1,1,1,2,2,1,1,1\n")
    (tmp_path / "labels.txt").write_text("face")
    _refused(path, "more than 0 boxes")


def test_a_box_that_reaches_out_is_cut_to_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text(_cvat(_box(xtl="-5", xbr="300")))
    (track,) = exchange.read(path, _CANVAS)
    assert track.boxes[0].tolist() == [0, 2, 200, 4]
