"""Boxes that a person draws: on which frames, and what they cover."""

from typing import Any

import numpy as np
import pytest

from dashredact.audit.events import Mark
from dashredact.errors import LedgerError, UsageError
from dashredact.kinds import Kind
from dashredact.review.decisions import FIRST_MARK
from dashredact.review.marking import check_box, frame_range, track_of
from dashredact.values import ORIGINS, Origin

_TIMES = np.arange(100) / 25


def _mark(*keys: tuple[float, ...], end: int, **more: Any) -> Mark:
    return Mark(**{"id": FIRST_MARK, "kind": "plate", "first": 3, "end": end, "keys": list(keys), **more})


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("0..0", range(1)),
        ("12..20", range(12, 21)),
        ("0:00..0:01", range(26)),
        ("0:01..30", range(25, 31)),
        ("0:01.5..0:02.00", range(37, 51)),
        ("0:00:01..0:00:02", range(25, 51)),
        ("0:03.9..0:04.5", range(97, 100)),
    ],
)
def test_frames_and_times_name_a_range(text: str, frames: range) -> None:
    assert frame_range(text, _TIMES) == frames


@pytest.mark.parametrize(
    "text", ["", "3", "5..2", "a..b", "1..2..3", "-1..2", "0:02..0:01", "1.5..2", "0:0a..1", "²..3"]
)
def test_what_is_no_range_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no range of frames"):
        frame_range(text, _TIMES)


def test_a_time_after_the_end_is_said() -> None:
    with pytest.raises(UsageError, match=r"last frame is shown at 4\.0 s"):
        frame_range("0:01..1:00", _TIMES)


@pytest.mark.parametrize(("box", "whole"), [((0, 0, 100, 50), True), ((-5, -5, 99, 49), True), ((0, 0, 80, 50), False)])
def test_a_box_is_around_something(box: tuple[float, ...], whole: bool) -> None:
    if whole:
        with pytest.raises(UsageError, match="covers the whole picture"):
            check_box(box, 100, 50)
    else:
        check_box(box, 100, 50)


def test_moving_mark_is_a_line_between_its_boxes() -> None:
    track = track_of(_mark((3, 0, 0, 8, 4), (7, 40, 20, 56, 28), end=8), 50, 40)
    assert (track.id, track.kind, track.first, track.end) == (FIRST_MARK, Kind.PLATE, 3, 8)
    assert np.array_equal(track.boxes[:2], [[0, 0, 8, 4], [10, 5, 20, 10]])
    assert np.array_equal(track.boxes[-1], [40, 20, 50, 28]), "cut to the picture"
    assert set(track.origins) == {ORIGINS.index(Origin.MANUAL)}


def test_still_mark_is_held_to_its_end() -> None:
    assert np.array_equal(track_of(_mark((3, 1, 2, 3, 4), end=8), 50, 40).boxes, np.tile([1, 2, 3, 4], (5, 1)))


@pytest.mark.parametrize(
    "mark",
    [
        _mark(end=8),
        _mark((4, 1, 2, 3, 4), end=8),
        _mark((3, 1, 2, 3, 4), (3, 1, 2, 3, 4), end=8),
        _mark((3, 1, 2, 3, 4), (9, 1, 2, 3, 4), end=8),
        _mark((3, 1, 2, 3, 4), end=8, kind="hat"),
    ],
)
def test_a_mark_of_the_log_that_is_none_is_said(mark: Mark) -> None:
    with pytest.raises(LedgerError, match="holds a mark 1000001"):
        track_of(mark, 50, 40)
