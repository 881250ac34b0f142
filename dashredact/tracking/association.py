"""Which detections are of one object: chains of sights, each of which fits where the ones before it lead."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.settings import LinkSettings
from dashredact.tracking import motion
from dashredact.values import Array

LEAST_FRAMES = 2  # bridged and extended at any frame rate: at one frame a second half a second would be nothing
_FAST = 0.5  # sides between two sights from which a chain is looked for where its speed changes to, too
_TICK = 1e-6  # seconds; times are floats here
_NEAR = 1.0  # sides that a centre may be off its prediction at once ...
_DRIFT = 3.0  # ... and more for every second since the last sight,
_DRIFT_UNKNOWN = 8.0  # above all while one sight alone tells nothing of the motion
_WEAK_OVERLAP = 0.3  # of a weak sight with the prediction: it may confirm a motion, but not make one up
_WEAK_BRIDGE = 0.25  # seconds that a chain of weak sights alone lives on
_RECENT = 12  # sights that a chain remembers to tell how its speed changes
_FAST_BONUS = 0.3  # likeness; a weak sight far along a path is more than one that clutter lies near by chance
_STRONG_BONUS = 0.05  # likeness; decides between sights that fit a chain equally
_SECOND_GUESS = 0.9  # share of a weak box that a strong one's mask covers


@dataclass(frozen=True)
class Observations:
    """Detections of one kind, ordered by frame."""

    frames: NDArray[np.int32]
    boxes: Array
    scores: NDArray[np.float32]

    def take(self, rows: list[int]) -> "Observations":
        return Observations(self.frames[rows], self.boxes[rows], self.scores[rows])


@dataclass(eq=False)
class _Chain:
    """Sights of one object so far."""

    rows: list[int]
    box: Array
    time: float
    strong: bool
    """whether one of its sights is"""
    velocity: Array = field(default_factory=lambda: np.zeros(4))
    """pixels a second of each side"""
    recent: deque[tuple[float, Array]] = field(default_factory=lambda: deque(maxlen=_RECENT))
    """times and boxes of the last sights"""

    def __post_init__(self) -> None:
        self.recent.append((self.time, self.box))

    def predict(self, time: float) -> Array:
        return self.box + self.velocity * (time - self.time)

    def predict_bent(self, time: float) -> Array | None:
        """Where a fast object is if its speed keeps changing. None for a slow one: there it would be noise."""
        side = max(float((self.box[2:] - self.box[:2]).max()), 1.0)
        if not self.strong or np.abs(self.velocity).max() * (time - self.time) < _FAST * side:
            return None
        times, boxes = zip(*self.recent, strict=True)
        path = motion.accelerated(np.array(times), np.array(boxes))
        return path.at(time) if path else None

    def slack(self, time: float) -> float:
        """Sides that the centre may have moved away from the prediction."""
        if not self.strong:
            return _NEAR
        drift = _DRIFT if len(self.rows) > 1 else _DRIFT_UNKNOWN
        return _NEAR + drift * (time - self.time)

    def patience(self, bridge: float) -> float:
        """Seconds without a sight after which it ends."""
        return (bridge if self.strong else min(bridge, _WEAK_BRIDGE)) + _TICK

    def append(self, row: int, box: Array, time: float, *, strong: bool) -> None:
        now = (box - self.box) / max(time - self.time, 1e-6)
        self.velocity = now if len(self.rows) == 1 else 0.6 * self.velocity + 0.4 * now
        self.rows.append(row)
        self.strong |= strong
        self.box, self.time = box, time
        self.recent.append((time, box))


def associate(sights: Observations, times: Array, threshold: float, settings: LinkSettings) -> Iterator[list[int]]:
    """Rows of `sights` that belong to one object each.

    Strong and weak sights are matched together: one object's strong sight must not take the chain of another whose
    weak sight fits it better. What is left over starts a chain, but for weak boxes that a strong one's mask covers:
    those are second guesses at its object.
    """
    alive: list[_Chain] = []
    for frame, rows in _by_frame(sights.frames):
        near = times[max(frame - LEAST_FRAMES, 0)]
        ended = [chain for chain in alive if chain.time < min(times[frame] - chain.patience(settings.bridge), near)]
        yield from (chain.rows for chain in ended)
        alive = [chain for chain in alive if chain not in ended]
        strong = sights.scores[rows] >= threshold
        boxes = sights.boxes[rows]
        pairs = _match(alive, boxes, strong, times[frame])
        for chain, column in pairs:
            chain.append(int(rows[column]), boxes[column], times[frame], strong=bool(strong[column]))
        fresh = strong | ~_masked_by(boxes, boxes[strong], settings.grow)
        fresh[[column for _, column in pairs]] = False
        alive.extend(
            _Chain([int(rows[column])], boxes[column], times[frame], strong=bool(strong[column]))
            for column in np.flatnonzero(fresh)
        )
    yield from (chain.rows for chain in alive)


def _masked_by(boxes: Array, strong: Array, grow: float) -> NDArray[np.bool_]:
    """(N,) whether the mask of one of the strong boxes covers the box."""
    return np.asarray(geometry.shared(boxes, geometry.grow(strong, grow)).max(1, initial=0.0) >= _SECOND_GUESS)


def _by_frame(frames: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    for rows in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames)) + 1):
        if len(rows):
            yield int(frames[rows[0]]), rows


def _match(chains: list[_Chain], boxes: Array, strong: NDArray[np.bool_], time: float) -> list[tuple[_Chain, int]]:
    if not chains or not len(boxes):
        return []
    predicted = np.stack([chain.predict(time) for chain in chains])
    likeness = _affinity(predicted, boxes, np.array([chain.slack(time) for chain in chains]))
    likeness[:, ~strong] *= geometry.iou(predicted, boxes[~strong]) >= _WEAK_OVERLAP
    for row, chain in enumerate(chains):
        if (path := chain.predict_bent(time)) is not None:
            overlap = geometry.iou(path[None], boxes)[0]
            likeness[row] = np.maximum(likeness[row], (overlap + _FAST_BONUS) * (overlap >= _WEAK_OVERLAP))
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - takes half a second to load

    rows, columns = linear_sum_assignment(likeness + _STRONG_BONUS * strong * (likeness > 0), maximize=True)
    return [(chains[r], int(c)) for r, c in zip(rows, columns, strict=True) if likeness[r, c] > 0]


def _affinity(predicted: Array, seen: Array, slack: Array) -> Array:
    """(N, M) 0..1: overlap, or half of the nearness of the centres where small fast boxes do not overlap.

    slack: (N,) sides that the centre may be away from where it is predicted.
    """
    sides = np.maximum((predicted[:, 2:] - predicted[:, :2]).max(1)[:, None], (seen[:, 2:] - seen[:, :2]).max(1)[None])
    apart = np.linalg.norm(geometry.centres(predicted)[:, None] - geometry.centres(seen)[None, :], axis=-1)
    nearness = np.clip(1 - apart / (slack[:, None] * np.maximum(sides, 1.0)), 0, 1)
    return np.asarray(np.maximum(geometry.iou(predicted, seen), nearness / 2))
