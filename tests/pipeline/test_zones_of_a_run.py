"""Zones and tiles through the whole journey: a masked zone hides what no detector sees, an ignored one uncovers."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from click.testing import CliRunner
from clips import SIZE, Finder, Library
from conftest import SETTINGS, Mask
from output_checks import check_schema, check_times, output_of, tracks_of

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.cli import redact
from dashredact.detect.sliced import TiledDetector
from dashredact.errors import ExitCode
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.settings import CameraZones, Style, Zone, Zones
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

BLIND = 10**6
PATH = Zone("path", (0.03, 0.2, 0.97, 0.5))
"""Holds the secret on every frame."""
LEFT = Zone("left", (0.0, 0.0, 0.5, 1.0))


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("name", ["30.mp4", "turned 90.mp4", "odd.webm"])
def test_masked_zone_hides_what_the_detector_does_not_see(clip: Library, mask: Mask, name: str, style: Style) -> None:
    source = clip(name)
    zones = Zones(mask=(replace(PATH, box=(0.0, 0.1, 1.0, 0.6)),))
    output = output_of(mask(source, by=Finder(miss_first=BLIND), zones=zones, hide=replace(SETTINGS.hide, style=style)))
    told = tracks_of(output)
    check_schema(told, "tracks")
    (track,) = told["tracks"]
    frames = len(told["pts"])
    assert (track["kind"], track["first"], track["end"]) == ("zone", 0, frames)
    assert (track["origins"], set(track["scores"])) == ([["manual", frames]], {0.0})
    check_times(source, output)
    for picture in clips.pictures_of(output):
        assert not clips.secret_pixels(picture).any()
        inside = picture[int(0.1 * picture.shape[0]) + 4 : int(0.6 * picture.shape[0]) - 4, 4:-4]
        assert np.ptp(inside.astype(int), axis=(0, 1)).max() < 24, "a zone is filled, whatever the style"


def test_zone_and_track_lie_over_each_other(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source = clip("30.mp4")
    outcome = mask(source, by=Finder(miss_every=3), zones=Zones(mask=(LEFT,)))
    told = tracks_of(output_of(outcome))
    assert [(track["id"], track["kind"]) for track in told["tracks"]] == [(1, "zone"), (2, "face")]
    assert not any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(output_of(outcome)))
    (record,) = audit_log.records(tmp_path / "out" / audit_log.NAME)
    check_schema(record, "audit")
    assert record["settings"]["zones"] == {"ignore": [], "mask": [{"name": "left", "box": [0.0, 0.0, 0.5, 1.0]}]}
    assert record["tracks"]["zone"] == {"tracks": 1, "manual": len(told["pts"])}


def test_ignored_zone_leaves_what_lies_in_it(clip: Library, mask: Mask, tmp_path: Path) -> None:
    output = output_of(mask(clip("30.mp4"), zones=Zones(ignore=(PATH,))))
    assert tracks_of(output)["tracks"] == []
    assert all(clips.secret_pixels(picture).sum() > 200 for picture in clips.pictures_of(output)[clips.FIRST_SEEN :])
    (record,) = audit_log.records(tmp_path / "out" / audit_log.NAME)
    check_schema(record, "audit")
    assert record["settings"]["zones"]["ignore"] == [{"name": "path", "box": list(PATH.box)}]


def test_what_is_half_in_an_ignored_zone_is_masked(clip: Library, mask: Mask) -> None:
    output = output_of(mask(clip("30.mp4"), zones=Zones(ignore=(replace(PATH, box=(0.0, 0.0, 1.0, 0.3)),))))
    assert not any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(output))


# --- what is done -------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, clip: Library, finder: Finder) -> Callable[..., Outcome]:
    def run(*cameras: CameraZones) -> Outcome:
        batch = Batch(OutputFolder(tmp_path / "out"), finder, SETTINGS, lambda _: None, cameras)
        (outcome,) = batch.run(inbox.plan([clip("30.mp4")], tmp_path / "out"))
        return outcome

    return run


def test_only_what_applies_to_a_video_masks_it_again(run: Callable[..., Outcome], finder: Finder) -> None:
    mine, other = CameraZones("30*", Zones(mask=(LEFT,))), CameraZones("*", Zones(ignore=(PATH,)))
    assert run(mine).status is VideoStatus.MASKED
    calls = finder.calls
    assert run(mine).status is VideoStatus.SKIPPED
    assert run(mine, other).status is VideoStatus.SKIPPED
    assert run(mine, replace(other, zones=Zones(mask=(PATH,)))).status is VideoStatus.SKIPPED
    assert finder.calls == calls
    changed = run(replace(mine, zones=Zones(mask=(PATH,))), other)
    assert changed.status is VideoStatus.MASKED
    assert [track["boxes"][0] for track in tracks_of(output_of(changed))["tracks"] if track["kind"] == "zone"] == [
        [int(0.03 * SIZE[0]), int(0.2 * SIZE[1]), -int(-0.97 * SIZE[0] // 1), 56]
    ]
    assert run(other, mine).status is VideoStatus.MASKED, "the first camera that fits counts"
    assert run().status is VideoStatus.MASKED


# --- the command --------------------------------------------------------------------------------------------------

FILE = """
[[camera]]
files = "3*.mp4"
[[camera.mask]]
name = "path"
box = [0.0, 0.1, 1.0, 0.6]
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command with a blind detector."""
    monkeypatch.setattr(redact, "detector_of", lambda _detect, **_: Finder(miss_first=BLIND))
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)
    return lambda *words: CliRunner().invoke(cli.main, ["redact", "-q", *map(str, words)])


def test_zones_file_on_the_command_line(clip: Library, tmp_path: Path, call: Callable[..., Any]) -> None:
    path, out = tmp_path / "zones.toml", tmp_path / "out"
    path.write_text(FILE)
    done = call(clip("30.mp4"), clip("25.mov"), "-o", out, "--zones", path)
    assert done.exit_code == ExitCode.OK, done.stderr
    assert done.stderr == f"dashredact: {path} has no camera for 25.mov: no zones there.\n"
    assert not any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(out / "30.masked.mp4"))
    assert any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(out / "25.masked.mov"))
    counted = {record["source"]["name"]: record["tracks"] for record in audit_log.records(out / audit_log.NAME)}
    assert counted["25.mov"] == {}
    assert json.dumps(counted["30.mp4"]).startswith('{"zone": {"manual"')
    rehearsed = call(clip("30.mp4"), "-o", tmp_path / "other", "--zones", path, "--dry-run")
    assert rehearsed.stdout == "30.mp4: 1 zone track\n"


def test_wrong_zones_file_ends_the_run_before_it_starts(
    clip: Library, tmp_path: Path, call: Callable[..., Any]
) -> None:
    path, out = tmp_path / "zones.toml", tmp_path / "out"
    path.write_text(FILE.replace("0.6", "6"))
    done = call(clip("30.mp4"), "-o", out, "--zones", path)
    assert done.exit_code == ExitCode.USAGE
    assert done.stderr == (
        f"dashredact: {path} has 6 as y1 of camera 1 (3*.mp4), mask zone 1 (path),"
        " which must be a fraction of the upright frame, 0 to 1.\n"
    )
    assert not out.exists()


# --- tiles --------------------------------------------------------------------------------------------------------


def test_secret_is_gone_when_looked_at_in_tiles(clip: Library, tmp_path: Path) -> None:
    """A detector that takes pictures of half the size: the whole picture is scaled down, the tiles are not."""
    source, out = clip("30.mp4"), tmp_path / "out"
    finder = Finder(long_side=SIZE[0] // 2)
    batch = Batch(OutputFolder(out), TiledDetector(finder, 2), replace(SETTINGS, tiles=2), lambda _: None)  # type: ignore[arg-type]
    (outcome,) = batch.run(inbox.plan([source], out))
    output = output_of(outcome)
    assert finder.pictures == 10 * len(tracks_of(output)["pts"])
    assert not any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(output))
    (record,) = audit_log.records(out / audit_log.NAME)
    check_schema(record, "audit")
    assert record["settings"]["tiles"] == 2


def test_tiles_are_not_the_same_as_a_larger_picture() -> None:
    identity = Finder().identity
    assert replace(SETTINGS, tiles=2).fingerprint(identity, 2560) != SETTINGS.fingerprint(identity, 2560)
