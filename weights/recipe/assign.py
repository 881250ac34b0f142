"""Task-aligned assignment: which points answer for which object, and how sure each should be.

A point answers for an object when it lies near its centre and already scores and fits it better than others.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from dashredact.detect.dashnet.network import Points

_NEAR, _ALWAYS = 2.5, 1.5  # strides from the object's centre: if inside the box, and in any case
_SCORE_POWER, _IOU_POWER = 0.5, 4.0
_TOP, _LEAST = 10, 2


class Assignment(NamedTuple):
    """Of one canvas with P points."""

    owner: Tensor
    """int64 (P,) object each point answers for, -1 for none"""
    target: Tensor
    """float32 (P,) score asked of the point for that object's class, 0 for none"""


def assign(scores: Tensor, boxes: Tensor, points: Points, wanted: Tensor, labels: Tensor) -> Assignment:
    """scores (P, C), boxes (P, 4), objects wanted (G, 4) with labels (G,); no gradient flows here."""
    owner = torch.full((len(boxes),), -1, dtype=torch.int64, device=boxes.device)
    target = torch.zeros(len(boxes), device=boxes.device)
    near = _candidates(points, wanted)
    columns = near.any(0).nonzero().squeeze(1)
    if not len(columns):
        return Assignment(owner, target)
    near, iou = near[:, columns], box_iou(wanted, boxes[columns])
    quality = scores[columns][:, labels].T ** _SCORE_POWER * iou**_IOU_POWER + 1e-9
    iou, quality = iou * near, quality * near
    chosen = _best(quality, _counts(iou)) & near
    winner = (quality * chosen).argmax(0)
    share = quality / quality.amax(1, keepdim=True).clamp(min=1e-9) * iou.amax(1, keepdim=True)
    taken = chosen.any(0)
    owner[columns[taken]] = winner[taken]
    target[columns[taken]] = share.gather(0, winner[None]).squeeze(0)[taken]
    return Assignment(owner, target)


def _candidates(points: Points, wanted: Tensor) -> Tensor:
    """bool (G, P): points that may answer for each object."""
    centres, strides = points.centres, points.strides
    middle = (wanted[:, :2] + wanted[:, 2:]) / 2
    distance = (centres[None] - middle[:, None]).abs().amax(2) / strides
    return (distance < _ALWAYS) | ((distance < _NEAR) & inside(centres, wanted))


def inside(centres: Tensor, boxes: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    """bool (G, P): points (P, 2) within boxes (G, 4) grown by a margin in pixels, one or (P,)."""
    x, y = centres[None, :, 0], centres[None, :, 1]
    x0, y0, x1, y1 = boxes[:, :, None].unbind(1)
    return (x > x0 - margin) & (x < x1 + margin) & (y > y0 - margin) & (y < y1 + margin)


def _counts(iou: Tensor) -> Tensor:
    """int64 (G,): points per object, the sum of its best IoUs and at least a few."""
    return iou.topk(min(_TOP, iou.shape[1]), 1).values.sum(1).int().clamp(min=_LEAST)


def _best(quality: Tensor, counts: Tensor) -> Tensor:
    """bool (G, P): the counts best entries of each row."""
    ranks = quality.argsort(1, descending=True).argsort(1)
    return ranks < counts[:, None]
