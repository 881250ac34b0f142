"""Detections become tracks: each object is covered on every frame from before its first to after its last detection.

Every step only adds cover. A detection at or above the threshold of its kind is always masked, even if it is the only
one of its track; weaker detections join a track that has such a detection, before or after it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS, Kind
from dashredact.settings import TrackSettings
from dashredact.tracking import motion
from dashredact.tracking.association import MIN_FRAMES, Observations, associate, observations_of
from dashredact.values import ORIGINS, Array, Detections, Origin, Track

MIN_MARGIN = 2.0
"""Pixels that are added to every side: the error of boxes that are only a few pixels large."""
_MAX_SPEED = 3.0  # box sides a second at which an extended mask moves on
_MAX_REACH = 4.0  # box sides that it moves for an object that was faster
_FAST_EXTENSION = 0.15  # seconds after the last detection during which a fast object is followed
_GAP_MARGIN, _MAX_GAP_MARGIN = 0.5, 0.25  # fraction of a bridged box added to each side: per second of gap, at most


def build_tracks(detections: Detections, times: Array, width: int, height: int, settings: TrackSettings) -> list[Track]:
    """The tracks of a whole video, numbered from 1 by first frame.

    times: (frames,) seconds of every frame, rising. width, height: of the picture in pixels. ValueError if a detection
    lies on a frame without a time.
    """
    if len(detections) and detections.frames.max() >= len(times):
        raise ValueError("a detection lies on a frame without a time")
    tracks: list[Track] = []
    for number, kind in enumerate(KINDS):
        if kind not in settings.kinds:
            continue
        threshold = settings.thresholds.get(kind, kind.row.threshold)
        observations = observations_of(detections, number, min(settings.weakest, threshold))
        for rows in associate(observations, times, threshold, settings):
            if observations.scores[rows].max() >= threshold:
                tracks.append(_track(kind, observations.take(rows), times, (width, height), settings))
    tracks.sort(key=lambda track: (track.first, KINDS.index(track.kind), tuple(track.boxes[0])))
    return [replace(track, id=number) for number, track in enumerate(tracks, 1)]


def _track(
    kind: Kind, observations: Observations, times: Array, size: tuple[int, int], settings: TrackSettings
) -> Track:
    """The track of one object: bridged, extended, smoothed outwards, grown and clipped to the picture."""
    first, end = _frame_range(observations.frames, times, settings.extend)
    span = times[first:end]
    cover = np.empty((end - first, 4))
    origins = np.full(end - first, ORIGINS.index(Origin.BRIDGED), np.int8)
    scores = np.zeros(end - first, np.float32)
    begin, last = int(observations.frames[0]) - first, int(observations.frames[-1]) - first
    cover[begin : last + 1] = _bridged(observations, times, first + begin, first + last + 1, settings.extend)
    for edge in (slice(0, begin), slice(last + 1, end - first)):
        cover[edge] = _extended(observations, times, span[edge], at_end=edge.start > 0)
        origins[edge] = ORIGINS.index(Origin.EXTENDED)
    detected = observations.frames - first
    origins[detected], scores[detected] = ORIGINS.index(Origin.DETECTED), observations.scores
    cover = _smoothed(cover, span, settings.smooth)
    cover = geometry.clip(_grown(kind, cover, settings.grow), *size)
    return _trimmed(Track(0, kind, first, cover, origins, scores))


def _frame_range(frames: NDArray[np.int32], times: Array, extend: float) -> tuple[int, int]:
    """The frames first..end of the mask: `extend` seconds and at least two frames beyond the observations."""
    first, last = int(frames[0]), int(frames[-1])
    before = int(np.searchsorted(times, times[first] - extend, "left"))
    after = int(np.searchsorted(times, times[last] + extend, "right"))
    return max(min(before, first - MIN_FRAMES), 0), min(max(after, last + 1 + MIN_FRAMES), len(times))


def _bridged(observations: Observations, times: Array, first: int, end: int, hold: float) -> Array:
    """(end - first, 4): the observed boxes, and linear interpolation between them, the wider the longer the gap.

    Both neighbours of a gap are also held in place for `hold` seconds, as at the end of a track, in case two objects
    were associated with each other by mistake.
    """
    span = times[first:end]
    observed_at = times[observations.frames]
    line = np.stack([np.interp(span, observed_at, side) for side in observations.boxes.T], -1)
    frames = np.arange(first, end)
    before = np.searchsorted(observations.frames, frames, "right") - 1
    after = np.minimum(before + (observations.frames[before] < frames), len(observations.frames) - 1)
    unobserved = np.minimum(span - observed_at[before], observed_at[after] - span)[:, None]
    widened = geometry.grow(line, np.minimum(_GAP_MARGIN * unobserved, _MAX_GAP_MARGIN))
    held = [
        np.where((abs(span - observed_at[near]) <= hold)[:, None], observations.boxes[near], line)
        for near in (before, after)
    ]
    return geometry.hull(widened, *held)


def _extended(observations: Observations, times: Array, span: Array, *, at_end: bool) -> Array:
    """(len(span), 4): the hull of the outermost box held in place and moved on with constant velocity.

    For a fast object the hull also includes its path with constant acceleration.
    """
    observed_at, edge = times[observations.frames], -1 if at_end else 0
    held, elapsed = observations.boxes[edge], np.abs(span - observed_at[edge])[:, None]
    side = np.tile(np.maximum(held[2:] - held[:2], 1.0), 2)
    limit = _MAX_SPEED * side * elapsed
    straight = motion.straight(observed_at, observations.boxes, last=at_end).displacement(span)
    shifts = [np.zeros((len(span), 4)), np.clip(straight, -limit, limit)]
    if accelerated := motion.accelerated(observed_at, observations.boxes, last=at_end):
        reach = np.maximum(limit, _MAX_REACH * side * (elapsed <= _FAST_EXTENSION))
        shifts += [np.clip(shift, -reach, reach) for shift in (straight, accelerated.displacement(span))]
    return geometry.hull(*(held + shift for shift in shifts))


def _smoothed(cover: Array, span: Array, half_window: float) -> Array:
    """Each side at its moving average or where it was, whichever lies further out."""
    if len(cover) < 3:
        return cover
    from scipy.ndimage import uniform_filter1d  # noqa: PLC0415 - importing scipy is slow

    frames = 2 * round(half_window / max(float(np.median(np.diff(span))), 1e-3)) + 1
    return geometry.hull(cover, uniform_filter1d(cover, frames, axis=0, mode="nearest"))


def _grown(kind: Kind, cover: Array, fraction: float) -> Array:
    """With a margin on all sides, and above it the kind's headroom."""
    grown = geometry.grow(cover, fraction, MIN_MARGIN)
    grown[:, 1] -= kind.row.headroom * (cover[:, 3] - cover[:, 1])
    return grown


def _trimmed(track: Track) -> Track:
    """Without frames at its ends on which the box is outside the picture."""
    inside = np.flatnonzero(geometry.area(track.boxes) > 0)
    if not len(inside):
        return track
    keep = slice(int(inside[0]), int(inside[-1]) + 1)
    return Track(
        track.id, track.kind, track.first + keep.start, track.boxes[keep], track.origins[keep], track.scores[keep]
    )
