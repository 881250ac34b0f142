"""Boxes: rounding always covers, and nothing trips over an empty stack."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.imaging import boxes
from dashredact.values import Array

_FEW = settings(max_examples=80, deadline=None)

_sides = st.floats(-300, 400, allow_nan=False)
_lengths = st.floats(0, 250, allow_nan=False)
_sizes = st.integers(1, 200)
_steps = st.sampled_from((1, 2, 4))


@st.composite
def _box(draw: st.DrawFn) -> Array:
    x, y = draw(_sides), draw(_sides)
    return np.array([x, y, x + draw(_lengths), y + draw(_lengths)])


def _stack(least: int = 0) -> st.SearchStrategy[Array]:
    return st.lists(_box(), min_size=least, max_size=6).map(lambda rows: np.array(rows, np.float64).reshape(-1, 4))


@st.composite
def _two_stacks(draw: st.DrawFn) -> tuple[Array, Array]:
    one = draw(_stack())
    return one, np.array([draw(_box()) for _ in one], np.float64).reshape(-1, 4)


def _contains(outer: Array, inner: Array, tolerance: float = 1e-9) -> bool:
    near = np.all(outer[..., :2] <= inner[..., :2] + tolerance)
    return bool(near and np.all(outer[..., 2:] >= inner[..., 2:] - tolerance))


@_FEW
@given(_box(), _sizes, _sizes, _steps, _steps)
def test_outward_covers_what_of_the_box_is_in_the_picture(
    box: Array, width: int, height: int, subsampling_x: int, subsampling_y: int
) -> None:
    inside = boxes.clip(box[None], width, height)[0]
    found = np.array(boxes.round_outward(box, width, height, subsampling_x, subsampling_y), np.float64)
    if boxes.area(inside) > 0:
        assert _contains(found, inside)


@_FEW
@given(_box(), _sizes, _sizes, _steps, _steps)
def test_outward_lies_inside_the_picture_on_the_grid(
    box: Array, width: int, height: int, subsampling_x: int, subsampling_y: int
) -> None:
    x0, y0, x1, y1 = boxes.round_outward(box, width, height, subsampling_x, subsampling_y)
    assert 0 <= x0 <= x1 <= width
    assert 0 <= y0 <= y1 <= height
    assert all(side % subsampling_x == 0 or side == width for side in (x0, x1))
    assert all(side % subsampling_y == 0 or side == height for side in (y0, y1))


@_FEW
@given(_box(), _sizes, _sizes, _steps)
def test_outward_goes_less_than_one_step_too_far(box: Array, width: int, height: int, step: int) -> None:
    inside = boxes.clip(box[None], width, height)[0]
    if boxes.area(inside) > 0:
        found = np.array(boxes.round_outward(box, width, height, step, step))
        assert np.all(np.abs(found - inside) < step + 1e-9)


@_FEW
@given(_box(), _sizes, _sizes)
def test_outward_of_a_box_beside_the_picture_is_empty(box: Array, width: int, height: int) -> None:
    size = np.array([width, height])
    beside = [box - np.tile(box[2:], 2), box - np.tile(box[:2] - size, 2)]
    for moved in beside:
        x0, y0, x1, y1 = boxes.round_outward(moved, width, height)
        assert x0 == x1 or y0 == y1


@_FEW
@given(_two_stacks())
def test_hull_is_the_smallest_box_that_holds_both(stacks: tuple[Array, Array]) -> None:
    one, other = stacks
    found = boxes.hull(one, other)
    assert found.shape == one.shape
    assert _contains(found, one, 0)
    assert _contains(found, other, 0)
    assert np.all((found == one) | (found == other))


@_FEW
@given(_stack(), st.floats(0, 1), st.floats(0, 10))
def test_grow_moves_every_side_out_by_the_larger_margin(stack: Array, share: float, least: float) -> None:
    found = boxes.grow(stack, share, least)
    wanted = np.maximum((stack[:, 2:] - stack[:, :2]) * share, least)
    assert _contains(found, stack)
    np.testing.assert_allclose(stack[:, :2] - found[:, :2], wanted, atol=1e-9)
    np.testing.assert_allclose(found[:, 2:] - stack[:, 2:], wanted, atol=1e-9)


@_FEW
@given(_stack(), _sizes, _sizes)
def test_clip_stays_inside_and_changes_nothing_that_is_inside(stack: Array, width: int, height: int) -> None:
    found = boxes.clip(stack, width, height)
    limits = np.array([width, height, width, height])
    assert np.all((found >= 0) & (found <= limits))
    kept = (stack >= 0) & (stack <= limits)
    assert np.array_equal(found[kept], stack[kept])
    assert np.array_equal(boxes.clip(found, width, height), found)


_whole = st.tuples(*[st.integers(0, 12)] * 4).map(
    lambda sides: (min(sides[0], sides[2]), min(sides[1], sides[3]), max(sides[0], sides[2]), max(sides[1], sides[3]))
)


def _pixels(box: tuple[int, int, int, int]) -> set[tuple[int, int]]:
    x0, y0, x1, y1 = box
    return {(x, y) for x in range(x0, x1) for y in range(y0, y1)}


@_FEW
@given(st.lists(_whole, min_size=1, max_size=4), st.lists(_whole, min_size=1, max_size=4))
def test_iou_and_area_agree_with_counted_pixels(
    one: list[tuple[int, int, int, int]], other: list[tuple[int, int, int, int]]
) -> None:
    found = boxes.iou(np.array(one, np.float64), np.array(other, np.float64))
    assert found.shape == (len(one), len(other))
    assert boxes.area(np.array(one, np.float64)).tolist() == [len(_pixels(box)) for box in one]
    for row, a in enumerate(one):
        for column, b in enumerate(other):
            union = _pixels(a) | _pixels(b)
            assert found[row, column] == pytest.approx(len(_pixels(a) & _pixels(b)) / max(len(union), 1))


@_FEW
@given(_stack(1), _stack(1))
def test_iou_is_symmetric_and_a_share(one: Array, other: Array) -> None:
    found = boxes.iou(one, other)
    assert np.all((found >= 0) & (found <= 1 + 1e-9))
    assert np.array_equal(found, boxes.iou(other, one).T)


def test_area_of_a_box_turned_inside_out_is_zero() -> None:
    assert boxes.area(np.array([[10.0, 10, 5, 20], [10, 10, 5, 5]])).tolist() == [0, 0]


def test_centres_are_half_way() -> None:
    assert boxes.centres(np.array([[0.0, 10, 4, 20]])).tolist() == [[2, 15]]


@_FEW
@given(_stack(), st.floats(0.1, 10), st.floats(0.1, 10))
def test_scale_there_and_back_is_nothing(stack: Array, x: float, y: float) -> None:
    there = boxes.scale(stack, x, y)
    np.testing.assert_allclose(there[:, 0], stack[:, 0] * x)
    np.testing.assert_allclose(there[:, 3], stack[:, 3] * y)
    np.testing.assert_allclose(boxes.scale(there, 1 / x, 1 / y), stack, atol=1e-9)


def test_empty_stacks_go_through_everything() -> None:
    none, one = np.empty((0, 4)), np.array([[0.0, 0, 5, 5]])
    assert boxes.area(none).shape == (0,)
    assert boxes.centres(none).shape == (0, 2)
    assert [boxes.iou(*pair).shape for pair in ((none, one), (one, none), (none, none))] == [(0, 1), (1, 0), (0, 0)]
    for found in (
        boxes.hull(none, none),
        boxes.grow(none, 0.1, 2),
        boxes.clip(none, 9, 9),
        boxes.scale(np.empty((0, 4), np.float32), 2, 2),
    ):
        assert found.shape == (0, 4)
