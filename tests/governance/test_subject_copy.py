"""A copy for one person: two secrets in one picture, the lifted one is there to see and nothing of the other is."""

import json
import stat
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import clips
import numpy as np
import pytest
from click.testing import CliRunner
from clips import FIRST_SEEN, SIZE, Finder, Library, ffmpeg
from conftest import Mask, every_other
from fleet import call

from dashredact import cli, files
from dashredact.audit import log as audit_log
from dashredact.audit.clips import Clips
from dashredact.audit.events import RequestKind
from dashredact.audit.subject_requests import register
from dashredact.errors import ChangedError, DashredactError, RefusedError, UsageError
from dashredact.execute.inline import INLINE
from dashredact.formats import tracks_json as tracks_store
from dashredact.governance.disclosure import requests, subject_copy
from dashredact.governance.disclosure.requests import NewRequest
from dashredact.governance.disclosure.subject_copy import CopyOptions
from dashredact.settings import Damaged
from dashredact.values import Detections, Picture, ProgressCallback, ProgressEvent
from dashredact.workspace.output_folder import OutputFolder

_WIDTH = SIZE[0]
_NAME = "two people\n.mp4"

_ODD = ["irregular.mp4", "open gop.mkv", "late.mp4", "hole.mp4", "one key frame.mp4", "turned 90.mp4", "mpeg4.avi"]
_ODD += ["odd.webm", "spoilt.mp4"]


class Both(Finder):
    """Finds a secret in each half of the picture."""

    long_side = 2 * _WIDTH

    def _find(self, picture: Picture) -> Detections:
        halves = [super(Both, self)._find(half) for half in (picture[:, :_WIDTH], picture[:, _WIDTH:])]
        right = halves[1]
        moved = Detections(
            right.frames, right.kinds, right.boxes + np.array([_WIDTH, 0, _WIDTH, 0], np.float32), right.scores
        )
        return Detections.concatenate([halves[0], moved])


def _silent(_fact: ProgressEvent) -> None:
    pass


@pytest.fixture
def source(clip: Library, tmp_path: Path) -> Path:
    """The same scene twice, side by side, with sound."""
    path = tmp_path / "inbox" / _NAME
    path.parent.mkdir()
    one = clip("sound.mp4")
    ffmpeg("-i", one, "-i", one, "-filter_complex", "hstack", "-c:a", "copy", "-crf", "8", "-g", "15", path)
    return path


@pytest.fixture
def out(source: Path, mask: Mask, tmp_path: Path) -> Path:
    outcome = mask(source, by=Both(long_side=2 * _WIDTH))
    assert outcome.output is not None, outcome.reason
    for picture in clips.pictures_of(outcome.output):
        assert not clips.secret_pixels(picture).any()
    return tmp_path / "out"


def _ids(out: Path) -> tuple[int, int]:
    """Of the left track and the right one."""
    left, right = sorted(
        tracks_store.read(out / "two people\n.tracks.json").tracks, key=lambda track: track.boxes[0, 0]
    )
    return left.id, right.id


def _copy(
    out: Path, source: Path, unmasked: Sequence[int], target: Path, progress: ProgressCallback = _silent
) -> list[Picture]:
    folder = OutputFolder(out)
    if not register(folder.events()):
        requests.add(folder, NewRequest(RequestKind.COPY, "2026-1", date.today()), 14, date.today())
    name = next(iter(Clips.read(folder.events()))).name
    options = CopyOptions(1, name, unmasked, [source.parent], target)
    with folder.deciding():
        subject_copy.prepare(folder, options).make(folder, INLINE, progress)
    return clips.pictures_of(target)


@pytest.mark.parametrize("whose", [0, 1], ids=["left", "right"])
def test_only_the_person_who_asked_is_seen(out: Path, source: Path, tmp_path: Path, whose: int) -> None:
    pictures = _copy(out, source, [_ids(out)[whose]], tmp_path / "copy.mp4")
    originals = clips.pictures_of(source)
    assert len(pictures) == len(originals)
    for number, (picture, original) in enumerate(zip(pictures, originals, strict=True)):
        halves = picture[:, :_WIDTH], picture[:, _WIDTH:]
        seen = clips.secret_pixels((original[:, :_WIDTH], original[:, _WIDTH:])[whose]).sum()
        assert not clips.secret_pixels(halves[1 - whose]).any()
        assert clips.secret_pixels(halves[whose]).sum() >= 0.6 * seen
        assert seen > 0 or number < FIRST_SEEN


def test_the_frames_keep_their_times_and_the_sound_stays_behind(out: Path, source: Path, tmp_path: Path) -> None:
    _copy(out, source, [_ids(out)[0]], tmp_path / "copy.mp4")
    told = clips.contents(tmp_path / "copy.mp4")
    assert told.kinds == ["video"] and "audio" in clips.contents(source).kinds
    assert told.times() == pytest.approx(clips.contents(source).times(0), abs=1e-3)


def test_nothing_unmasked_is_left_elsewhere(out: Path, source: Path, tmp_path: Path) -> None:
    with OutputFolder(out).deciding():  # whose lock is a file of its own
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
    target = tmp_path / "for them" / "-copy.mp4"
    _copy(out, source, [_ids(out)[0]], target)
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert new - {out / audit_log.NAME, out / audit_log.HEAD} == {target}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    line = json.loads((out / audit_log.NAME).read_text().splitlines()[-1])
    assert line["act"] == "exported" and line["copy"]["sha256"] == files.sha256(target)
    assert line["copy"]["lifted"] == [_ids(out)[0]] and line["recipient"] == "request 1: 2026-1"


@pytest.mark.parametrize("name", every_other(_ODD))
def test_a_copy_has_the_frames_of_the_masked_file(clip: Library, mask: Mask, tmp_path: Path, name: str) -> None:
    salvaged = {"damaged": Damaged.SALVAGE} if name == "spoilt.mp4" else {}
    outcome = mask(clip(name), **salvaged)
    assert outcome.output is not None, outcome.reason
    (track,) = tracks_store.read(outcome.output.with_name(f"{Path(name).stem}.tracks.json")).tracks
    target = tmp_path / f"copy{outcome.output.suffix}"
    pictures = _copy(tmp_path / "out", clip(name), [track.id], target)
    assert clips.contents(target).times() == pytest.approx(clips.contents(outcome.output).times(), abs=1e-3)
    assert any(clips.secret_pixels(picture).any() for picture in pictures)


@pytest.mark.parametrize(
    ("target", "ids", "error"),
    [
        ("out/copy.mp4", None, UsageError),
        ("out/../out/deep/copy.mp4", None, UsageError),
        ("taken.mp4", None, UsageError),
        ("copy.mp4", [99], UsageError),
    ],
)
def test_what_would_go_wrong_is_refused_first(
    out: Path, source: Path, tmp_path: Path, target: str, ids: list[int] | None, error: type[DashredactError]
) -> None:
    (tmp_path / "taken.mp4").touch()
    with pytest.raises(error):
        _copy(out, source, ids or [_ids(out)[0]], tmp_path / target)
    assert [record["act"] for record in OutputFolder(out).records()] == ["masked", "requested"]
    assert not list(tmp_path.glob(".dashredact-*")) and not (out / "copy.mp4").exists()


def test_a_changed_tracks_file_is_not_believed(out: Path, source: Path, tmp_path: Path) -> None:
    """A box left out of it would show somebody else."""
    path, first = out / "two people\n.tracks.json", _ids(out)[0]
    read = tracks_store.read(path)
    path.write_bytes(tracks_store.encode_file(tracks_store.TracksFile(**{**vars(read), "tracks": read.tracks[:1]})))
    with pytest.raises(RefusedError):
        _copy(out, source, [first], tmp_path / "copy.mp4")
    assert not (tmp_path / "copy.mp4").exists()


def test_a_source_that_changes_meanwhile_gives_no_copy(out: Path, source: Path, tmp_path: Path) -> None:
    def grow(_fact: ProgressEvent) -> None:
        with source.open("ab") as file:
            file.write(b"x")

    with pytest.raises(ChangedError):
        _copy(out, source, [_ids(out)[0]], tmp_path / "copy.mp4", grow)
    assert not (tmp_path / "copy.mp4").exists() and not list(tmp_path.glob(".dashredact-*"))


def test_the_command_makes_it_from_a_request(out: Path, source: Path, tmp_path: Path) -> None:
    left, target = _ids(out)[0], tmp_path / "copy.mp4"
    assert call("request", "add", out, "--kind", "copy", "--reference", "2026-1").exit_code == 0
    words = ["request", "copy", str(out), "1", _NAME, "--track", str(left), "--inbox", str(source.parent)]
    done = CliRunner().invoke(cli.main, [*words, "-o", str(target), "-q"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{target}\n" and "look at all of it" in done.stderr
    pictures = clips.pictures_of(target)
    assert clips.secret_pixels(pictures[20][:, :_WIDTH]).any()
    assert not any(clips.secret_pixels(picture[:, _WIDTH:]).any() for picture in pictures)
