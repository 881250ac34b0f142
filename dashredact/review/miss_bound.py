"""What a person's verdicts on drawn frames prove: "at most x missed plate-seconds per hour, 95 %".

The bound is exact if no frame holds more misses than one of those that were judged, or than one where none was seen.
Two conditions have to hold: every frame is drawn at random, uniformly over the time of the videos, and its verdict does
not depend on those of the others. Sampling without replacement only makes the bound conservative. `draws.draw` samples
with replacement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, log1p

CONFIDENCE = 0.95
_HOUR = 3600.0  # seconds


@dataclass(frozen=True)
class MissBound:
    """Of one kind of object."""

    frames: int
    """that were judged"""
    missed: int
    """objects that were left unmasked on them, one an object and frame"""
    confidence: float
    seen: float
    """missed object-seconds an hour, the best guess"""
    most: float
    """missed object-seconds an hour, at most, with that confidence; infinite where nothing was judged"""

    def sentence(self, kind: str) -> str:
        """`at most 18.0 missed plate-seconds per hour (95 %, 0 in 598 frames)`"""
        judged = f"{self.confidence * 100:g} %, {self.missed} in {self.frames} frames"
        return f"at most {self.most:.1f} missed {kind}-seconds per hour ({judged})"


def miss_bound(missed: Sequence[int], confidence: float = CONFIDENCE) -> MissBound:
    """missed: of every judged frame, how many objects of the kind were left unmasked on it.

    The mean of a count is the sum, over k from 1 up, of the share of frames with k or more. Each share gets its
    Clopper-Pearson bound; the doubt is split among the levels that were seen. More than that on one frame, of which
    the sample knows nothing, is taken not to happen; where no miss was seen, a frame is taken to hold at most one.
    ValueError for a count below 0 or a confidence that is not between 0 and 1.
    """
    if any(count < 0 for count in missed):
        raise ValueError("a frame cannot have fewer than no misses")
    if not 0 < confidence < 1:
        raise ValueError("the confidence lies between 0 and 1")
    frames, total = len(missed), sum(missed)
    levels = range(1, max([1, *missed]) + 1)
    doubt = (1 - confidence) / len(levels)
    shares = [clopper_pearson_upper(sum(count >= level for count in missed), frames, 1 - doubt) for level in levels]
    most = _HOUR * sum(shares) if frames else float("inf")
    return MissBound(frames, total, confidence, _HOUR * total / max(frames, 1), most)


def clopper_pearson_upper(hits: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The exact upper bound (Clopper-Pearson, one side) of a share, of which `hits` in `of` were seen. 1 for 0 in 0."""
    from scipy.stats import beta  # noqa: PLC0415 - takes a second to load

    return 1.0 if hits >= of else float(beta.ppf(confidence, hits + 1, of - hits))


def frames_needed(most: float, confidence: float = CONFIDENCE) -> int:
    """How many frames without a miss prove at most so many missed object-seconds an hour, above 0. A draw that finds
    misses needs more.
    """
    share = most / _HOUR
    if share <= 0:
        raise ValueError("no number of frames proves that nothing was missed")
    return 1 if share >= 1 else max(ceil(log(1 - confidence) / log1p(-share)), 1)
