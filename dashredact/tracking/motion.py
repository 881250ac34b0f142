"""How a box moves: told from its last sights, second order, since what comes nearer gets faster and larger."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array

SECONDS = 0.3
"""time before a moment whose sights tell the motion there"""
_LEAST, _LEAST_BENT = 3, 5  # sights that tell a velocity, and those that tell how it changes
_LEAST_SECONDS = 0.15  # that they last
_LEAST_SPEED = 3.0  # sides a second from which a change of speed stands out from the noise of boxes
_STEADY, _PIXEL = 0.07, 1.0  # sides, and pixels at least, that sights may lie off a path that tells that
_BENDS = 0.15  # seconds that a change of velocity goes on; longer ahead it would be guesswork, squared


@dataclass(frozen=True)
class Motion:
    """A box at a moment, and how each side of it moves."""

    time: float
    box: Array
    """(4,) x0 y0 x1 y1, pixels"""
    velocity: Array
    """(4,) pixels a second"""
    acceleration: Array
    """(4,) pixels a second, each second"""

    def moved(self, time: Array) -> Array:
        """(N, 4) how far the sides are moved on, or back, at the times (N,)."""
        passed = np.asarray(time, np.float64)[:, None] - self.time
        bent = np.clip(passed, -_BENDS, _BENDS)
        return self.velocity * passed + self.acceleration * bent * (passed - bent / 2)

    def at(self, time: float) -> Array:
        """(4,)"""
        return np.asarray(self.box + self.moved(np.array([time]))[0])


def straight(times: Array, boxes: Array, *, last: bool = True) -> Motion:
    """The even motion at the last sight, or at the first; none where the sights near it are too few to tell.

    times: (N,) seconds, rising. boxes: (N, 4). N is at least 1.
    """
    edge, passed, near = _near(times, last=last)
    velocity = _fit(passed[near], boxes[near], 1)[0] if near.sum() >= _LEAST else np.zeros(4)
    return Motion(float(times[edge]), boxes[edge], velocity, np.zeros(4))


def accelerated(times: Array, boxes: Array, *, last: bool = True) -> Motion | None:
    """The same with what changes of it. None for a slow object, and for one that does not move steadily."""
    edge, passed, near = _near(times, last=last)
    if near.sum() < _LEAST_BENT or np.ptp(passed[near]) < _LEAST_SECONDS:
        return None
    factors = _fit(passed[near], boxes[near], 2)
    side = max(float((boxes[edge, 2:] - boxes[edge, :2]).max()), 1.0)
    off = boxes[near] - np.vander(passed[near], 3) @ factors
    moved = np.ptp(boxes[near], axis=0).max() / max(float(np.ptp(passed[near])), 1e-6)
    if moved < _LEAST_SPEED * side or np.sqrt(np.mean(off**2, 0)).max() > max(_STEADY * side, _PIXEL):
        return None
    return Motion(float(times[edge]), boxes[edge], factors[1], 2 * factors[0])


def _near(times: Array, *, last: bool) -> tuple[int, Array, NDArray[np.bool_]]:
    """Row of the sight, seconds from it to each, and which of them tell the motion there."""
    edge = -1 if last else 0
    passed = times - times[edge]
    return edge, passed, np.abs(passed) <= SECONDS


def _fit(passed: Array, boxes: Array, order: int) -> Array:
    """(order + 1, 4) factors of the falling powers of the time passed."""
    return np.asarray(np.linalg.lstsq(np.vander(passed, order + 1), boxes, rcond=None)[0])
