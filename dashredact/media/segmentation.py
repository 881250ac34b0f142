"""Where a video may be cut into segments: at key frames, so that each can be decoded on its own."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from dashredact.media.info import PacketIndex, Segment


def split(packets: PacketIndex, time_base: Fraction, seconds: float) -> list[Segment]:
    """Segments of at least `seconds` that together hold every frame exactly once.

    A file whose packets lack PTS, or with one key frame, is one segment. Decoding after a seek starts two key frames
    early: a recovery point of an intra-refresh stream shows a clean picture only after a while, and until then nobody
    can tell what is spoilt.
    """
    if not packets.timed or not packets.shown_pts:
        return [Segment(0, None, None)]
    starts = _starts(packets, int(Fraction(seconds) / time_base))
    bounds = [None, *(start for start, _ in starts), None]
    prerolls = [None, *(preroll for _, preroll in starts)]
    return [Segment(i, bounds[i], bounds[i + 1], preroll) for i, preroll in enumerate(prerolls)]


def _starts(packets: PacketIndex, least: int) -> list[tuple[int, int]]:
    """PTS of the key frames at which the second and later segments start, each with that of two key frames before."""
    shown = packets.shown_pts
    keys = sorted(pts for pts, key in zip(packets.pts, packets.keys, strict=True) if key)
    starts: list[tuple[int, int]] = []
    last = shown[0]
    for number, key in enumerate(keys[1:], 1):
        if key - last >= least and key <= shown[-1]:
            starts.append((key, keys[max(number - 2, 0)]))
            last = key
    return starts


def partition(segments: Sequence[Segment], most: int) -> list[Sequence[Segment]]:
    """The segments as at most so many runs of neighbours, as even as can be, none empty."""
    count = max(min(most, len(segments)), 1)
    bounds = [len(segments) * place // count for place in range(count + 1)]
    return [segments[first:end] for first, end in pairwise(bounds)]
