"""CVAT for video 1.1: what is written has CVAT's documented structure, what CVAT writes is read as CVAT shows it."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree
from hypothesis import given
from tracks_made import files

from dashredact.formats import cvat, exchange
from dashredact.formats.exchange import Canvas
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import Kind
from dashredact.values import ORIGINS, ModelIdentity, Origin, Track

_CANVAS = Canvas(200, 100, 30)
_BOX = ("frame", "keyframe", "outside", "occluded", "xtl", "ytl", "xbr", "ybr", "z_order")


@given(file=files())
def test_what_is_written_has_the_documented_structure(file: TracksFile) -> None:
    """docs.cvat.ai, "XML annotation format", version 1.1, the part on interpolation."""
    root = ElementTree.fromstring(cvat.encode(file), forbid_dtd=True)
    assert [element.tag for element in root] == ["version", "meta", *["track"] * len(file.tracks)]
    assert root.findtext("version") == "1.1"
    task = root.find("meta/task")
    assert (task.findtext("size"), task.findtext("mode")) == (str(len(file.pts)), "interpolation")
    assert (task.findtext("start_frame"), task.findtext("stop_frame")) == ("0", str(len(file.pts) - 1))
    size = task.find("original_size")
    assert (size.findtext("width"), size.findtext("height")) == tuple(map(str, file.size))
    labels = {label.findtext("name"): label for label in task.findall("labels/label")}
    assert list(labels) == [*Kind]
    for label in labels.values():
        attributes = label.findall("attributes/attribute")
        assert [one.findtext("name") for one in attributes] == ["origin", "score"]
        assert [one.findtext("input_type") for one in attributes] == ["select", "number"]
        assert {one.findtext("mutable") for one in attributes} == {"True"}
        assert set(attributes[0].findtext("values").split("\n")) == set(Origin)
    for track, element in zip(file.tracks, root.findall("track"), strict=True):
        assert (element.get("id"), element.get("label")) == (str(track.id), track.kind)
        boxes = list(element)
        assert {(box.tag, *box.attrib) for box in boxes} == {("box", *_BOX)}
        assert [int(box.get("frame")) for box in boxes[: len(track.boxes)]] == list(range(track.first, track.end))
        ended = track.end < len(file.pts)  # a track without an end goes on to the end of the task
        assert [box.get("outside") for box in boxes] == ["0"] * len(track.boxes) + ["1"] * ended
        assert not ended or int(boxes[-1].get("frame")) == track.end
        assert {(box.get("keyframe"), box.get("occluded"), box.get("z_order")) for box in boxes} == {("1", "0", "0")}


def _task(tracks: str, meta: str = "") -> str:
    task = f"<id>3</id><size>30</size><mode>interpolation</mode>{meta}"
    size = "<original_size><width>200</width><height>100</height></original_size>"
    return f"<annotations><version>1.1</version><meta><task>{task}{size}</task></meta>{tracks}</annotations>"


def _box(frame: int, x: float, *, key: int = 1, outside: int = 0, inner: str = "") -> str:
    sides = f'xtl="{x:.2f}" ytl="10.00" xbr="{x + 20:.2f}" ybr="30.00"'
    return f'<box frame="{frame}" keyframe="{key}" outside="{outside}" occluded="0" {sides} z_order="0">{inner}</box>'


def _read(tmp_path: Path, content: str) -> list[Track]:
    path = tmp_path / "annotations.xml"
    path.write_text(content)
    return list(exchange.read(path, _CANVAS))


def _lefts(track: Track) -> list[float]:
    return [float(box[0]) for box in track.boxes]


def test_key_frames_are_joined_by_straight_lines(tmp_path: Path) -> None:
    keys = _box(2, 10) + _box(6, 50) + _box(8, 50) + _box(9, 50, outside=1)
    (track,) = _read(tmp_path, _task(f'<track id="0" label="plate" source="manual">{keys}</track>'))
    assert (track.id, track.kind, track.first, track.end) == (1, Kind.PLATE, 2, 9)
    assert _lefts(track) == [10, 20, 30, 40, 50, 50, 50]
    assert {ORIGINS[number] for number in track.origins} == {Origin.MANUAL}


def test_frames_that_are_no_key_frames_are_computed_again(tmp_path: Path) -> None:
    """CVAT writes them rounded, and passes them by when it reads."""
    boxes = _box(0, 10) + _box(1, 77, key=0) + _box(2, 77, key=0) + _box(3, 40) + _box(4, 40, outside=1)
    (track,) = _read(tmp_path, _task(f'<track id="4" label="face">{boxes}</track>'))
    assert _lefts(track) == [10, 20, 30, 40]


def test_an_object_that_never_leaves_is_held_to_the_end(tmp_path: Path) -> None:
    (track,) = _read(tmp_path, _task(f'<track id="1" label="face">{_box(20, 10)}</track>'))
    assert (track.first, track.end) == (20, 30)
    assert _lefts(track) == [10] * 10


@pytest.mark.parametrize(("stop", "end"), [(24, 25), (29, 30), (30, 30)])  # Datumaro names the frame after the last
def test_it_is_held_no_longer_than_task_and_video_go(tmp_path: Path, stop: int, end: int) -> None:
    task = _task(f'<track id="1" label="face">{_box(20, 10)}</track>', f"<stop_frame>{stop}</stop_frame>")
    (track,) = _read(tmp_path, task)
    assert (track.first, track.end) == (20, end)


def test_an_object_that_comes_back_is_masked_where_it_is_and_nowhere_else(tmp_path: Path) -> None:
    keys = _box(0, 10) + _box(4, 10, outside=1) + _box(10, 90) + _box(12, 90, outside=1)
    first, second = _read(tmp_path, _task(f'<track id="5" label="face">{keys}</track>'))
    assert [(t.id, t.first, t.end) for t in (first, second)] == [(5, 0, 4), (6, 10, 12)]


def test_an_object_is_gone_from_where_it_is_outside_at_first(tmp_path: Path) -> None:
    assert _read(tmp_path, _task(f'<track id="1" label="face">{_box(0, 10, outside=1)}</track>')) == []


def test_every_second_frame_of_a_video_is_filled_up(tmp_path: Path) -> None:
    """A task with `frame_filter` step=2 names frames of the video."""
    keys = "".join(_box(frame, frame * 2) for frame in (0, 2, 4)) + _box(6, 8, outside=1)
    task = _task(f'<track id="1" label="face">{keys}</track>', "<frame_filter>step=2</frame_filter>")
    (track,) = _read(tmp_path, task)
    assert _lefts(track) == [0, 2, 4, 6, 8, 8]


def test_attributes_of_other_people_do_no_harm(tmp_path: Path) -> None:
    odd = '<attribute name="origin">made up</attribute><attribute name="colour">red</attribute>'
    (track,) = _read(tmp_path, _task(f'<track id="1" label="Face">{_box(28, 1, inner=odd)}</track>'))
    assert (ORIGINS[track.origins[0]], float(track.scores[0])) == (Origin.MANUAL, 0)


def test_a_key_that_a_person_moved_keeps_the_others_as_they_were(tmp_path: Path) -> None:
    count = 5
    model, boxes = ModelIdentity("made", "1" * 64), np.tile([10.5, 20, 30, 40], (count, 1))
    track = Track(2, Kind.FACE, 3, boxes, np.zeros(count, np.int8), np.full(count, 0.75, np.float32))
    file = TracksFile("trip.mp4", "0" * 64, model, (200, 100), Fraction(1, 25), np.arange(30), (track,))
    content = cvat.encode(file).decode()
    moved = content.replace('frame="5" keyframe="1" outside="0" occluded="0" xtl="10.5"', 'frame="5" xtl="9.25"')
    assert moved != content
    (edited,) = _read(tmp_path, moved)
    boxes[2, 0] = 9.25
    assert edited.boxes.tolist() == replace(track, boxes=boxes).boxes.tolist()
    assert edited.scores.tolist() == track.scores.tolist()


@pytest.mark.parametrize("head", ["\ufeff", "\n \n"])
def test_files_that_editors_have_touched(tmp_path: Path, head: str) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text(head + _task(f'<track id="1" label="face">{_box(28, 1)}</track>'), encoding="utf-8")
    assert len(exchange.read(path, _CANVAS)) == 1
