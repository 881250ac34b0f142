"""Concatenates the encoded parts of a video into one stream. Packets are copied; nothing is decoded."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av

from dashredact.errors import MediaError
from dashredact.media.ffmpeg import raise_if_disk_full
from dashredact.media.packets import demux, open_mp4

_HEVC_PARAMETER_SETS = (32, 33, 34)  # NAL unit types: video, sequence and picture parameter set


def concatenate(parts: Sequence[Path], target: Path, time_base: Fraction, end: int) -> None:
    """Write the parts one after the other into an MP4 with a single stream. Every packet keeps its PTS.

    end: until when the last frame is shown, in ticks of `time_base`.

    MediaError if the parts were not encoded with the same parameters, or a time is not exact in `time_base`.
    """
    try:
        _concatenate(parts, target, time_base, end)
    except av.FFmpegError as error:
        raise_if_disk_full(error)
        raise MediaError(f"The encoded parts cannot be joined ({error.strerror}); please report it.") from error


def _concatenate(parts: Sequence[Path], target: Path, time_base: Fraction, end: int) -> None:
    pts = [ticks(packet, time_base) for part in parts for packet in _packets(part)]
    times = iter(packet_times(pts, end))
    with open_mp4(target, time_base) as output:
        stream = None
        expected: bytes | None = None
        for part in parts:
            with av.open(str(part)) as container:
                template = container.streams.video[0]
                parameters = _parameters(template.codec_context.name, template.codec_context.extradata or b"")
                if stream is None:
                    stream = output.add_stream_from_template(template)
                    stream.time_base = time_base
                    expected = parameters
                if parameters != expected:
                    raise MediaError("The parts were encoded with different parameters; please report it.")
                for packet in demux(container, template.index):
                    packet.pts, packet.dts, packet.duration = next(times)
                    packet.time_base, packet.stream = time_base, stream
                    output.mux(packet)


def _parameters(codec: str, extradata: bytes) -> bytes:
    """What a decoder needs before the first packet. Of HEVC only the parameter sets, not the encoder's description.

    An `hvcC` box holds arrays of NAL units from byte 23 on; one from a transport stream lacks some, and may have zeros
    after a unit.
    """
    if codec != "hevc" or extradata[:1] != b"\x01":
        return extradata
    position, parameter_sets = 23, b""
    for _ in range(extradata[22]):
        unit_type, count = extradata[position] & 63, int.from_bytes(extradata[position + 1 : position + 3])
        position += 3
        for _ in range(count):
            end = position + 2 + int.from_bytes(extradata[position : position + 2])
            if unit_type in _HEVC_PARAMETER_SETS:
                parameter_sets += b"|" + extradata[position + 2 : end].rstrip(b"\0")
            position = end
    return parameter_sets


def _packets(part: Path) -> "list[av.Packet[Any]]":
    with av.open(str(part)) as container:
        return list(demux(container, container.streams.video[0].index))


def ticks(packet: "av.Packet[Any]", time_base: Fraction) -> int:
    """The packet's PTS in the source's time base; the part may store it in a finer one."""
    assert packet.pts is not None and packet.time_base is not None
    ticks = packet.pts * packet.time_base / time_base
    if ticks.denominator != 1:
        raise MediaError("The time of an encoded frame is not exact in the time base of the source.")
    return int(ticks)


class PacketTimes(NamedTuple):
    """In ticks."""

    pts: int
    dts: int
    duration: int


def packet_times(pts: Sequence[int], end: int) -> list[PacketTimes]:
    """Times of packets, given their PTS in decoding order. DTS increase and are never later than the PTS.

    Encoders start anew with each part: in a video of variable rate their DTS would not increase across parts. An MP4
    stores the differences of the DTS, and their sum is its length: the DTS run ahead of the first frame by as much as
    makes the sum right.
    """
    if not pts:
        return []
    ranked = sorted(pts)
    rank = {time: number for number, time in enumerate(ranked)}
    delay = max(number - rank[time] for number, time in enumerate(pts))
    durations = {time: after - time for time, after in pairwise([*ranked, end])}
    shown = ranked[: len(ranked) - delay]  # as DTS of all packets but the first ones
    ahead = end - shown[-1] - durations[pts[-1]]  # at least a tick for each of those
    lead = [ranked[0] - ahead + ahead * number // delay for number in range(delay)]
    return [PacketTimes(time, decoded, durations[time]) for time, decoded in zip(pts, lead + shown, strict=True)]
