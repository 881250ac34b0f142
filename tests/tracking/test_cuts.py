"""Cuts are told from motion, shakes and flashes."""

import numpy as np
import pytest

from dashredact.tracking.cuts import cuts


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([], ()),
        ([0.0], ()),
        ([0, 3, 4, 60, 3, 4, 3], (3,)),
        ([0, 3, 4, 3, 4, 60], (5,)),
        ([0, 60, 3, 4, 3], (1,)),
        ([0, 3, 4, 60, 58, 4, 3], ()),  # a flash
        ([0, 20, 22, 25, 21, 19], ()),  # a camera that shakes
        ([0, 1, 1, 12, 1, 1], ()),  # a car passes close by
    ],
)
def test_a_frame_that_differs_much_more_than_its_neighbours_is_a_cut(
    changes: list[float], found: tuple[int, ...]
) -> None:
    assert cuts(np.array(changes, np.float64)) == found
