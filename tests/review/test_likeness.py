"""Tracks are alike that are of one kind, as large and in one place."""

import numpy as np
import pytest

from dashredact.kinds import Kind
from dashredact.review.likeness import alike
from dashredact.values import Track


def _track(number: int, box: list[float], kind: Kind = Kind.FACE, first: int = 0) -> Track:
    boxes = np.tile(np.array(box, np.float64), (5, 1))
    return Track(number, kind, first, boxes, np.zeros(5, np.int8), np.full(5, 0.5, np.float32))


_LAMP = _track(1, [100, 100, 140, 140])


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (_track(2, [105, 98, 145, 138], first=400), True),
        (_track(2, [130, 100, 170, 140]), True),
        (_track(2, [150, 100, 190, 140]), False),  # elsewhere
        (_track(2, [90, 90, 160, 160]), False),  # larger
        (_track(2, [100, 100, 140, 140], Kind.PLATE), False),
    ],
)
def test_alike(other: Track, found: bool) -> None:
    assert alike([_LAMP, other], [_LAMP]) == ([other] if found else [])
