"""Compares detections with annotated boxes: hits, precision, recall. Ignored boxes cost nothing, found or not."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou

from .augment import MIN_SIDE
from .data import Floats, Objects

_SAME, _WITHIN = 0.5, 0.5  # IoU that makes a hit; share of a detection inside an ignored box that excuses it


class Found(NamedTuple):
    """D detections of one picture, best first."""

    boxes: Tensor
    """float32 (D, 4) x0 y0 x1 y1, pixels"""
    scores: Tensor
    """float32 (D,)"""
    labels: Tensor
    """int64 (D,)"""


class Verdicts(NamedTuple):
    """What became of the detections of one class."""

    scores: Floats
    """(D,) those inside ignored boxes left out"""
    hits: NDArray[np.bool_]
    """(D,) true where an object was found for the first time"""
    objects: int


def judge(found: Found, objects: Objects, label: int) -> Verdicts:
    """Match detections of a class to its objects, best first, each object once, at half overlap."""
    own = found.labels == label
    boxes, scores = found.boxes[own], found.scores[own].numpy()
    small = (objects.boxes[:, 2:] - objects.boxes[:, :2]).max(1, initial=0) < MIN_SIDE
    wanted = objects.trusted(label) & ~small
    excused = (objects.labels == label) & ~wanted
    hits = match(boxes, torch.from_numpy(objects.boxes[wanted]))
    dropped = ~hits & (covered(boxes, torch.from_numpy(objects.boxes[excused])) >= _WITHIN)
    return Verdicts(scores[~dropped], hits[~dropped], int(wanted.sum()))


def match(boxes: Tensor, wanted: Tensor) -> NDArray[np.bool_]:
    """(D,) true where a box (D, 4), best first, is the first to overlap some wanted one (G, 4) by half."""
    hits = np.zeros(len(boxes), np.bool_)
    if not len(wanted):
        return hits
    overlaps = box_iou(boxes, wanted).numpy().copy()
    for row in range(len(boxes)):
        column = int(overlaps[row].argmax())
        if overlaps[row, column] >= _SAME:
            hits[row] = True
            overlaps[:, column] = 0
    return hits


def covered(boxes: Tensor, regions: Tensor) -> Floats:
    """(D,) largest share of each box's area that lies within one region."""
    if not len(regions):
        return np.zeros(len(boxes), np.float32)
    low, high = torch.maximum(boxes[:, None, :2], regions[:, :2]), torch.minimum(boxes[:, None, 2:], regions[:, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    shares = (high - low).clamp(min=0).prod(2) / area.clamp(min=1e-6)[:, None]
    return np.asarray(shares.amax(1).numpy(), np.float32)


def pool(parts: Iterable[Verdicts]) -> Verdicts:
    """All verdicts as one list, best score first."""
    scores, hits, objects = zip(*parts, strict=True)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return Verdicts(np.concatenate(scores)[order], np.concatenate(hits)[order], sum(objects))


def summarise(verdict: Verdicts) -> dict[str, float]:
    """AP50, AR50 (any score), and the recall and threshold at precision 0.8."""
    precision, recall = curve(verdict)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    threshold, reached = at_precision(verdict, 0.8)
    figures = {
        "objects": verdict.objects,
        "ap50": float((envelope * np.diff(recall, prepend=0)).sum()),
        "ar50": float(recall[-1]) if len(recall) else 0.0,
        "recall_at_precision_0.8": reached,
        "threshold_at_precision_0.8": threshold,
    }
    return {name: round(value, 4) for name, value in figures.items()}


def curve(verdict: Verdicts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall (D,) when the first, the first two, ... detections count."""
    hits = np.cumsum(verdict.hits)
    return hits / np.arange(1, len(hits) + 1), hits / max(verdict.objects, 1)


def at_precision(verdict: Verdicts, wanted: float) -> tuple[float, float]:
    """The lowest score whose detections and better ones are as precise as wanted, and their recall; else 1, 0."""
    precision, recall = curve(verdict)
    enough = np.flatnonzero(precision >= wanted)
    return (float(verdict.scores[enough[-1]]), float(recall[enough[-1]])) if len(enough) else (1.0, 0.0)
