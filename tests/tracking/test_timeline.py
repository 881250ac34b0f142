"""Shares, rows and points of charts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashredact.kinds import Kind
from dashredact.tracking import timeline
from dashredact.values import ORIGINS, Origin, Track


def track(first: int, boxes: list[tuple[float, ...]], kind: Kind = Kind.FACE) -> Track:
    count = len(boxes)
    return Track(1, kind, first, np.array(boxes, np.float64), np.zeros(count, np.int8), np.ones(count, np.float32))


def test_masks_that_lie_over_each_other_count_once() -> None:
    half, quarter = (0, 0, 50, 100), (0, 0, 50, 50)
    shares = timeline.masked_shares([track(1, [half, half]), track(2, [quarter, quarter])], 5, 100, 100)
    assert shares == pytest.approx([0, 0.5, 0.5, 0.25, 0])


def test_a_video_without_tracks_has_no_share() -> None:
    assert timeline.masked_shares([], 3, 10, 10).tolist() == [0, 0, 0]


@given(arrays(np.float64, st.integers(0, 200), elements=st.floats(0, 1)), st.integers(1, 50))
def test_bins_hold_every_frame_once_and_keep_the_largest(values: np.ndarray, most: int) -> None:
    found = timeline.bins(values, most)
    assert [frame for one in found for frame in range(one.first, one.end)] == list(range(len(values)))
    assert len(found) <= most
    assert max((one.max for one in found), default=0) == values.max(initial=0)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=30).map(sorted))
def test_tracks_of_one_row_never_meet(spans: list[tuple[int, int]]) -> None:
    tracks = [track(first, [(0, 0, 1, 1)] * length) for first, length in spans]
    ends: dict[int, int] = {}
    for one, row in zip(tracks, timeline.rows(tracks), strict=True):
        assert ends.get(row, -1) < one.first
        ends[row] = one.end
    assert sorted(ends) == list(range(len(ends)))


def test_runs_say_how_boxes_came_to_be() -> None:
    one = track(7, [(0, 0, 1, 1)] * 4)
    one.origins[:] = [
        ORIGINS.index(origin) for origin in (Origin.EXTENDED, Origin.DETECTED, Origin.DETECTED, Origin.BRIDGED)
    ]
    assert timeline.origin_runs(one) == [(Origin.EXTENDED, 7, 8), (Origin.DETECTED, 8, 10), (Origin.BRIDGED, 10, 11)]
