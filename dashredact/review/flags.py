"""Which tracks and videos a person should look at first, and why: arithmetic on tracks alone, no picture is seen.

Nearly every track has some reason to be looked at: a car drives out of the picture, a face gets small. The weights say
how likely it is that something can be seen which should not, or is masked which should not: an object that was hardly
found, one that is lost while it is large and in the midst of the picture, a mask over much of the picture.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dashredact.imaging.coverage import MIN_SIZE
from dashredact.kinds import Kind
from dashredact.tracking.timeline import origin_runs
from dashredact.values import ORIGINS, Array, Origin, Track

REVIEW_WEIGHT = 3.0
"""weight from which a track is worth a look"""
NEAR = 0.1
"""a best score less than this above the threshold is low"""
HOLE = 0.25
"""seconds from which a bridged hole is a reason to look"""
SHORT = 0.25
"""seconds from the first to the last sight under which a track is short"""
SMALL = MIN_SIZE
"""pixels; a track whose largest box has no longer side is small"""
LARGE = 0.05
"""share of the picture from which a mask is large; faces and plates that a dashcam sees seldom cover so much"""
NIGHT = 60.0
"""mean luma of 256 levels under which a video is dark"""
_EDGE = 1.0  # pixels from the border at which a box touches it
_NEAR_OBJECT = 0.08  # of the picture's longer side; such an object is not lost because it got too small


class Reason(StrEnum):
    """Why a track should be looked at."""

    LOW_SCORE = "low score"
    SINGLE_SIGHTING = "single sighting"
    ENDS_INSIDE = "ends inside the picture"
    TOUCHES_BORDER = "touches the border"
    SMALL = "small box"
    LARGE = "large mask"
    BRIDGED = "bridged hole"
    LONG_EXTENDED = "extended for longer than seen"


_FIXED_WEIGHTS = {
    Reason.SINGLE_SIGHTING: 2.0,
    Reason.SMALL: 0.5,
    Reason.TOUCHES_BORDER: 0.0,
    Reason.LARGE: 3.0,
    Reason.LONG_EXTENDED: 0.5,
}
_RESIDUAL_WEIGHT = 5.0
_DOUBT_WEIGHT = 5.0
_NOTHING_FOUND_WEIGHT = 2.0
_UNCHECKED_WEIGHT = 20.0  # a file that is not the one of the log, or a video that has no output
_DARK_FACTOR = 1.5


@dataclass(frozen=True)
class Flag:
    """A reason, and the frames `first..end` of the video to look at."""

    reason: Reason
    first: int
    end: int
    figure: float
    """best score, frames seen, frames at the border, pixels, share of the picture, seconds of the longest hole or
    frames extended"""


@dataclass(frozen=True)
class FlaggedTrack:
    """A track and why it should be looked at."""

    track: Track
    flags: Sequence[Flag]
    weight: float

    @property
    def worth_a_look(self) -> bool:
        return self.weight >= REVIEW_WEIGHT


@dataclass(frozen=True)
class Priority:
    """Of one video."""

    risk: float
    """higher is more pressing; comparable between videos only"""
    reasons: Mapping[str, int]
    """how often each occurs, most pressing first"""


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


def rank_tracks(
    tracks: Sequence[Track], times: Array, size: tuple[int, int], thresholds: Mapping[str, float]
) -> list[FlaggedTrack]:
    """Every track that has a reason, most pressing first.

    times: (frames,) seconds. size: width, height in pixels. thresholds: score by kind from which a detection started a
    track; without one for the kind no score counts as low.
    """
    flagged = ((track, flags(track, times, *size, thresholds)) for track in tracks)
    weighed = [FlaggedTrack(track, why, _weight(track, why, max(size), thresholds)) for track, why in flagged if why]
    return sorted(weighed, key=lambda one: (-one.weight, one.track.id))


def flags(
    track: Track, times: Array, width: int, height: int, thresholds: Mapping[str, float], near: float = NEAR
) -> tuple[Flag, ...]:
    """In the order of `Reason`; none for zones, which a person has chosen. See `rank_tracks`."""
    if track.kind is Kind.ZONE:
        return ()
    order = list(Reason)
    every = (*_by_score(track, thresholds, near), *_by_box(track, len(times), width, height), *_by_gaps(track, times))
    return tuple(sorted(every, key=lambda flag: order.index(flag.reason)))


def priority(
    flagged: Sequence[FlaggedTrack] | None,
    tracks: int,
    residuals: int,
    luma: float | None,
    *,
    doubted: bool = False,
    altered: bool = False,
    failed: str = "",
) -> Priority:
    """flagged: of the video's tracks, None where its tracks file is not the one of the log. tracks: how many it has.

    residuals: what a second look saw and no mask covers. luma: mean of the masked file, of 256 levels; None where it is
    not known. doubted: whether masking ended with a doubt. altered: whether the masked file is not as it was made.
    failed: how a later try ended that gave no masked file; empty where there is none.
    """
    pressing = [one for one in flagged or () if one.worth_a_look]
    dark = luma is not None and luma < NIGHT
    of_video: dict[str, int] = {"masked file missing or changed": altered}
    of_video |= {"tracks file missing or changed": flagged is None, f"later try: {failed}": bool(failed)}
    of_video |= {"second look": residuals, "needs review": doubted}
    of_video |= {"nothing found": flagged is not None and not tracks, "night": dark}
    counts = Counter(str(flag.reason) for one in pressing for flag in one.flags if _FIXED_WEIGHTS.get(flag.reason) != 0)
    total = sum(one.weight for one in pressing) + _RESIDUAL_WEIGHT * residuals + _DOUBT_WEIGHT * doubted
    total += _UNCHECKED_WEIGHT * (altered + (flagged is None)) + _NOTHING_FOUND_WEIGHT * of_video["nothing found"]
    reasons = {what: int(count) for what, count in of_video.items() if count} | dict(counts.most_common())
    return Priority(round(total * (_DARK_FACTOR if dark else 1.0), 1), reasons)


def without_output(outcome: str) -> Priority:
    """Of a video that was tried and has no masked file. outcome: how the try ended."""
    return Priority(_UNCHECKED_WEIGHT, {outcome: 1})


def holes(track: Track, times: Array) -> list[Hole]:
    """Every hole that was bridged, in order. times: (frames,) seconds of the video's frames."""
    return [
        Hole(track.id, track.kind, first, end, float(times[min(end, len(times) - 1)] - times[max(first - 1, 0)]))
        for origin, first, end in origin_runs(track)
        if origin is Origin.BRIDGED
    ]


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


# --- reasons and their weights ----------------------------------------------------------------------------------------


def _by_score(track: Track, thresholds: Mapping[str, float], near: float) -> Iterator[Flag]:
    seen = np.flatnonzero(track.origins == ORIGINS.index(Origin.DETECTED))
    if not len(seen):
        return
    best, threshold = best_score(track), thresholds.get(track.kind)
    if threshold is not None and threshold < 1 and best < threshold + near:  # 1 is that of no detector at all
        yield Flag(Reason.LOW_SCORE, track.first, track.end, best)
    if len(seen) == 1:
        yield Flag(Reason.SINGLE_SIGHTING, track.first + int(seen[0]), track.first + int(seen[0]) + 1, 1.0)


def _by_box(track: Track, frames: int, width: int, height: int) -> Iterator[Flag]:
    low, high = track.boxes[:, :2].min(-1), (np.array([width, height]) - track.boxes[:, 2:]).min(-1)
    outermost = np.minimum(low, high) <= _EDGE
    at_border = np.flatnonzero(outermost)
    if track.end < frames and not outermost[-1]:
        yield Flag(Reason.ENDS_INSIDE, track.end - 1, track.end, 1.0)
    if len(at_border):
        first, last = track.first + int(at_border[0]), track.first + int(at_border[-1])
        yield Flag(Reason.TOUCHES_BORDER, first, last + 1, float(len(at_border)))
    sides = track.boxes[:, 2:] - track.boxes[:, :2]
    if (longest := float(sides.max())) <= SMALL:
        yield Flag(Reason.SMALL, track.first, track.end, longest)
    shares = sides.prod(-1) / (width * height)
    if len(large := np.flatnonzero(shares >= LARGE)):
        first, last = track.first + int(large[0]), track.first + int(large[-1])
        yield Flag(Reason.LARGE, first, last + 1, float(shares.max()))


def _by_gaps(track: Track, times: Array) -> Iterator[Flag]:
    longest = max(holes(track, times), key=lambda hole: hole.seconds, default=None)
    if longest is not None and longest.seconds >= HOLE:
        yield Flag(Reason.BRIDGED, longest.first, longest.end, longest.seconds)
    extended = frames_of(track, Origin.EXTENDED)
    if extended > frames_of(track, Origin.DETECTED):
        yield Flag(Reason.LONG_EXTENDED, track.first, track.end, float(extended))


def _weight(track: Track, flagged: Sequence[Flag], long_side: int, thresholds: Mapping[str, float]) -> float:
    return sum(_FIXED_WEIGHTS.get(flag.reason, 0.0) + _graded(track, flag, long_side, thresholds) for flag in flagged)


def _graded(track: Track, flag: Flag, long_side: int, thresholds: Mapping[str, float]) -> float:
    if flag.reason is Reason.LOW_SCORE:
        above = (flag.figure - thresholds[track.kind]) / NEAR
        return 1.0 + 2.0 * float(np.clip(1 - above, 0, 1))
    if flag.reason is Reason.ENDS_INSIDE:
        last = float((track.boxes[-1, 2:] - track.boxes[-1, :2]).max())
        return 3.0 * min(last / (_NEAR_OBJECT * long_side), 1.0)
    return 2.0 * min(flag.figure, 1.0) if flag.reason is Reason.BRIDGED else 0.0
