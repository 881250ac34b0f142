"""Which videos a person should look at first: the reasons of `review.risk`, weighed. No picture is seen.

Nearly every track has some reason to be looked at: a car drives out of the picture, a face gets small. What counts here
is how likely it is that something can be seen which should not: an object that was hardly found, or that is lost
while it is large and in the midst of the picture.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashredact.review import risk
from dashredact.review.risk import Reason, Risk
from dashredact.values import Array, Track

REVIEW_WEIGHT = 3.0
"""weight from which a track is worth a look"""
NIGHT = 60.0
"""mean luma of 256 levels under which a video is dark"""
_DARK = 1.5
_FIND = 5.0
_DOUBT = 5.0
_NOTHING = 2.0
_BLIND = 20.0
_LARGE = 0.08  # of the picture's longer side; such an object is not lost because it got too small
_PLAIN = {
    Reason.SINGLE_SIGHTING: 2.0,
    Reason.SMALL: 0.5,
    Reason.TOUCHES_BORDER: 0.0,
    Reason.LONG_EXTENDED: 0.5,
}


@dataclass(frozen=True)
class FlaggedTrack:
    """A track and why it should be looked at."""

    track: Track
    reasons: Sequence[Risk]
    weight: float


@dataclass(frozen=True)
class Priority:
    """Of one video."""

    risk: float
    """higher is more pressing; comparable between videos only"""
    reasons: Mapping[str, int]
    """how often each occurs, most pressing first"""


def rank_tracks(
    tracks: Sequence[Track], times: Array, size: tuple[int, int], thresholds: Mapping[str, float]
) -> list[FlaggedTrack]:
    """Every track that has a reason, most pressing first. times: (frames,) seconds. size: width, height in pixels."""
    found = ((track, risk.risks(track, times, *size, thresholds)) for track in tracks)
    weighed = [FlaggedTrack(track, why, _weight(track, why, max(size), thresholds)) for track, why in found if why]
    return sorted(weighed, key=lambda place: (-place.weight, place.track.id))


def _weight(track: Track, reasons: Sequence[Risk], long_side: int, thresholds: Mapping[str, float]) -> float:
    return sum(_PLAIN.get(one.reason, 0.0) + _graded(track, one, long_side, thresholds) for one in reasons)


def _graded(track: Track, one: Risk, long_side: int, thresholds: Mapping[str, float]) -> float:
    if one.reason is Reason.LOW_SCORE:
        above = (one.figure - thresholds[track.kind]) / risk.NEAR
        return 1.0 + 2.0 * float(np.clip(1 - above, 0, 1))
    if one.reason is Reason.ENDS_INSIDE:
        last = float((track.boxes[-1, 2:] - track.boxes[-1, :2]).max())
        return 3.0 * min(last / (_LARGE * long_side), 1.0)
    return 2.0 * min(one.figure, 1.0) if one.reason is Reason.BRIDGED else 0.0


def priority_of(
    found: Sequence[FlaggedTrack] | None,
    tracks: int,
    finds: int,
    luma: float | None,
    *,
    doubted: bool = False,
    altered: bool = False,
) -> Priority:
    """found: places of the video's tracks, None where its tracks file cannot be believed. tracks: how many there are.

    finds: of a second look. luma: mean of the masked file, of 256 levels; None where it is not known. doubted: whether
    masking ended with a doubt. altered: whether the masked file is not as it was made.
    """
    pressing = [place for place in found or () if place.weight >= REVIEW_WEIGHT]
    dark = luma is not None and luma < NIGHT
    beside: dict[str, int] = {"masked file gone or changed": altered, "no tracks file to believe": found is None}
    beside |= {"second look": finds, "needs review": doubted}
    beside |= {"nothing found": found is not None and not tracks, "night": dark}
    counts = Counter(str(one.reason) for place in pressing for one in place.reasons if _PLAIN.get(one.reason) != 0)
    total = sum(place.weight for place in pressing) + _FIND * finds + _DOUBT * doubted
    total += _BLIND * altered + _BLIND * (found is None) + _NOTHING * beside["nothing found"]
    reasons = {what: int(count) for what, count in beside.items() if count} | dict(counts.most_common())
    return Priority(round(total * (_DARK if dark else 1.0), 1), reasons)
