"""Packets as the demuxer hands them out, undecoded: what is really in a file, whatever its header claims."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from dashredact.errors import UnreadableError
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, local
from dashredact.media.info import PacketIndex


def scan(path: Path, index: int) -> PacketIndex:
    """Every packet of one stream, without decoding. UnreadableError if there is none."""
    pts: list[int] = []
    keys: list[bool] = []
    shown: list[bool] = []
    corrupt: list[int] = []
    try:
        with open_container(path) as container:
            timed = container.format.name != "avi"  # its times count packets; libavformat passes them off as PTS
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
            f"{path.name}: the header describes a video, but the file holds no packet of it; was the upload cut off?"
        )
    return PacketIndex(tuple(pts), tuple(keys), tuple(shown), timed, tuple(corrupt))


def _time(packet: "av.Packet[Any]", before: list[int]) -> int:
    """PTS, else DTS, else one tick after the packet before."""
    known = packet.pts if packet.pts is not None else packet.dts
    return known if known is not None else (before[-1] + 1 if before else 0)


def open_container(path: Path) -> "av.container.InputContainer":
    """Open a local file for reading with the list of allowed protocols and containers."""
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}
    return av.open(local(path), options=options)


def demux(container: "av.container.InputContainer", index: int) -> "Iterator[av.Packet[Any]]":
    """The packets of one stream, in file order."""
    try:
        yield from (packet for packet in container.demux(container.streams[index]) if packet.size)
    except IndexError:
        # PyAV trips at the end of a file in which a stream appeared after the header; every packet has come by then.
        return
