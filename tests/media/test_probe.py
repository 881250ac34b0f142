"""What is known of a file before a frame of it is decoded."""

import os
from fractions import Fraction
from pathlib import Path

import clips
import pytest
from clips import Library
from conftest import every_other

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.info import StreamKind
from dashredact.media.probe import probe


@pytest.mark.parametrize("name", every_other(clips.GOOD))
def test_frames_are_those_that_a_player_shows(clip: Library, name: str) -> None:
    info = probe(clip(name))
    times = clips.contents(clip(name)).times()
    found = [float(pts * info.video.time_base) for pts in info.packets.shown_pts]
    assert len(found) == len(times)
    assert max(abs(a - b) for a, b in zip(found, times, strict=True)) <= 0.001
    assert not info.damages
    assert info.name == name


@pytest.mark.parametrize(
    ("name", "container"),
    [
        ("30.mp4", "mp4"),
        ("25.mov", "mov"),
        ("irregular.mkv", "mkv"),
        ("odd.webm", "webm"),
        ("transport.ts", "ts"),
        ("mpeg4.avi", "avi"),
        ("really mkv.mp4", "mkv"),
        ("fragmented.mp4", "mp4"),
    ],
)
def test_container_is_told_by_content(clip: Library, name: str, container: str) -> None:
    info = probe(clip(name))
    assert info.container == container
    assert any("its name ends in .mp4, but its content is mkv" in note for note in info.notes) == name.startswith(
        "really"
    )


def test_streams_are_told_apart(clip: Library) -> None:
    kinds = [stream.kind for stream in probe(clip("everything.mp4")).streams]
    assert kinds[:3] == [StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.SUBTITLE]
    assert StreamKind.THUMBNAIL in kinds
    attached = probe(clip("everything.mkv"))
    assert StreamKind.ATTACHMENT in [stream.kind for stream in attached.streams]
    assert attached.chapters == 1
    assert [stream.language for stream in probe(clip("two sounds.mp4")).streams[1:]] == ["deu", "fra"]


def test_hidden_frames_are_noted(clip: Library) -> None:
    info = probe(clip("edit list.mp4"))
    assert len(info.packets) > len(info.packets.shown_pts) == 27
    assert any("an edit list hides" in note for note in info.notes)


def test_rate_is_variable_only_where_it_is(clip: Library) -> None:
    names = ("30.mp4", "29.97.mp4", "odd.webm", "irregular.mkv", "hole.mp4", "600 ticks.mp4")
    assert {name for name in names if probe(clip(name)).variable_rate} == {"irregular.mkv", "hole.mp4"}


def test_start_and_length_are_those_of_the_frames(clip: Library) -> None:
    assert probe(clip("late.mp4")).start == Fraction(4, 5)
    assert probe(clip("hole.mp4")).frame_intervals == (Fraction(1, 30), Fraction(91, 30))


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("empty.mp4", UnreadableError, "is empty"),
        ("picture.mp4", UnreadableError, "is a PNG picture"),
        ("playlist.mp4", UnreadableError, "is a playlist"),
        ("sound only.mp4", UnreadableError, r"has no video stream \(#0 audio aac\)"),
        ("no index.mp4", UnreadableError, "is truncated"),
        ("two videos.mp4", RefusedError, "has 2 video streams .* --video-stream 0"),
    ],
)
def test_what_is_no_video_is_named(clip: Library, name: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=f"^{name}: {words}"):
        probe(clip(name))


def test_stream_that_is_not_there_is_refused(clip: Library) -> None:
    with pytest.raises(RefusedError, match="has no video stream #7"):
        probe(clip("two videos.mp4"), video_stream=7)
    with pytest.raises(RefusedError, match="has no video stream #1"):
        probe(clip("sound.mp4"), video_stream=1)
    assert probe(clip("two videos.mp4"), video_stream=1).video.index == 1


def test_cut_off_file_is_damaged(clip: Library) -> None:
    cut_off, incomplete = probe(clip("cut off.mp4")).damages
    assert "of the 60 frames in its index are missing" in cut_off
    assert "1 incomplete packet," in incomplete


def test_folder_missing_file_and_pipe_are_unreadable(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path in (tmp_path, tmp_path / "none.mp4", pipe):
        with pytest.raises(UnreadableError, match="is not a file"):
            probe(path)


def test_text_that_points_elsewhere_is_not_followed(tmp_path: Path, clip: Library) -> None:
    """ffmpeg's concat script and playlists can make it read any file."""
    for name, text in (
        ("script.mp4", f"ffconcat version 1.0\nfile '{clip('30.mp4')}'\n"),
        ("list.mp4", f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nfile:{clip('transport.ts')}\n#EXT-X-ENDLIST\n"),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(UnreadableError):
            probe(path)
