"""Opens containers for reading and writing, and reads packets without decoding them."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from dashredact.errors import UnreadableError
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, local
from dashredact.media.info import PacketIndex

_MIN_TIMESCALE = 10_000  # the MP4 writer doubles the time base of a stream until it is at least this


def scan(path: Path, index: int) -> PacketIndex:
    """All packets of one stream. UnreadableError if there is none."""
    pts: list[int] = []
    keys: list[bool] = []
    shown: list[bool] = []
    corrupt: list[int] = []
    try:
        with open_container(path) as container:
            timed = container.format.name != "avi"  # libavformat reports packet numbers of an AVI as PTS
            for packet in demux(container, index):
                timed &= packet.pts is not None
                corrupt += [len(pts)] if packet.is_corrupt else []
                pts.append(_time(packet, pts))
                keys.append(packet.is_keyframe)
                shown.append(not packet.is_discard)
    except av.FFmpegError as error:
        if not pts:
            raise UnreadableError(f"{path.name}: its video stream cannot be read ({error.strerror}).") from None
    if not pts:
        raise UnreadableError(
            f"{path.name}: the header describes a video, but the file contains no frames; was the upload cut off?"
        )
    return PacketIndex(tuple(pts), tuple(keys), tuple(shown), timed, tuple(corrupt))


def _time(packet: "av.Packet[Any]", previous: list[int]) -> int:
    """PTS, or else DTS, or else one tick after the previous packet."""
    stored = packet.pts if packet.pts is not None else packet.dts
    return stored if stored is not None else (previous[-1] + 1 if previous else 0)


def open_container(path: Path) -> "av.container.InputContainer":
    """Open a local file for reading; only with the protocols and containers that `media.ffmpeg` allows."""
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}
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
