"""Detections become tracks: each object is covered on every frame from before its first to after its last detection.

What a detector says of one frame is weak evidence, what it says of many is strong: a track is believed from all its
detections (`evidence`). Between and beyond them the mask follows the pixels (`continuation`), a straight line where
these do not tell, and goes on blindly for a moment only. A detection at or above the threshold of its kind is always
masked on its own frame. Nothing is linked across a cut.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS, Kind
from dashredact.settings import TrackSettings
from dashredact.tracking import evidence, motion
from dashredact.tracking.association import Observations, associate
from dashredact.tracking.continuation import Continuations
from dashredact.values import ORIGINS, REACH, Array, Detections, Origin, Paths, Track

MIN_MARGIN = 2.0
"""Pixels that are added to every side: the error of boxes that are only a few pixels large."""
_BLIND_SHARE = 1 / 3  # of a box's sides, by which a mask moves on blindly at most
_GAP_MARGIN, _MAX_GAP_MARGIN = 0.5, 0.25  # fraction of a box that was not followed, per second of gap, at most
_STEADY = 2  # frames on either side whose boxes are as large
_BOTH_SEEN = 0.5  # fraction of a track's frames
_EPSILON = 1e-6  # seconds, for rounding of float times
_FURTHEST = REACH + 0.1  # seconds beyond a track in which frames are looked for


def build_tracks(
    detections: Detections,
    paths: Paths,
    times: Array,
    width: int,
    height: int,
    settings: TrackSettings,
    cuts: Sequence[int] = (),
) -> list[Track]:
    """The tracks of a whole video, numbered from 1 by first frame.

    paths: of the detections. times: (frames,) seconds of every frame, rising. width, height: of the picture in pixels.
    cuts: frames that show another scene than the one before. ValueError if a detection lies on a frame without a time.
    """
    if len(detections) and detections.frames.max() >= len(times):
        raise ValueError("a detection lies on a frame without a time")
    builder = _Builder(detections, paths, times, (width, height), settings)
    scenes = pairwise([0, *(cut for cut in cuts if 0 < cut < len(times)), len(times)])
    tracks = [
        track for scene in scenes for kind in KINDS if kind in settings.kinds for track in builder.of(kind, scene)
    ]
    tracks.sort(key=lambda track: (track.first, KINDS.index(track.kind), tuple(track.boxes[0])))
    return [replace(track, id=number) for number, track in enumerate(tracks, 1)]


class _Builder:
    """Builds the tracks of one video, by kind and scene."""

    def __init__(
        self, detections: Detections, paths: Paths, times: Array, size: tuple[int, int], settings: TrackSettings
    ) -> None:
        self._detections, self._times, self._size, self._settings = detections, times, size, settings
        self._continuations = Continuations(detections, paths, len(times))

    def of(self, kind: Kind, scene: tuple[int, int]) -> list[Track]:
        """scene: its first frame and end."""
        threshold = self._settings.thresholds.get(kind, kind.row.threshold)
        found, weakest = self._detections, min(self._settings.weakest, threshold)
        first, end = np.searchsorted(found.frames, scene)
        own = np.arange(first, end)
        own = own[(found.kinds[own] == KINDS.index(kind)) & (found.scores[own] >= weakest)]
        observations = Observations(found.frames[own], found.boxes[own].astype(np.float64), found.scores[own])
        tracks: list[Track] = []
        for rows in associate(observations, self._times, threshold, self._settings):
            sights = observations.take(rows)
            strong = np.flatnonzero(sights.scores >= threshold).tolist()
            if strong and evidence.chance(kind.row.evidence, sights.scores) >= self._settings.believed:
                tracks.append(self._track(kind, sights, own[rows], scene))
            else:
                tracks += [self._alone(kind, sights.take([row])) for row in strong]
        return _distinct(tracks)

    def _alone(self, kind: Kind, sight: Observations) -> Track:
        """A detection that is not believed to be of an object is masked on its own frame."""
        origins = np.array([ORIGINS.index(Origin.DETECTED)], np.int8)
        return Track(0, kind, int(sight.frames[0]), self._grown(kind, sight.boxes), origins, sight.scores)

    def _track(self, kind: Kind, sights: Observations, rows: NDArray[np.intp], scene: tuple[int, int]) -> Track:
        """The track of one object. rows: of its detections. scene: it lies within these frames."""
        first, last = int(sights.frames[0]), int(sights.frames[-1])
        low, high = np.searchsorted(self._times, self._times[[first, last]] + np.array([-_FURTHEST, _FURTHEST]))
        before = self._extended(sights, int(rows[0]), range(first - 1, max(int(low), scene[0]) - 1, -1))[::-1]
        after = self._extended(sights, int(rows[-1]), range(last + 1, min(int(high), scene[1])))
        cover = np.concatenate((before, self._bridged(sights, rows), after))
        first -= len(before)
        origins = np.full(len(cover), ORIGINS.index(Origin.BRIDGED), np.int8)
        origins[: len(before)] = origins[len(cover) - len(after) :] = ORIGINS.index(Origin.EXTENDED)
        scores, seen = np.zeros(len(cover), np.float32), sights.frames - first
        origins[seen], scores[seen] = ORIGINS.index(Origin.DETECTED), sights.scores
        return _trimmed(Track(0, kind, first, self._grown(kind, _steadied(cover)), origins, scores))

    def _bridged(self, sights: Observations, rows: NDArray[np.intp]) -> Array:
        """(n, 4) from the first to the last detection: what is followed from both sides of a gap, each as far as its
        middle, around a straight line.
        """
        first, last = int(sights.frames[0]), int(sights.frames[-1])
        frames = np.arange(first, last + 1)
        times = self._times[frames]
        cover = np.stack([np.interp(times, self._times[sights.frames], side) for side in sights.boxes.T], -1)
        for number in np.flatnonzero(np.diff(sights.frames) > 1).tolist():
            start, end = (int(frame) - first for frame in sights.frames[number : number + 2])
            half = (end - start) // 2
            ahead = self._continuations.boxes(int(rows[number]), 1, half)
            back = self._continuations.boxes(int(rows[number + 1]), -1, end - start - 1 - half)[::-1]
            gap = cover[start + 1 : end]
            blind = times[start + 1 : end, None]
            blind = np.minimum(blind - times[start + len(ahead)], times[end - len(back)] - blind).clip(0)
            gap[:] = geometry.grow(gap, np.minimum(_GAP_MARGIN * blind, _MAX_GAP_MARGIN))
            for followed, place in ((ahead, slice(0, len(ahead))), (back, slice(len(gap) - len(back), None))):
                gap[place] = geometry.hull(gap[place], followed)
        return cover

    def _extended(self, sights: Observations, row: int, frames: range) -> Array:
        """(n, 4) beyond a detection, nearest first: followed as far as the pixels tell, then blindly for a moment."""
        at_end = frames.step > 0
        edge = -1 if at_end else 0
        elapsed = np.abs(self._times[list(frames)] - self._times[sights.frames[edge]])
        within = int(np.searchsorted(elapsed, min(self._settings.follow, REACH) + _EPSILON, "right"))
        followed = self._continuations.boxes(row, frames.step, within)
        count = len(followed)
        blind = elapsed[count:within] - (elapsed[count - 1] if count else 0.0)
        blind = blind[: max(int(np.searchsorted(blind, self._settings.extend + _EPSILON, "right")), 1)]
        held = followed[-1] if count else sights.boxes[edge]
        velocity = self._velocity(sights, followed, elapsed[:count], at_end=at_end)
        limit = _BLIND_SHARE * np.tile(held[2:] - held[:2], 2)
        moved = held + np.clip(velocity * blind[:, None], -limit, limit)
        return np.concatenate((followed, geometry.hull(np.broadcast_to(held, moved.shape), moved)))

    def _velocity(self, sights: Observations, followed: Array, elapsed: Array, *, at_end: bool) -> Array:
        """(4,) pixels a second, away from the detections, at the last box that was followed."""
        if len(followed) > 1:
            near = slice(max(len(followed) - 4, 0), None)
            boxes, times = followed[near], elapsed[near]
            return np.asarray((boxes[-1] - boxes[0]) / max(float(times[-1] - times[0]), 1e-3))
        told = motion.straight(self._times[sights.frames], sights.boxes, last=at_end).velocity
        return told if at_end else -told

    def _grown(self, kind: Kind, cover: Array) -> Array:
        """Clipped to the picture."""
        return geometry.clip(grown(kind, cover, self._settings.grow), *self._size)


def grown(kind: Kind, boxes: Array, fraction: float = 0.0) -> Array:
    """With the margin of the kind, and so much more of width and height on each side."""
    margins, sides = kind.row.margins, boxes[:, 2:] - boxes[:, :2]
    low, high = (
        np.maximum((np.array([margins.sides, vertical]) + fraction) * sides, MIN_MARGIN)
        for vertical in (margins.top, margins.bottom)
    )
    return np.concatenate((boxes[:, :2] - low, boxes[:, 2:] + high), 1)


def _steadied(cover: Array) -> Array:
    """Each box as large as the largest within a few frames: the size that a detector tells shakes."""
    if len(cover) < 2:
        return cover
    from scipy.ndimage import maximum_filter1d  # noqa: PLC0415 - importing scipy is slow

    middles, halves = geometry.centres(cover), (cover[:, 2:] - cover[:, :2]) / 2
    halves = maximum_filter1d(halves, 2 * _STEADY + 1, axis=0, mode="nearest")
    return np.concatenate((middles - halves, middles + halves), 1)


def _distinct(tracks: list[Track]) -> list[Track]:
    """Without those that lie under the mask of another on every frame, and on most while it is detected too: they are
    of the same object.
    """
    kept: list[Track] = []
    open_tracks: list[Track] = []  # a video has thousands of tracks and few at a time
    for track in sorted(tracks, key=lambda one: (one.first, -one.end, -float(geometry.area(one.boxes).sum()))):
        open_tracks = [other for other in open_tracks if other.end > track.first]
        if not any(_under(track, other) for other in open_tracks):
            kept.append(track)
            open_tracks.append(track)
    return kept


def _under(track: Track, other: Track) -> bool:
    if not other.first <= track.first or not track.end <= other.end:
        return False
    shared = slice(track.first - other.first, track.end - other.first)
    boxes, detected = other.boxes[shared], other.origins[shared] == ORIGINS.index(Origin.DETECTED)
    inside = (boxes[:, :2] <= track.boxes[:, :2]).all() and (boxes[:, 2:] >= track.boxes[:, 2:]).all()
    return bool(inside and detected.mean() >= _BOTH_SEEN)


def _trimmed(track: Track) -> Track:
    """Without frames at its ends on which the box is outside the picture."""
    inside = np.flatnonzero(geometry.area(track.boxes) > 0)
    if not len(inside):
        return track
    keep = slice(int(inside[0]), int(inside[-1]) + 1)
    return Track(
        track.id, track.kind, track.first + keep.start, track.boxes[keep], track.origins[keep], track.scores[keep]
    )
