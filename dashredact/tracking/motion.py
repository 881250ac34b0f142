"""How a box moves, estimated from the observations near a moment: with constant velocity, or constant acceleration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array

WINDOW = 0.3
"""seconds around a moment whose observations determine the motion there"""
_MIN_FOR_VELOCITY, _MIN_FOR_ACCELERATION = 3, 5  # observations
_MIN_SPAN = 0.15  # seconds that they span
_MIN_SPEED = 3.0  # box sides a second; of a slower object, acceleration is lost in the noise of the boxes
_MAX_RESIDUAL, _MAX_RESIDUAL_PIXELS = 0.07, 1.0  # of the fit: box sides, or pixels if that is more
_ACCELERATION_TIME = 0.15  # seconds for which acceleration is extrapolated; velocity is constant after that


@dataclass(frozen=True)
class Motion:
    """A box at a moment and the motion of its sides."""

    time: float
    box: Array
    """(4,) x0 y0 x1 y1, pixels"""
    velocity: Array
    """(4,) pixels a second"""
    acceleration: Array
    """(4,) pixels a second squared"""

    def displacement(self, times: Array) -> Array:
        """(N, 4) pixels by which the sides have moved at the times (N,), which may lie before or after `time`."""
        elapsed = np.asarray(times, np.float64)[:, None] - self.time
        accelerated = np.clip(elapsed, -_ACCELERATION_TIME, _ACCELERATION_TIME)
        return self.velocity * elapsed + self.acceleration * accelerated * (elapsed - accelerated / 2)

    def at(self, time: float) -> Array:
        """(4,) the box at that time."""
        return np.asarray(self.box + self.displacement(np.array([time]))[0])


def straight(times: Array, boxes: Array, *, last: bool = True) -> Motion:
    """Constant velocity at the last (or first) observation; zero if there are too few observations near it.

    times: (N,) seconds, rising. boxes: (N, 4). N is at least 1.
    """
    edge, elapsed, near = _near(times, last=last)
    velocity = _fit(elapsed[near], boxes[near], 1)[0] if near.sum() >= _MIN_FOR_VELOCITY else np.zeros(4)
    return Motion(float(times[edge]), boxes[edge], velocity, np.zeros(4))


def accelerated(times: Array, boxes: Array, *, last: bool = True) -> Motion | None:
    """Constant acceleration at the last (or first) observation; None for objects that move slowly or unsteadily."""
    edge, elapsed, near = _near(times, last=last)
    if near.sum() < _MIN_FOR_ACCELERATION or np.ptp(elapsed[near]) < _MIN_SPAN:
        return None
    coefficients = _fit(elapsed[near], boxes[near], 2)
    side = max(float((boxes[edge, 2:] - boxes[edge, :2]).max()), 1.0)
    residuals = boxes[near] - np.vander(elapsed[near], 3) @ coefficients
    speed = np.ptp(boxes[near], axis=0).max() / max(float(np.ptp(elapsed[near])), 1e-6)
    limit = max(_MAX_RESIDUAL * side, _MAX_RESIDUAL_PIXELS)
    if speed < _MIN_SPEED * side or np.sqrt(np.mean(residuals**2, 0)).max() > limit:
        return None
    return Motion(float(times[edge]), boxes[edge], coefficients[1], 2 * coefficients[0])


def _near(times: Array, *, last: bool) -> tuple[int, Array, NDArray[np.bool_]]:
    """Row of the observation, seconds from it to each of them, and which ones lie within the window."""
    edge = -1 if last else 0
    elapsed = times - times[edge]
    return edge, elapsed, np.abs(elapsed) <= WINDOW


def _fit(elapsed: Array, boxes: Array, degree: int) -> Array:
    """(degree + 1, 4) coefficients of a least-squares polynomial, highest power first."""
    return np.asarray(np.linalg.lstsq(np.vander(elapsed, degree + 1), boxes, rcond=None)[0])
