"""Parts become one stream, and only chosen streams come along."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import clips
import pytest
from clips import Film, Library
from hypothesis import given
from hypothesis import strategies as st

from dashredact.errors import MediaError
from dashredact.media import join
from dashredact.media.info import PacketIndex, Stream, StreamKind, VideoInfo, VideoStream
from dashredact.media.probe import probe
from dashredact.settings import Keep, Settings


@st.composite
def coding_orders(draw: st.DrawFn) -> list[int]:
    """Rising times, reordered as an encoder does, at most 4 places."""
    steps = draw(st.lists(st.integers(1, 5000), min_size=1, max_size=60))
    first = draw(st.integers(-9000, 9000))
    times = [first + sum(steps[:number]) for number in range(len(steps))]
    keys = [number + draw(st.floats(0, 4)) for number in range(len(times))]
    return [time for _, time in sorted(zip(keys, times, strict=True))]


@given(coding_orders())
def test_decode_times_rise_and_never_exceed_the_presentation_times(times: list[int]) -> None:
    decode = join.decode_times(times)
    assert len(decode) == len(times)
    assert all(before < after for before, after in pairwise(decode))
    assert all(at <= shown for at, shown in zip(decode, times, strict=True))


@given(st.lists(st.integers(-(10**12), 10**12), unique=True, max_size=40))
def test_decode_times_hold_for_any_order(times: list[int]) -> None:
    decode = join.decode_times(times)
    assert all(before < after for before, after in pairwise(decode))
    assert all(at <= shown for at, shown in zip(decode, times, strict=True))


def test_decode_times_of_a_stream_without_reordering_are_its_times() -> None:
    assert join.decode_times([0, 7, 9, 40]) == [0, 7, 9, 40]
    assert join.decode_times([]) == []


def _facts(container: str, *others: Stream) -> VideoInfo:
    video = VideoStream(0, StreamKind.VIDEO, "h264", width=16, height=16, pixel_format="yuv420p")
    packets = PacketIndex((0,), (True,), (True,))
    return VideoInfo("a.mp4", 1, container, video, (video, *others), 0, None, packets, None)


_EVERYTHING = (
    Stream(1, StreamKind.AUDIO, "aac", language="deu"),
    Stream(2, StreamKind.AUDIO, "unknown"),
    Stream(3, StreamKind.SUBTITLE, "mov_text"),
    Stream(4, StreamKind.DATA, "bin_data", "gpmd"),
    Stream(5, StreamKind.DATA, "none", "tmcd"),
    Stream(6, StreamKind.THUMBNAIL, "png"),
    Stream(7, StreamKind.ATTACHMENT, "ttf"),
    Stream(8, StreamKind.UNKNOWN, "unknown"),
    VideoStream(9, StreamKind.VIDEO, "h264"),
)


@pytest.mark.parametrize(
    ("container", "audio", "gps", "kept"),
    [
        ("mp4", Keep.DROP, Keep.DROP, []),
        ("mp4", Keep.KEEP, Keep.DROP, [1]),
        ("mp4", Keep.DROP, Keep.KEEP, [4]),
        ("mov", Keep.KEEP, Keep.KEEP, [1, 4]),
        ("mkv", Keep.KEEP, Keep.KEEP, [1]),
        ("avi", Keep.KEEP, Keep.KEEP, [1, 4]),
    ],
)
def test_only_chosen_streams_are_kept_and_every_other_is_told(
    container: str, audio: Keep, gps: Keep, kept: list[int]
) -> None:
    choice = join.select_streams(_facts(container, *_EVERYTHING), Settings(audio=audio, gps=gps))
    assert [stream.index for stream in choice.kept] == kept
    assert sorted(stream.index for stream in (*choice.kept, *choice.dropped)) == list(range(1, 10))
    assert choice.container == (container if container != "avi" else "mp4")


@pytest.mark.parametrize(
    ("container", "codec", "encoded"),
    [
        ("mp4", "aac", False),
        ("mp4", "pcm_s16le", True),
        ("mov", "pcm_s16le", False),
        ("mp4", "vorbis", True),
        ("mkv", "vorbis", False),
        ("ts", "mp2", False),
        ("ts", "opus", True),
    ],
)
def test_sound_is_encoded_only_where_the_container_cannot_hold_it(container: str, codec: str, encoded: bool) -> None:
    sound = Stream(1, StreamKind.AUDIO, codec)
    choice = join.select_streams(_facts(container, sound), Settings(audio=Keep.KEEP))
    assert choice.transcodes(sound) is encoded


def _pts(path: Path) -> list[Fraction]:
    with av.open(str(path)) as file:
        return sorted(packet.pts * packet.time_base for packet in file.demux(video=0) if packet.size)


def test_parts_join_at_their_own_times(tmp_path: Path) -> None:
    """Two parts with B-frames and uneven times, one long after the other."""
    first = Film(frames=12, time_base=Fraction(1, 600), pts=tuple(range(0, 240, 20)))
    second = Film(frames=12, time_base=Fraction(1, 600), pts=tuple(range(3000, 3060, 5)))
    parts = [film.shoot(tmp_path / f"{number}.mp4") for number, film in enumerate((first, second))]
    target = tmp_path / "whole.mp4"
    join.concatenate(parts, target, Fraction(1, 600))
    assert _pts(target) == [Fraction(pts, 600) for pts in (*first.pts, *second.pts)]
    assert [clips.number_on(picture) for picture in clips.pictures_of(target)] == [*range(12), *range(12)]


def test_parts_of_different_make_do_not_join(tmp_path: Path) -> None:
    parts = [
        Film(frames=4).shoot(tmp_path / "0.mp4"),
        Film(frames=4, size=(208, 112), pts=(4, 5, 6, 7)).shoot(tmp_path / "1.mp4"),
    ]
    with pytest.raises(MediaError, match="encoded differently"):
        join.concatenate(parts, tmp_path / "whole.mp4", Fraction(1, 30))


def test_part_whose_times_do_not_fit_the_time_base_is_an_error(tmp_path: Path) -> None:
    part = Film(frames=4, time_base=Fraction(1, 600), pts=(0, 7, 20, 30)).shoot(tmp_path / "0.mp4")
    with pytest.raises(MediaError, match="lost its exact time"):
        join.concatenate([part], tmp_path / "whole.mp4", Fraction(1, 30))


def test_kept_sound_of_the_source_is_named_one_by_one(clip: Library, tmp_path: Path) -> None:
    """The second of two sounds alone, by its index."""
    facts = probe(clip("two sounds.mp4"))
    choice = join.StreamSelection("mp4", (facts.streams[2],), (facts.streams[1],))
    target = tmp_path / "finished.mp4"
    join.remux(clip("30.mp4"), clip("two sounds.mp4"), target, facts, choice)
    assert clips.packet_hashes(target, "a:0") == clips.packet_hashes(clip("two sounds.mp4"), "a:1")
    assert clips.contents(target).kinds == ["video", "audio"]
