"""The training loss: how sure each point is, and how well the boxes of the answering points fit."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from dashredact.detect.dashnet.network import Candidates, Points

from .assign import assign, inside
from .data import Role

_NEGATIVE, _BOX = 0.75, 2.0
_MARGIN = 0.75  # strides; an ignored object smaller than the grid must still silence the points around it


class Truth(NamedTuple):
    """The B boxes of one canvas as tensors."""

    boxes: Tensor
    """float32 (B, 4) x0 y0 x1 y1, pixels"""
    labels: Tensor
    """int64 (B,)"""
    roles: Tensor
    """int8 (B,) of `Role`"""


class Losses(NamedTuple):
    """Parts of the loss, each a scalar divided by the sum of targets."""

    score: Tensor
    box: Tensor


def losses(out: Candidates, points: Points, truths: list[Truth]) -> Losses:
    """out of N canvases, truths one per canvas."""
    parts = [_canvas(out.logits[i], out.boxes[i], points, truth) for i, truth in enumerate(truths)]
    score, box, targets = (torch.stack(part).sum() for part in zip(*parts, strict=True))
    return Losses(score / targets.clamp(min=1), _BOX * box / targets.clamp(min=1))


def _canvas(logits: Tensor, boxes: Tensor, points: Points, truth: Truth) -> tuple[Tensor, Tensor, Tensor]:
    """Summed score loss, summed box loss and sum of targets of one canvas; logits (P, C), boxes (P, 4)."""
    marked = truth.roles == Role.OBJECT
    wanted, labels = truth.boxes[marked], truth.labels[marked]
    owner, target = assign(logits.detach().sigmoid(), boxes.detach(), points, wanted, labels)
    hits = owner >= 0
    aims = torch.zeros_like(logits)
    aims[hits, labels[owner[hits]]] = target[hits]
    misfit = generalized_box_iou_loss(boxes[hits], wanted[owner[hits]]) * target[hits]
    return _score_loss(logits, aims, _silent(points, truth, logits.shape[1])), misfit.sum(), target.sum()


def _score_loss(logits: Tensor, aims: Tensor, silent: Tensor) -> Tensor:
    """Cross entropy weighted by the aim where there is one, by the squared score elsewhere. All (P, C)."""
    doubt = _NEGATIVE * logits.detach().sigmoid() ** 2 * ~silent
    weight = torch.where(aims > 0, aims, doubt)
    return (F.binary_cross_entropy_with_logits(logits, aims, reduction="none") * weight).sum()


def _silent(points: Points, truth: Truth, classes: int) -> Tensor:
    """bool (P, C): points in an ignored box of the class and in no clutter: background is not certain there."""
    columns = []
    for label in range(classes):
        own = truth.labels == label
        doubtful = inside(points.centres, truth.boxes[own & (truth.roles == Role.IGNORED)], points.strides * _MARGIN)
        certain = inside(points.centres, truth.boxes[own & (truth.roles == Role.CLUTTER)])
        columns.append(doubtful.any(0) & ~certain.any(0))
    return torch.stack(columns, 1)
