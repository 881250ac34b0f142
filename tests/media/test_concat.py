"""Parts become one stream in which every packet keeps its time."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import clips
import pytest
from clips import Film
from hypothesis import given
from hypothesis import strategies as st

from dashredact.errors import MediaError
from dashredact.media.concat import concatenate, packet_times


@st.composite
def coding_orders(draw: st.DrawFn) -> list[int]:
    """Rising times, reordered as an encoder does, at most 4 places."""
    steps = draw(st.lists(st.integers(1, 5000), min_size=1, max_size=60))
    first = draw(st.integers(-9000, 9000))
    times = [first + sum(steps[:number]) for number in range(len(steps))]
    keys = [number + draw(st.floats(0, 4)) for number in range(len(times))]
    return [time for _, time in sorted(zip(keys, times, strict=True))]


@given(coding_orders(), st.integers(1, 5000))
def test_decode_times_rise_and_never_exceed_the_presentation_times(pts: list[int], last: int) -> None:
    times = packet_times(pts, max(pts) + last)
    assert [time.pts for time in times] == pts
    assert all(before.dts < after.dts for before, after in pairwise(times))
    assert all(time.dts <= time.pts and time.duration > 0 for time in times)


@given(st.lists(st.integers(-(10**12), 10**12), unique=True, min_size=1, max_size=40))
def test_decode_times_hold_for_any_order(pts: list[int]) -> None:
    times = packet_times(pts, max(pts) + 1)
    assert all(before.dts < after.dts for before, after in pairwise(times))
    assert all(time.dts <= time.pts for time in times)


@given(st.permutations(range(8)), st.integers(1, 40), st.integers(-500, 500))
def test_at_a_constant_rate_the_sum_of_the_decode_steps_is_the_length(order: list[int], gap: int, first: int) -> None:
    """What an MP4 stores: differences of decode times, and the duration of the last packet."""
    times = packet_times([first + gap * number for number in order], first + 8 * gap)
    steps = [after.dts - before.dts for before, after in pairwise(times)]
    assert [*steps, times[-1].duration] == [gap] * 8
    assert {time.duration for time in times} == {gap}


def test_at_a_variable_rate_a_frame_lasts_until_the_next_one() -> None:
    assert packet_times([0, 7, 9, 40], 45) == [(0, 0, 7), (7, 7, 2), (9, 9, 31), (40, 40, 5)]
    assert packet_times([], 0) == []


def _pts(path: Path) -> list[Fraction]:
    with av.open(str(path)) as file:
        return sorted(packet.pts * packet.time_base for packet in file.demux(video=0) if packet.size)


def test_parts_join_at_their_own_times(tmp_path: Path) -> None:
    """Two parts with B-frames and uneven times, one long after the other."""
    first = Film(frames=12, time_base=Fraction(1, 600), pts=tuple(range(0, 240, 20)))
    second = Film(frames=12, time_base=Fraction(1, 600), pts=tuple(range(3000, 3060, 5)))
    parts = [film.shoot(tmp_path / f"{number}.mp4") for number, film in enumerate((first, second))]
    target = tmp_path / "whole.mp4"
    concatenate(parts, target, Fraction(1, 600), 3060)
    assert _pts(target) == [Fraction(pts, 600) for pts in (*first.pts, *second.pts)]
    assert [clips.number_on(picture) for picture in clips.pictures_of(target)] == [*range(12), *range(12)]


def test_parts_of_different_make_do_not_join(tmp_path: Path) -> None:
    parts = [
        Film(frames=4).shoot(tmp_path / "0.mp4"),
        Film(frames=4, size=(208, 112), pts=(4, 5, 6, 7)).shoot(tmp_path / "1.mp4"),
    ]
    with pytest.raises(MediaError, match="different parameters"):
        concatenate(parts, tmp_path / "whole.mp4", Fraction(1, 30), 8)


def test_part_whose_times_do_not_fit_the_time_base_is_an_error(tmp_path: Path) -> None:
    part = Film(frames=4, time_base=Fraction(1, 600), pts=(0, 7, 20, 30)).shoot(tmp_path / "0.mp4")
    with pytest.raises(MediaError, match="not exact"):
        concatenate([part], tmp_path / "whole.mp4", Fraction(1, 30), 8)
