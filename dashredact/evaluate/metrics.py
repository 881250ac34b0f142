"""How detections agree with annotations: matching, average precision, recall by size, and its uncertainty.

Everything is counted at IoU 0.5 as COCO counts: best score first, each object matched once. A detection half of which
lies in an ignored region is neither true nor false. Only average precision is limited to 100 detections per picture,
as COCO's is; crowds have more faces than that, and all of them have to be masked.
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

MIN_IOU = 0.5
"""from which a detection matches an object; also the share of it inside an ignored region from which it is dropped"""
MAX_DETECTIONS = 100
"""of a class on a picture that average precision counts"""
MIN_SIDE = 6.0
"""pixels of the picture that the detector sees; an object whose longer side is below that is ignored"""
PRECISION = 0.8
"""precision at which recall is given, besides the operating threshold"""
_LEVELS = np.linspace(0, 1, 101)
_Z = 1.959963984540054  # standard deviations around the mean that hold 95 %


@dataclass(frozen=True)
class Rate:
    """A count out of a total."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share; 0 and 1 where the total is 0."""
        if not self.of:
            return 0.0, 1.0
        p, n, z2 = self.count / self.of, self.of, _Z * _Z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        reach = _Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(middle - reach, 0.0), min(middle + reach, 1.0)


class Bin(NamedTuple):
    """Objects in one range of sizes."""

    least: float
    """pixels"""
    below: float | None
    """pixels; None: no upper limit"""
    rate: Rate


@dataclass(frozen=True)
class Match:
    """Which of the D detections of one class on one picture match which of its O objects, in the order given."""

    hits: NDArray[np.bool_]
    """(D,) true where it is the one that matches an object"""
    dropped: NDArray[np.bool_]
    """(D,) true where it does not count: in an ignored region"""
    beyond_max_dets: NDArray[np.bool_]
    """(D,) true where `MAX_DETECTIONS` others have better scores, so that average precision leaves it out"""
    matched_scores: Array
    """(O,) score of the detection that matches the object, 0 where none does"""


@dataclass(frozen=True)
class MatchedDetections:
    """The D detections that count and the O objects of one class, on one picture or many; fields as in `Match`."""

    scores: Array
    """(D,)"""
    hits: NDArray[np.bool_]
    """(D,)"""
    beyond_max_dets: NDArray[np.bool_]
    """(D,)"""
    sizes: Array
    """(O,) pixels of the original picture, as `size` gives it"""
    matched_scores: Array
    """(O,)"""
    images: int = 1

    @property
    def objects(self) -> int:
        return len(self.matched_scores)


@dataclass(frozen=True)
class DetectionMetrics:
    """Figures of one class. None where there was nothing to measure."""

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
    """(N,) size of objects in pixels: the side that their kind is measured by (`KindRow.measure`)."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] if kind.row.measure is Measure.WIDTH else sides.max(1))


def match(boxes: Array, scores: Array, objects: Array, ignored: Array) -> Match:
    """Match the detections (D, 4) to the objects (O, 4), best score first, each to the one it overlaps most."""
    order = np.argsort(-scores, kind="stable")
    hits, dropped = np.zeros(len(scores), np.bool_), np.zeros(len(scores), np.bool_)
    matched_scores = np.zeros(len(objects))
    beyond_max_dets = np.zeros(len(scores), np.bool_)
    beyond_max_dets[order[MAX_DETECTIONS:]] = True
    overlaps = geometry.iou(boxes, objects)
    in_ignored = geometry.ioa(boxes, ignored).max(1, initial=0.0) >= MIN_IOU
    for row in order:
        best = float(overlaps[row].max(initial=0.0))
        if best >= MIN_IOU:
            column = int(np.flatnonzero(overlaps[row] == best)[-1])  # as COCO breaks a tie
            hits[row], matched_scores[column], overlaps[:, column] = True, scores[row], 0.0
        elif in_ignored[row]:
            dropped[row] = True
    return Match(hits, dropped, beyond_max_dets, matched_scores)


def counted(match: Match, scores: Array, sizes: Array) -> MatchedDetections:
    """One picture without its dropped detections. scores: (D,). sizes: (O,) of the objects."""
    counts = ~match.dropped
    beyond_max_dets = match.beyond_max_dets[counts]
    return MatchedDetections(scores[counts], match.hits[counts], beyond_max_dets, sizes, match.matched_scores)


def pool(parts: Iterable[MatchedDetections]) -> MatchedDetections:
    """Those of several pictures as one, best score first."""
    parts = list(parts)
    scores = _joined([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")
    return MatchedDetections(
        scores[order],
        _joined([part.hits for part in parts]).astype(np.bool_)[order],
        _joined([part.beyond_max_dets for part in parts]).astype(np.bool_)[order],
        _joined([part.sizes for part in parts]),
        _joined([part.matched_scores for part in parts]),
        sum(part.images for part in parts),
    )


def _joined(arrays: Sequence[Array | NDArray[np.bool_]]) -> Array:
    return np.concatenate([np.empty(0), *arrays])


def curve(matched: MatchedDetections) -> tuple[Array, Array]:
    """Precision and recall (D,) of the first, the first two, ... of pooled detections."""
    hits = np.cumsum(matched.hits)
    return np.asarray(hits / np.arange(1, len(hits) + 1)), np.asarray(hits / max(matched.objects, 1))


def average_precision(matched: MatchedDetections) -> float:
    """Mean over 101 levels of recall of the best precision at that recall or a higher one."""
    within = ~matched.beyond_max_dets
    precision, recall = curve(replace(matched, scores=matched.scores[within], hits=matched.hits[within]))
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(envelope[np.searchsorted(recall, _LEVELS, "left")].mean())


def at_precision(matched: MatchedDetections, wanted: float) -> tuple[float, float]:
    """The lowest score from which detections reach the wanted precision, and their recall; 1 and 0 where none does."""
    precision, recall = curve(matched)
    # Only at the last detection of each score, because a threshold includes all equal scores.
    last = np.append(matched.scores[1:] != matched.scores[:-1], True)[: len(precision)]
    reached = np.flatnonzero((precision >= wanted) & last)
    return (float(matched.scores[reached[-1]]), float(recall[reached[-1]])) if len(reached) else (1.0, 0.0)


def bins(kind: Kind, sizes: Array, flagged: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """How many objects of each range of sizes are flagged. sizes, flagged: (O,)."""
    spans = zip((0, *kind.row.edges), (*kind.row.edges, None), strict=True)
    return tuple(
        Bin(least, below, _rate(flagged, (sizes >= least) & (sizes < (below or math.inf)))) for least, below in spans
    )


def from_size(sizes: Array, flagged: NDArray[np.bool_], least: float) -> Rate:
    """How many of the objects of at least that many pixels are flagged."""
    return _rate(flagged, sizes >= least)


def _rate(flagged: NDArray[np.bool_], among: NDArray[np.bool_]) -> Rate:
    return Rate(int((flagged & among).sum()), int(among.sum()))


def figures(kind: Kind, matched: MatchedDetections, threshold: float) -> DetectionMetrics:
    """matched: pooled. threshold: score from which a detection is masked."""
    masked = matched.scores >= threshold
    hits = int((masked & matched.hits).sum())
    recalled = matched.matched_scores >= threshold
    score, recall = at_precision(matched, PRECISION)
    any_object = matched.objects > 0
    return DetectionMetrics(
        images=matched.images,
        objects=matched.objects,
        ap50=average_precision(matched) if any_object else None,
        ar50=float((matched.matched_scores > 0).mean()) if any_object else None,
        recall_at_precision=recall if any_object else None,
        score_at_precision=score if any_object else None,
        threshold=threshold,
        recall=Rate(int(recalled.sum()), matched.objects),
        precision=Rate(hits, int(masked.sum())),
        false_per_image=(int(masked.sum()) - hits) / matched.images if matched.images else None,
        sizes=bins(kind, matched.sizes, recalled),
        plain=from_size(matched.sizes, recalled, kind.row.plain),
    )
