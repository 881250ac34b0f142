"""Opens containers for reading and writing, and reads packets without decoding them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av import logging

from dashredact.errors import UnreadableError
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, local
from dashredact.media.info import PacketIndex
from dashredact.media.packet_times import StoredTime, packet_times
from dashredact.text import plural

LATE_STREAMS = {"analyzeduration": str(600 * 10**6), "probesize": str(256 * 2**20)}
"""How far to look for the first packet of a stream, microseconds and bytes: audio may begin minutes after the picture.
In other files, the first packets are enough."""

_MIN_TIMESCALE = 10_000  # the MP4 writer doubles the time base of a stream until it is at least this


def scan(path: Path, index: int, rate: Fraction | None = None, delay: int = 0) -> PacketIndex:
    """All packets of one stream. UnreadableError if there is none.

    rate: frames a second, for packets without times. delay: packets that the decoder holds back before its first frame.
    """
    stored: list[StoredTime] = []
    shown: list[bool] = []
    corrupt: list[int] = []
    durations: list[int] = []
    format_name, slots, time_base, read_until = "", False, Fraction(1), 0
    codec_rate: Fraction | None = None
    try:
        with _libav_errors() as errors, open_container(path) as container:
            format_name = container.format.name
            slots = container.format.name == "avi"  # its packets have a place, which libavformat reports as DTS
            stream = container.streams[index]
            time_base = stream.time_base or Fraction(1, 1000)
            codec_rate = stream.codec_context.framerate if isinstance(stream, av.VideoStream) else None
            for packet in demux(container, index):
                corrupt += [len(stored)] if packet.is_corrupt else []
                stored.append(StoredTime(None if slots else packet.pts, packet.dts, packet.is_keyframe))
                shown.append(not packet.is_discard)
                durations.append(packet.duration or 0)
                read_until = max(read_until, (packet.pos or 0) + packet.size)
    except av.FFmpegError as error:
        if not stored:
            raise UnreadableError(f"{path.name}: its video stream cannot be read ({error.strerror}).") from None
    if not stored:
        raise UnreadableError(
            f"{path.name}: the header describes a video, but the file contains no frames; was the upload cut off?"
        )
    repeated = _repeated(stored, delay)
    times = packet_times(_delayed(stored, delay) if slots or repeated else stored, time_base, rate)
    return PacketIndex(
        pts=times.pts,
        keys=tuple(time.key for time in stored),
        shown=tuple(shown),
        timed=times.regular and not slots,
        restarts=times.restarts,
        leading=times.leading,
        irregularities=(*times.irregularities, *repeated),
        codec_rate=codec_rate,
        read_until=read_until,
        end=_end(times.pts, durations, shown),
        unreadable=any(name == format_name for _, name, _ in errors),
        corrupt=tuple(corrupt),
    )


@contextmanager
def _libav_errors() -> Iterator[list[tuple[int, str, str]]]:
    """Level, name of the complaining part, text: a demuxer skips what it cannot read, and says so nowhere else."""
    logging.set_level(logging.ERROR)  # for no longer than that: forwarding may lock the threads of decoders up
    try:
        with logging.Capture() as messages:
            yield messages
    finally:
        logging.set_level(None)


def _repeated(stored: Sequence[StoredTime], delay: int) -> tuple[str, ...]:
    """A word for people where PTS repeat and DTS do not, which then tell when a frame is shown; else nothing."""
    pts = [time.pts for time in stored if time.pts is not None]
    dts = [time.dts for time in stored if time.dts is not None]
    rising = len(dts) == len(stored) and all(before < after for before, after in pairwise(dts))
    count = len(pts) - len(set(pts))
    if not count or not rising or len(pts) < len(stored) or dts[min(delay, len(dts) - 1)] != min(pts):
        return ()
    return (f"{plural(count, 'frame')} had the time of another; all are placed in the order of their decoding",)


def _delayed(stored: Sequence[StoredTime], delay: int) -> list[StoredTime]:
    """A frame is shown when it comes out of the decoder, which is when a later packet is due."""
    dts = [time.dts or 0 for time in stored]
    step = max(dts[-1] - dts[-2], 1) if len(dts) > 1 else 1
    due = [*dts[delay:], *(dts[-1] + number * step for number in range(1, delay + 1))]
    return [StoredTime(None, later, time.key) for time, later in zip(stored, due[-len(stored) :], strict=True)]


def _end(pts: Sequence[int], durations: Sequence[int], shown: Sequence[bool]) -> int | None:
    """Until when the last frame is shown; None where the container does not say. An edit list may end it early."""
    rows = list(zip(pts, durations, shown, strict=True))
    last = max((time for time, _, seen in rows if seen), default=None)
    after = [time for time, _, seen in rows if not seen and last is not None and time > last]
    ends = [time + duration for time, duration, seen in rows if seen and duration]
    return min(after, default=max(ends, default=None))


def open_container(path: Path) -> "av.container.InputContainer":
    """Open a local file for reading; only with the protocols and containers that `media.ffmpeg` allows."""
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS, **LATE_STREAMS}
    return av.open(local(path), options=options)


def open_mp4(path: Path, time_base: Fraction) -> "av.container.OutputContainer":
    """Open an MP4 for writing that stores times in this time base exactly."""
    return av.open(str(path), "w", format="mp4", options={"movie_timescale": str(timescale(time_base))})


def timescale(time_base: Fraction) -> int:
    """Ticks a second for the edit lists of an MP4: with the default of 1000, a late start would be rounded."""
    scale = time_base.denominator
    while scale < _MIN_TIMESCALE:
        scale *= 2
    return min(scale, 2**31 - 1)


def demux(container: "av.container.InputContainer", index: int) -> "Iterator[av.Packet[Any]]":
    """The packets of one stream, in file order."""
    try:
        yield from (packet for packet in container.demux(container.streams[index]) if packet.size)
    except IndexError:
        return  # PyAV raises it at the end of a file in which a stream appeared after the header, after all packets
