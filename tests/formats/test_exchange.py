"""Tracks go to other tools and come back: every box, frame and kind, and more where the format has room."""

import json
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from tracks_made import FRAMES, HEIGHT, WIDTH, comparable, files

from dashredact.errors import UsageError
from dashredact.formats import exchange
from dashredact.formats.exchange import Canvas, TracksFormat
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import Kind
from dashredact.values import ModelIdentity, Origin, Track

_CANVAS = Canvas(WIDTH, HEIGHT, FRAMES)
_WITH_ORIGINS = (TracksFormat.JSON, TracksFormat.COCO, TracksFormat.CVAT)
_COUNTER = iter(range(10**9))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(autouse=True, scope="module")
def _no_waiting_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def _written(folder: Path, file: TracksFile, format: TracksFormat) -> Path:
    path = folder / str(next(_COUNTER)) / "trip.any"
    exchange.write(path, file, format)
    return path


def _canvas(file: TracksFile) -> Canvas:
    return Canvas(*file.size, len(file.pts))


@pytest.mark.parametrize("format", TracksFormat)
@given(file=files())
def test_every_box_frame_and_kind_comes_back(folder: Path, format: TracksFormat, file: TracksFile) -> None:
    tracks = exchange.read(_written(folder, file, format), _canvas(file), format)
    origins = format in _WITH_ORIGINS
    assert [comparable(track, origins=origins) for track in tracks] == [
        comparable(track, origins=origins) for track in file.tracks
    ]


@pytest.mark.parametrize("format", [format for format in TracksFormat if format is not TracksFormat.MOT0])
@given(file=files().filter(lambda file: file.tracks))
def test_the_format_is_known_by_its_content(folder: Path, format: TracksFormat, file: TracksFile) -> None:
    assert exchange.format_of(_written(folder, file, format)) is format


_fine = st.floats(0, 1000, allow_nan=False)


@pytest.mark.parametrize("format", [TracksFormat.COCO, TracksFormat.CVAT, TracksFormat.MOT, TracksFormat.MOT0])
@given(x=st.tuples(_fine, _fine), y=st.tuples(_fine, _fine))
def test_boxes_between_tenths_come_back_to_a_thousandth_of_a_pixel(
    folder: Path, format: TracksFormat, x: tuple[float, float], y: tuple[float, float]
) -> None:
    box = np.array([[min(x), min(y), max(x), max(y)]])
    file = _one(Track(1, Kind.FACE, 0, box, np.full(1, 3, np.int8), np.zeros(1, np.float32)))
    (track,) = exchange.read(_written(folder, file, format), _CANVAS, format)
    assert np.abs(track.boxes - box).max() < 1e-3


def _one(*tracks: Track) -> TracksFile:
    model = ModelIdentity("made", "1" * 64)
    return TracksFile("trip.mp4", "0" * 64, model, (WIDTH, HEIGHT), Fraction(1, 25), np.arange(FRAMES), tracks)


def _still(number: int, kind: Kind, first: int, count: int) -> Track:
    boxes = np.tile([10.5, 20, 30, 40.25], (count, 1))
    return Track(number, kind, first, boxes, np.zeros(count, np.int8), np.full(count, 0.5, np.float32))


@given(file=files())
def test_pycocotools_loads_what_is_written(folder: Path, file: TracksFile) -> None:
    loaded = COCO(str(_written(folder, file, TracksFormat.COCO)))
    assert [image["frame_index"] for image in loaded.loadImgs(loaded.getImgIds())] == list(range(len(file.pts)))
    assert [image["pts"] for image in loaded.loadImgs(loaded.getImgIds())] == file.pts.tolist()
    for track in file.tracks:
        (category,) = loaded.getCatIds(catNms=[track.kind])
        for index, box in enumerate(track.boxes):
            of_frame = loaded.getAnnIds(imgIds=[track.first + index + 1], catIds=[category])
            (annotation,) = (one for one in loaded.loadAnns(of_frame) if one["track_id"] == track.id)
            x, y, w, h = annotation["bbox"]
            assert np.abs(np.array([x, y, x + w, y + h]) - box).max() < 1e-3
            assert annotation["area"] == pytest.approx(w * h, abs=1e-3)


def test_mot_counts_frames_and_pixels_from_one(tmp_path: Path) -> None:
    """motchallenge.net/instructions: frame numbers, target ids and bounding boxes are all 1-based."""
    path = tmp_path / "gt.txt"
    exchange.write(path, _one(_still(3, Kind.PLATE, 0, 1)), TracksFormat.MOT)
    assert path.read_text() == "1,3,11.5,21.0,19.5,20.25,1,2,1\n"
    assert (tmp_path / "labels.txt").read_text() == "face\nplate\nzone\nperson\nscreen\n"


def test_mot_goes_beside_the_labels_of_an_earlier_version_as_long_as_they_say_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("face\nplate\nzone\n")
    exchange.write(tmp_path / "a.txt", _one(_still(3, Kind.ZONE, 0, 1)), TracksFormat.MOT)
    with pytest.raises(UsageError, match=r"labels\.txt"):
        exchange.write(tmp_path / "b.txt", _one(_still(3, Kind.PERSON, 0, 1)), TracksFormat.MOT)
    assert [track.kind for track in exchange.read(tmp_path / "a.txt", _CANVAS)] == [Kind.ZONE]


def test_mot_as_cvat_has_it_counts_pixels_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    exchange.write(path, _one(_still(3, Kind.PLATE, 0, 1)), TracksFormat.MOT0)
    assert path.read_text() == "1,3,10.5,20.0,19.5,20.25,1,2,1\n"


def test_mot_of_a_whole_picture_touches_its_edges(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(f"1, 1, 1, 1, {WIDTH}, {HEIGHT}, 1, 1, 1\n")
    (tmp_path / "labels.txt").write_text("face")
    (track,) = exchange.read(path, _CANVAS)
    assert (track.boxes.tolist(), track.first) == ([[0, 0, WIDTH, HEIGHT]], 0)


def test_mot_without_track_numbers_and_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "gt.txt").write_text("3,-1,2,2,4,4,1,1,1\n2,5,2,2,4,4,0,2,0\n1,5,1,1,4,4,0,2,0\n\n3,-1,9,9,4,4,1,1,1\n")
    (tmp_path / "labels.txt").write_text("Human Face\nlicence-plate\n")
    tracks = exchange.read(tmp_path / "gt.txt", _CANVAS, TracksFormat.MOT)
    assert [(t.id, t.kind, t.first, t.end) for t in tracks] == [
        (5, Kind.PLATE, 0, 2),
        (6, Kind.FACE, 2, 3),
        (7, Kind.FACE, 2, 3),
    ]
    assert tracks[0].boxes[0].tolist() == [0, 0, 4, 4]


def test_coco_as_other_tools_write_it(tmp_path: Path) -> None:
    box = {"category_id": 7, "bbox": [1, 2, 3, 4]}
    content = {
        "categories": [{"id": 7, "name": "License Plate"}, {"id": 8, "name": "bus"}],
        "images": [{"id": 40, "file_name": "a/frame_000003.PNG"}, {"id": 41, "frame_id": 4, "file_name": "x.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 40, **box, "attributes": {"track_id": 0, "occluded": False}},
            {"id": 2, "image_id": 41, **box, "attributes": {"track_id": 0}, "score": 0.5},
            {"id": 3, "image_id": 41, **box, "instance_id": 9},
            {"id": 4, "image_id": 41, **box},
        ],
    }
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content))
    tracks = exchange.read(path, _CANVAS)
    assert [(t.id, t.kind, t.first, t.end) for t in tracks] == [
        (10, Kind.PLATE, 3, 5),
        (9, Kind.PLATE, 4, 5),
        (11, Kind.PLATE, 4, 5),
    ]
    assert all(track.boxes.tolist()[0] == [1, 2, 4, 6] for track in tracks)
    assert all((track.origins == list(Origin).index(Origin.MANUAL)).all() for track in tracks)


def test_a_track_that_is_away_comes_back_as_two_and_nothing_between(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    exchange.write(path, _one(_still(1, Kind.FACE, 0, 2), _still(2, Kind.FACE, 5, 1)), TracksFormat.MOT)
    path.write_text(path.read_text().replace("6,2,", "6,1,"))
    assert [(t.id, t.first, t.end) for t in exchange.read(path, _CANVAS)] == [(1, 0, 2), (2, 5, 6)]


@pytest.mark.parametrize("format", TracksFormat)
def test_no_file_is_written_over(tmp_path: Path, format: TracksFormat) -> None:
    path = tmp_path / "trip.any"
    path.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        exchange.write(path, _one(), format)
    assert path.read_text() == "mine"


def test_labels_of_somebody_else_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat")
    with pytest.raises(UsageError, match=r"labels.txt already exists"):
        exchange.write(tmp_path / "gt.txt", _one(), TracksFormat.MOT)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.txt"]


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    exchange.write(tmp_path / "new" / "gt.txt", _one(_still(1, Kind.FACE, 0, 1)), TracksFormat.MOT)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("format", [TracksFormat.JSON, TracksFormat.COCO, TracksFormat.CVAT])
def test_boxes_for_pictures_of_another_size_are_refused(tmp_path: Path, format: TracksFormat) -> None:
    exchange.write(tmp_path / "trip.any", _one(_still(1, Kind.FACE, 0, 1)), format)
    with pytest.raises(UsageError, match=f"{WIDTH}x{HEIGHT}"):
        exchange.read(tmp_path / "trip.any", Canvas(WIDTH // 2, HEIGHT, FRAMES))


@pytest.mark.parametrize("format", TracksFormat)
def test_frames_that_the_video_does_not_have_are_refused(tmp_path: Path, format: TracksFormat) -> None:
    exchange.write(tmp_path / "trip.any", _one(_still(1, Kind.FACE, 3, 8)), format)
    with pytest.raises(UsageError, match=r"trip.any .*(frame|pts)"):
        exchange.read(tmp_path / "trip.any", Canvas(WIDTH, HEIGHT, 5), format)
