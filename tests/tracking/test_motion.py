"""The motion of a box, told from its sights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashredact.tracking import motion
from dashredact.values import Array


def _path(times: Array, speed: float, change: float, side: float = 20.0) -> Array:
    left = 300 + speed * times + change / 2 * times**2
    return np.stack([left, np.full_like(left, 100), left + side, np.full_like(left, 100 + side)], -1)


@given(st.floats(-300, 300), st.sampled_from((10.0, 29.97, 60.0)), st.booleans())
def test_an_even_motion_goes_on_evenly(speed: float, rate: float, last: bool) -> None:
    times = np.arange(12) / rate
    told = motion.straight(times, _path(times, speed, 0), last=last)
    for later in (0.0, 0.1, 1.0):
        moment = times[-1] + later if last else times[0] - later
        np.testing.assert_allclose(told.at(moment), _path(np.array([moment]), speed, 0)[0], atol=1e-6)


@pytest.mark.parametrize("sights", [1, 2])
def test_sights_too_few_to_tell_stand_still(sights: int) -> None:
    times = np.arange(sights) / 30
    path = _path(times, 900, 0)
    assert motion.straight(times, path).at(5.0).tolist() == path[-1].tolist()
    assert motion.accelerated(times, path) is None


@given(st.floats(300, 900), st.floats(0, 3000), st.sampled_from((29.97, 60.0)), st.booleans())
def test_a_fast_object_that_gets_faster_is_foretold(speed: float, change: float, rate: float, last: bool) -> None:
    times = np.arange(int(0.4 * rate)) / rate
    told = motion.accelerated(times, _path(times, speed, change), last=last)
    assert told is not None
    moment = times[-1] + 0.1 if last else times[0] - 0.1
    np.testing.assert_allclose(told.at(moment), _path(np.array([moment]), speed, change)[0], atol=1e-3)


def test_a_change_of_speed_does_not_go_on_for_ever() -> None:
    times = np.arange(12) / 30
    told = motion.accelerated(times, _path(times, 600, 3000))
    assert told is not None
    steps = np.diff(told.displacement(times[-1] + np.array([0.2, 0.3, 0.4, 0.5]))[:, 0])
    np.testing.assert_allclose(steps, steps[0])


def test_slow_objects_and_those_that_jump_about_tell_no_change_of_speed() -> None:
    times = np.arange(12) / 30
    assert motion.accelerated(times, _path(times, 20, 10)) is None
    jumps = np.random.default_rng(1).normal(0, 15, (12, 1)) * np.array([1, 0, 1, 0])
    assert motion.accelerated(times, _path(times, 600, 0) + jumps) is None
