"""Videos with marked frames: what is read, what is refused, and what masks cover and waste on them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from clips import FIRST_SEEN, SIZE, Finder, Library, secret_box

import dashredact.cli.evaluate
from dashredact import cli
from dashredact.errors import ExitCode, RefusedError, UsageError
from dashredact.evaluate import clips, curve_svg, masking
from dashredact.evaluate.masking import CurvePoint
from dashredact.evaluate.metrics import Rate
from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.settings import Caution, Settings, TrackSettings

_SETTINGS = Settings(TrackSettings(dict.fromkeys(SHIPPED_KINDS, 0.5)))
_MARKED = (8, 16, 24, 32)


def _box(frame: int, **other: Any) -> dict[str, Any]:
    x0, y0, x1, y1 = secret_box(frame) or (0, 0, 0, 0)
    return {"label": "face", "x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0, **other}


def _marks(name: str, **other: Any) -> dict[str, Any]:
    frames = [{"index": frame, "time": frame / 30, "boxes": [_box(frame)]} for frame in _MARKED]
    return {"clip": name, "width": SIZE[0], "height": SIZE[1], "frames": frames, **other}


@pytest.fixture
def folder(clip: Library, tmp_path: Path) -> Path:
    """With a video of the secret and its marks."""
    shutil.copy(clip("30.mp4"), tmp_path)
    _write(tmp_path, _marks("30.mp4"))
    return tmp_path


def _write(folder: Path, content: Any) -> Path:
    path = folder / "30.json"
    path.write_text(json.dumps(content))
    return path


def test_marks_are_read_and_their_video_is_found(folder: Path) -> None:
    (clip,) = clips.read(folder / "30.json")
    assert (clip.path, clip.size, clip.kinds) == (folder / "30.mp4", SIZE, SHIPPED_KINDS)
    assert [frame.index for frame in clip.frames] == list(_MARKED)
    assert clip.frames[0].objects.tolist() == [list(secret_box(8) or ())]


def test_a_video_may_be_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("marks")
    (folder / "30.json").rename(elsewhere / "30.json")
    with pytest.raises(UsageError, match="--videos"):
        clips.read(elsewhere)
    assert clips.read(elsewhere, [folder.parent])[0].path.name == "30.mp4"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"width": 0}, '"width"'),
        ({"frames": {}}, '"frames"'),
        ({"frames": [{"index": -1, "boxes": []}]}, '"index" of frames[0]'),
        ({"frames": [{"index": 1}]}, '"boxes" of frames[0]'),
        ({"frames": [{"index": 1, "boxes": [{"label": "dog"}]}]}, "boxes[0] of frames[0]"),
        ({"labelled": ["zone"]}, '"labelled"'),
        ({"clip": "../30.mp4"}, "--videos"),
        ({"clip": 7}, '"clip"'),
    ],
)
def test_one_sentence_says_what_is_wrong_with_marks(folder: Path, other: dict[str, Any], words: str) -> None:
    path = _write(folder, _marks("30.mp4", **other))
    with pytest.raises(UsageError) as caught:
        clips.read(path)
    assert words in str(caught.value)
    assert "30.json" in str(caught.value)


@pytest.mark.parametrize(
    ("other", "words"),
    [({"width": 99}, "its marks say 99x"), ({"frames": [{"index": 9999, "boxes": []}]}, "a later one is marked")],
)
def test_marks_of_another_video_are_refused(folder: Path, other: dict[str, Any], words: str) -> None:
    (clip,) = clips.read(_write(folder, _marks("30.mp4", **other)))
    with pytest.raises(RefusedError, match=words):
        clips.detected(clip, Finder(), _SETTINGS, lambda fact: None)


def test_cover_and_waste_are_measured_together(folder: Path) -> None:
    marks = _marks("30.mp4")
    marks["frames"][1]["boxes"] = []
    marks["frames"][2]["boxes"][0]["ignore"] = True
    (clip,) = clips.read(_write(folder, marks))
    video = clips.detected(clip, Finder(miss_every=3), _SETTINGS, lambda fact: None)
    masked = video.masked(_SETTINGS.link)
    figures = masking.figures([masked])
    assert figures.uncovered[Kind.FACE].every == Rate(0, 2)
    assert masked.masked.min() > 0.03
    assert masked.wasted[[0, 2, 3]].max() == 0
    assert masked.wasted[1] == masked.masked[1]
    assert figures.wasted.low is None, "one video says nothing about others"


def test_intervals_are_of_videos_and_not_of_frames(folder: Path) -> None:
    (clip,) = clips.read(folder)
    seen = clips.detected(clip, Finder(), _SETTINGS, lambda fact: None).masked(_SETTINGS.link)
    missed = clips.detected(clip, Finder(miss_first=99), _SETTINGS, lambda fact: None).masked(_SETTINGS.link)
    figures = masking.figures([seen, missed])
    share = figures.share[Kind.FACE]
    assert (share.value, share.low, share.high) == (0.5, 0.0, 1.0)
    assert figures.masked.low == 0 < figures.masked.value < (figures.masked.high or 0)


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Finder:
    finder = Finder(miss_every=4)
    monkeypatch.setattr(dashredact.cli.evaluate, "detector_of", lambda detect, **how: finder)
    return finder


@pytest.mark.usefixtures("finder")
def test_the_command_prints_both_figures_and_draws_the_curve(folder: Path, tmp_path_factory: Any) -> None:
    target = tmp_path_factory.mktemp("out") / "curve.svg"
    done = CliRunner().invoke(cli.main, ["evaluate", str(folder), "--curve", str(target), "--quiet"])
    assert done.exit_code == ExitCode.OK, done.output
    assert "30.mp4 face" in done.stdout
    assert "Of 4 frames of faces at least 32 px on the longer side, 0.0 % were uncovered" in done.stdout
    assert "0.0 % of it lay under masks of nothing" in done.stdout
    assert target.read_bytes().startswith(b"<svg")
    document = json.loads(CliRunner().invoke(cli.main, ["evaluate", str(folder), "--json", "--quiet"]).stdout)
    assert document["videos"]["30.mp4"]["classes"]["face"]["uncovered"]["of"] == 4
    assert [point["believed"] for point in document["curve"]] == list(masking.BELIEVED)


def test_what_is_only_of_pictures_or_only_of_videos_is_refused(folder: Path, tmp_path_factory: Any) -> None:
    target = str(tmp_path_factory.mktemp("out") / "misses.png")
    done = CliRunner().invoke(cli.main, ["evaluate", str(folder), "--misses", target])
    assert (done.exit_code, "are of pictures" in done.stderr) == (ExitCode.USAGE, True)


def test_the_curve_shows_a_line_for_each_kind_and_names_the_levels_of_caution() -> None:
    points = [
        CurvePoint(level.believed, dict.fromkeys(SHIPPED_KINDS, Rate(number, 10)), {}, 0.01 * number)
        for number, level in enumerate(Caution)
    ]
    drawn = curve_svg.draw(points).decode()
    assert drawn.count("<polyline") == len(SHIPPED_KINDS)
    assert all(f">{level}</text>" in drawn for level in Caution)
    assert min(_MARKED) > FIRST_SEEN, "the secret is on every marked frame"
    assert np.isfinite([float(x) for x in drawn.split('cx="')[1].split('"')[:1]]).all()
