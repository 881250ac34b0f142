"""The journey over made videos with a secret: nothing of it gets out, and everything else stays as it was."""

import shutil
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from clips import Finder, Library
from conftest import SETTINGS, Mask, every_other, work_left
from output_checks import (
    WITH_SOUND,
    check_books,
    check_cover,
    check_form,
    check_pictures,
    check_privacy,
    check_schema,
    check_times,
    output_of,
    tracks_of,
)

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.errors import DamagedError, RefusedError, UnreadableError
from dashredact.kinds import Kind
from dashredact.media.probe import probe
from dashredact.pipeline.outcome import VideoStatus
from dashredact.pipeline.video import VideoPipeline
from dashredact.settings import Damaged, Keep, Style
from dashredact.values import ProgressEvent
from dashredact.workspace import inbox, locks, work_folder
from dashredact.workspace.output_folder import OutputFolder

STYLES = tuple(Style)


@pytest.mark.parametrize("name", every_other(clips.GOOD))
def test_secret_is_gone_and_the_rest_is_kept(clip: Library, mask: Mask, tmp_path: Path, name: str) -> None:
    source = clip(name)
    shown = clips.pictures_of(source)
    assert sum(clips.secret_pixels(picture).sum() > 200 for picture in shown) > len(shown) / 2
    digest = files.sha256(source)
    style = STYLES[clips.GOOD.index(name) // 2 % len(STYLES)]
    outcome = mask(source, hide=replace(SETTINGS.hide, style=style))
    output = output_of(outcome)
    check_times(source, output)
    check_pictures(source, output)
    check_cover(source, output)
    check_form(source, output)
    check_privacy(output)
    check_books(source, outcome, tmp_path / "out")
    assert clips.contents(output).kinds == ["video"]
    assert files.sha256(source) == digest


@pytest.mark.parametrize(
    "name",
    [
        "h264.avi",
        "packed.avi",
        "rgb.mkv",
        "wrapping.ts",
    ],
)
def test_secret_is_gone_from_rare_files(clip: Library, mask: Mask, name: str) -> None:
    source = clip(name)
    output = output_of(mask(source))
    if source.suffix == ".avi":  # ffprobe knows no time of the last frames, which its decoder holds back
        frames = clips.contents(source).frames
        known = [float(frame["pkt_dts_time"]) for frame in frames if "pkt_dts_time" in frame]
        times = clips.contents(output).times()
        assert times[: len(known)] == pytest.approx(known, abs=0.001)
        assert len(times) == len(frames) <= len(known) + 2
    else:
        check_times(source, output)
    check_pictures(source, output)


def check_tracks(told: dict[str, Any]) -> None:
    """What a schema cannot say."""
    assert told["pts"] == sorted(told["pts"])
    for track in told["tracks"]:
        length = track["end"] - track["first"]
        assert length == len(track["boxes"]) == len(track["scores"]) == sum(run for _, run in track["origins"])
        assert track["end"] <= len(told["pts"])
        assert all(x0 < x1 <= told["width"] and y0 < y1 <= told["height"] for x0, y0, x1, y1 in track["boxes"])


BLINKING = {
    "every third missed": Finder(miss_every=3),
    "first eight missed": Finder(miss_first=8),
    "weak now and then": Finder(weak_every=2),
    "weak and missed": Finder(weak_every=3, miss_every=4, miss_first=3),
    "a plate": Finder(kind=Kind.PLATE, miss_every=5),
    "one by one": Finder(batch_size=1, miss_every=7),
}


@pytest.mark.parametrize(("blinking", "style"), list(zip(BLINKING, cycle(Style))))
def test_secret_stays_hidden_while_the_detector_blinks(clip: Library, mask: Mask, blinking: str, style: Style) -> None:
    source = clip("late.mp4" if style is Style.MOSAIC else "30.mp4")
    blinker = replace(BLINKING[blinking])
    output = output_of(mask(source, by=blinker, hide=replace(SETTINGS.hide, style=style)))
    check_pictures(source, output)
    check_cover(source, output)
    told = tracks_of(output)
    check_tracks(told)
    seen = sum(run for track in told["tracks"] for origin, run in track["origins"] if origin == "detected")
    assert len({track["kind"] for track in told["tracks"]}) == 1
    assert blinker.pictures == len(told["pts"])
    assert seen <= blinker.sights


@pytest.mark.parametrize("name", ["irregular.mkv", "hole.mp4", "open gop.mp4", "10.mp4"])
def test_secret_stays_hidden_in_odd_times_while_the_detector_blinks(clip: Library, mask: Mask, name: str) -> None:
    source = clip(name)
    output = output_of(mask(source, by=Finder(miss_every=4, miss_first=3)))
    check_pictures(source, output)
    check_cover(source, output)


def test_without_a_detector_the_secret_would_show(clip: Library, mask: Mask) -> None:
    """The checks above can fail: a detector that sees nothing leaves the secret in the file."""
    output = output_of(mask(clip("30.mp4"), by=Finder(miss_first=10**6)))
    assert all(clips.secret_pixels(picture).sum() > 200 for picture in clips.pictures_of(output)[clips.FIRST_SEEN :])
    assert tracks_of(output)["tracks"] == []


# --- segments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["open gop.mp4", "open gop.mkv", "pyramid.mp4", "hevc.mp4", "irregular.mp4", "late.mp4"]
)
def test_segments_leave_no_trace(
    clip: Library, mask: Mask, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one segment or in many: the same times, the same tracks across the borders, the same cover."""
    saved: list[int] = []
    save = work_folder.WorkFolder.save_part

    def noted(self: work_folder.WorkFolder, number: int, *rest: Any) -> None:
        saved.append(number)
        save(self, number, *rest)

    monkeypatch.setattr(work_folder.WorkFolder, "save_part", noted)
    source = clip(name)
    many = output_of(mask(source, out=tmp_path / "many", segment_seconds=0.3))
    assert len(saved) >= 3
    one = output_of(mask(source, out=tmp_path / "one", segment_seconds=60.0))
    assert saved.count(0) == 2
    assert saved[-1] == 0
    told, whole = tracks_of(many), tracks_of(one)
    assert told["pts"] == whole["pts"]
    assert told["tracks"] == whole["tracks"]
    assert len(told["tracks"]) == 1
    check_times(source, many)
    check_pictures(source, many)


def test_tracks_are_bridged_over_a_border_at_which_nothing_is_seen(clip: Library, mask: Mask) -> None:
    """The detector is blind on the frames beside every border (key frames at 0, 15, 30)."""

    class Blind(Finder):
        def _find(self, picture: clips.Picture) -> clips.Detections:
            found = super()._find(picture)
            return clips.Detections.empty() if clips.number_on(picture) % 15 in (13, 14, 0, 1) else found

    source = clip("30.mp4")
    output = output_of(mask(source, by=Blind(), segment_seconds=0.3))
    check_pictures(source, output)
    (track,) = tracks_of(output)["tracks"]
    assert ["bridged", 4] in track["origins"]


# --- sound and other streams ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", every_other(WITH_SOUND))
def test_sound_is_kept_when_asked_for(clip: Library, mask: Mask, name: str) -> None:
    source = clip(name)
    output = output_of(mask(source, audio=Keep.KEEP))
    before, after = clips.contents(source), clips.contents(output)
    assert after.kinds == ["video", *["audio"] * WITH_SOUND[name]]
    for place in range(WITH_SOUND[name]):
        assert clips.packet_hashes(output, f"a:{place}") == clips.packet_hashes(source, f"a:{place}")
        spans = before.sound_span(place), after.sound_span(place)
        assert np.abs(np.array(spans[0]) - spans[1]).max() <= 0.05
    languages = [
        [stream.get("tags", {}).get("language", "und") for stream in streams if stream["codec_type"] == "audio"]
        for streams in (before.streams, after.streams)
    ]
    assert languages[0] == languages[1]
    check_times(source, output)
    check_pictures(source, output)
    check_privacy(output)


def test_sound_that_the_container_cannot_hold_is_encoded(clip: Library, mask: Mask) -> None:
    """PCM in an AVI becomes AAC in an MP4, at its own time."""
    source = clip("pcm.avi")
    output = output_of(mask(source, audio=Keep.KEEP))
    before, after = clips.contents(source), clips.contents(output)
    assert [stream["codec_name"] for stream in after.streams] == ["h264", "aac"]
    assert np.abs(np.array(before.sound_span(0)) - after.sound_span(0)).max() <= 0.05


def test_positions_are_kept_only_when_asked_for(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source = clip("positions.mp4")
    assert clips.contents(source).streams[1]["codec_tag_string"] == "gpmd"
    without = output_of(mask(source, out=tmp_path / "without"))
    assert clips.contents(without).kinds == ["video"]
    assert clips.POSITION not in without.read_bytes()
    kept = output_of(mask(source, out=tmp_path / "with", gps=Keep.KEEP))
    assert clips.contents(kept).kinds == ["video", "data"]
    assert clips.packet_hashes(kept, "d:0") == clips.packet_hashes(source, "d:0")
    check_pictures(source, kept)


def test_second_video_is_refused_unless_one_is_chosen(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source = clip("two videos.mp4")
    refused = mask(source)
    assert refused.status is VideoStatus.REFUSED
    assert "--video-stream" in refused.reason
    assert no_results(tmp_path / "out")
    output = output_of(mask(source, video_stream=1))
    assert clips.contents(output).kinds == ["video"]
    check_times(source, output, stream=1)
    assert [clips.number_on(picture) for picture in clips.pictures_of(output)] == list(range(30))
    assert not any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(output))


def no_results(out: Path) -> bool:
    """Nothing under a final name, nothing left of the work."""
    kept = (audit_log.NAME, audit_log.HEAD, locks.STATE_FOLDER)
    return [path.name for path in out.iterdir() if path.name not in kept] == [] and not work_left(out)


# --- what is done, and whose names are taken ------------------------------------------------------------------


def test_second_run_skips(clip: Library, mask: Mask, finder: Finder, tmp_path: Path) -> None:
    output = output_of(mask(clip("30.mp4")))
    before, calls, log = output.stat().st_mtime_ns, finder.calls, (tmp_path / "out" / audit_log.NAME).read_bytes()
    again = mask(clip("30.mp4"))
    assert (again.status, again.output) == (VideoStatus.SKIPPED, output)
    assert (output.stat().st_mtime_ns, finder.calls) == (before, calls)
    assert (tmp_path / "out" / audit_log.NAME).read_bytes() == log


def test_changed_settings_mask_again(clip: Library, mask: Mask, finder: Finder) -> None:
    blurred = output_of(mask(clip("30.mp4"))).read_bytes()
    calls = finder.calls
    filled = output_of(mask(clip("30.mp4"), hide=replace(SETTINGS.hide, style=Style.FILL)))
    assert filled.read_bytes() != blurred
    assert finder.calls > calls


def test_changed_output_is_made_again(clip: Library, mask: Mask) -> None:
    output = output_of(mask(clip("30.mp4")))
    content = output.read_bytes()
    output.write_bytes(content[:-1])
    assert output_of(mask(clip("30.mp4"))).read_bytes() == content


def test_changed_source_under_the_same_name_is_masked_again(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source = shutil.copy(clip("30.mp4"), tmp_path / "trip.mp4")
    output_of(mask(source))
    shutil.copy(clip("late.mp4"), source)
    output = output_of(mask(source))
    check_times(clip("late.mp4"), output)


def test_foreign_file_under_the_name_of_the_output_is_left_alone(clip: Library, mask: Mask, tmp_path: Path) -> None:
    foreign = tmp_path / "out" / "30.masked.mp4"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    outcome = mask(clip("30.mp4"))
    assert outcome.status is VideoStatus.REFUSED
    assert "30.masked.mp4" in outcome.reason
    assert foreign.read_text() == "mine"
    assert not (tmp_path / "out" / "30.tracks.json").exists()


def test_two_sources_with_one_stem_do_not_write_over_each_other(clip: Library, finder: Finder, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    shutil.copy(clip("30.mp4"), folder / "trip.mp4")
    shutil.copy(clip("25.mov"), folder / "trip.mov")
    outcomes = list(Batch(OutputFolder(out), finder, SETTINGS, lambda _: None).run(inbox.plan([folder], out)))
    assert [(outcome.name, outcome.status) for outcome in outcomes] == [
        ("trip.mov", VideoStatus.MASKED),
        ("trip.mp4", VideoStatus.REFUSED),
    ]
    assert "trip.mov" in outcomes[1].reason
    assert sorted(path.name for path in out.iterdir() if path.name not in (audit_log.NAME, audit_log.HEAD)) == [
        ".dashredact",
        "trip.masked.mov",
        "trip.tracks.json",
    ]


def test_one_bad_video_does_not_stop_the_others(clip: Library, finder: Finder, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(clip("empty.mp4"), folder / "a.mp4")
    shutil.copy(clip("30.mp4"), folder / "deep" / "- b's trip.mp4")
    outcomes = list(Batch(OutputFolder(out), finder, SETTINGS, lambda _: None).run(inbox.plan([folder], out)))
    assert [outcome.status for outcome in outcomes] == [VideoStatus.FAILED, VideoStatus.MASKED]
    assert (out / "deep" / "- b's trip.masked.mp4").is_file()


def test_rehearsal_writes_nothing_and_is_not_done_twice(clip: Library, finder: Finder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    items = inbox.plan([clip("30.mp4")], out)
    (rehearsed,) = Batch(OutputFolder(out), finder, SETTINGS, lambda _: None).rehearse(items)
    assert rehearsed.status is VideoStatus.REHEARSED
    assert rehearsed.record is not None
    assert rehearsed.record["tracks"]["face"]["tracks"] == 1
    assert [path.name for path in out.iterdir()] == [locks.STATE_FOLDER]
    calls = finder.calls
    (masked,) = Batch(OutputFolder(out), finder, SETTINGS, lambda _: None).run(items)
    output_of(masked)
    assert finder.calls == calls


# --- bad files ------------------------------------------------------------------------------------------------

BAD = {
    "empty.mp4": (UnreadableError, "is empty"),
    "words.mp4": (UnreadableError, "is not a video"),
    "picture.mp4": (UnreadableError, "PNG picture"),
    "playlist.mp4": (UnreadableError, "playlist"),
    "sound only.mp4": (UnreadableError, "no video stream"),
    "no index.mp4": (UnreadableError, "truncated"),
    "cut off.mp4": (DamagedError, "truncated"),
    "spoilt.mp4": (DamagedError, "cannot be decoded"),
    "two videos.mp4": (RefusedError, "2 video streams"),
    "turned 45.mp4": (RefusedError, "multiple of 90°"),
    "grows.ts": (DamagedError, "incomplete packet"),
}


@pytest.mark.parametrize(
    "name",
    BAD,
)
def test_bad_file_ends_in_one_sentence_and_no_output(
    clip: Library, mask: Mask, finder: Finder, tmp_path: Path, name: str
) -> None:
    kind, words = BAD[name]
    source = clip(name)
    content = source.read_bytes()
    outcome = mask(source)
    assert outcome.status is (VideoStatus.REFUSED if kind is RefusedError else VideoStatus.FAILED)
    assert outcome.reason.startswith(f"{name}: ")
    assert words in outcome.reason
    assert len(outcome.reason) < 400
    assert "\n" not in outcome.reason
    assert no_results(tmp_path / "out")
    assert source.read_bytes() == content
    (record,) = audit_log.records(tmp_path / "out" / audit_log.NAME)
    check_schema(record, "audit")
    assert (record["outcome"], record["reason"], record["output"]) == (outcome.status, outcome.reason, None)
    with pytest.raises(kind):
        VideoPipeline(
            source, work_folder.WorkFolder(tmp_path / "alone", name, "key"), finder, SETTINGS, lambda _: None
        ).mask()


def test_a_picture_that_changes_its_size_is_refused_whatever_is_salvaged(clip: Library, mask: Mask) -> None:
    outcome = mask(clip("grows.ts"), damaged=Damaged.SALVAGE)
    assert outcome.status is VideoStatus.REFUSED and "changes from 192x112" in outcome.reason


def test_lying_name_is_no_obstacle(clip: Library, mask: Mask) -> None:
    output = output_of(mask(clip("really mkv.mp4")))
    assert output.name == "really mkv.masked.mkv"
    check_pictures(clip("really mkv.mp4"), output)


@pytest.mark.parametrize("name", ["spoilt.mp4", "cut off.mp4"])
def test_salvage_masks_what_can_be_decoded(clip: Library, mask: Mask, tmp_path: Path, name: str) -> None:
    source = clip(name)
    outcome = mask(source, damaged=Damaged.SALVAGE)
    assert outcome.status is VideoStatus.NEEDS_REVIEW
    assert outcome.output is not None
    record = outcome.record
    assert record is not None
    check_schema(list(audit_log.records(tmp_path / "out" / audit_log.NAME))[-1], "audit")
    lost = record["frames"]["lost_at"]
    assert record["frames"]["out"] == record["frames"]["in"] - len(lost)
    assert record["frames"]["out"] > 0
    if name == "spoilt.mp4":
        assert lost
        assert "cannot be decoded" in outcome.reason
    else:
        assert "truncated" in outcome.reason
    shown = dict(zip(clips.contents(source).times(), map(clips.number_on, clips.pictures_of(source)), strict=True))
    pictures, times = clips.pictures_of(outcome.output), clips.contents(outcome.output).times()
    assert len(pictures) == len(times) == record["frames"]["out"]
    for picture, time in zip(pictures, times, strict=True):
        assert not clips.secret_pixels(picture).any()
        assert clips.number_on(picture) == next(number for at, number in shown.items() if abs(at - time) <= 0.001)
        assert not any(abs(time - at) < 0.001 for at in lost)


def test_recording_that_starts_between_key_frames_loses_only_what_no_player_shows(clip: Library, mask: Mask) -> None:
    source = clip("mid gop.ts")
    outcome = mask(source)
    assert outcome.status is VideoStatus.NEEDS_REVIEW and outcome.output and outcome.record
    assert "it begins between key frames: its first 6 frames cannot be decoded" in outcome.reason
    frames, output = outcome.record["frames"], outcome.output
    assert frames["in"] == frames["out"] + len(frames["lost_at"]) == len(probe(source).packets)
    assert len(frames["lost_at"]) == 6
    pictures, times = clips.pictures_of(output), clips.contents(output).times()
    assert not any(clips.secret_pixels(picture).any() for picture in pictures)
    numbers = [clips.number_on(picture) for picture in pictures]
    assert numbers == list(range(numbers[0], 48))
    shown = dict(zip(map(clips.number_on, clips.pictures_of(source)), clips.contents(source).times(), strict=True))
    assert numbers[0] <= 15
    assert all(abs(shown[number] - time) <= 0.001 for number, time in zip(numbers, times, strict=True))


def test_source_that_changes_meanwhile_is_not_published(clip: Library, tmp_path: Path) -> None:
    source = Path(shutil.copy(clip("30.mp4"), tmp_path / "growing.mp4"))

    def grow(fact: ProgressEvent) -> None:
        if fact.stage == "verify":
            with source.open("ab") as file:
                file.write(b"more")

    out = tmp_path / "out"
    (outcome,) = Batch(OutputFolder(out), Finder(), SETTINGS, grow).run(inbox.plan([source], out))
    assert outcome.status is VideoStatus.FAILED
    assert "changed while" in outcome.reason
    assert no_results(out)
