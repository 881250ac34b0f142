"""Which tracks a person should look at, and why: arithmetic on tracks alone, no picture is seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dashredact.imaging.coverage import MIN_SIZE
from dashredact.kinds import Kind
from dashredact.tracking.timeline import origin_runs
from dashredact.values import ORIGINS, Array, Origin, Track

NEAR = 0.1
"""a best score less than this above the threshold is low"""
HOLE = 0.25
"""seconds from which a bridged hole is a reason to look"""
SHORT = 0.25
"""seconds from the first to the last sight under which a track is short"""
SMALL = MIN_SIZE
"""pixels; a track whose largest box has no longer side is small"""
_EDGE = 1.0  # pixels from the border at which a box touches it


class Reason(StrEnum):
    """Why a track should be looked at."""

    LOW_SCORE = "low score"
    SINGLE_SIGHTING = "single sighting"
    ENDS_INSIDE = "ends inside the picture"
    TOUCHES_BORDER = "touches the border"
    SMALL = "small box"
    BRIDGED = "bridged hole"
    LONG_EXTENDED = "longer extended than seen"


@dataclass(frozen=True)
class Risk:
    """A reason, and the frames `first..end` of the video to look at."""

    reason: Reason
    first: int
    end: int
    figure: float
    """best score, frames seen, frames at the border, pixels, seconds of the longest hole or frames extended"""


@dataclass(frozen=True)
class Hole:
    """Frames `first..end` of a track on which the detector saw nothing between two sights."""

    track: int
    """its id"""
    kind: Kind
    first: int
    end: int
    seconds: float
    """between the sights before and after it"""


def risks(
    track: Track, times: Array, width: int, height: int, thresholds: Mapping[str, float], near: float = NEAR
) -> tuple[Risk, ...]:
    """In the order of `Reason`; none for zones, which a person has chosen.

    times: (frames,) seconds of the video's frames. width, height: pixels of its picture. thresholds: score by kind
    from which a detection started a track; without one for the kind no score counts as low.
    """
    if track.kind is Kind.ZONE:
        return ()
    found = (_by_sights(track, thresholds, near), _by_place(track, len(times), width, height), _by_guess(track, times))
    return tuple(sorted((risk for some in found for risk in some), key=lambda risk: list(Reason).index(risk.reason)))


def holes(track: Track, times: Array) -> list[Hole]:
    """Every hole that was bridged, in order. times: (frames,) seconds of the video's frames."""
    return [
        Hole(track.id, track.kind, first, end, float(times[min(end, len(times) - 1)] - times[max(first - 1, 0)]))
        for origin, first, end in origin_runs(track)
        if origin is Origin.BRIDGED
    ]


def by_risk(found: Sequence[tuple[Track, tuple[Risk, ...]]]) -> list[tuple[Track, tuple[Risk, ...]]]:
    """The tracks that have a reason: most reasons first, then the lowest best score."""
    risky = [(track, reasons) for track, reasons in found if reasons]
    return sorted(risky, key=lambda pair: (-len(pair[1]), best_score(pair[0]), pair[0].id))


def best_score(track: Track) -> float:
    """0 where the detector never saw it."""
    return float(track.scores.max(initial=0.0))


def is_short(track: Track, times: Array) -> bool:
    """Whether the detector saw it for less than a quarter of a second, if at all; never for boxes drawn by a person.

    times: (frames,) seconds of the video's frames.
    """
    seen = track.first + np.flatnonzero(track.origins == ORIGINS.index(Origin.DETECTED))
    by_hand = frames_of(track, Origin.MANUAL) > 0
    return not by_hand and (not len(seen) or float(times[seen[-1]] - times[seen[0]]) < SHORT)


def frames_of(track: Track, origin: Origin) -> int:
    return int(np.count_nonzero(track.origins == ORIGINS.index(origin)))


def _by_sights(track: Track, thresholds: Mapping[str, float], near: float) -> Iterator[Risk]:
    seen = np.flatnonzero(track.origins == ORIGINS.index(Origin.DETECTED))
    if not len(seen):
        return
    best, threshold = best_score(track), thresholds.get(track.kind)
    if threshold is not None and best < threshold + near:
        yield Risk(Reason.LOW_SCORE, track.first, track.end, best)
    if len(seen) == 1:
        yield Risk(Reason.SINGLE_SIGHTING, track.first + int(seen[0]), track.first + int(seen[0]) + 1, 1.0)


def _by_place(track: Track, frames: int, width: int, height: int) -> Iterator[Risk]:
    low, high = track.boxes[:, :2].min(-1), (np.array([width, height]) - track.boxes[:, 2:]).min(-1)
    outermost = np.minimum(low, high) <= _EDGE
    at_border = np.flatnonzero(outermost)
    if track.end < frames and not outermost[-1]:
        yield Risk(Reason.ENDS_INSIDE, track.end - 1, track.end, 1.0)
    if len(at_border):
        first, last = track.first + int(at_border[0]), track.first + int(at_border[-1])
        yield Risk(Reason.TOUCHES_BORDER, first, last + 1, float(len(at_border)))
    largest = float((track.boxes[:, 2:] - track.boxes[:, :2]).max())
    if largest <= SMALL:
        yield Risk(Reason.SMALL, track.first, track.end, largest)


def _by_guess(track: Track, times: Array) -> Iterator[Risk]:
    longest = max(holes(track, times), key=lambda hole: hole.seconds, default=None)
    if longest is not None and longest.seconds >= HOLE:
        yield Risk(Reason.BRIDGED, longest.first, longest.end, longest.seconds)
    extended = frames_of(track, Origin.EXTENDED)
    if extended > frames_of(track, Origin.DETECTED):
        yield Risk(Reason.LONG_EXTENDED, track.first, track.end, float(extended))
