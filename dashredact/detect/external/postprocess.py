"""From the output of a model to detections: classes become kinds, duplicates are dropped, boxes are clipped."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.model_spec import ModelSpec
from dashredact.detect.nms import nms
from dashredact.errors import MachineError
from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS
from dashredact.values import Array, Detections

DEFAULT_OVERLAP = 0.5
"""IoU above which the weaker of two boxes of a kind is dropped"""
_ROUNDING = 0.01  # by which scores may lie outside 0..1, for models of reduced precision
_MAX_CANDIDATES = 2000  # of a picture


class ScoredBoxes(NamedTuple):
    """Of one picture."""

    boxes: Array
    """(N, 4) x0 y0 x1 y1"""
    scores: Array
    """(N,)"""
    kinds: NDArray[np.int8]
    """(N,) index into `KINDS`"""


class ModelOutputError(Exception):
    """An output that is invalid for the model's format. The message follows `returned`."""


def require(valid: bool, problem: str) -> None:
    """ModelOutputError with the problem if not valid."""
    if not valid:
        raise ModelOutputError(problem)


def unusable_model(spec: ModelSpec, error: ModelOutputError) -> MachineError:
    return MachineError(
        f"The model {spec.name} returned {error}, which is invalid for its format, {spec.format}; use another model or"
        " another --device."
    )


def _require_scores(scores: Array) -> None:
    """ModelOutputError unless they are 0..1: a threshold would be meaningless."""
    require(bool((np.abs(scores - 0.5) <= 0.5 + _ROUNDING).all()), "scores outside 0..1")


def of_classes(boxes: Array, scores: Array, classes: Array, class_kinds: ClassKinds, min_score: float) -> ScoredBoxes:
    """classes: (N,) class numbers. Weak boxes, and those of classes that are not masked, are dropped."""
    _require_scores(scores)
    strong = scores >= min_score
    boxes, scores, numbers = boxes[strong], scores[strong], classes[strong].astype(np.int64)
    if len(class_kinds) == 1:
        numbers = np.zeros_like(numbers)
    in_range = (numbers >= 0) & (numbers < len(class_kinds))
    require(bool(in_range.all()), f"a class number outside 0..{len(class_kinds) - 1}")
    table = np.array([KINDS.index(kind) if kind else -1 for kind in class_kinds], np.int8)
    kinds = table[numbers]
    return ScoredBoxes(boxes[kinds >= 0], scores[kinds >= 0], kinds[kinds >= 0])


def of_score_table(boxes: Array, table: Array, class_kinds: ClassKinds, min_score: float) -> ScoredBoxes:
    """table: (N, classes) scores. A box is a candidate of each kind, with the best score among the classes of the kind.

    Kinds do not compete for a box: whether faces are masked must not depend on what else a model detects.
    """
    class_kinds = class_kinds * table.shape[1] if len(class_kinds) == 1 else class_kinds
    parts = []
    for kind in sorted({kind for kind in class_kinds if kind}, key=KINDS.index):
        columns = [number for number, other in enumerate(class_kinds) if other is kind]
        scores = table[:, columns].max(1)
        parts.append(of_classes(boxes, scores, np.zeros(len(scores)), (kind,), min_score))
    return ScoredBoxes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def to_detections(candidates: ScoredBoxes, width: int, height: int, overlap: float = DEFAULT_OVERLAP) -> Detections:
    """The detections of a picture of that size, best first. ModelOutputError for NaN or infinity."""
    require(bool(np.isfinite(candidates.boxes).all() and np.isfinite(candidates.scores).all()), "NaN or infinity")
    boxes = geometry.clip(candidates.boxes, width, height)
    best = np.argsort(-candidates.scores, kind="stable")[:_MAX_CANDIDATES]
    kept = best[nms(boxes[best], candidates.scores[best], candidates.kinds[best], overlap)]
    kept = kept[geometry.area(boxes[kept]) > 0]
    return Detections(
        np.zeros(len(kept), np.int32),
        candidates.kinds[kept],
        boxes[kept].astype(np.float32),
        np.clip(candidates.scores[kept], 0, 1).astype(np.float32),
    )
