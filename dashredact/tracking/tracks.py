"""Detections become tracks: each object covered on every frame from before its first to after its last sight.

Everything here only adds cover. A detection at or above its kind's threshold is always masked, were it the only
one of its track; weaker ones join a track that has such a sight, before or after it.
"""

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS, Kind
from dashredact.settings import LinkSettings
from dashredact.tracking import motion
from dashredact.tracking.association import LEAST_FRAMES, Observations, associate
from dashredact.values import ORIGINS, Array, Detections, Origin, Track

LEAST_MARGIN = 2.0  # pixels; what a box of a few pixels may be off by
_MOST_SPEED = 3.0  # sides a second that a mask moves on by itself ...
_MOST_REACH = 4.0  # ... and sides in all where its object was faster
_SOON = 0.15  # seconds after the last sight for which a fast object is followed
_DOUBT, _MOST_DOUBT = 0.5, 0.25  # share of a bridged box added on each side, per second without a sight, and at most


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
        threshold = settings.thresholds.get(kind, kind.row.threshold)
        counts = detections.scores >= min(settings.weakest, threshold)
        own = np.flatnonzero((detections.kinds == number) & counts)
        sights = Observations(detections.frames[own], detections.boxes[own].astype(np.float64), detections.scores[own])
        for rows in associate(sights, times, threshold, settings):
            if sights.scores[rows].max() >= threshold:
                found.append(_cover(kind, sights.take(rows), times, (width, height), settings))
    found.sort(key=lambda track: (track.first, KINDS.index(track.kind), tuple(track.boxes[0])))
    return [_numbered(track, number) for number, track in enumerate(found, 1)]


def _cover(kind: Kind, sights: Observations, times: Array, size: tuple[int, int], settings: LinkSettings) -> Track:
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
    cover = geometry.clip(_grown(kind, cover, settings.grow), *size)
    return _trimmed(Track(0, kind, first, cover, origins, scores))


def _reach(frames: NDArray[np.int32], times: Array, extend: float) -> tuple[int, int]:
    """The frames first..end that the mask spans, `extend` seconds and at least two frames past the sights."""
    first, last = int(frames[0]), int(frames[-1])
    before = int(np.searchsorted(times, times[first] - extend, "left"))
    after = int(np.searchsorted(times, times[last] + extend, "right"))
    return max(min(before, first - LEAST_FRAMES), 0), min(max(after, last + 1 + LEAST_FRAMES), len(times))


def _bridged(sights: Observations, times: Array, first: int, end: int, hold: float) -> Array:
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


def _extended(sights: Observations, times: Array, span: Array, *, at_end: bool) -> Array:
    """(len(span), 4): the hull of the last box held still and moved on as the nearest sights moved.

    Of a fast object also as their speed and size changed.
    """
    seen_at, edge = times[sights.frames], -1 if at_end else 0
    held, passed = sights.boxes[edge], np.abs(span - seen_at[edge])[:, None]
    side = np.tile(np.maximum(held[2:] - held[:2], 1.0), 2)
    drift = _MOST_SPEED * side * passed
    even = motion.straight(seen_at, sights.boxes, last=at_end).moved(span)
    paths = [np.zeros((len(span), 4)), np.clip(even, -drift, drift)]
    if bent := motion.accelerated(seen_at, sights.boxes, last=at_end):
        reach = np.maximum(drift, _MOST_REACH * side * (passed <= _SOON))
        paths += [np.clip(path, -reach, reach) for path in (even, bent.moved(span))]
    return geometry.hull(*(held + path for path in paths))


def _smoothed(cover: Array, span: Array, half_window: float) -> Array:
    """Each side at its mean over the window or where it was, whichever lies further out."""
    if len(cover) < 3:
        return cover
    from scipy.ndimage import uniform_filter1d  # noqa: PLC0415 - scipy is slow to load

    frames = 2 * round(half_window / max(float(np.median(np.diff(span))), 1e-3)) + 1
    return geometry.hull(cover, uniform_filter1d(cover, frames, axis=0, mode="nearest"))


def _grown(kind: Kind, cover: Array, share: float) -> Array:
    """With a margin all round, and above it the kind's headroom."""
    grown = geometry.grow(cover, share, LEAST_MARGIN)
    grown[:, 1] -= kind.row.headroom * (cover[:, 3] - cover[:, 1])
    return grown


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
