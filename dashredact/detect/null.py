"""The detector of runs that mask only given boxes: it detects nothing, and every record says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.settings import UNDETECTED
from dashredact.values import Detections, ModelIdentity, Picture

NO_MODEL = ModelIdentity("none", "0" * 64)


@dataclass(frozen=True)
class NullDetector:
    """Detects nothing. It asks for tiny pictures, which cost least."""

    identity: ModelIdentity = NO_MODEL
    thresholds: dict[Kind, float] = field(default_factory=lambda: dict.fromkeys(SHIPPED_KINDS, UNDETECTED))
    """of the kinds that are masked by default"""
    long_side: int = 32
    batch_size: int = 16

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        return [Detections.empty() for _ in pictures]
