"""How likely the detections of a track, taken together, are of an object.

A logistic model of two figures: the best score, and the mean of the five best, where one that is missing counts as next
to nothing. Its weights come from tracks on videos made of photographs that the detector never learned from
(fitted as weights/recipe/evidence.py does), by kind; kinds that the shipped weights do not find have those of faces.
"""

import numpy as np
from numpy.typing import NDArray

from dashredact.kinds import Evidence
from dashredact.values import Array

_BEST = 5
_MISSING = 0.05  # score of a detection that there is not
_LEAST = 1e-3  # distance of a score from 0 and 1, for its logit


def chance(weights: Evidence, scores: NDArray[np.float32]) -> float:
    """0..1. weights: of the kind. scores: of a track's detections, at least one."""
    best, mean = features(scores)
    return float(1 / (1 + np.exp(-(weights.best * best + weights.mean * mean + weights.bias))))


def features(scores: NDArray[np.float32]) -> Array:
    """(2,) logits of the best score, and of the mean of the five best."""
    best = np.sort(scores.astype(np.float64))[::-1][:_BEST]
    mean = (best.sum() + _MISSING * (_BEST - len(best))) / _BEST
    kept = np.clip([best[0], mean], _LEAST, 1 - _LEAST)
    return np.asarray(np.log(kept / (1 - kept)))
