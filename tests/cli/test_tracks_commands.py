"""`dashredact tracks`: from a masked video to another tool and back, on the command line."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from clips import SIZE, Library

from dashredact import cli, files
from dashredact.formats import exchange, tracks_json
from dashredact.formats.exchange import TracksFormat
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import Kind
from dashredact.values import ModelIdentity, Origin, Track

_NAME = "街 'a'\n<b>.tracks.json"


def _call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["tracks", *map(str, words)])


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Ten frames, at uneven times."""
    boxes = np.array([[1, 2, 11, 10], [2, 2, 12, 12.5], [3, 2, 13, 10]])
    face = Track(4, Kind.FACE, 2, boxes, np.array([2, 0, 3], np.int8), np.array([0, 0.875, 0], np.float32))
    zone = Track(1, Kind.ZONE, 0, np.tile([0.0, 0, 64, 8], (10, 1)), np.full(10, 3, np.int8), np.zeros(10, np.float32))
    pts = np.array([0, 3, 6, 9, 12, 15, 18, 21, 24, 100])
    file = TracksFile("t.mp4", "0" * 64, ModelIdentity("m", "1" * 64), (64, 48), Fraction(1, 30), pts, (zone, face))
    path = tmp_path / _NAME
    path.write_bytes(tracks_json.encode_file(file))
    return path


def test_show_is_a_short_table(made: Path) -> None:
    done = _call("show", made)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "id  kind  frames  seconds    size   top score",
        "1   zone  0-9     0.00-3.33  64x8   0.0",
        "4   face  2-4     0.20-0.50  10x10  0.875",
    ]


def test_show_as_json(made: Path) -> None:
    lines = [json.loads(line) for line in _call("show", made, "--json").stdout.splitlines()]
    assert [line["id"] for line in lines] == [1, 4]
    assert lines[1] == {
        "id": 4, "kind": "face", "frames": "2-4", "seconds": "0.20-0.50", "size": "10x10", "top_score": 0.875
    }  # fmt: skip


@pytest.mark.parametrize("format", TracksFormat)
def test_there_and_back(made: Path, tmp_path: Path, format: TracksFormat) -> None:
    out, back = tmp_path / f"-out {format}" / "trip.any", tmp_path / "back.tracks.json"
    done = _call("export", made, "--format", format, "-o", out)
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    done = _call("import", out, "--format", format, "--like", made, "-o", back)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{back}\n", "")
    before, after = (json.loads(path.read_bytes()) for path in (made, back))
    if format in (TracksFormat.MOT, TracksFormat.MOT0):
        for track in before["tracks"]:
            frames = track["end"] - track["first"]
            track |= {"origins": [["manual", frames]], "scores": [0.0] * frames}
    assert after == before


def test_a_video_says_what_its_boxes_lie_on(tmp_path: Path) -> None:
    clip, boxes, new = tmp_path / "-c.mp4", tmp_path / "gt.txt", tmp_path / "new.tracks.json"
    grey = ["-f", "lavfi", "-i", "color=gray:s=64x48:d=1:r=30000/1001", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", *grey, clip], check=True)
    boxes.write_text("30,1,2,3,10,10,1,1,1\n")
    (tmp_path / "labels.txt").write_text("plate\n")
    done = _call("import", boxes, "--like", clip, "-o", new)
    assert done.exit_code == 0, done.stderr
    read = tracks_json.read(new)
    assert (read.name, read.sha256, read.size) == ("-c.mp4", files.sha256(clip), (64, 48))
    assert read.model == ModelIdentity("gt.txt", files.sha256(boxes))
    assert (np.diff(read.pts) * read.time_base).tolist() == [Fraction(1001, 30000)] * 29
    (track,) = read.tracks
    assert (track.kind, track.first, track.boxes.tolist()) == (Kind.PLATE, 29, [[1, 2, 11, 12]])
    assert [*track.origins] == [list(Origin).index(Origin.MANUAL)]


def test_a_video_on_its_side_is_meant_upright(clip: Library, tmp_path: Path) -> None:
    (width, height), boxes = SIZE, tmp_path / "gt.txt"
    boxes.write_text(f"1,1,1,1,{width},{height},1,1,1\n")
    (tmp_path / "labels.txt").write_text("plate\n")
    assert _call("import", boxes, "--like", clip("turned 90.mp4"), "-o", tmp_path / "new.json").exit_code == 0
    read = tracks_json.read(tmp_path / "new.json")
    assert (read.size, read.tracks[0].boxes.tolist()) == (SIZE, [[0, 0, width, height]])


def test_what_is_there_is_not_written_over(made: Path, tmp_path: Path) -> None:
    before = made.read_bytes()
    done = _call("export", made, "--format", "coco", "-o", made)
    assert done.exit_code == 2
    assert "already exists" in done.stderr and done.stderr.count("\n") == 1
    assert made.read_bytes() == before
    assert list(tmp_path.iterdir()) == [made]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("<a/>", "not from CVAT"),
        ("{}", "is not a COCO file"),
        ("hello", "has none of the formats"),
        ("", "has none of the formats"),
    ],
)
def test_what_cannot_be_read_is_code_2_and_one_sentence(made: Path, tmp_path: Path, content: str, wanted: str) -> None:
    boxes = tmp_path / "boxes"
    boxes.write_text(content)
    done = _call("import", boxes, "--like", made, "-o", tmp_path / "new.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert wanted in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "new.json").exists()


def test_show_of_something_else_is_code_2(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    done = _call("show", tmp_path / "a.json")
    assert done.exit_code == 2 and "is not a tracks file" in done.stderr


def test_like_something_that_is_not_a_video_is_code_3(made: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    done = _call("import", made, "--like", tmp_path / "a.txt", "-o", tmp_path / "new.json")
    assert done.exit_code == 3 and "is not a video" in done.stderr


# --- formats by name and by content -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "format"), [("a.xml", "cvat"), ("a.XML", "cvat"), ("a.tracks.json", "json"), ("a.coco.json", "coco")]
)
def test_the_name_of_the_output_says_its_format(made: Path, tmp_path: Path, name: str, format: str) -> None:
    done = _call("export", made, "-o", tmp_path / name)
    assert done.exit_code == 0, done.stderr
    assert exchange.format_of(tmp_path / name) == format


@pytest.mark.parametrize("name", ["a.json", "gt.txt", "a"])
def test_a_name_that_fits_several_formats_or_none_asks_for_one(made: Path, tmp_path: Path, name: str) -> None:
    done = _call("export", made, "-o", tmp_path / name)
    assert done.exit_code == 2 and "add --format with json, coco, cvat, mot, mot0" in done.stderr
    assert list(tmp_path.iterdir()) == [made]


def test_several_files_go_into_a_folder(made: Path, tmp_path: Path) -> None:
    other, out = tmp_path / "b.tracks.json", tmp_path / "out"
    other.write_bytes(made.read_bytes())
    done = _call("export", made, other, "--format", "cvat", "-o", out)
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["b.xml", "街 'a'\n<b>.xml"]
    assert f"{out / 'b.xml'}\n" in done.stdout
    assert _call("export", made, other, "--format", "mot", "-o", out).exit_code == 0
    assert {path.name for path in out.iterdir()} > {"b.txt", "labels.txt"}


def test_several_files_need_a_folder_a_format_and_different_names(made: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    same = tmp_path / "sub" / made.name
    same.write_bytes(made.read_bytes())
    for words, reason in (
        ((made, same, "-o", tmp_path / "out"), "add --format"),
        ((made, same, "--format", "cvat", "-o", tmp_path / "out"), "Two of the files would be written to"),
        ((made, made, "--format", "cvat", "-o", made), "is a file, and there are 2"),
    ):
        done = _call("export", *words)
        assert done.exit_code == 2 and reason in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_format_that_is_assumed_is_said(made: Path, tmp_path: Path) -> None:
    """Nothing in a MOT file tells whether its coordinates count from 0 or 1."""
    boxes = tmp_path / "gt.txt"
    assert _call("export", made, "--format", "mot0", "-o", boxes).exit_code == 0
    done = _call("import", boxes, "--like", made, "-o", tmp_path / "new.json")
    assert done.exit_code == 0
    assert f"{boxes} is read as mot (coordinates from 1); name its format with --format if" in done.stderr
    done = _call("import", boxes, "--format", "mot0", "--like", made, "-o", tmp_path / "right.json")
    assert (done.exit_code, done.stderr) == (0, "")


def test_tracks_of_another_video_are_refused_unless_that_is_meant(clip: Library, tmp_path: Path) -> None:
    video, new = clip("30.mp4"), tmp_path / "new.json"
    empty = tmp_path / "boxes.tracks.json"
    empty.write_text('{"categories": [], "images": [], "annotations": []}')
    assert _call("import", empty, "--like", video, "-o", tmp_path / "own.json").exit_code == 0
    own = json.loads((tmp_path / "own.json").read_bytes())
    other = tmp_path / "other.tracks.json"
    other.write_text(json.dumps({**own, "source": {**own["source"], "sha256": "0" * 64}}))
    done = _call("import", other, "--like", video, "-o", new)
    assert done.exit_code == 2 and "was made for another video" in done.stderr
    assert not new.exists()
    assert _call("import", other, "--like", video, "--boxes-of-another-video", "-o", new).exit_code == 0
    assert _call("import", tmp_path / "own.json", "--like", video, "-o", tmp_path / "same.json").exit_code == 0
