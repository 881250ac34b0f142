"""A box follows its object, and says when it cannot."""

import cv2
import numpy as np
import pytest

from dashredact.imaging.flow import GreyImage, MedianFlowTracker
from dashredact.values import Array

_GENERATOR = np.random.default_rng(5)
_BACK = cv2.GaussianBlur(_GENERATOR.integers(60, 180, (240, 320), np.uint8), (0, 0), 3)
_THING = cv2.resize(_GENERATOR.integers(0, 255, (8, 12), np.uint8), (48, 32), interpolation=cv2.INTER_CUBIC)


def _picture(box: Array) -> GreyImage:
    picture = _BACK.copy()
    x0, y0, x1, y1 = np.rint(box).astype(int)
    picture[y0:y1, x0:x1] = cv2.resize(_THING, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)


def _iou(a: Array, b: Array) -> float:
    common = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common))


@pytest.mark.parametrize(
    ("speed", "growth"), [((3.0, 1.0), 0.0), ((-2.0, 0.0), 0.0), ((2.0, 0.5), 1.0), ((0.0, 0.0), -0.5)]
)
def test_moving_and_growing_object_is_followed(speed: tuple[float, float], growth: float) -> None:
    start = np.array([120.0, 90, 168, 122])
    change = np.array([*speed, speed[0] + growth * 1.5, speed[1] + growth])
    follower = MedianFlowTracker(_picture(start), start)
    for number in range(1, 25):
        true = start + number * change
        box = follower.step(_picture(true))
        assert box is not None and _iou(box, true) > 0.75, f"picture {number}"


def test_object_that_vanishes_is_lost_at_once() -> None:
    start = np.array([120.0, 90, 168, 122])
    follower = MedianFlowTracker(_picture(start), start)
    assert follower.step(_picture(start + 2)) is not None
    assert follower.step(_BACK) is None


def test_object_behind_another_is_lost() -> None:
    start = np.array([120.0, 90, 168, 122])
    follower = MedianFlowTracker(_picture(start), start)
    hidden = _picture(start + 2)
    hidden[70:140, 100:190] = 128
    assert follower.step(hidden) is None


def test_object_that_leaves_the_picture_is_lost() -> None:
    start = np.array([260.0, 90, 308, 122])
    follower = MedianFlowTracker(_picture(start), start)
    steps = 0
    for number in range(1, 30):
        shift = np.float32([[1, 0, 4 * number], [0, 1, 0]])
        if follower.step(np.asarray(cv2.warpAffine(_picture(start), shift, (320, 240)), np.uint8)) is None:
            break
        steps += 1
    assert 2 < steps < 15
