"""Kept detections: other thresholds without detecting again, and nothing that the log does not vouch for is used."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from click.testing import CliRunner
from clips import Finder, Library
from conftest import SETTINGS
from output_checks import check_cover, check_pictures, check_schema, output_of, tracks_of

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.cli import redact
from dashredact.errors import ExitCode
from dashredact.kinds import SHIPPED_KINDS
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.settings import Damaged, Settings, Style, TrackSettings, Zone, Zones
from dashredact.values import Detections, ModelIdentity, ProgressEvent, SegmentDetections
from dashredact.workspace import detections_cache, inbox
from dashredact.workspace.output_folder import OutputFolder

STRICT = replace(SETTINGS, link=TrackSettings(dict.fromkeys(SHIPPED_KINDS, 0.95)))
"""Nothing that the finder sees is masked."""
KEEP, RELINK = RunOptions(keep_detections=True), RunOptions(relink=True)
Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def mask(source: Path, finder: Finder, settings: Settings = SETTINGS, aids: RunOptions = RunOptions()) -> Outcome:  # noqa: B008
        out = tmp_path / "out"
        (outcome,) = Batch(OutputFolder(out), finder, settings, _silent, run_options=aids).run(
            inbox.plan([source], out)
        )
        return outcome

    return mask


def _silent(_fact: ProgressEvent) -> None:
    pass


@pytest.mark.parametrize("name", ["30.mp4", "irregular.mkv", "open gop.mp4", "turned 90.mp4", "odd.webm"])
def test_other_thresholds_mask_again_without_the_detector(clip: Library, run: Run, name: str) -> None:
    finder, source = Finder(), clip(name)
    before = output_of(run(source, finder, STRICT, KEEP))
    assert tracks_of(before)["tracks"] == []
    calls = finder.calls
    after = output_of(run(source, finder, SETTINGS, RELINK))
    assert finder.calls == calls
    check_pictures(source, after)
    check_cover(source, after)


def test_it_gives_what_detecting_again_gives(clip: Library, run: Run, tmp_path: Path) -> None:
    source = clip("30.mp4")
    run(source, Finder(miss_every=3), STRICT, KEEP)
    linked = output_of(run(source, Finder(), SETTINGS, RELINK))
    out = tmp_path / "afresh"
    (afresh,) = Batch(OutputFolder(out), Finder(miss_every=3), SETTINGS, _silent).run(inbox.plan([source], out))
    assert tracks_of(linked) == tracks_of(output_of(afresh))
    assert linked.read_bytes() == output_of(afresh).read_bytes()


def test_without_a_word_they_are_used_too(clip: Library, run: Run) -> None:
    finder, source = Finder(), clip("30.mp4")
    run(source, finder, SETTINGS, KEEP)
    calls = finder.calls
    for changed in (replace(SETTINGS, hide=replace(SETTINGS.hide, style=Style.FILL)), STRICT):
        assert run(source, finder, changed).status is VideoStatus.MASKED
    zones = Zones(mask=(Zone("all", (0, 0, 1, 1)),))
    assert run(source, finder, replace(SETTINGS, zones=zones)).status is VideoStatus.MASKED
    assert finder.calls == calls


def test_the_books_know_the_file(clip: Library, run: Run, tmp_path: Path) -> None:
    run(clip("30.mp4"), Finder(), SETTINGS, KEEP)
    path = tmp_path / "out" / "30.detections.npz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (record,) = audit_log.records(tmp_path / "out" / audit_log.NAME)
    check_schema(record, "audit")
    (told,) = record["files"]
    assert (told["name"], told["bytes"]) == (path.name, path.stat().st_size)
    assert CliRunner().invoke(cli.main, ["audit", "verify", str(tmp_path / "out"), "--files"]).exit_code == ExitCode.OK
    path.write_bytes(path.read_bytes() + b"\0")
    done = CliRunner().invoke(cli.main, ["audit", "verify", str(tmp_path / "out"), "--files"])
    assert done.exit_code == ExitCode.LEDGER_BROKEN
    assert path.name in done.stderr + done.stdout


def _emptied(path: Path) -> None:
    """A file in good form that says that nothing was seen."""
    with np.load(path) as there:
        arrays = {name: there[name] for name in there.files}
    arrays |= {name: arrays[name][:0] for name in ("frames", "kinds", "boxes", "scores")}
    np.savez(path, **arrays)


@pytest.mark.parametrize("spoil", [_emptied, Path.unlink, lambda path: path.write_bytes(b"PK")])
def test_what_the_log_does_not_vouch_for_is_not_used(clip: Library, run: Run, tmp_path: Path, spoil: Any) -> None:
    finder, source = Finder(), clip("30.mp4")
    run(source, finder, STRICT, KEEP)
    spoil(tmp_path / "out" / "30.detections.npz")
    calls = finder.calls
    assert run(source, finder, SETTINGS, RELINK).status is VideoStatus.REFUSED
    assert finder.calls == calls
    check_cover(source, output_of(run(source, finder)))
    assert finder.calls > calls


def _of_an_earlier_version(path: Path) -> None:
    """Kinds are numbers there, whose order nobody knows any more."""
    with np.load(path) as there:
        arrays = {name: there[name] for name in there.files if name != "kind_names"}
    np.savez(path, **arrays)


def test_kept_detections_that_do_not_name_their_kinds_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    detections_cache.write(path, "k" * 64, [_segment(np.random.default_rng(3), 5)])
    assert len(detections_cache.read(path, "k" * 64)) == 1
    _of_an_earlier_version(path)
    assert detections_cache.read(path, "k" * 64) == []


@pytest.mark.parametrize(
    "other",
    [Finder(identity=ModelIdentity("other", "0" * 64)), Finder(long_side=96)],
    ids=["another model", "another size"],
)
def test_detections_of_another_detector_are_not_used(clip: Library, run: Run, other: Finder) -> None:
    source = clip("30.mp4")
    run(source, Finder(miss_first=10**6), STRICT, KEEP)
    refused = run(source, other, SETTINGS, RELINK)
    assert refused.status is VideoStatus.REFUSED
    assert refused.reason == (
        "30.mp4: no detections of this file and model are kept; mask it with --keep-detections first."
    )
    assert other.calls == 0


def test_detections_of_another_source_are_not_used(clip: Library, run: Run, tmp_path: Path) -> None:
    source, finder = tmp_path / "trip.mp4", Finder()
    source.write_bytes(clip("30.mp4").read_bytes())
    run(source, finder, SETTINGS, KEEP)
    source.write_bytes(clip("one key frame.mp4").read_bytes())
    calls = finder.calls
    assert run(source, finder, SETTINGS, RELINK).status is VideoStatus.REFUSED
    assert run(source, finder).status is VideoStatus.MASKED
    assert finder.calls > calls


def test_lost_frames_are_still_lost(clip: Library, run: Run) -> None:
    salvage = {"damaged": Damaged.SALVAGE}
    source, finder = clip("spoilt.mp4"), Finder()
    first = run(source, finder, replace(STRICT, **salvage), KEEP)
    second = run(source, finder, replace(SETTINGS, **salvage), RELINK)
    assert first.record and second.record
    assert first.record["frames"] == second.record["frames"]
    assert len(first.record["frames"]["lost_at"]) >= 2
    assert run(source, finder, SETTINGS, RELINK).status is VideoStatus.FAILED, "a damaged file is refused as ever"


def test_a_strange_file_under_the_name_is_not_overwritten(clip: Library, run: Run, tmp_path: Path) -> None:
    strange = tmp_path / "out" / "30.detections.npz"
    strange.parent.mkdir()
    strange.write_bytes(b"mine")
    assert run(clip("30.mp4"), Finder(), SETTINGS, KEEP).status is VideoStatus.REFUSED
    assert strange.read_bytes() == b"mine"


def test_every_segment_is_read_back(tmp_path: Path) -> None:
    path, chance = tmp_path / "kept.npz", np.random.default_rng(3)
    segments = [_segment(chance, frames) for frames in (5, 0, 7)]
    detections_cache.write(path, "k" * 64, segments)
    assert detections_cache.read(path, "other") == []
    for one, other in zip(segments, detections_cache.read(path, "k" * 64), strict=True):
        assert (one.size, one.lost) == (other.size, other.lost)
        for name in ("frames", "kinds", "boxes", "scores"):
            there, back = getattr(one.detections, name), getattr(other.detections, name)
            assert there.dtype == back.dtype
            np.testing.assert_array_equal(there, back)
        np.testing.assert_array_equal(one.pts, other.pts)


def _segment(chance: np.random.Generator, frames: int) -> SegmentDetections:
    count = 3 * frames
    seen = Detections(
        np.sort(chance.integers(0, max(frames, 1), count)).astype(np.int32),
        chance.integers(0, 2, count).astype(np.int8),
        chance.random((count, 4)).astype(np.float32),
        chance.random(count).astype(np.float32),
    )
    size = (192, 112) if frames else (0, 0)
    return SegmentDetections(np.arange(frames, dtype=np.int64), size, seen, (4,) * (frames == 7))


def test_relink_on_the_command_line(clip: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder, out = Finder(), tmp_path / "out"
    monkeypatch.setattr(redact, "detector_of", lambda _detect, **_: finder)
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)

    def call(*words: object) -> Any:
        base = ["redact", "-q", str(clip("30.mp4")), "-o", str(out), "--no-second-look"]
        return CliRunner().invoke(cli.main, [*base, *map(str, words)])

    assert call("--relink").exit_code == ExitCode.SOME_FAILED
    assert call("--keep-detections", "--face-threshold", 0.95).exit_code == ExitCode.OK
    assert any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(out / "30.masked.mp4"))
    finder.thresholds = dict.fromkeys(SHIPPED_KINDS, 0.5)
    finder.batch_size = 0  # whoever asks it now fails
    done = call("--relink", "--face-threshold", 0.5)
    assert done.exit_code == ExitCode.OK, done.stderr
    assert not any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(out / "30.masked.mp4"))
