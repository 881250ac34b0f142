"""Data association: which detections of a video are of the same object."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.settings import TrackSettings
from dashredact.tracking import motion
from dashredact.values import Array, Detections

MIN_FRAMES = 2
"""Frames that are always bridged and extended: at one frame a second, half a second is less than a frame."""
_FAST_MOTION = 0.5  # box sides moved since the last observation, from which acceleration is taken into account
_EPSILON = 1e-6  # seconds, for rounding of float times
_GATE = 1.0  # box sides by which a centre may miss its prediction ...
_GATE_GROWTH = 3.0  # ... plus so many for every second since the last observation
_GATE_GROWTH_UNKNOWN = 8.0  # the same while a single observation says nothing about the motion
_WEAK_OVERLAP = 0.3  # least IoU of a weak observation with the prediction: it may confirm a motion, not invent one
_WEAK_MAX_GAP = 0.25  # seconds after which a tracklet of weak observations only ends
_HISTORY = 12  # observations from which acceleration is estimated
_FAST_BONUS = 0.3  # affinity of an observation on an accelerated path: clutter seldom lies there by chance
_STRONG_BONUS = 0.05  # affinity; decides between observations that fit equally well
_DUPLICATE = 0.9  # fraction of a weak box under the mask of a strong one


@dataclass(frozen=True)
class Observations:
    """N detections of one kind, ordered by frame; fields as in `Detections`."""

    frames: NDArray[np.int32]
    boxes: Array
    scores: NDArray[np.float32]

    def take(self, rows: list[int]) -> "Observations":
        return Observations(self.frames[rows], self.boxes[rows], self.scores[rows])


def observations_of(detections: Detections, kind: int, min_score: float) -> Observations:
    """The detections of one kind, an index into `KINDS`, with at least that score."""
    rows = np.flatnonzero((detections.kinds == kind) & (detections.scores >= min_score))
    return Observations(detections.frames[rows], detections.boxes[rows].astype(np.float64), detections.scores[rows])


@dataclass(eq=False)
class _Tracklet:
    """The observations of one object so far."""

    rows: list[int]
    box: Array
    time: float
    strong: bool
    """whether it has an observation at or above the threshold"""
    velocity: Array = field(default_factory=lambda: np.zeros(4))
    """(4,) pixels a second of each side"""
    history: deque[tuple[float, Array]] = field(default_factory=lambda: deque(maxlen=_HISTORY))
    """times and boxes of the last observations"""

    def __post_init__(self) -> None:
        self.history.append((self.time, self.box))

    def predict(self, time: float) -> Array:
        return self.box + self.velocity * (time - self.time)

    def predict_accelerated(self, time: float) -> Array | None:
        """The box of a fast object under constant acceleration; None for a slow one, where noise would dominate."""
        side = max(float((self.box[2:] - self.box[:2]).max()), 1.0)
        if not self.strong or np.abs(self.velocity).max() * (time - self.time) < _FAST_MOTION * side:
            return None
        times, boxes = zip(*self.history, strict=True)
        path = motion.accelerated(np.array(times), np.array(boxes))
        return path.at(time) if path else None

    def gate(self, time: float) -> float:
        """Box sides by which the centre may miss the prediction."""
        if not self.strong:
            return _GATE
        growth = _GATE_GROWTH if len(self.rows) > 1 else _GATE_GROWTH_UNKNOWN
        return _GATE + growth * (time - self.time)

    def max_gap(self, bridge: float) -> float:
        """Seconds without an observation after which it ends."""
        return (bridge if self.strong else min(bridge, _WEAK_MAX_GAP)) + _EPSILON

    def append(self, row: int, box: Array, time: float, *, strong: bool) -> None:
        now = (box - self.box) / max(time - self.time, 1e-6)
        self.velocity = now if len(self.rows) == 1 else 0.6 * self.velocity + 0.4 * now
        self.rows.append(row)
        self.strong |= strong
        self.box, self.time = box, time
        self.history.append((time, box))


def associate(
    observations: Observations, times: Array, threshold: float, settings: TrackSettings
) -> Iterator[list[int]]:
    """The rows of `observations` of each object, in order.

    times: (frames,) seconds. threshold: score from which an observation is strong. Strong and weak ones are matched in
    one assignment, so that a strong one does not take the tracklet of an object whose weak one fits better. Unmatched
    observations start tracklets, except weak boxes under the mask of a strong one: those are duplicates.
    """
    active: list[_Tracklet] = []
    for frame, rows in _by_frame(observations.frames):
        now, always_bridged = times[frame], times[max(frame - MIN_FRAMES, 0)]
        ended = [one for one in active if one.time < min(now - one.max_gap(settings.bridge), always_bridged)]
        yield from (tracklet.rows for tracklet in ended)
        active = [tracklet for tracklet in active if tracklet not in ended]
        strong = observations.scores[rows] >= threshold
        boxes = observations.boxes[rows]
        matches = _match(active, boxes, strong, now)
        for tracklet, column in matches:
            tracklet.append(int(rows[column]), boxes[column], now, strong=bool(strong[column]))
        starts = strong | ~_duplicates(boxes, boxes[strong], settings.grow)
        starts[[column for _, column in matches]] = False
        active.extend(
            _Tracklet([int(rows[column])], boxes[column], now, strong=bool(strong[column]))
            for column in np.flatnonzero(starts)
        )
    yield from (tracklet.rows for tracklet in active)


def _duplicates(boxes: Array, strong: Array, grow: float) -> NDArray[np.bool_]:
    """(N,) whether a box lies under the mask of a strong one."""
    return np.asarray(geometry.ioa(boxes, geometry.grow(strong, grow)).max(1, initial=0.0) >= _DUPLICATE)


def _by_frame(frames: NDArray[np.int32]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    for rows in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames)) + 1):
        if len(rows):
            yield int(frames[rows[0]]), rows


def _match(
    tracklets: list[_Tracklet], boxes: Array, strong: NDArray[np.bool_], time: float
) -> list[tuple[_Tracklet, int]]:
    if not tracklets or not len(boxes):
        return []
    predicted = np.stack([tracklet.predict(time) for tracklet in tracklets])
    affinity = _affinity(predicted, boxes, np.array([tracklet.gate(time) for tracklet in tracklets]))
    affinity[:, ~strong] *= geometry.iou(predicted, boxes[~strong]) >= _WEAK_OVERLAP
    for row, tracklet in enumerate(tracklets):
        if (path := tracklet.predict_accelerated(time)) is not None:
            overlap = geometry.iou(path[None], boxes)[0]
            affinity[row] = np.maximum(affinity[row], (overlap + _FAST_BONUS) * (overlap >= _WEAK_OVERLAP))
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - importing it takes 0.5 s

    rows, columns = linear_sum_assignment(affinity + _STRONG_BONUS * strong * (affinity > 0), maximize=True)
    return [(tracklets[r], int(c)) for r, c in zip(rows, columns, strict=True) if affinity[r, c] > 0]


def _affinity(predicted: Array, observed: Array, gate: Array) -> Array:
    """(N, M) 0..1: IoU, or half the proximity of the centres, since small fast boxes may not overlap.

    gate: (N,) distance in box sides at which the proximity of the centres falls to 0.
    """
    sides = np.maximum(
        (predicted[:, 2:] - predicted[:, :2]).max(1)[:, None], (observed[:, 2:] - observed[:, :2]).max(1)[None]
    )
    distance = np.linalg.norm(geometry.centres(predicted)[:, None] - geometry.centres(observed)[None, :], axis=-1)
    proximity = np.clip(1 - distance / (gate[:, None] * np.maximum(sides, 1.0)), 0, 1)
    return np.asarray(np.maximum(geometry.iou(predicted, observed), proximity / 2))
