"""Cuts: whatever the packets look like, the segments hold every frame exactly once."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashredact.media.info import PacketIndex, Segment
from dashredact.media.segmentation import split
from dashredact.values import REACH

_FEW = settings(max_examples=80, deadline=None)
_time_bases = st.sampled_from((Fraction(1, 1000), Fraction(1001, 30000), Fraction(1, 90000), Fraction(1)))
_seconds = st.floats(0.01, 30, allow_nan=False)


@st.composite
def _packets(draw: st.DrawFn) -> PacketIndex:
    """In any order, with any key frames, some hidden by an edit list, at least one shown."""
    pts = draw(st.lists(st.integers(-5000, 500_000), min_size=1, max_size=40, unique=True))
    keys = draw(st.lists(st.booleans(), min_size=len(pts), max_size=len(pts)))
    shown = draw(st.lists(st.sampled_from((True, True, True, False)), min_size=len(pts), max_size=len(pts)))
    if not any(shown):
        shown[0] = True
    return PacketIndex(tuple(pts), tuple(keys), tuple(shown))


def _keys(packets: PacketIndex) -> list[int]:
    return sorted(pts for pts, key in zip(packets.pts, packets.keys, strict=True) if key)


def _holds(segment: Segment, pts: int) -> bool:
    return (segment.start is None or segment.start <= pts) and (segment.end is None or pts < segment.end)


@_FEW
@given(_packets(), _time_bases, _seconds)
def test_every_frame_falls_in_exactly_one_segment_in_order(
    packets: PacketIndex, time_base: Fraction, seconds: float
) -> None:
    segments = split(packets, time_base, seconds)
    homes = [[segment.index for segment in segments if _holds(segment, pts)] for pts in packets.shown_pts]
    assert all(len(home) == 1 for home in homes)
    assert homes == sorted(homes)
    assert [segment.index for segment in segments] == list(range(len(segments)))


@_FEW
@given(_packets(), _time_bases, _seconds)
def test_segments_join_without_a_seam_and_run_from_the_beginning_to_the_end(
    packets: PacketIndex, time_base: Fraction, seconds: float
) -> None:
    segments = split(packets, time_base, seconds)
    assert segments[0].start is None
    assert segments[0].preroll is None
    assert segments[-1].end is None
    assert all(one.end == other.start is not None for one, other in pairwise(segments))


@_FEW
@given(_packets(), _time_bases, _seconds)
def test_a_segment_starts_at_a_key_frame_and_is_decoded_from_the_one_before(
    packets: PacketIndex, time_base: Fraction, seconds: float
) -> None:
    keys = _keys(packets)
    for segment in split(packets, time_base, seconds)[1:]:
        assert segment.start in keys
        earlier = keys[: max(keys.index(segment.start) - 1, 1)]
        lead = [key for key in earlier if key <= segment.start - REACH / time_base]
        assert segment.preroll == (lead[-1] if lead else keys[0]) < segment.start


@_FEW
@given(_packets(), _time_bases, _seconds)
def test_a_segment_has_its_least_length_and_ends_at_the_next_key_frame(
    packets: PacketIndex, time_base: Fraction, seconds: float
) -> None:
    least = int(Fraction(seconds) / time_base)
    assume(least > 0)
    begin, last = packets.shown_pts[0], packets.shown_pts[-1]
    for segment in split(packets, time_base, seconds):
        start = begin if segment.start is None else segment.start
        if segment.end is not None:
            assert segment.end - start >= least
        late = [key for key in _keys(packets)[1:] if key <= last and key - start >= least]
        assert not late or segment.end == late[0]


def test_a_video_of_even_groups_is_cut_where_expected() -> None:
    pts = tuple(range(0, 100, 2))
    packets = PacketIndex(pts, tuple(p % 10 == 0 for p in pts), (True,) * len(pts))
    assert split(packets, Fraction(1, 10), 2.0) == [
        Segment(0, None, 20, None),
        Segment(1, 20, 40, 0),
        Segment(2, 40, 60, 20),
        Segment(3, 60, 80, 40),
        Segment(4, 80, None, 60),
    ]


@pytest.mark.parametrize(
    "packets",
    [
        PacketIndex((0, 1000, 2000, 3000), (True,) * 4, (True,) * 4, timed=False),
        PacketIndex((0, 1000, 2000, 3000), (True, False, False, False), (True,) * 4),
        PacketIndex((0, 1000, 2000, 3000), (False,) * 4, (True,) * 4),
    ],
    ids=["times that are made up", "one key frame", "no key frame"],
)
def test_what_cannot_be_cut_is_one_segment(packets: PacketIndex) -> None:
    assert split(packets, Fraction(1, 1000), 0.5) == [Segment(0, None, None)]


def test_key_frames_behind_the_last_shown_frame_start_nothing() -> None:
    packets = PacketIndex((0, 1000, 2000, 3000), (True,) * 4, (True, True, False, False))
    assert [segment.start for segment in split(packets, Fraction(1, 1000), 1.0)] == [None, 1000]
