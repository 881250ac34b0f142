"""`evaluate`: the figures of a detector whose hits and misses are known, and what the command says of them."""

import json
import re
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from clips import FIRST_SEEN, SIZE, Finder, scene, secret_box

import dashredact.cli.evaluate
from dashredact import cli
from dashredact.cli.options import DetectOptions
from dashredact.errors import ExitCode
from dashredact.evaluate import datasets
from dashredact.evaluate import run as evaluation
from dashredact.evaluate.masking import MaskedVideo, MaskFigures
from dashredact.evaluate.metrics import Rate
from dashredact.imaging import contact_sheet as sheets
from dashredact.kinds import Kind
from dashredact.settings import TrackSettings
from dashredact.values import Picture

_THRESHOLDS = dict.fromkeys(Kind, 0.5)


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    """The command's signal handlers do not stay."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _make(folder: Path, frames: range, zoom: int = 1, **other: Any) -> Path:
    """A set of scenes, their secret labelled as a face. other: of each picture."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in frames:
        picture = cv2.resize(scene(number), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / "images" / f"{number:03}.png"), picture[..., ::-1])
        box = secret_box(number)
        boxes = [_marked(zoom * np.array(box))] if box else []
        size = {"width": zoom * SIZE[0], "height": zoom * SIZE[1]}
        moment = {"frame": number} if "video" in other else {}
        rows.append({"file": f"images/{number:03}.png", **size, "boxes": boxes, **other, **moment})
    content = {"source": {}, "labelled": ["face"], "images": rows}
    (folder / datasets.NAME).write_text(json.dumps(content))
    return folder


def _marked(box: np.ndarray) -> dict[str, Any]:
    x0, y0, x1, y1 = box.tolist()
    return {"label": "face", "x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0}


def _change(folder: Path, **other: Any) -> None:
    """Change entries of the set."""
    path = folder / datasets.NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **other}))


def _evaluated(folder: Path, finder: Finder) -> list[evaluation.EvaluatedSet]:
    link = TrackSettings(_THRESHOLDS)
    return [
        evaluation.EvaluatedSet(one, evaluation.detect_all(one, finder, lambda fact: None), link, finder.long_side)
        for one in datasets.read(folder)
    ]


def _result(folder: Path, finder: Finder) -> evaluation.Evaluation:
    return evaluation.measure(_evaluated(folder, finder), _THRESHOLDS)


def _masks(result: evaluation.Evaluation) -> MaskFigures:
    assert result.masking is not None
    return result.masking


# --- what is measured --------------------------------------------------------------------------------------------


def test_what_is_found_and_missed_is_counted(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(FIRST_SEEN - 2, FIRST_SEEN + 10))
    result = _result(tmp_path, Finder(miss_every=5))
    faces = result.classes[Kind.FACE]
    assert set(result.classes) == {Kind.FACE}
    assert (faces.images, faces.objects, faces.recall, faces.precision) == (12, 10, Rate(8, 10), Rate(8, 8))
    assert (faces.ap50, faces.ar50) == (pytest.approx(81 / 101), 0.8)
    assert faces.plain == Rate(8, 10)
    assert [one.rate.of for one in faces.sizes] == [0, 0, 0, 10, 0]
    assert result.falsely_masked[Kind.FACE] == 0
    assert result.masking is None


def test_weak_boxes_count_at_any_score_and_not_at_the_threshold(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 10))
    faces = _result(tmp_path, Finder(weak_every=5)).classes[Kind.FACE]
    assert (faces.recall, faces.ar50) == (Rate(8, 10), 1)


def test_large_pictures_are_scaled_down_and_boxes_come_back_in_their_pixels(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(10, 12), zoom=2)
    (evaluated,) = _evaluated(tmp_path, finder := Finder())
    assert finder.long_side == SIZE[0]
    for number, found in zip(range(10, 12), evaluated.detections, strict=True):
        assert found.boxes.tolist() == [[2 * side for side in secret_box(number) or ()]]


def test_small_pictures_are_not_enlarged(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(10, 11))
    (evaluated,) = _evaluated(tmp_path, Finder(long_side=1280))
    assert evaluated.detections[0].boxes.tolist() == [list(secret_box(10) or ())]


def test_a_batch_holds_pictures_of_one_size_and_answers_keep_their_order(tmp_path: Path) -> None:
    class Strict(Finder):
        def __call__(self, pictures: Any) -> Any:
            assert len({picture.shape for picture in pictures}) == 1
            assert len(pictures) <= self.batch_size
            return super().__call__(pictures)

    one = datasets.read(_make(tmp_path / "one", range(10, 20)))[0]
    other = datasets.read(_make(tmp_path / "other", range(20, 24), zoom=2))[0]
    mixed = datasets.Dataset("mixed", one.labelled, one.images[:5] + other.images + one.images[5:])
    detections = evaluation.detect_all(mixed, Strict(long_side=1280), lambda fact: None)
    assert [len(answer) for answer in detections] == [1] * 14
    for image, answer in zip(mixed.images, detections, strict=True):
        assert answer.boxes.tolist() == image.boxes.tolist()


def test_a_kind_that_a_set_is_not_labelled_for_is_not_measured_on_it(tmp_path: Path) -> None:
    _make(tmp_path / "faces", range(8, 10))
    _change(_make(tmp_path / "plates", range(8, 11)), labelled=["plate"])
    result = _result(tmp_path, Finder())
    assert result.images == 5
    assert (result.classes[Kind.FACE].images, result.classes[Kind.FACE].objects) == (2, 2)
    assert (result.classes[Kind.PLATE].images, result.classes[Kind.PLATE].objects) == (3, 0)


def test_boxes_that_mark_nothing_are_false_and_mask_so_much(tmp_path: Path) -> None:
    folder = _make(tmp_path / "set", range(10, 14))
    rows = json.loads((folder / datasets.NAME).read_text())["images"]
    _change(folder, images=[{**row, "boxes": []} for row in rows])
    result = _result(folder, Finder())
    faces = result.classes[Kind.FACE]
    assert (faces.precision, faces.false_per_image, faces.ap50) == (Rate(0, 4), 1, None)
    margins = Kind.FACE.row.margins
    grown = 36 * (1 + 2 * margins.sides) * 24 * (1 + margins.top + margins.bottom) / (SIZE[0] * SIZE[1])
    assert result.falsely_masked[Kind.FACE] == pytest.approx(grown, rel=0.01)


@pytest.mark.parametrize(("long_side", "objects"), [(SIZE[0], 10), (30, 0)])
def test_objects_that_are_tiny_to_the_detector_are_ignored(tmp_path: Path, long_side: int, objects: int) -> None:
    _make(tmp_path / "set", range(10, 20))
    assert _result(tmp_path, Finder(long_side=long_side)).classes[Kind.FACE].objects == objects


def test_an_empty_set_has_no_figures(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(0))
    result = _result(tmp_path, Finder())
    assert (result.images, result.classes[Kind.FACE].ap50, result.classes[Kind.FACE].false_per_image) == (0, None, None)


# --- after linking -----------------------------------------------------------------------------------------------


def test_single_misses_in_a_video_are_covered_after_linking(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 20), video="drive")
    result = _result(tmp_path, Finder(miss_every=3))
    assert result.classes[Kind.FACE].recall == Rate(14, 20)
    masks = _masks(result)
    assert masks.uncovered[Kind.FACE].every == Rate(0, 20)
    assert 36 * 24 / (SIZE[0] * SIZE[1]) < masks.masked.value < 0.1
    assert masks.wasted.value == 0


def test_an_object_that_nothing_found_is_uncovered_on_every_frame(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 20), video="drive")
    result = _result(tmp_path, Finder(miss_first=99))
    masks = _masks(result)
    uncovered = masks.uncovered[Kind.FACE]
    assert (uncovered.every, uncovered.plain) == (Rate(20, 20), Rate(20, 20))
    assert [(one.rate.count, one.rate.of) for one in uncovered.sizes] == [(0, 0)] * 3 + [(20, 20), (0, 0)]
    assert (masks.masked.value, masks.wasted.value) == (0, 0)


@pytest.mark.parametrize(("wider", "uncovered"), [(9, 0), (10, 1)])
def test_an_object_is_covered_when_masks_leave_no_more_than_a_twentieth(
    tmp_path: Path, wider: int, uncovered: int
) -> None:
    """The mask reaches 7.2 px past the secret's 36: 96 % of a label that is 9 px wider, 94 % of one 10 px wider."""
    folder = _make(tmp_path / "set", range(10, 11), video="drive")
    (row,) = json.loads((folder / datasets.NAME).read_text())["images"]
    row["boxes"][0]["w"] += wider
    _change(folder, images=[row])
    assert _masks(_result(folder, Finder())).uncovered[Kind.FACE].every == Rate(uncovered, 1)


def test_objects_are_measured_where_they_are_in_the_picture(tmp_path: Path) -> None:
    """A label that sticks out of the picture asks for no mask there."""
    folder = _make(tmp_path / "set", range(10, 11), video="drive")
    (row,) = json.loads((folder / datasets.NAME).read_text())["images"]
    row["boxes"] = [{"label": "face", "x": -60, "y": 20, "w": 200, "h": 40}]
    _change(folder, images=[row])
    (video,) = _evaluated(folder, Finder())[0].videos
    cover = MaskedVideo(video, (np.array([[0.0, 0.0, 192.0, 112.0]]),)).objects(Kind.FACE)
    assert (cover.sizes.tolist(), cover.uncovered.tolist()) == ([200], [False])


def test_what_is_masked_and_no_object_is_waste(tmp_path: Path) -> None:
    folder = _make(tmp_path / "set", range(10, 20), video="drive")
    rows = json.loads((folder / datasets.NAME).read_text())["images"]
    for row in rows[5:]:
        row["boxes"] = [{**row["boxes"][0], "x": 0, "y": 0, "w": 1, "h": 1}]
    _change(folder, images=rows)
    (video,) = _evaluated(folder, Finder())[0].videos
    masked = video.masked(TrackSettings(_THRESHOLDS))
    assert masked.wasted[:5].tolist() == [0] * 5
    assert masked.wasted[5:] == pytest.approx(masked.masked[5:])
    assert masked.masked.min() > 0.03


def test_each_video_is_linked_by_itself(tmp_path: Path) -> None:
    """The last frames of one must not extend into the first of the next."""
    folder = _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 6), video="one")
    rows = json.loads((folder / datasets.NAME).read_text())["images"]
    for number, row in enumerate(rows[3:]):
        row |= {"video": "other", "frame": number}
    _change(folder, images=rows)
    assert _masks(_result(folder, Finder(miss_first=3))).uncovered[Kind.FACE].every == Rate(3, 6)


def _with_tracks(folder: Path, names: list[Any]) -> Path:
    """Give the box of each frame its track."""
    rows = json.loads((folder / datasets.NAME).read_text())["images"]
    for row, name in zip(rows, names, strict=True):
        row["boxes"][0]["track"] = name
    _change(folder, images=rows)
    return folder


def test_a_track_counts_once_however_many_of_its_frames_are_uncovered(tmp_path: Path) -> None:
    folder = _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 6), video="drive")
    for names, uncovered in (([1] * 6, Rate(0, 1)), ([1, 1, "b", "b", 3, None], Rate(0, 3))):
        assert _masks(_result(_with_tracks(folder, names), Finder())).uncovered[Kind.FACE].tracks == uncovered
    rows = json.loads((folder / datasets.NAME).read_text())["images"]
    _change(folder, images=[row | {"time": 10.0 * number} for number, row in enumerate(rows)])
    for names, uncovered in (([1] * 6, Rate(1, 1)), ([0, 1, 1, 1, 2, 2], Rate(2, 3))):
        masks = _masks(_result(_with_tracks(folder, names), Finder(miss_first=4))).uncovered[Kind.FACE]
        assert (masks.tracks, masks.every) == (uncovered, Rate(4, 6))


def test_tracks_of_different_videos_and_sets_are_different_objects(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = _with_tracks(_make(tmp_path / name, range(FIRST_SEEN, FIRST_SEEN + 6), video="a"), [0] * 6)
        rows = json.loads((folder / datasets.NAME).read_text())["images"]
        for number, row in enumerate(rows[3:]):
            row |= {"video": "b", "frame": number}
        _change(folder, images=rows)
    assert _masks(_result(tmp_path, Finder())).uncovered[Kind.FACE].tracks == Rate(0, 4)


def test_a_set_without_tracks_says_nothing_of_them(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 6), video="drive")
    assert _masks(_result(tmp_path, Finder())).uncovered[Kind.FACE].tracks == Rate(0, 0)


# --- misses ------------------------------------------------------------------------------------------------------


def test_a_contact_sheet_shows_the_missed_objects(tmp_path: Path) -> None:
    _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 10))
    (evaluated,) = _evaluated(tmp_path, Finder(miss_every=5))
    missed = list(evaluated.misses())
    assert [miss.image.file for miss in missed] == ["images/008.png", "images/013.png"]
    drawn = evaluation.contact_sheet(missed)
    assert drawn.shape == (sheets.TILE, 2 * sheets.TILE, 3)
    assert all(_shows_the_secret(half) for half in np.split(drawn, 2, 1))


def _shows_the_secret(picture: Picture) -> bool:
    return bool(((picture[..., 0] > 200) & (picture[..., 1] < 60) & (picture[..., 2] > 200)).sum() > 50)


def test_a_sheet_has_room_for_the_largest_only(tmp_path: Path) -> None:
    (miss,) = _evaluated(_make(tmp_path / "set", range(10, 11)), Finder(miss_first=9))[0].misses()
    large = replace(miss.image, boxes=miss.image.boxes)
    many = [miss._replace(image=large, size=float(size)) for size in range(sheets.MAX_TILES + 20)]
    assert evaluation.contact_sheet(many).shape == (sheets.MAX_TILES // 8 * sheets.TILE, 8 * sheets.TILE, 3)


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Finder:
    finder = Finder(miss_every=5)

    def detector_of(_detect: DetectOptions, *, lowest_score: float) -> Finder:
        assert lowest_score == 0.05
        return finder

    monkeypatch.setattr(dashredact.cli.evaluate, "detector_of", detector_of)
    return finder


def _call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["evaluate", "-q", *map(str, words)])


@pytest.mark.usefixtures("finder")
def test_it_prints_a_table_and_sentences(tmp_path: Path) -> None:
    _make(tmp_path / "drives", range(FIRST_SEEN, FIRST_SEEN + 10), video="drive")
    done = _call(tmp_path)
    assert done.exit_code == ExitCode.OK, done.output
    assert "drives face         10      10" in done.stdout
    assert (
        "Of 10 faces at least 32 px on the longer side, 80.0 % [49.0-94.3 %] were found (IoU 0.5, score 0.5)."
        in done.stdout
    )
    assert "Of 10 frames of faces at least 32 px on the longer side, 0.0 % were uncovered" in done.stdout
    assert done.stderr == ""


def test_kinds_that_the_detector_does_not_find_are_not_measured(tmp_path: Path, finder: Finder) -> None:
    """The set is labelled for persons too, and nothing looks for them: that is no recall of nothing."""
    folder = _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 3))
    _change(folder, labelled=["face", "person"])
    finder.thresholds = {Kind.FACE: 0.5}
    done = _call(folder, "--json")
    assert done.exit_code == ExitCode.OK, done.output
    assert list(json.loads(done.stdout)["all"]["classes"]) == ["face"]
    _change(folder, labelled=["person"])
    done = _call(folder)
    assert done.exit_code == ExitCode.USAGE
    assert "is labelled for person, and the chosen models find face; choose another --model." in done.stderr
    done = _call(folder, "--threshold", "person=0.4")
    assert done.exit_code == ExitCode.USAGE
    assert "--threshold names person: the chosen models find face; leave it out." in done.stderr


def test_persons_are_measured_by_their_height(tmp_path: Path, finder: Finder) -> None:
    """Where a model finds them; the secret stands for one."""
    folder = _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 10), zoom=2)
    rows = json.loads((folder / datasets.NAME).read_text())["images"]
    people = [{**row, "boxes": [{**box, "label": "person"} for box in row["boxes"]]} for row in rows]
    _change(folder, labelled=["person"], images=people)
    finder.kind, finder.thresholds, finder.miss_every = Kind.PERSON, {Kind.PERSON: 0.5}, 0
    done = _call(folder, "--threshold", "person=0.4")
    assert done.exit_code == ExitCode.OK, done.output
    assert "set person       10      10" in done.stdout
    assert "Of 10 people at least 50 px on the longer side, 100.0 %" in done.stdout
    assert "score 0.4)" in done.stdout


@pytest.mark.usefixtures("finder")
def test_it_prints_one_json_document(tmp_path: Path) -> None:
    _make(tmp_path / "one", range(FIRST_SEEN, FIRST_SEEN + 10))
    _make(tmp_path / "two", range(0, 3), video="drive")
    done = _call(tmp_path, "--json")
    assert done.exit_code == ExitCode.OK, done.output
    document = json.loads(done.stdout)
    assert document["model"] == {"name": "finder", "sha256": "f" * 64}
    assert set(document["sets"]) == {"one", "two"}
    assert document["all"]["classes"]["face"]["at_threshold"]["recall"] == {
        **{"count": 8, "of": 10, "share": 0.8},
        **{"low": 0.4902, "high": 0.9433},
    }
    assert document["sets"]["two"]["classes"]["face"]["ap50"] is None
    assert document["sets"]["one"]["masks"] is None
    assert document["sets"]["two"]["masks"]["classes"]["face"]["uncovered"]["of"] == 0


@pytest.mark.usefixtures("finder")
def test_it_tells_the_tracks_with_an_interval(tmp_path: Path) -> None:
    _with_tracks(_make(tmp_path / "drives", range(FIRST_SEEN, FIRST_SEEN + 10), video="drive"), [7] * 10)
    done = _call(tmp_path)
    assert re.search(r"drives face +0 +10 +0.0 % \| +0 +1 \|", done.stdout)
    assert "Of 1 such face, each followed through its video, 0.0 % [0.0-79.3 %] were uncovered on" in done.stdout
    document = json.loads(_call(tmp_path, "--json").stdout)["all"]["masks"]["classes"]["face"]
    assert document["objects_ever_uncovered"] == {"count": 0, "of": 1, "share": 0.0, "low": 0.0, "high": 0.7935}


@pytest.mark.usefixtures("finder")
def test_it_writes_predictions_and_misses_for_their_owner_only(tmp_path: Path) -> None:
    folder = _make(tmp_path / "set", range(FIRST_SEEN, FIRST_SEEN + 10))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    written, drawn = tmp_path / "found.json", tmp_path / "misses.png"
    done = _call(folder, "--predictions", written, "--misses", drawn)
    assert done.exit_code == ExitCode.OK, done.output
    assert "unmasked" in done.stderr
    assert len(json.loads(written.read_text())["images"]) == 10
    assert cv2.imread(str(drawn)) is not None
    assert {stat.S_IMODE(path.stat().st_mode) for path in (written, drawn)} == {0o600}
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_no_sheet_is_drawn_where_nothing_was_missed(tmp_path: Path, finder: Finder) -> None:
    finder.miss_every = 0
    done = _call(_make(tmp_path / "set", range(10, 12)), "--misses", tmp_path / "misses.png")
    assert (done.exit_code, (tmp_path / "misses.png").exists()) == (ExitCode.OK, False)
    assert "nothing was missed" in done.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--misses", "{folder}/misses.png"), "in the dataset"),
        (("--predictions", "{folder}/annotations.json"), "in the dataset"),
        (("--misses", "{folder}/../misses.gif"), "neither"),
        (("--misses", "{folder}/../none/misses.png"), "no folder"),
        (("--misses", "{folder}/../x.png", "--predictions", "{folder}/../x.png"), "a file for each"),
    ],
)
def test_a_wrong_place_is_refused_before_anything_is_looked_at(
    tmp_path: Path, finder: Finder, words: tuple[str, ...], reason: str
) -> None:
    folder = _make(tmp_path / "set", range(10, 12))
    done = _call(folder, *(word.format(folder=folder) for word in words))
    assert (done.exit_code, finder.calls) == (ExitCode.USAGE, 0)
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_set_without_pictures_is_refused(tmp_path: Path, finder: Finder) -> None:
    _make(tmp_path / "one", range(10, 12))
    _make(tmp_path / "none", range(0))
    for folder in (tmp_path, tmp_path / "none"):
        done = _call(folder)
        assert (done.exit_code, done.stdout, finder.calls) == (ExitCode.USAGE, "", 0)
        assert "the set none holds no pictures" in done.stderr


@pytest.mark.usefixtures("finder")
def test_exit_codes_say_what_was_wrong(tmp_path: Path) -> None:
    assert _call(tmp_path).exit_code == ExitCode.USAGE
    folder = _make(tmp_path / "set", range(10, 12))
    (folder / "images" / "010.png").write_bytes(b"not a picture")
    done = _call(folder)
    assert done.exit_code == ExitCode.SOME_FAILED
    assert "010.png cannot be decoded" in done.stderr


def test_its_options_are_those_of_redact_that_change_what_is_detected() -> None:
    def names(name: str) -> set[str]:
        return {option.name or "" for option in _command(name).params if isinstance(option, click.Option)}

    own = {"as_json", "predicted", "misses", "curve", "videos", "quiet"}
    assert names("evaluate") - own <= names("redact")
    assert {"device", "weights", "face_threshold", "plate_threshold"} <= names("evaluate")


def _command(name: str) -> click.Command:
    return cli.main.commands[name]
