"""A box drawn by hand hides what was missed, changes nothing else, and leaves a history that can be read back."""

import errno
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from clips import Finder, Library
from conftest import every_other, work_left
from output_checks import check_form, check_privacy, check_schema, check_times
from review_made import BORDER, CUT, MISSED, apply, around, leaks, lines, mark, queue, redact, reviewer

from dashredact import files
from dashredact.audit import verify as audit_verify
from dashredact.errors import MachineError, MediaError, RefusedError, UnverifiedError, UsageError
from dashredact.formats import tracks_json
from dashredact.imaging.mosaic import Mask, Planes, paint
from dashredact.kinds import Kind
from dashredact.media import compare, copy_segments
from dashredact.media.probe import probe
from dashredact.pipeline import render_pass
from dashredact.pipeline.outcome import VideoStatus
from dashredact.review import correction_stages, marking
from dashredact.review.correction import Correction
from dashredact.settings import Damaged, Keep, Style
from dashredact.workspace import originals
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder

CLIPS = (
    *("30.mp4", "late.mp4", "open gop.mp4", "open gop.mkv", "pyramid.mp4", "hevc.mp4", "hevc.ts", "transport.ts"),
    *("irregular.mkv", "25.mov", "h264 10 bit.mp4", "odd.webm", "sound.mp4", "everything.mkv"),
    *("turned 90.mp4", "hole.mp4"),
)


def output(out: Path) -> Path:
    (path,) = out.glob("*.masked.*")
    return path


def rendered(record: Mapping[str, Any]) -> set[int]:
    """Frames of the segments that were rendered again: the first two of at least three."""
    assert record["segments"]["rendered"] == [0, 1] and record["segments"]["of"] >= 3
    return set(range(record["compared"]["frames_rendered"]))


@pytest.mark.parametrize("name", every_other(CLIPS))
def test_mark_hides_what_was_missed_and_changes_nothing_else(clip: Library, tmp_path: Path, name: str) -> None:
    source, out = clip(name), tmp_path / "out"
    keep = replace(CUT, audio=Keep.KEEP)
    assert redact(source, out, settings=keep).status is VideoStatus.MASKED
    before = output(out)
    assert set(MISSED) >= set(leaks(before)) >= BORDER
    kept, kinds, digest = clips.pictures_of(before), clips.contents(before).kinds, files.sha256(before)

    mark(out, name)
    record = apply(out, source, "A. Clerk")

    after = output(out)
    assert leaks(after) == []
    again = rendered(record)
    assert again >= set(MISSED) and len(again) < len(kept)
    pairs = enumerate(zip(kept, clips.pictures_of(after), strict=True))
    assert {number for number, (one, two) in pairs if not np.array_equal(one, two)} <= again
    assert record["compared"]["frames_same"] == len(kept) - len(again) > 0
    assert record["replaces"] == digest and record["output"]["sha256"] == files.sha256(after)
    assert clips.contents(after).kinds == kinds
    check_times(source, after)
    check_form(source, after)
    check_privacy(after)
    check_schema(lines(out)[-1], "audit")
    assert audit_verify.verify(out, audit_verify.VerifyOptions(file_fault=OutputFolder(out).fault)).faults == []
    assert work_left(out) == []


@pytest.mark.parametrize("name", ["mpeg4.avi", "spoilt.mp4", "one key frame.mp4"])
def test_mark_hides_in_files_that_are_no_easy_ones(clip: Library, tmp_path: Path, name: str) -> None:
    """Without times, with frames that cannot be decoded, and in one segment."""
    source = clip(name)
    redact(source, tmp_path, settings=replace(CUT, damaged=Damaged.SALVAGE))
    assert leaks(output(tmp_path))
    lost = lines(tmp_path)[0]["frames"]
    mark(tmp_path, name)
    assert apply(tmp_path, source)["frames"] == lost
    assert leaks(output(tmp_path)) == []


def test_a_lost_tail_is_not_made_up_for(clip: Library, tmp_path: Path) -> None:
    source = clip("cut off.mp4")
    redact(source, tmp_path, settings=replace(CUT, damaged=Damaged.SALVAGE))
    before = probe(output(tmp_path))
    mark(tmp_path, source.name)
    apply(tmp_path, source)
    after = probe(output(tmp_path))
    assert (after.end, after.video.time_base) == (before.end, before.video.time_base)
    assert after.average_rate == before.average_rate


def test_without_a_mark_nothing_is_hidden(clip: Library, tmp_path: Path) -> None:
    """The check above can fail: what the detector missed is seen until somebody marks it."""
    assert redact(clip("30.mp4"), tmp_path).status is VideoStatus.MASKED
    assert set(MISSED) >= set(leaks(output(tmp_path))) >= BORDER


def test_history_tells_everything_again(clip: Library, tmp_path: Path) -> None:
    source = clip("30.mp4")
    redact(source, tmp_path)
    mark(tmp_path, source.name, by="A. Clerk")
    second = mark(tmp_path, source.name, by="B. Clerk")
    reviewer(tmp_path).undo(source.name, [second.id], "drawn twice")
    reviewer(tmp_path).reject(source.name, "not yet")
    apply(tmp_path, source)
    reviewer(tmp_path, "C. Chief").approve(source.name, "watched")
    records = lines(tmp_path)
    acts = [record["act"] for record in records]
    assert acts == ["masked", "marked", "marked", "undone", "reviewed", "corrected", "reviewed"]
    assert [record["by"].get("name") for record in records] == [
        None,
        "A. Clerk",
        "B. Clerk",
        None,
        None,
        None,
        "C. Chief",
    ]
    assert all(record["time"] and record["by"]["user"] and record["by"]["host"] for record in records)
    assert records[1]["mark"] == {
        **{"id": 1_000_001, "kind": "face", "first": 10, "end": 22, "how": "moving"},
        "keys": [[10, *around(10)], [21, *around(21)]],
    }
    assert records[5]["corrections"] == {"marks": [1_000_001], "lifts": []}
    assert [record.get("verdict") for record in records if record["act"] == "reviewed"] == ["rejected", "approved"]
    assert records[6]["output"]["sha256"] == records[5]["output"]["sha256"] == files.sha256(output(tmp_path))
    for record in records:
        check_schema(record, "audit")


def test_lift_shows_what_was_hidden_and_undo_hides_it_again(clip: Library, tmp_path: Path) -> None:
    source = clip("30.mp4")
    redact(source, tmp_path, Finder())
    before = tracks_json.read(tmp_path / "30.tracks.json")
    (track,) = before.tracks
    assert leaks(output(tmp_path)) == []
    assert [one.id for one in reviewer(tmp_path).unmask(source.name, [track.id], "no face")] == [track.id]
    apply(tmp_path, source)
    assert len(leaks(output(tmp_path))) == 36 - clips.FIRST_SEEN
    assert tracks_json.read(tmp_path / "30.tracks.json").tracks == ()

    reviewer(tmp_path).undo(source.name, [track.id], "a face after all")
    apply(tmp_path, source)
    assert leaks(output(tmp_path)) == []
    assert (tmp_path / "30.tracks.json").read_bytes() == tracks_json.encode_file(
        before, {"second_look": {"ran": False}}
    )


def test_undone_mark_is_taken_out_again(clip: Library, tmp_path: Path) -> None:
    source = clip("30.mp4")
    redact(source, tmp_path)
    seen = leaks(output(tmp_path))
    made = mark(tmp_path, source.name)
    apply(tmp_path, source)
    reviewer(tmp_path).undo(source.name, [made.id], "")
    assert queue(tmp_path).masked(source.name).corrections.waiting == 1
    record = apply(tmp_path, source)
    assert leaks(output(tmp_path)) == seen
    assert record["corrections"] == {"marks": [], "lifts": []}
    with pytest.raises(UsageError, match="nothing to apply"):
        apply(tmp_path, source)


def test_corrected_video_is_not_masked_again(clip: Library, tmp_path: Path) -> None:
    source = clip("30.mp4")
    redact(source, tmp_path)
    mark(tmp_path, source.name)
    apply(tmp_path, source)
    content = output(tmp_path).read_bytes()
    assert redact(source, tmp_path).status is VideoStatus.SKIPPED
    (tmp_path / ".dashredact/index.sqlite").unlink()
    assert redact(source, tmp_path).status is VideoStatus.SKIPPED
    assert output(tmp_path).read_bytes() == content


def test_mark_waits_again_when_its_video_is_masked_anew(clip: Library, tmp_path: Path) -> None:
    """With other settings the output is new and does not hold the mark: that must not go unnoticed."""
    source = clip("30.mp4")
    redact(source, tmp_path)
    mark(tmp_path, source.name)
    apply(tmp_path, source)
    reviewer(tmp_path).approve(source.name, "")
    redact(source, tmp_path, settings=replace(CUT, hide=replace(CUT.hide, crf=30)))
    assert set(leaks(output(tmp_path))) >= BORDER
    clip_now = queue(tmp_path).masked(source.name)
    assert (clip_now.corrections.waiting, clip_now.verdict, clip_now.waits_for_review) == (1, None, True)
    apply(tmp_path, source)
    assert leaks(output(tmp_path)) == []


# --- what is refused ------------------------------------------------------------------------------------------------


def test_other_source_is_refused(clip: Library, tmp_path: Path) -> None:
    redact(clip("30.mp4"), tmp_path)
    mark(tmp_path, "30.mp4")
    with pytest.raises(UsageError, match="is not the"):
        Correction(reviewer(tmp_path), "30.mp4", clip("late.mp4"))


@pytest.mark.parametrize("ending", ["masked.mp4", "tracks.json"])
def test_changed_result_is_neither_corrected_nor_approved(clip: Library, tmp_path: Path, ending: str) -> None:
    redact(clip("30.mp4"), tmp_path)
    mark(tmp_path, "30.mp4")
    path = tmp_path / f"30.{ending}"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RefusedError, match="not the file that the audit log names"):
        apply(tmp_path, clip("30.mp4"))
    reviewer(tmp_path).undo("30.mp4", [1_000_001], "")
    with pytest.raises(RefusedError, match="not the file that the audit log names"):
        reviewer(tmp_path).approve("30.mp4", "")


def test_frame_that_changes_outside_fails_the_correction(
    clip: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is published then."""
    source = clip("30.mp4")
    redact(source, tmp_path)
    mark(tmp_path, source.name)
    content = output(tmp_path).read_bytes()
    monkeypatch.setattr(compare, "_equal", lambda *_: False)
    with pytest.raises(UnverifiedError, match="Frame 30 of the corrected file changed"):
        apply(tmp_path, source)
    assert output(tmp_path).read_bytes() == content
    assert lines(tmp_path)[-1]["act"] == "marked"


def test_mask_that_is_missing_fails_the_correction(
    clip: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it were noted down and not painted."""
    source = clip("30.mp4")
    redact(source, tmp_path)
    mark(tmp_path, source.name)
    content = output(tmp_path).read_bytes()

    def only_noted(frame: Planes, boxes: Any, style: Style) -> list[Mask]:
        return paint(frame._replace(planes=[plane.copy() for plane in frame.planes]), boxes, style)

    monkeypatch.setattr(render_pass, "paint", only_noted)
    with pytest.raises(UnverifiedError, match="A mask of frame"):
        apply(tmp_path, source)
    assert output(tmp_path).read_bytes() == content


def test_file_of_other_parts_is_not_taken_apart(clip: Library, tmp_path: Path) -> None:
    path = clip("30.mp4")
    with pytest.raises(MediaError, match="was encoded in other segments"):
        list(
            copy_segments.copy_segments(
                path, list(range(36)), clips.Fraction(1, 30), {0: 0, 1: 7}, lambda _: tmp_path / "x"
            )
        )


# --- interruptions --------------------------------------------------------------------------------------------------


def test_full_disk_is_said_and_the_next_try_goes_on(
    clip: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = clip("30.mp4")
    redact(source, tmp_path)
    mark(tmp_path, source.name)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(correction_stages, "compare_files", full)
        with pytest.raises(MachineError, match="is full"):
            apply(tmp_path, source)
    (folder,) = work_left(tmp_path)
    parts = {path.name: path.stat().st_mtime_ns for path in folder.glob("part-*")}
    assert len(parts) >= 2
    saved: list[int] = []
    monkeypatch.setattr(WorkFolder, "save_part", lambda _self, number, *_: saved.append(number))
    apply(tmp_path, source)
    assert saved == [] and leaks(output(tmp_path)) == []


# --- following ------------------------------------------------------------------------------------------------------


def test_tracked_mark_follows_the_object(clip: Library, tmp_path: Path) -> None:
    source = clip("30.mp4")
    redact(source, tmp_path)
    keys = marking.followed(queue(tmp_path), source.name, Kind.FACE, around(10, 2), MISSED, source, None).keys
    assert [key[0] for key in keys] == list(MISSED)
    for number, *box in keys:
        secret = clips.secret_box(int(number))
        assert secret is not None
        assert (np.array(box[:2]) <= secret[:2]).all() and (np.array(box[2:]) >= secret[2:]).all()


def test_source_is_found_in_a_folder_by_its_content(clip: Library, tmp_path: Path) -> None:
    source, folder = clip("30.mp4"), tmp_path / "in"
    redact(source, tmp_path / "out")
    entry = queue(tmp_path / "out").masked(source.name).source
    folder.mkdir()
    (folder / "30.mp4").write_bytes(clip("late.mp4").read_bytes())
    with pytest.raises(UsageError, match="holds no video with the content"):
        originals.locate(entry, None, folder)
    (folder / "renamed.mp4").write_bytes(source.read_bytes())
    assert originals.locate(entry, None, folder) == folder / "renamed.mp4"
    with pytest.raises(UsageError, match="--source"):
        originals.locate(entry, None, None)
