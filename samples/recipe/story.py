"""Where the camera, the cars and the people are at each time: seconds from the start, metres of the street."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .bodies import HATCH, SEDAN, VAN, Pose
from .camera import Camera
from .cars import Car
from .people import Appearance
from .plates import Plate

RATE = Fraction(30000, 1001)
FRAMES = 330

_START = 8.0
_TIMES = np.arange(0, 14, 0.01)


def _smoothstep(t: float, start: float, end: float) -> float:
    """0 before start, 1 after end, smooth in between."""
    share = min(max((t - start) / (end - start), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def speed(t: float) -> float:
    """Our own speed, metres per second: slowing down in traffic."""
    return 8.3 - 6.0 * _smoothstep(t, 3.2, 7.6) - 1.1 * _smoothstep(t, 9.0, 11.0)


_TRAVELLED = np.concatenate(([0.0], np.cumsum([speed(float(t)) * 0.01 for t in _TIMES])))[:-1]


def camera(t: float) -> Camera:
    """Our own position, wandering a little within the lane."""
    return Camera(0.06 * float(np.sin(0.9 * t)), _START + float(np.interp(t, _TIMES, _TRAVELLED)))


@dataclass(frozen=True)
class Driver:
    """A car, with its pose at each time."""

    name: str
    car: Car
    pose: Callable[[float], Pose]
    brakes: Callable[[float], bool] = lambda t: False


@dataclass(frozen=True)
class Walker:
    """A person, with x, z and the phase of the walk (0..23; -1 standing) at each time."""

    name: str
    appearance: Appearance
    position: Callable[[float], tuple[float, float]]
    step: Callable[[float], int] = lambda t: -1


def _ahead(t: float) -> Pose:
    gap = 17.0 - 11.2 * _smoothstep(t, 1.0, 8.2) - 0.9 * _smoothstep(t, 8.0, 10.8)
    drift = 0.12 + 0.38 * float(np.sin(0.75 * t - 0.4))
    turn = -0.022 * float(np.cos(0.75 * t - 0.4))
    return Pose(drift, camera(t).z + gap, yaw=turn)


def _oncoming(x: float, z: float, pace: float) -> Callable[[float], Pose]:
    """Coming along the other lane: front at z when t = 0. pace: metres per second."""
    return lambda t: Pose(x, z - pace * t, towards=True)


def _parked(pose: Pose) -> Callable[[float], Pose]:
    return lambda t: pose


def _walking_step(t: float) -> int:
    return int(t * 24 * 0.95) % 24


CARS = (
    Driver("ahead", Car(HATCH, (168, 30, 36), Plate("TE 57-00"), 0.68), _ahead, lambda t: 3.1 < t < 8.0 or t > 9.2),
    Driver("oncoming", Car(SEDAN, (64, 84, 124), Plate("DR 0000"), 0.46, True), _oncoming(-3.25, 66.0, 9.5)),
    Driver(
        "parked", Car(VAN, (222, 223, 226), Plate("XX 0057", ground=(244, 204, 58)), 0.62),
        _parked(Pose(2.95, 37.0)),
    ),
    Driver(
        "second", Car(HATCH, (204, 206, 208), Plate("00-57", "japan", (240, 242, 238), (24, 92, 62)), 0.48, True),
        _oncoming(-3.1, 102.0, 3.6),
    ),
    Driver("kerbside", Car(VAN, (40, 92, 84), Plate("NO 0000"), 0.48), _parked(Pose(-5.6, 70.5, towards=True))),
    Driver("far", Car(SEDAN, (120, 122, 126), Plate("ZZ 0001"), 0.66), _parked(Pose(2.95, 83.0))),
)  # fmt: skip

WALKERS = (
    Walker(
        "early", Appearance((70, 84, 62), (92, 84, 70), light=0.92),
        lambda t: (2.75, 30.5 - 1.3 * t), _walking_step,
    ),
    Walker(
        "walking", Appearance((38, 56, 92), (52, 52, 60), mirrored=True, light=0.84, hair=(58, 44, 36)),
        lambda t: (2.85, 63.5 - 1.25 * t), _walking_step,
    ),
    Walker(
        "waiting", Appearance((150, 44, 46), (44, 48, 72), light=1.02),
        lambda t: (2.75 - 1.08 * _smoothstep(t, 5.5, 8.2), 67.4), lambda t: _walking_step(t) if 5.5 < t < 8.0 else -1,
    ),
    Walker(
        "opposite", Appearance((196, 168, 120), (60, 58, 56), mirrored=True, light=0.95, hair=(120, 112, 108)),
        lambda t: (-5.75, 58.0 - 1.1 * t), _walking_step,
    ),
)  # fmt: skip

LAMPS = tuple((x, z) for z in range(22, 160, 26) for x in (2.5, -5.6))
TREES = tuple((-6.4, float(z)) for z in range(16, 150, 17)) + tuple((4.1, float(z)) for z in (47, 90, 112, 130))
SIGNS = tuple((4.75 if z % 2 else -7.85, float(z), z // 7) for z in range(19, 150, 7))
