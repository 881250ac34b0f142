"""Coverage: what boxes cover together is what a raster of them would count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.imaging import coverage
from dashredact.values import Array

_FEW = settings(max_examples=60, deadline=None)
_side = st.integers(-5, 30)
_box = st.tuples(_side, _side, _side, _side)  # some of them inside out: they cover nothing
_stacks = st.lists(_box, max_size=6).map(lambda rows: np.array(rows, np.float64).reshape(-1, 4))


def _raster(boxes: Array) -> np.ndarray:
    drawn = np.zeros((40, 40), bool)
    for x0, y0, x1, y1 in (boxes + 5).astype(int):
        drawn[y0:y1, x0:x1] = True
    return drawn


@_FEW
@given(_stacks)
def test_the_area_of_a_union_is_that_of_its_raster(boxes: Array) -> None:
    assert coverage.union_area(boxes) == _raster(boxes).sum()


@_FEW
@given(_stacks, _stacks)
def test_the_covered_share_is_that_of_the_raster(objects: Array, masks: Array) -> None:
    for box, share in zip(objects, coverage.covered(objects, masks), strict=True):
        own = _raster(box[None])
        assert share == pytest.approx((own & _raster(masks)).sum() / own.sum() if own.any() else 1)


def test_two_masks_cover_together_what_neither_covers() -> None:
    face = np.array([[0, 0, 100, 100]], np.float64)
    masks = np.array([[0, 0, 50, 100], [50, 0, 100, 100]], np.float64)
    assert coverage.covered(face, masks[:1]).tolist() == [0.5]
    assert coverage.covered(face, masks).tolist() == [1]
    assert coverage.covered(face, np.empty((0, 4))).tolist() == [0]


def test_only_what_false_boxes_alone_cover_is_falsely_masked() -> None:
    false, right = np.array([[0.0, 0, 20, 10]]), np.array([[0.0, 0, 10, 10]])
    assert coverage.falsely_masked(false, right, 100, 10) == pytest.approx(0.1)
    assert coverage.falsely_masked(right, right, 100, 10) == 0
    assert coverage.falsely_masked(np.array([[90.0, -5, 130, 20]]), np.empty((0, 4)), 100, 10) == pytest.approx(0.1)


def test_an_object_is_bare_if_it_is_uncovered_on_one_frame_that_counts() -> None:
    sizes = np.array([40.0, 10, 40, 40, 40, 10, 40])
    uncovered = np.array([False, True, True, False, False, True, True])
    tracks = np.array(["small only when bare", "small only when bare", "bare", "bare", "good", "never large", ""])
    cover = coverage.ObjectCoverage(sizes, uncovered, tracks)
    assert coverage.uncovered_tracks(cover, 32).tolist() == [True, False, False]
    assert coverage.uncovered_tracks(coverage.concatenate([]), 32).tolist() == []
