"""How detections agree with what people marked: matching, average precision, recall by size, and its uncertainty.

Everything is counted at IoU 0.5 as COCO counts: best score first, each object found once. A detection half of which
lies in an ignored region is neither right nor wrong. Average precision alone looks at no more than 100 detections a
picture, so that it is COCO's figure; crowds have more faces than that, and all of them have to be masked.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind, Measure
from dashredact.values import Array

SAME = 0.5
"""IoU that makes a hit; share of a detection inside an ignored region that excuses it"""
MOST = 100
"""detections of a class on a picture that average precision looks at"""
SMALLEST = 6.0
"""pixels of the picture that the detector sees; an object shorter than that is ignored"""
PRECISION = 0.8
"""what recall is asked at, besides the operating threshold"""
_LEVELS = np.linspace(0, 1, 101)
_Z = 1.959963984540054  # standard deviations around the mean that hold 95 %


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share; 0 and 1 where there is nothing to count."""
        if not self.of:
            return 0.0, 1.0
        p, n, z2 = self.count / self.of, self.of, _Z * _Z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        reach = _Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(middle - reach, 0.0), min(middle + reach, 1.0)


class Bin(NamedTuple):
    """Objects of one class of sizes."""

    least: float
    """pixels"""
    below: float | None
    """pixels; None: no end"""
    rate: Rate


@dataclass(frozen=True)
class Match:
    """What became of the detections of one class on one picture, in the order they came in."""

    hits: NDArray[np.bool_]
    """(D,) true where an object was found for the first time"""
    dropped: NDArray[np.bool_]
    """(D,) true where it does not count: in an ignored region"""
    late: NDArray[np.bool_]
    """(D,) true where it is one too many for average precision"""
    found: Array
    """(O,) score of the detection that found the object, 0 where none did"""


@dataclass(frozen=True)
class MatchedDetections:
    """Detections and objects of one class, on one picture or many."""

    scores: Array
    """(D,) of the detections that count"""
    hits: NDArray[np.bool_]
    """(D,) true where an object was found for the first time"""
    late: NDArray[np.bool_]
    """(D,) true where it is one too many for average precision"""
    sizes: Array
    """(O,) pixels of the original picture, as `size` has it"""
    found: Array
    """(O,) score of the detection that found the object, 0 where none did"""
    images: int = 1

    @property
    def objects(self) -> int:
        return len(self.found)


@dataclass(frozen=True)
class DetectionMetrics:
    """What a verdict says. None where nothing was there to measure it on."""

    images: int
    objects: int
    ap50: float | None
    ar50: float | None
    """recall at any score"""
    recall_at_precision: float | None
    score_at_precision: float | None
    threshold: float
    recall: Rate
    precision: Rate
    false_per_image: float | None
    sizes: tuple[Bin, ...]
    plain: Rate
    """recall of the objects that are large enough for their kind (`KindRow.plain`)"""


def size(kind: Kind, boxes: Array) -> Array:
    """(N,) pixels that say how large an object is: the side that its kind is measured by (`KindRow.measure`)."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] if kind.row.measure is Measure.WIDTH else sides.max(1))


def match(boxes: Array, scores: Array, objects: Array, ignored: Array) -> Match:
    """Give the detections (D, 4) to the objects (O, 4), best score first, each to the one it overlaps most."""
    order = np.argsort(-scores, kind="stable")
    hits, dropped = np.zeros(len(scores), np.bool_), np.zeros(len(scores), np.bool_)
    found = np.zeros(len(objects))
    late = np.zeros(len(scores), np.bool_)
    late[order[MOST:]] = True
    overlaps = geometry.iou(boxes, objects)
    excused = geometry.ioa(boxes, ignored).max(1, initial=0.0) >= SAME
    for row in order:
        best = float(overlaps[row].max(initial=0.0))
        if best >= SAME:
            column = int(np.flatnonzero(overlaps[row] == best)[-1])  # as COCO breaks a tie
            hits[row], found[column], overlaps[:, column] = True, scores[row], 0.0
        elif excused[row]:
            dropped[row] = True
    return Match(hits, dropped, late, found)


def judge(matched: Match, scores: Array, sizes: Array) -> MatchedDetections:
    """The verdict on one picture. sizes: (O,) of the objects."""
    counts = ~matched.dropped
    return MatchedDetections(scores[counts], matched.hits[counts], matched.late[counts], sizes, matched.found)


def pool(parts: Iterable[MatchedDetections]) -> MatchedDetections:
    """All verdicts as one, best score first."""
    parts = list(parts)
    scores = _joined([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")
    return MatchedDetections(
        scores[order],
        _joined([part.hits for part in parts]).astype(np.bool_)[order],
        _joined([part.late for part in parts]).astype(np.bool_)[order],
        _joined([part.sizes for part in parts]),
        _joined([part.found for part in parts]),
        sum(part.images for part in parts),
    )


def _joined(arrays: Sequence[Array | NDArray[np.bool_]]) -> Array:
    return np.concatenate([np.empty(0), *arrays])


def curve(verdict: MatchedDetections) -> tuple[Array, Array]:
    """Precision and recall (D,) when the first, the first two, ... detections of a pooled verdict count."""
    hits = np.cumsum(verdict.hits)
    return np.asarray(hits / np.arange(1, len(hits) + 1)), np.asarray(hits / max(verdict.objects, 1))


def average_precision(verdict: MatchedDetections) -> float:
    """Mean over 101 levels of recall of the best precision at that recall or a higher one."""
    early = ~verdict.late
    precision, recall = curve(replace(verdict, scores=verdict.scores[early], hits=verdict.hits[early]))
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(envelope[np.searchsorted(recall, _LEVELS, "left")].mean())


def at_precision(verdict: MatchedDetections, wanted: float) -> tuple[float, float]:
    """The lowest score whose detections and better ones are as precise as wanted, and their recall; else 1, 0."""
    precision, recall = curve(verdict)
    last = np.append(verdict.scores[1:] != verdict.scores[:-1], True)[: len(precision)]  # a threshold takes equals in
    enough = np.flatnonzero((precision >= wanted) & last)
    return (float(verdict.scores[enough[-1]]), float(recall[enough[-1]])) if len(enough) else (1.0, 0.0)


def bins(kind: Kind, sizes: Array, good: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """How many objects of each class of sizes are good. sizes, good: (O,)."""
    spans = zip((0, *kind.row.edges), (*kind.row.edges, None), strict=True)
    return tuple(
        Bin(least, below, _rate(good, (sizes >= least) & (sizes < (below or math.inf)))) for least, below in spans
    )


def from_size(sizes: Array, good: NDArray[np.bool_], least: float) -> Rate:
    """How many of the objects of at least so many pixels are good."""
    return _rate(good, sizes >= least)


def _rate(good: NDArray[np.bool_], among: NDArray[np.bool_]) -> Rate:
    return Rate(int((good & among).sum()), int(among.sum()))


def figures(kind: Kind, verdict: MatchedDetections, threshold: float) -> DetectionMetrics:
    """verdict: pooled. threshold: the score that one acts on."""
    acted = verdict.scores >= threshold
    right = int((acted & verdict.hits).sum())
    found = verdict.found >= threshold
    score, reached = at_precision(verdict, PRECISION)
    any_object = verdict.objects > 0
    return DetectionMetrics(
        images=verdict.images,
        objects=verdict.objects,
        ap50=average_precision(verdict) if any_object else None,
        ar50=float((verdict.found > 0).mean()) if any_object else None,
        recall_at_precision=reached if any_object else None,
        score_at_precision=score if any_object else None,
        threshold=threshold,
        recall=Rate(int(found.sum()), verdict.objects),
        precision=Rate(right, int(acted.sum())),
        false_per_image=(int(acted.sum()) - right) / verdict.images if verdict.images else None,
        sizes=bins(kind, verdict.sizes, found),
        plain=from_size(verdict.sizes, found, kind.row.plain),
    )
