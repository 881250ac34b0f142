"""Several detectors as one. Each answers for the kinds that it is asked for; their boxes are united."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashredact.detect.external.postprocess import nms
from dashredact.kinds import KINDS, Kind
from dashredact.values import Detections, Detector, ModelIdentity, Picture


@dataclass(frozen=True)
class Member:
    detector: Detector
    kinds: frozenset[Kind]
    """what it is asked for; anything else that it finds is left out"""


class EnsembleDetector:
    """Runs its members one after the other on the same pictures. Not for use by two threads at once."""

    def __init__(self, members: Sequence[Member], long_side: int | None = None) -> None:
        self._members = members
        self.identity = identity([member.detector.identity for member in members])
        self.thresholds = thresholds([(member.detector.thresholds, member.kinds) for member in members])
        self.long_side = long_side or max(member.detector.long_side for member in members)
        self.batch_size = max(member.detector.batch_size for member in members)

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        answers = [[_only(found, m.kinds) for found in m.detector(pictures)] for m in self._members]
        return [_united(found) for found in zip(*answers, strict=True)]


def identity(parts: Sequence[ModelIdentity]) -> ModelIdentity:
    """The names with the hash of each, and a hash of them all."""
    if len(parts) == 1:
        return parts[0]
    told = [[part.name, part.sha256] for part in parts]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return ModelIdentity(" + ".join(f"{name} (sha256 {sha256})" for name, sha256 in told), digest)


def thresholds(parts: Sequence[tuple[dict[Kind, float], frozenset[Kind]]]) -> dict[Kind, float]:
    """Of each kind that is found, that of its model; the lowest where there are several: none may lose what it found
    alone.
    """
    scores = {kind: [own[kind] for own, kinds in parts if kind in kinds] for kind in KINDS}
    return {kind: min(own) for kind, own in scores.items() if own}


def _only(found: Detections, kinds: frozenset[Kind]) -> Detections:
    wanted = np.isin(found.kinds, [KINDS.index(kind) for kind in kinds])
    return Detections(found.frames[wanted], found.kinds[wanted], found.boxes[wanted], found.scores[wanted])


def _united(found: Sequence[Detections]) -> Detections:
    every = Detections.concatenate(found)
    kept = nms(every.boxes.astype(np.float64), every.scores.astype(np.float64), every.kinds)
    return Detections(every.frames[kept], every.kinds[kept], every.boxes[kept], every.scores[kept])
