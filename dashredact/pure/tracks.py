"""Detections become tracks: each object covered on every frame from before its first to after its last sight.

Everything here only adds cover. A detection at or above its kind's threshold is always masked, were it the only
one of its track; weaker ones join a track that has such a sight, before or after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.optimize import linear_sum_assignment

from dashredact.pure import boxes as geometry
from dashredact.settings import LinkSettings
from dashredact.values import KINDS, ORIGINS, Array, Detections, Kind, Origin, Track

_LEAST_FRAMES = 2  # bridged and extended at any frame rate: at one frame a second half a second would be nothing
LEAST_MARGIN = 2.0  # pixels; what a box of a few pixels may be off by
_TREND_SECONDS, _TREND_SIGHTS = 0.3, 3  # what it takes to tell the motion at an end of a track
_MOST_SPEED = 3.0  # sides a second that a mask moves on by itself
_DOUBT, _MOST_DOUBT = 0.5, 0.25  # share of a bridged box added on each side, per second without a sight, and at most
_TICK = 1e-6  # seconds; times are floats here
_NEAR = 1.0  # sides that a centre may be off its prediction at once ...
_DRIFT = 3.0  # ... and more for every second since the last sight,
_DRIFT_UNKNOWN = 8.0  # above all while one sight alone tells nothing of the motion
_WEAK_OVERLAP = 0.3  # of a weak sight with the prediction: it may confirm a motion, but not make one up
_WEAK_BRIDGE = 0.25  # seconds that a chain of weak sights alone lives on
_STRONG_BONUS = 0.05  # likeness; decides between sights that fit a chain equally
_SECOND_GUESS = 0.9  # share of a weak box that a strong one's mask covers


def link(detections: Detections, times: Array, width: int, height: int, settings: LinkSettings) -> list[Track]:
    """Tracks over a whole video.

    times: (frames,) seconds of every frame, rising. width, height: pixels of the picture.
    """
    if len(detections) and detections.frames.max() >= len(times):
        raise ValueError("a detection lies on a frame that has no time")
    found: list[Track] = []
    for number, kind in enumerate(KINDS):
        if kind not in settings.kinds:
            continue
        threshold = settings.thresholds.get(kind, 0.5)
        counts = detections.scores >= min(settings.weakest, threshold)
        own = np.flatnonzero((detections.kinds == number) & counts)
        sights = _Sights(detections.frames[own], detections.boxes[own].astype(np.float64), detections.scores[own])
        for rows in _chains(sights, times, threshold, settings):
            if sights.scores[rows].max() >= threshold:
                found.append(_cover(kind, sights.take(rows), times, (width, height), settings))
    found.sort(key=lambda track: (track.first, KINDS.index(track.kind), tuple(track.boxes[0])))
    return [_numbered(track, number) for number, track in enumerate(found, 1)]


@dataclass(frozen=True)
class _Sights:
    """Detections of one kind, ordered by frame."""

    frames: NDArray[np.int32]
    boxes: Array
    scores: NDArray[np.float32]

    def take(self, rows: list[int]) -> "_Sights":
        return _Sights(self.frames[rows], self.boxes[rows], self.scores[rows])


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

    def predict(self, time: float) -> Array:
        return self.box + self.velocity * (time - self.time)

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


def _chains(sights: _Sights, times: Array, threshold: float, settings: LinkSettings) -> Iterator[list[int]]:
    """Rows of `sights` that belong to one object each.

    Strong and weak sights are matched together: one object's strong sight must not take the chain of another whose
    weak sight fits it better. What is left over starts a chain, but for weak boxes that a strong one's mask covers:
    those are second guesses at its object.
    """
    alive: list[_Chain] = []
    for frame, rows in _by_frame(sights.frames):
        near = times[max(frame - _LEAST_FRAMES, 0)]
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
    slack = np.array([chain.slack(time) for chain in chains])
    likeness = _affinity(predicted, boxes, slack)
    likeness[:, ~strong] *= geometry.iou(predicted, boxes[~strong]) >= _WEAK_OVERLAP
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


def _cover(kind: Kind, sights: _Sights, times: Array, size: tuple[int, int], settings: LinkSettings) -> Track:
    """The mask of one object: bridged, extended, smoothed outwards, grown, inside the picture."""
    first, end = _reach(sights.frames, times, settings.extend)
    span = times[first:end]
    cover = np.empty((end - first, 4))
    origins = np.full(end - first, ORIGINS.index(Origin.BRIDGED), np.int8)
    scores = np.zeros(end - first, np.float32)
    begin, last = int(sights.frames[0]) - first, int(sights.frames[-1]) - first
    cover[begin : last + 1] = _bridged(sights, times, first + begin, first + last + 1, settings.extend)
    for edge in (slice(0, begin), slice(last + 1, end - first)):
        near_end = edge.start > 0
        cover[edge] = _extended(sights, times, span[edge], at_end=near_end)
        origins[edge] = ORIGINS.index(Origin.EXTENDED)
    seen = sights.frames - first
    origins[seen], scores[seen] = ORIGINS.index(Origin.DETECTED), sights.scores
    cover = _smoothed(cover, span, settings.smooth)
    cover = geometry.clip(geometry.grow(cover, settings.grow, LEAST_MARGIN), *size)
    return _trimmed(Track(0, kind, first, cover, origins, scores))


def _reach(frames: NDArray[np.int32], times: Array, extend: float) -> tuple[int, int]:
    """The frames first..end that the mask spans, `extend` seconds and at least two frames past the sights."""
    first, last = int(frames[0]), int(frames[-1])
    before = int(np.searchsorted(times, times[first] - extend, "left"))
    after = int(np.searchsorted(times, times[last] + extend, "right"))
    return max(min(before, first - _LEAST_FRAMES), 0), min(max(after, last + 1 + _LEAST_FRAMES), len(times))


def _bridged(sights: _Sights, times: Array, first: int, end: int, hold: float) -> Array:
    """(end - first, 4): the sights, and between them the straight line, wider the longer nothing was seen.

    Each neighbour is also held still for `hold` seconds, as at the end of a track: two objects may have been taken
    for one.
    """
    span = times[first:end]
    seen_at = times[sights.frames]
    line = np.stack([np.interp(span, seen_at, side) for side in sights.boxes.T], -1)
    frames = np.arange(first, end)
    before = np.searchsorted(sights.frames, frames, "right") - 1
    after = np.minimum(before + (sights.frames[before] < frames), len(sights.frames) - 1)
    unseen = np.minimum(span - seen_at[before], seen_at[after] - span)[:, None]
    wide = geometry.grow(line, np.minimum(_DOUBT * unseen, _MOST_DOUBT))
    still = [
        np.where((abs(span - seen_at[near]) <= hold)[:, None], sights.boxes[near], line) for near in (before, after)
    ]
    return geometry.hull(wide, *still)


def _extended(sights: _Sights, times: Array, span: Array, *, at_end: bool) -> Array:
    """(len(span), 4): the hull of the last box held still and moved on as the nearest sights moved."""
    seen_at = times[sights.frames]
    edge = -1 if at_end else 0
    near = np.abs(seen_at - seen_at[edge]) <= _TREND_SECONDS
    held = np.repeat(sights.boxes[edge][None], len(span), 0)
    if near.sum() < _TREND_SIGHTS:
        return held
    velocity = np.polyfit(seen_at[near] - seen_at[edge], sights.boxes[near], 1)[0]
    limit = _MOST_SPEED * np.tile(np.maximum(sights.boxes[edge, 2:] - sights.boxes[edge, :2], 1.0), 2)
    moved = held + np.clip(velocity, -limit, limit) * (span - seen_at[edge])[:, None]
    return geometry.hull(held, moved)


def _smoothed(cover: Array, span: Array, half_window: float) -> Array:
    """Each side at its mean over the window or where it was, whichever lies further out."""
    if len(cover) < 3:
        return cover
    frames = 2 * round(half_window / max(float(np.median(np.diff(span))), 1e-3)) + 1
    return geometry.hull(cover, uniform_filter1d(cover, frames, axis=0, mode="nearest"))


def _trimmed(track: Track) -> Track:
    """Without the ends where the box has left the picture."""
    inside = np.flatnonzero(geometry.area(track.boxes) > 0)
    if not len(inside):
        return track
    keep = slice(int(inside[0]), int(inside[-1]) + 1)
    return Track(
        track.id, track.kind, track.first + keep.start, track.boxes[keep], track.origins[keep], track.scores[keep]
    )


def _numbered(track: Track, number: int) -> Track:
    return Track(number, track.kind, track.first, track.boxes, track.origins, track.scores)
