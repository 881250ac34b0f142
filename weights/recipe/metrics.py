"""The recipe's detections and objects, judged by the arithmetic of `dashredact evaluate`."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from dashredact.pure import scores
from dashredact.pure.scores import Verdict as Verdicts
from dashredact.pure.scores import at_precision, pool

from .augment import MIN_SIDE
from .data import CLASSES, Objects

__all__ = ["Found", "Verdicts", "at_precision", "judge", "pool", "summarise"]


class Found(NamedTuple):
    """D detections of one picture, best first."""

    boxes: Tensor
    """float32 (D, 4) x0 y0 x1 y1, pixels"""
    scores: Tensor
    """float32 (D,)"""
    labels: Tensor
    """int64 (D,)"""


def judge(found: Found, objects: Objects, label: int) -> Verdicts:
    """What became of the detections and objects of a class on one picture; sizes in its pixels."""
    own = found.labels == label
    boxes, values = (tensor[own].numpy().astype(np.float64) for tensor in (found.boxes, found.scores))
    small = (objects.boxes[:, 2:] - objects.boxes[:, :2]).max(1, initial=0) < MIN_SIDE
    wanted = objects.trusted(label) & ~small
    excused = (objects.labels == label) & ~wanted
    marked = objects.boxes.astype(np.float64)
    matched = scores.match(boxes, values, marked[wanted], marked[excused])
    return scores.judge(matched, values, scores.size(scores.Kind(CLASSES[label]), marked[wanted]))


def summarise(verdict: Verdicts) -> dict[str, float]:
    """AP50, AR50 (any score), and the recall and threshold at precision 0.8. verdict: pooled."""
    told = scores.figures(scores.Kind.FACE, verdict, 1.0)
    figures = {
        "objects": told.objects,
        "ap50": told.ap50 or 0.0,
        "ar50": told.ar50 or 0.0,
        "recall_at_precision_0.8": told.recall_at_precision or 0.0,
        "threshold_at_precision_0.8": told.score_at_precision or 1.0,
    }
    return {name: round(value, 4) for name, value in figures.items()}
