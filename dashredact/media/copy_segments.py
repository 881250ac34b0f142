"""Copies segments of a masked file into parts, packet by packet: nothing is decoded or encoded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av

from dashredact.errors import MediaError
from dashredact.media.concat import packet_times
from dashredact.media.ffmpeg import raise_if_disk_full
from dashredact.media.packets import demux, open_container, open_mp4, scan


@dataclass(frozen=True)
class _PacketMap:
    """What each packet of the file is, in file order."""

    frames: Sequence[int]
    """index of its frame in the video"""
    segments: Sequence[int]
    """segment of that frame"""


def copy_segments(
    path: Path,
    pts: Sequence[int],
    time_base: Fraction,
    first_frames: Mapping[int, int],
    target_of: Callable[[int], Path | None],
) -> Iterator[int]:
    """Write segments of a masked file as MP4 parts; yields the index of each segment whose part is complete.

    pts: of every frame of the file, exactly, in ticks of time_base. first_frames: by segment, the index of its first
    frame; only segments that have frames, rising. target_of: where the part of a segment is written; None to skip it.
    MediaError if the file was not concatenated from parts with these segments.
    """
    try:
        packet_map = _map_packets(path, len(pts), first_frames)
        with open_container(path) as container:
            stream = container.streams.video[0]
            packets = zip(packet_map.segments, packet_map.frames, demux(container, stream.index), strict=True)
            for segment, own in groupby(packets, key=lambda row: row[0]):
                target = target_of(segment)
                if target is not None:
                    _write(target, stream, [(packet, pts[frame]) for _, frame, packet in own], time_base)
                    yield segment
    except av.FFmpegError as error:
        raise_if_disk_full(error)
        raise MediaError(f"The masked file {path.name} cannot be read ({error.strerror}).") from error


def _map_packets(path: Path, frame_count: int, first_frames: Mapping[int, int]) -> _PacketMap:
    with open_container(path) as container:
        index = container.streams.video[0].index
    packets = scan(path, index)
    frame_at = {pts: frame for frame, pts in enumerate(sorted(packets.pts))}
    if len(frame_at) != frame_count or len(packets) != frame_count:
        raise MediaError(
            f"The masked file {path.name} has {len(packets)} frames, but its tracks file has {frame_count}."
        )
    frames = [frame_at[pts] for pts in packets.pts]
    bounds = sorted(first_frames.items(), key=lambda pair: pair[1])
    segments = [max((segment for segment, first in bounds if first <= frame), default=0) for frame in frames]
    starts = [number for number, segment in enumerate(segments) if not number or segments[number - 1] != segment]
    if len(starts) != len(first_frames) or not all(packets.keys[number] for number in starts):
        raise MediaError(f"The masked file {path.name} was encoded in other segments than the present ones.")
    return _PacketMap(frames, segments)


def _write(
    target: Path, stream: "av.VideoStream", packets: "Sequence[tuple[av.Packet[Any], int]]", time_base: Fraction
) -> None:
    """packets: each with its PTS."""
    with open_mp4(target, time_base) as output:
        copy = output.add_stream_from_template(stream)
        copy.time_base = time_base
        pts = [time for _, time in packets]
        for (packet, _), times in zip(packets, packet_times(pts, max(pts) + 1), strict=True):
            packet.pts, packet.dts, packet.duration = times
            packet.time_base, packet.stream = time_base, copy
            output.mux(packet)
