"""Given boxes through the whole journey: masked with a detector or without one, of one video, and written down."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from click.testing import CliRunner
from clips import Finder, Library
from conftest import SETTINGS, Mask
from output_checks import check_cover, check_pictures, check_schema, output_of, tracks_of

from dashredact import cli, files
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.cli import redact
from dashredact.cli.options import DetectOptions
from dashredact.errors import ExitCode, UsageError
from dashredact.formats import exchange, tracks_json
from dashredact.formats.exchange import TracksFormat
from dashredact.kinds import Kind
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.values import Detector, ProgressEvent
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

BLIND = 10**6
FORMATS = {
    TracksFormat.JSON: "b.json",
    TracksFormat.COCO: "b.json",
    TracksFormat.CVAT: "b.xml",
    TracksFormat.MOT: "gt.txt",
}


def _silent(_fact: ProgressEvent) -> None:
    pass


@pytest.fixture
def given(clip: Library, mask: Mask, tmp_path: Path) -> Callable[..., Path]:
    """The boxes of a clip's secret, in a file of that format."""

    def make(name: str, format: TracksFormat = TracksFormat.JSON) -> Path:
        output = output_of(mask(clip(name), out=tmp_path / "before"))
        told = output.with_name(f"{output.name.split('.masked.')[0]}.tracks.json")
        path = tmp_path / "given" / FORMATS[format]
        exchange.write(path, tracks_json.read(told), format)
        return path

    return make


def run(source: Path, boxes: Path, out: Path, detector: Detector) -> Outcome:
    settings = replace(SETTINGS, boxes=exchange.box_file(boxes))
    (outcome,) = Batch(OutputFolder(out), detector, settings, _silent, run_options=RunOptions(boxes=boxes)).run(
        inbox.plan([source], out)
    )
    return outcome


@pytest.mark.parametrize("format", FORMATS)
def test_given_boxes_hide_what_nobody_sees(clip: Library, given: Any, tmp_path: Path, format: TracksFormat) -> None:
    source, boxes = clip("30.mp4"), given("30.mp4", format)
    outcome = run(source, boxes, tmp_path / "out", Finder(miss_first=BLIND))
    check_pictures(source, output_of(outcome))
    (record,) = audit_log.records(tmp_path / "out" / audit_log.NAME)
    check_schema(record, "audit")
    assert record["settings"]["boxes"]["sha256"] == files.sha256(boxes)


@pytest.mark.parametrize("name", ["turned 90.mp4", "odd.webm", "late.mp4", "flat pixels.mp4"])
def test_they_lie_on_the_upright_picture(clip: Library, given: Any, tmp_path: Path, name: str) -> None:
    source, boxes = clip(name), given(name)
    output = output_of(run(source, boxes, tmp_path / "out", Finder(miss_first=BLIND)))
    check_pictures(source, output)
    check_cover(source, output)


def test_beside_the_detector_both_are_masked(clip: Library, given: Any, tmp_path: Path) -> None:
    boxes = given("30.mp4")
    both = tracks_of(output_of(run(clip("30.mp4"), boxes, tmp_path / "out", Finder())))["tracks"]
    assert [track["id"] for track in both] == [1, 2]
    assert both[0]["boxes"] == both[1]["boxes"]


def test_other_boxes_are_another_result(clip: Library, given: Any, tmp_path: Path) -> None:
    source, boxes, finder = clip("30.mp4"), given("30.mp4"), Finder(miss_first=BLIND)
    assert run(source, boxes, tmp_path / "out", finder).status is VideoStatus.MASKED
    assert run(source, boxes, tmp_path / "out", finder).status is VideoStatus.SKIPPED
    told = json.loads(boxes.read_text())
    boxes.write_text(json.dumps({**told, "tracks": []}))
    assert run(source, boxes, tmp_path / "out", finder).status is VideoStatus.MASKED


def test_other_labels_are_another_result(given: Any) -> None:
    boxes = given("30.mp4", TracksFormat.MOT)
    before = exchange.box_file(boxes)
    boxes.with_name("labels.txt").write_text("plate\nface\nzone\n")
    assert exchange.box_file(boxes) != before
    assert exchange.box_file(boxes).sha256 == before.sha256


def test_boxes_that_change_on_the_way_end_the_run(clip: Library, given: Any, tmp_path: Path) -> None:
    boxes = given("30.mp4")

    class Meddler(Finder):
        def __call__(self, pictures: Any) -> Any:
            boxes.write_text(json.dumps({**json.loads(boxes.read_text()), "tracks": []}))
            return super().__call__(pictures)

    with pytest.raises(UsageError, match="has changed since this run began"):
        run(clip("30.mp4"), boxes, tmp_path / "out", Meddler())
    assert not list((tmp_path / "out").glob("*.masked.*"))


# --- kinds --------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(given: Callable[..., Path]) -> Path:
    """The secret of a clip as a face, and beside it a plate, two persons and a zone."""
    path = given("30.mp4")
    told = tracks_json.read(path)
    (face,) = told.tracks
    others = [(Kind.ZONE, 0), (Kind.PLATE, 8), (Kind.PERSON, 16), (Kind.PERSON, 24)]
    beside = [
        replace(face, id=number, kind=kind, boxes=np.tile([x, 0.0, x + 6, 4.0], (len(face.boxes), 1)))
        for number, (kind, x) in enumerate(others, 2)
    ]
    path.write_bytes(tracks_json.encode_file(replace(told, tracks=(face, *beside))))
    return path


def _kinds(out: Path) -> list[str]:
    return [track["kind"] for track in tracks_of(out / "30.masked.mp4")["tracks"]]


def _secret_is_seen(out: Path) -> bool:
    return any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(out / "30.masked.mp4"))


@pytest.mark.parametrize(
    ("kinds", "masked", "told"),
    [
        ("plate", ["zone", "plate"], "1 face track, 2 person tracks left out"),
        ("face,plate", ["zone", "face", "plate"], "2 person tracks left out"),
        ("person", ["zone", "person", "person"], "1 face track, 1 plate track left out"),
        ("face,plate,person", ["zone", "face", "plate", "person", "person"], "2 person tracks taken."),
    ],
)
def test_only_the_chosen_kinds_of_the_file_are_taken_and_it_says_so(
    clip: Library, mixed: Path, tmp_path: Path, call: Any, kinds: str, masked: list[str], told: str
) -> None:
    out = tmp_path / "out"
    done = call(clip("30.mp4"), "-o", out, "--boxes", mixed, "--no-detector", "--kinds", kinds)
    assert done.exit_code == ExitCode.OK, done.stderr
    assert sorted(_kinds(out)) == sorted(masked)
    assert _secret_is_seen(out) == ("face" not in masked)
    assert done.stderr.count("\n") == 1
    assert "1 zone track" in done.stderr and told in done.stderr
    (record,) = audit_log.records(out / audit_log.NAME)
    check_schema(record, "audit")
    assert record["settings"]["boxes"]["kinds"] == kinds.split(",")
    assert set(record["settings"]["link"]["thresholds"]) == set(kinds.split(","))
    assert set(record["tracks"]) == set(masked)
    check_schema(tracks_of(out / "30.masked.mp4"), "tracks")


def test_other_kinds_of_the_same_file_are_another_result(clip: Library, mixed: Path, tmp_path: Path, call: Any) -> None:
    words = (clip("30.mp4"), "-o", tmp_path / "out", "--boxes", mixed, "--no-detector")
    assert call(*words, "--kinds", "plate").exit_code == ExitCode.OK
    assert call(*words).exit_code == ExitCode.OK
    assert not _secret_is_seen(tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("--kinds", "face,screen"),
            "--kinds names screen: no detector looks, and {boxes} holds face, plate, person, zone",
        ),
        (
            ("--kinds", "face,screen", "--boxes", "{faces}"),
            "--kinds names screen: no detector looks, and {faces} holds face;",
        ),
        (("--kinds", "plate", "--boxes", "{faces}"), "{faces} holds 1 face track, none of which --kinds names"),
        (
            (
                "--threshold",
                "person=0.4",
            ),
            "--threshold names person: no detector looks",
        ),
    ],
)
def test_what_nothing_finds_is_refused(
    clip: Library, mixed: Path, tmp_path: Path, call: Any, words: tuple[str, ...], reason: str
) -> None:
    """Else it would stay to be seen in a video whose line in the log says that it is masked."""
    told = tracks_json.read(mixed)
    faces = tmp_path / "faces.json"
    faces.write_bytes(tracks_json.encode_file(replace(told, tracks=told.tracks[:1])))
    names = {"boxes": mixed, "faces": faces}
    filled = [word.format(**names) for word in words]
    done = call(clip("30.mp4"), "-o", tmp_path / "out", "--boxes", mixed, "--no-detector", *filled)
    assert done.exit_code == ExitCode.USAGE, done.stderr
    assert reason.format(**names) in done.stderr
    assert not (tmp_path / "out").exists()


def test_that_nothing_of_the_file_is_taken_is_found_out_on_the_way_where_the_video_is_damaged(
    clip: Library, mixed: Path, tmp_path: Path, call: Any
) -> None:
    """Only decoding tells how many frames it has, and so whether the file is for it."""
    told = tracks_json.read(mixed)
    source, boxes, out = clip("cut off.mp4"), tmp_path / "gt.txt", tmp_path / "out"
    face = replace(told.tracks[0], boxes=told.tracks[0].boxes[:2], origins=told.tracks[0].origins[:2])
    exchange.write(boxes, replace(told, tracks=(face,)), TracksFormat.MOT)
    words = (source, "-o", out, "--boxes", boxes, "--no-detector", "--damaged", "salvage")
    done = call(*words, "--kinds", "plate")
    assert done.exit_code == ExitCode.USAGE
    assert "gt.txt: zones and the kinds plate are taken, when the video is decoded." in done.stderr
    assert "gt.txt has no boxes of the kinds that are to be masked" in done.stderr
    assert not list(out.glob("*.masked.*"))


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command with a detector that must not be asked."""

    def nobody(_detect: DetectOptions, **_: Any) -> Finder:
        raise AssertionError("a detector was made")

    monkeypatch.setattr(redact, "detector_of", nobody)
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)
    return lambda *words: CliRunner().invoke(cli.main, ["redact", "-q", *map(str, words)])


def test_boxes_alone_on_the_command_line(clip: Library, given: Any, tmp_path: Path, call: Any) -> None:
    out = tmp_path / "out"
    done = call(clip("30.mp4"), "-o", out, "--boxes", given("30.mp4"), "--no-detector")
    assert done.exit_code == ExitCode.OK, done.stderr
    assert done.stderr.endswith("b.json: 1 face track taken.\n")
    assert not _secret_is_seen(out)
    (record,) = audit_log.records(out / audit_log.NAME)
    check_schema(record, "audit")
    assert record["model"]["name"] == "none"
    assert record["second_look"] == {"ran": False}


def test_wrong_uses_are_told_before_anything_is_done(clip: Library, given: Any, tmp_path: Path, call: Any) -> None:
    boxes, out = given("30.mp4"), tmp_path / "out"
    for words, reason in (
        (("--no-detector",), "say with --boxes FILE what is masked"),
        ((clip("25.mov"), "--boxes", boxes), "is for one video, and there are 2"),
        (("--boxes-of-another-video",), "is about --boxes"),
    ):
        done = call(clip("30.mp4"), "-o", out, *words)
        assert done.exit_code == ExitCode.USAGE
        assert reason in done.stderr
    done = call(clip("10.mp4"), "-o", out, "--boxes", boxes, "--boxes-of-another-video")
    assert done.exit_code == ExitCode.USAGE
    assert "is for a video of 36 frames, and the video has 24" in done.stderr
    assert not out.exists()


def test_tracks_of_another_video_are_refused_unless_that_is_meant(
    clip: Library, given: Any, tmp_path: Path, call: Any
) -> None:
    """Size and number of frames are the same by chance; the masks would lie anywhere."""
    boxes, out = given("30.mp4"), tmp_path / "out"
    content = json.loads(boxes.read_text())
    content["source"]["sha256"] = "0" * 64
    boxes.write_text(json.dumps(content))
    words = (clip("30.mp4"), "-o", out, "--boxes", boxes, "--no-detector")
    done = call(*words)
    assert done.exit_code == ExitCode.USAGE
    assert f"{boxes} was made for another video than" in done.stderr
    assert not out.exists()
    assert call(*words, "--boxes-of-another-video").exit_code == ExitCode.OK


def test_a_format_that_is_assumed_is_said(clip: Library, given: Any, tmp_path: Path, call: Any) -> None:
    done = call(
        *(clip("30.mp4"), "-o", tmp_path / "out", "--boxes", given("30.mp4", TracksFormat.MOT), "--no-detector")
    )
    assert done.exit_code == ExitCode.OK, done.stderr
    assert "gt.txt is read as mot (coordinates from 1); if it has another format, convert it" in done.stderr
