"""From what a model says of a picture to detections: classes become kinds, double boxes go, the rest is clipped."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS
from dashredact.values import Array, Detections

OVERLAP = 0.5
"""of two boxes of a kind from which the weaker one goes"""
_ROUNDING = 0.01  # by which a score may miss 0..1, for reduced precision
_MOST = 2000  # candidates of a picture that are compared with each other


class Candidates(NamedTuple):
    """Of one picture."""

    boxes: Array
    """(N, 4) x0 y0 x1 y1"""
    scores: Array
    """(N,)"""
    kinds: NDArray[np.int8]
    """(N,) index into `KINDS`"""


class ModelOutputError(Exception):
    """An answer that the model's form does not have; says what was wrong with it."""


def require(right: bool, wrong: str) -> None:
    """Misfit where it is not right."""
    if not right:
        raise ModelOutputError(wrong)


def require_scores(scores: Array) -> None:
    """Misfit where they are not 0..1: whatever they are instead, a threshold would mean nothing."""
    require(bool((np.abs(scores - 0.5) <= 0.5 + _ROUNDING).all()), "scores outside 0..1")


def of_classes(boxes: Array, scores: Array, classes: Array, finds: ClassKinds, lowest: float) -> Candidates:
    """classes: (N,) class numbers. Boxes of classes that are not masked, and weak ones, are left out."""
    require_scores(scores)
    strong = scores >= lowest
    boxes, scores, numbers = boxes[strong], scores[strong], classes[strong].astype(np.int64)
    if len(finds) == 1:
        numbers = np.zeros_like(numbers)
    require(bool(((numbers >= 0) & (numbers < len(finds))).all()), f"a class that is none of its {len(finds)}")
    table = np.array([KINDS.index(kind) if kind else -1 for kind in finds], np.int8)
    kinds = table[numbers]
    return Candidates(boxes[kinds >= 0], scores[kinds >= 0], kinds[kinds >= 0])


def of_score_table(boxes: Array, table: Array, finds: ClassKinds, lowest: float) -> Candidates:
    """table: (N, classes) scores. A box is a candidate of each kind, with the best score among the classes of the kind.

    No class takes the box away from another kind: whether faces are masked must not depend on what else a model finds.
    """
    finds = finds * table.shape[1] if len(finds) == 1 else finds
    parts = []
    for kind in sorted({kind for kind in finds if kind}, key=KINDS.index):
        own = table[:, [number for number, other in enumerate(finds) if other is kind]].max(1)
        parts.append(of_classes(boxes, own, np.zeros(len(own)), (kind,), lowest))
    return Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def decide(found: Candidates, width: int, height: int, overlap: float = OVERLAP) -> Detections:
    """Boxes in pixels of the picture of that size become its detections, best first. Misfit if one is no number."""
    require(bool(np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()), "numbers that are none")
    boxes = geometry.clip(found.boxes, width, height)
    best = np.argsort(-found.scores, kind="stable")[:_MOST]
    kept = best[nms(boxes[best], found.scores[best], found.kinds[best], overlap)]
    kept = kept[geometry.area(boxes[kept]) > 0]
    return Detections(
        np.zeros(len(kept), np.int32),
        found.kinds[kept],
        boxes[kept].astype(np.float32),
        np.clip(found.scores[kept], 0, 1).astype(np.float32),
    )


def nms(boxes: Array, scores: Array, kinds: NDArray[np.int8], overlap: float = OVERLAP) -> NDArray[np.intp]:
    """Rows that stay, best score first; boxes of different kinds do not compete."""
    best = np.argsort(-scores, kind="stable")
    rival = (geometry.iou(boxes[best], boxes[best]) >= overlap) & (kinds[best][:, None] == kinds[best])
    stays = np.ones(len(best), bool)
    for row in range(len(best)):
        if stays[row]:
            stays[row + 1 :] &= ~rival[row, row + 1 :]
    return best[stays]
