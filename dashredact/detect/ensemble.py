"""Several detectors as one: each detects the kinds that it is responsible for."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashredact.detect.nms import nms
from dashredact.kinds import KINDS, Kind
from dashredact.values import Detections, Detector, ModelIdentity, Picture


@dataclass(frozen=True)
class Member:
    detector: Detector
    kinds: frozenset[Kind]
    """whose detections are used; those of other kinds are dropped"""


class EnsembleDetector:
    """Runs its members one after the other on the same pictures. Must not be used by two threads at once."""

    def __init__(self, members: Sequence[Member], long_side: int | None = None) -> None:
        self._members = members
        self.identity = identity([member.detector.identity for member in members])
        self.thresholds = thresholds([(member.detector.thresholds, member.kinds) for member in members])
        self.long_side = long_side or max(member.detector.long_side for member in members)
        self.batch_size = max(member.detector.batch_size for member in members)

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        by_member = [[_of_kinds(own, m.kinds) for own in m.detector(pictures)] for m in self._members]
        return [_merged(of_picture) for of_picture in zip(*by_member, strict=True)]


def identity(parts: Sequence[ModelIdentity]) -> ModelIdentity:
    """All names and hashes as the name, and a hash over them."""
    if len(parts) == 1:
        return parts[0]
    members = [[part.name, part.sha256] for part in parts]
    digest = hashlib.sha256(json.dumps(members).encode()).hexdigest()
    return ModelIdentity(" + ".join(f"{name} (sha256 {sha256})" for name, sha256 in members), digest)


def thresholds(parts: Sequence[tuple[dict[Kind, float], frozenset[Kind]]]) -> dict[Kind, float]:
    """Of each kind that is detected, the lowest threshold of its models: none loses what it would detect alone."""
    scores = {kind: [own[kind] for own, kinds in parts if kind in kinds] for kind in KINDS}
    return {kind: min(own) for kind, own in scores.items() if own}


def _of_kinds(detections: Detections, kinds: frozenset[Kind]) -> Detections:
    return detections.take(np.isin(detections.kinds, [KINDS.index(kind) for kind in kinds]))


def _merged(parts: Sequence[Detections]) -> Detections:
    merged = Detections.concatenate(parts)
    return merged.take(nms(merged.boxes.astype(np.float64), merged.scores, merged.kinds))
