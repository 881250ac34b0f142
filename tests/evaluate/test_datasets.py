"""Annotated sets: what is read of them, and what one sentence says of those that cannot be."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import Finder

from dashredact.errors import RefusedError, UnreadableError, UsageError
from dashredact.evaluate import datasets, predictions
from dashredact.evaluate.datasets import Dataset
from dashredact.kinds import Kind
from dashredact.values import Detections

_BOX = {"label": "plate", "x": 4, "y": 5, "w": 10.5, "h": 6}


def _row(**other: Any) -> dict[str, Any]:
    return {"file": "images/0.png", "width": 64, "height": 48, "boxes": [_BOX], **other}


def _ours(*rows: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"source": {}, "labelled": ["plate"], "images": list(rows or [_row()]), **other}


def _coco(**other: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": "0.png", "width": 64, "height": 48}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [4, 5, 10.5, 6]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 64, 48], "iscrowd": 1},
            {"id": 3, "image_id": 7, "category_id": 9, "bbox": [1, 1, 5, 5]},
        ],
        "categories": [{"id": 3, "name": "Licence_Plate"}, {"id": 9, "name": "dog"}],
        **other,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With one picture of 64x48 pixels."""
    (tmp_path / "set" / "images").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set" / "images" / "0.png"), np.full((48, 64, 3), (200, 100, 50), np.uint8))
    return tmp_path / "set"


def _read(folder: Path, content: Any, name: str = datasets.NAME) -> Dataset:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    (dataset,) = datasets.read(folder if name == datasets.NAME else path)
    return dataset


# --- what is read ------------------------------------------------------------------------------------------------


def test_a_folder_is_a_set_of_its_name(folder: Path) -> None:
    dataset = _read(folder, _ours(_row(boxes=[_BOX, {**_BOX, "label": "face", "ignore": True}])))
    (image,) = dataset.images
    assert (dataset.name, dataset.labelled) == ("set", {Kind.PLATE})
    assert image.boxes.tolist() == [[4, 5, 14.5, 11]] * 2
    assert (image.kinds.tolist(), image.ignore.tolist(), image.video) == ([1, 0], [False, True], None)
    assert datasets.load(image)[0, 0].tolist() == [50, 100, 200]


def test_a_box_without_an_area_is_ignored(folder: Path) -> None:
    dataset = _read(folder, _ours(_row(boxes=[_BOX, {**_BOX, "w": 0}, {**_BOX, "h": 0}])))
    assert dataset.images[0].ignore.tolist() == [False, True, True]


def test_a_folder_of_folders_is_several_sets(folder: Path) -> None:
    _read(folder, _ours())
    empty = folder.parent / "another"
    empty.mkdir()
    (empty / datasets.NAME).write_text(json.dumps(_ours(images=[])))
    assert [(one.name, len(one.images)) for one in datasets.read(folder.parent)] == [("another", 0), ("set", 1)]


def test_a_coco_file_is_a_set_labelled_for_its_categories(folder: Path) -> None:
    dataset = _read(folder, _coco(), "instances.json")
    (image,) = dataset.images
    assert (dataset.name, dataset.labelled) == ("instances", {Kind.PLATE})
    assert image.path == folder / "images" / "0.png"
    assert image.boxes.tolist() == [[4, 5, 14.5, 11], [0, 0, 64, 48]]
    assert image.ignore.tolist() == [False, True]


def test_a_coco_file_may_say_what_it_was_labelled_for(folder: Path) -> None:
    assert _read(folder, _coco(labelled=["face"]), "instances.json").labelled == {Kind.FACE}


def test_tracks_are_names_of_objects_in_either_format(folder: Path) -> None:
    marks = [{**_BOX, "track": 0}, {**_BOX, "track": "a"}, _BOX]
    assert _read(folder, _ours(_row(boxes=marks))).images[0].tracks == ("0", "a", "")
    rows = [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [4, 5, 10.5, 6], "track_id": 12}]
    assert _read(folder, _coco(annotations=rows), "coco.json").images[0].tracks == ("12",)


@pytest.mark.parametrize("track", [True, [1], 1.5])
def test_a_track_that_is_not_a_name_is_refused(folder: Path, track: Any) -> None:
    with pytest.raises(UsageError, match=r'"track" of boxes\[0\] of images\[0\]'):
        _read(folder, _ours(_row(boxes=[{**_BOX, "track": track}])))


@pytest.mark.parametrize("name", ["face", "Faces", "license plate", "licence-plates", "number_plate", "PLATE"])
def test_categories_are_known_by_their_usual_names(folder: Path, name: str) -> None:
    kind = Kind.FACE if "face" in name.lower() else Kind.PLATE
    assert _read(folder, _coco(categories=[{"id": 3, "name": name}]), "coco.json").labelled == {kind}


@pytest.mark.parametrize(
    ("other", "times"),
    [({}, [0.0, 0.3]), ({"rate": "30"}, [0.0, 0.1]), ({"rate": "30000/1001"}, [0.0, 3 * 1001 / 30000])],
)
def test_frames_of_a_video_have_their_times(folder: Path, other: dict[str, Any], times: list[float]) -> None:
    (folder / "images" / "1.png").write_bytes(b"")
    later = _row(file="images/1.png", video="drive", frame=3)
    dataset = _read(folder, _ours(_row(video="drive", frame=0), later, **other))
    assert [image.time for image in dataset.images] == pytest.approx(times)
    assert [image.frame for image in dataset.images] == [0, 3]


def test_a_frame_may_say_its_time(folder: Path) -> None:
    assert _read(folder, _ours(_row(video="drive", frame=5, time=7.25))).images[0].time == 7.25


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"images"'),
        ({"images": {}}, '"images"'),
        (_ours(labelled=[]), '"labelled"'),
        (_ours(labelled=["zone"]), '"labelled"'),
        (_ours(labelled="plate"), '"labelled"'),
        ({"images": []}, '"labelled"'),
        (_ours(rate="ten"), "rate"),
        (_ours(rate="0"), "rate"),
        (_ours(rate="1/0"), "rate"),
        (_ours(rate="1e999999999"), "rate"),
        (_ours({"width": 3}), "images[0]"),
        (_ours(_row(width=0)), '"width" of images[0]'),
        (_ours(_row(width="64")), '"width" of images[0]'),
        (_ours(_row(height=4.5)), '"height" of images[0]'),
        (_ours(_row(boxes=None)), '"boxes" of images[0]'),
        (_ours(_row(boxes=[{**_BOX, "label": "dog"}])), "boxes[0] of images[0]"),
        (_ours(_row(boxes=[{**_BOX, "label": []}])), "boxes[0] of images[0]"),
        (_ours(_row(boxes=[_BOX, {**_BOX, "w": -1}])), "boxes[1] of images[0]"),
        (_ours(_row(boxes=[{**_BOX, "x": float("nan")}])), '"x" of boxes[0]'),
        (_ours(_row(boxes=[{**_BOX, "x": 10**400}])), '"x" of boxes[0]'),
        (_ours(_row(boxes=[{**_BOX, "x": True}])), '"x" of boxes[0]'),
        (_ours(_row(boxes=["plate"])), "boxes[0] of images[0]"),
        (_ours(_row(file="images/none.png")), "not exist"),
        (_ours(_row(file="/etc/hostname")), "outside"),
        (_ours(_row(file="../set/images/0.png")), "outside"),
        (_ours(_row(file="images/\0.png")), "outside"),
        (_ours(_row(), _row()), "twice"),
        (_ours(_row(video="drive")), '"frame" of images[0]'),
        (_ours(_row(video=3, frame=1)), '"video" of images[0]'),
        (_ours(_row(video="drive", frame=-1)), '"frame" of images[0]'),
        (_coco(categories=[{"id": 3, "name": "dog"}]), "no category"),
        (_coco(categories=[{"name": "face"}]), "'id'"),
        (_coco(categories=None), "different format"),
        (_coco(images=[]), "refers to nothing"),
        (_coco(annotations=[{"image_id": 7, "category_id": 3, "bbox": [1, 2]}]), "different format"),
        (_coco(images=[{"id": 7, "file_name": "../x.png", "width": 64, "height": 48}]), "outside"),
        (_coco(images=[{"id": 7, "file_name": "0.png", "width": 64, "height": 48}] * 2), "two images"),
    ],
)
def test_one_sentence_says_what_is_wrong_where(folder: Path, content: Any, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        _read(folder, content)
    message = str(caught.value)
    assert words in message
    assert datasets.NAME in message
    assert message.endswith(".")


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ({"frame": 0}, "twice"),
        ({"frame": 1, "width": 32}, "two sizes"),
        ({"frame": 1, "time": 0}, "no later time"),
    ],
)
def test_frames_that_contradict_each_other_are_refused(folder: Path, later: dict[str, Any], words: str) -> None:
    (folder / "images" / "1.png").write_bytes(b"")
    with pytest.raises(UsageError, match=words):
        _read(folder, _ours(_row(video="drive", frame=0), _row(file="images/1.png", video="drive", **later)))


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no annotations\.json"):
        datasets.read(tmp_path)


def test_a_picture_of_another_size_is_refused(folder: Path) -> None:
    with pytest.raises(RefusedError, match="64x48"):
        datasets.load(_read(folder, _ours(_row(width=48, height=64))).images[0])


def test_a_picture_of_more_than_100_megapixels_is_refused(folder: Path) -> None:
    with pytest.raises(RefusedError, match="100 megapixels"):
        datasets.load(_read(folder, _ours(_row(width=20_000, height=5_001))).images[0])


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_what_cannot_be_decoded_is_refused(folder: Path, content: bytes) -> None:
    (folder / "images" / "0.png").write_bytes(content)
    with pytest.raises(UnreadableError, match=r"0\.png"):
        datasets.load(_read(folder, _ours()).images[0])


# --- predictions -------------------------------------------------------------------------------------------------


def test_predictions_have_the_format_of_annotations_and_can_be_read_back(folder: Path) -> None:
    detections = Detections(
        np.zeros(2, np.int32),
        np.array([1, 0], np.int8),
        np.array([[1, 2, 30.25, 12], [5, 5, 9, 9]], np.float32),
        np.array([0.875, 0.0625], np.float32),
    )
    dataset = _read(folder, _ours(_row(video="drive", frame=2)))
    content = json.loads(predictions.encode(Finder(), [(dataset, [detections])]))
    assert content["source"] == {"model": "finder", "sha256": "f" * 64}
    assert content["labelled"] == ["plate"]
    (image,) = content["images"]
    assert {key: image[key] for key in ("file", "width", "height", "video", "frame")} == {
        **{"file": "images/0.png", "width": 64, "height": 48},
        **{"video": "drive", "frame": 2},
    }
    assert image["boxes"][0] == {"label": "plate", "x": 1, "y": 2, "w": 29.25, "h": 10, "score": 0.875}
    assert _read(folder, content).images[0].boxes.tolist() == detections.boxes.tolist()


def test_predictions_of_several_sets_name_the_set(folder: Path) -> None:
    dataset = _read(folder, _ours())
    other = Dataset("other", frozenset([Kind.FACE, Kind.PERSON]), ())
    pairs = [(dataset, [Detections.empty()]), (other, [])]
    content = json.loads(predictions.encode(Finder(), pairs))
    assert content["labelled"] == ["face", "plate"], "nobody has looked for persons"
    assert [image["file"] for image in content["images"]] == ["set/images/0.png"]
