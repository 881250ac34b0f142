"""Streams of every make: each packet's frame is shown at the decoder's time, or is known to be lost or hidden."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashredact.media.announced_size import missing_bytes
from dashredact.media.info import VideoInfo
from dashredact.media.packet_times import StoredTime, packet_times
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.media.segmentation import split

_SIZE = (64, 48)
_TICKS = Fraction(1, 600)
_MAKES = {
    "mp4": ("libx264", "libx265", "mpeg4"),
    "mov": ("libx264", "mjpeg"),
    "matroska": ("libx264", "libvpx", "mjpeg"),
    "mpegts": ("libx264", "mpeg2video"),
    "avi": ("mpeg4", "mjpeg"),
}


@dataclass(frozen=True)
class _Stream:
    container: str
    codec: str
    steps: tuple[int, ...]
    """ticks from each frame to the next"""
    gop: int
    b_frames: int
    dropped: frozenset[int] = frozenset()
    """packets, in file order, that the file lacks"""

    def write(self, path: Path) -> Path:
        rng = np.random.default_rng(len(self.steps))
        with av.open(str(path), "w", format=self.container) as file:
            stream = file.add_stream(self.codec, rate=30)
            stream.width, stream.height, stream.pix_fmt = (
                *_SIZE,
                "yuvj420p" if self.codec == "mjpeg" else "yuv420p",
            )
            stream.codec_context.gop_size, stream.codec_context.max_b_frames = self.gop, self.b_frames
            constant = self.container == "avi" or self.codec in ("mpeg2video", "mpeg4")
            stream.codec_context.time_base = Fraction(1, 30) if constant else _TICKS
            packets, time = [], 0
            for number, step in enumerate(self.steps):
                frame = VideoFrame.from_ndarray(rng.integers(0, 255, (*_SIZE[::-1], 3), np.uint8), format="rgb24")
                frame = frame.reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = (number if constant else time), stream.codec_context.time_base
                packets += stream.encode(frame)
                time += step
            packets += stream.encode(None)
            for number, packet in enumerate(packets):
                if number not in self.dropped:
                    file.mux(packet)
        return path


@st.composite
def _streams(draw: st.DrawFn) -> _Stream:
    container = draw(st.sampled_from(sorted(_MAKES)))
    codec = draw(st.sampled_from(_MAKES[container]))
    steps = tuple(draw(st.lists(st.sampled_from([20, 20, 20, 21, 40, 300]), min_size=4, max_size=24)))
    b_frames = draw(st.integers(0, 3)) if codec.startswith("libx26") else 0
    return _Stream(container, codec, steps, draw(st.sampled_from([1, 5, 12, 99])), b_frames)


def _decoded(path: Path) -> list[Fraction]:
    """Seconds of all frames, as the decoder gives them."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return sorted(frame.pts * stream.time_base for frame in file.decode(stream) if frame.pts is not None)


@dataclass(frozen=True)
class _Read:
    info: VideoInfo
    times: Sequence[Fraction]
    lost: int
    hidden: int

    @property
    def balance(self) -> int:
        """Packets that nothing is known of."""
        return len(self.info.packets) - len(self.times) - self.lost - self.hidden


def _read(path: Path, seconds: float = 0.2) -> _Read:
    info = probe(path)
    pts: list[int] = []
    lost = hidden = 0
    with Reader(path, info) as reader:
        for segment in split(info.packets, info.video.time_base, seconds):
            pts += [frame.pts for frame in reader.frames(segment)]
            lost, hidden = lost + len(reader.lost), hidden + reader.hidden
    assert all(before < after for before, after in pairwise(pts))
    return _Read(info, [time * info.video.time_base for time in pts], lost, hidden)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=_streams())
def test_every_frame_has_the_decoders_time(stream: _Stream, tmp_path: Path) -> None:
    path = stream.write(tmp_path / f"film.{stream.container}")
    read = _read(path)
    decoded = _decoded(path)
    assert read.balance == 0
    assert (read.lost, len(read.times)) == (0, len(stream.steps))
    first = read.times[0] - decoded[0] if stream.container == "avi" else 0  # an AVI begins at its first slot
    assert all(abs(mine - theirs - first) < Fraction(1, 1000) for mine, theirs in zip(read.times, decoded, strict=True))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=_streams(), data=st.data())
def test_what_is_missing_is_accounted_for(stream: _Stream, data: st.DataObject, tmp_path: Path) -> None:
    dropped = data.draw(st.sets(st.integers(1, len(stream.steps) - 1), max_size=3))
    path = replace(stream, dropped=frozenset(dropped)).write(tmp_path / f"film.{stream.container}")
    read = _read(path)
    assert read.balance == 0
    decoded = _decoded(path)
    assert len(read.times) <= len(decoded)
    if read.info.packets.timed:
        assert all(min(abs(time - theirs) for theirs in decoded) < Fraction(1, 1000) for time in read.times)


# --- times that are missing, repeated, or start anew ---------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.none() | st.integers(-(10**6), 10**6), st.none() | st.integers(-(10**6), 10**6), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    st.none() | st.sampled_from([Fraction(30), Fraction(15), Fraction(30000, 1001)]),
)
def test_every_packet_gets_a_time_of_its_own(stored: list[tuple[int | None, int | None, bool]], rate: Fraction) -> None:
    times = packet_times([StoredTime(*one) for one in stored], Fraction(1, 600), rate)
    assert len(times.pts) == len(stored) == len(set(times.pts))
    assert times.regular == (not times.irregularities and all(pts is not None for pts, *_ in stored))
    if times.regular:
        assert list(times.pts) == [pts for pts, *_ in stored]


def _stored(*pts: int | None, keys: Sequence[int] = (0,)) -> list[StoredTime]:
    return [StoredTime(time, time, number in keys) for number, time in enumerate(pts)]


def test_a_recording_behind_another_goes_on_where_that_ended() -> None:
    times = packet_times(_stored(900, 920, 940, 900, 920, 940, keys=(0, 3)), Fraction(1, 600), Fraction(30))
    assert times.pts == (900, 920, 940, 960, 980, 1000)
    assert not times.regular and "start anew 1 time, the first at 1.60 s" in times.irregularities[0]


def test_a_recorder_that_jumps_back_a_little_has_not_begun_anew() -> None:
    assert packet_times(_stored(0, 20, 60, 40, 80), Fraction(1, 600), Fraction(30)).regular


def test_packets_without_times_follow_at_the_stated_rate() -> None:
    times = packet_times(_stored(None, None, None), Fraction(1, 600), Fraction(15))
    assert times.pts == (0, 40, 80)
    assert "3 of 3 frames have no time, and are placed by its stated rate of 15 frames/s" in times.irregularities[0]


def test_what_a_cut_has_left_of_the_group_before_lies_before_the_beginning() -> None:
    times = packet_times(_stored(0, None, None, 40, 20), Fraction(1, 600), Fraction(30))
    assert times.pts == (0, -40, -20, 40, 20)
    assert times.leading == 2 and times.irregularities == ()


def test_a_second_frame_of_one_time_is_moved_by_a_tick() -> None:
    times = packet_times(_stored(0, 0, 20, 21, 20), Fraction(1, 600), Fraction(30))
    assert sorted(times.pts) == [0, 1, 20, 21, 22]


# --- files as recorders leave them -----------------------------------------------------------------------------------


def _copied(source: Path, target: Path, container: str, change: "list[int]") -> Path:
    """The same packets at other times. change: by packet, ticks of the source's time base."""
    with av.open(str(source)) as old, av.open(str(target), "w", format=container) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        stream.time_base = old.streams.video[0].time_base
        packets = [packet for packet in old.demux(video=0) if packet.size]
        for packet, time in zip(packets, change, strict=True):
            packet.pts = packet.dts = time
            packet.stream = stream
            new.mux(packet)
    return target


def test_two_frames_of_one_time_are_both_shown(tmp_path: Path) -> None:
    film = _Stream("matroska", "mjpeg", (20,) * 8, 1, 0).write(tmp_path / "film.mkv")
    twins = _copied(film, tmp_path / "twins.mkv", "matroska", [0, 0, 67, 67, 133, 133, 200, 200])
    read = _read(twins)
    assert (len(read.times), read.lost, read.balance) == (8, 0, 0)
    assert [float(time) for time in read.times] == pytest.approx([0, 0.001, 0.067, 0.068, 0.133, 0.134, 0.2, 0.201])


def test_slots_that_a_camera_left_empty_stay_empty(tmp_path: Path) -> None:
    """An AVI has no times, but a place for each packet."""
    film = _Stream("avi", "mjpeg", (20,) * 9, 1, 0).write(tmp_path / "film.avi")
    with av.open(str(film)) as old, av.open(str(tmp_path / "gaps.avi"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size and packet.dts not in (3, 4):
                packet.stream = stream
                new.mux(packet)
    read = _read(tmp_path / "gaps.avi")
    assert [round(time * 30) for time in read.times] == [0, 1, 2, 5, 6, 7, 8]
    assert read.balance == 0


@pytest.mark.parametrize("padding", [4080, 4083, 4084, 4088, 4092, 5000])
def test_a_segment_that_begins_at_the_end_of_what_is_looked_at_breaks_nothing(tmp_path: Path, padding: int) -> None:
    """Its size would lie behind the bytes that are read."""
    path = tmp_path / "long header.mkv"
    segment = b"\x18\x53\x80\x67\x01" + bytes(6) + b"\x40"
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(padding) + segment + bytes(64))
    assert missing_bytes(path, "mkv") == 0
