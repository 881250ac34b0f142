"""How likely the detections of a track, taken together, are of an object.

A logistic model of two figures: the best score, and the mean of the five best, where one that is missing counts as next
to nothing. Its weights come from tracks on videos made of photographs that the detector never learned from
(weights/recipe/README.md), by kind; kinds that the shipped weights do not find have those of faces.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashredact.kinds import Kind

_BEST = 5
_MISSING = 0.05  # score of a detection that there is not
_LEAST = 1e-3  # distance of a score from 0 and 1, for its logit


class _Weights(NamedTuple):
    best: float
    """of the logit of the best score"""
    mean: float
    """of the logit of the mean of the five best"""
    bias: float


_WEIGHTS = {Kind.FACE: _Weights(1.9, 0.65, 0.75), Kind.PLATE: _Weights(1.2, 1.0, -0.6)}


def chance(kind: Kind, scores: NDArray[np.float32]) -> float:
    """0..1. scores: of a track's detections, at least one."""
    weights = _WEIGHTS.get(kind, _WEIGHTS[Kind.FACE])
    best = np.sort(scores.astype(np.float64))[::-1][:_BEST]
    mean = (best.sum() + _MISSING * (_BEST - len(best))) / _BEST
    return float(_logistic(weights.best * _logit(best[0]) + weights.mean * _logit(mean) + weights.bias))


def _logit(score: float) -> float:
    kept = min(max(score, _LEAST), 1 - _LEAST)
    return float(np.log(kept / (1 - kept)))


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
