"""Parts of a finished file are taken over as they are, packet by packet: nothing in them is decoded or encoded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av

from dashredact.errors import MediaError
from dashredact.media.encode import open_mp4
from dashredact.media.ffmpeg import raise_full
from dashredact.media.join import decode_times
from dashredact.media.packets import demux, open_container, scan
from dashredact.text import plural


@dataclass(frozen=True)
class _Plan:
    """Where each packet of a file goes, in file order."""

    numbers: Sequence[int]
    """the frame that it shows, counted from the first in the video"""
    parts: Sequence[int]
    """the part it belongs to"""


def copy_segments(
    path: Path, pts: Sequence[int], time_base: Fraction, firsts: Mapping[int, int], place: Callable[[int], Path | None]
) -> Iterator[int]:
    """Write parts of a masked file as MP4s; the number of each comes back when it is whole.

    pts: of every frame of the file, exactly, in ticks of time_base. firsts: index of the first frame of each part that
    has frames, rising. place: where a part is written; None where it is not wanted. MediaError where the file was not
    joined from such parts.
    """
    try:
        plan = _plan(path, len(pts), firsts)
        with open_container(path) as container:
            stream = container.streams.video[0]
            packets = zip(plan.parts, plan.numbers, demux(container, stream.index), strict=True)
            for part, own in groupby(packets, key=lambda row: row[0]):
                target = place(part)
                if target is not None:
                    _write(target, stream, [(packet, pts[number]) for _, number, packet in own], time_base)
                    yield part
    except av.FFmpegError as error:
        raise_full(error)
        raise MediaError(f"The masked file {path.name} cannot be taken apart ({error.strerror}).") from error


def _plan(path: Path, frames: int, firsts: Mapping[int, int]) -> _Plan:
    with open_container(path) as container:
        index = container.streams.video[0].index
    packets = scan(path, index)
    ranks = {time: rank for rank, time in enumerate(sorted(packets.pts))}
    if len(ranks) != frames or len(packets) != frames:
        raise MediaError(
            f"The masked file {path.name} holds {plural(len(packets), 'frame')} and its tracks file {frames}."
        )
    numbers = [ranks[time] for time in packets.pts]
    bounds = sorted(firsts.items(), key=lambda pair: pair[1])
    parts = [max((part for part, first in bounds if first <= number), default=0) for number in numbers]
    starts = [place for place, part in enumerate(parts) if not place or parts[place - 1] != part]
    if len(starts) != len(firsts) or not all(packets.keys[place] for place in starts):
        raise MediaError(f"The masked file {path.name} was not joined from the parts that would be made of it now.")
    return _Plan(numbers, parts)


def _write(
    target: Path, stream: "av.VideoStream", packets: "Sequence[tuple[av.Packet[Any], int]]", time_base: Fraction
) -> None:
    with open_mp4(target, time_base) as output:
        copy = output.add_stream_from_template(stream)
        copy.time_base = time_base
        for (packet, pts), dts in zip(packets, decode_times([pts for _, pts in packets]), strict=True):
            packet.pts, packet.dts, packet.time_base, packet.stream = pts, dts, time_base, copy
            output.mux(packet)
