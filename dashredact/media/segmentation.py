"""Divides a video into segments at key frames, so that each can be decoded on its own."""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil

from dashredact.media.info import PacketIndex, Segment
from dashredact.values import REACH


def split(packets: PacketIndex, time_base: Fraction, seconds: float) -> list[Segment]:
    """Segments of at least `seconds` that together contain every frame exactly once.

    A file without PTS, or with a single key frame, is one segment. After a seek, decoding starts two key frames early:
    an intra-refresh stream gives a clean picture only some time after its recovery point, and until then corrupt frames
    cannot be told from intact ones. It also starts early enough for what is detected to be followed backwards.
    """
    if not packets.timed or not packets.shown_pts:
        return [Segment(0, None, None)]
    starts = _starts(packets, int(Fraction(seconds) / time_base), ceil(Fraction(REACH) / time_base))
    bounds = [None, *(start for start, _ in starts), None]
    prerolls = [None, *(preroll for _, preroll in starts)]
    return [Segment(i, bounds[i], bounds[i + 1], preroll) for i, preroll in enumerate(prerolls)]


def _starts(packets: PacketIndex, min_ticks: int, lead: int) -> list[tuple[int, int]]:
    """PTS of the key frames at which the second and later segments start, each with that of an earlier one: two key
    frames and `lead` ticks before, or more.
    """
    shown = packets.shown_pts
    keys = sorted(pts for pts, key in zip(packets.pts, packets.keys, strict=True) if key)
    starts: list[tuple[int, int]] = []
    last = shown[0]
    for number, key in enumerate(keys[1:], 1):
        if key - last >= min_ticks and key <= shown[-1]:
            starts.append((key, keys[max(min(number - 2, bisect_right(keys, key - lead) - 1), 0)]))
            last = key
    return starts


def partition(segments: Sequence[Segment], max_parts: int) -> list[Sequence[Segment]]:
    """The segments divided into at most `max_parts` runs of neighbours of about equal length, none of them empty."""
    count = max(min(max_parts, len(segments)), 1)
    bounds = [len(segments) * number // count for number in range(count + 1)]
    return [segments[first:end] for first, end in pairwise(bounds)]
