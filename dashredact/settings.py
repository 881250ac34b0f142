"""All settings that change an output, and their fingerprint. Field names are written into the audit log: keep them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec

from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.values import REACH, ModelIdentity

PIPELINE_VERSION = 3
"""Increase it when the same settings give a different output: finished videos are then masked again."""

UNDETECTED = 1.0
"""Threshold of a kind that is masked but not detected: only given boxes of it are masked."""


class Style(StrEnum):
    BLUR = "blur"
    MOSAIC = "mosaic"
    FILL = "fill"


class Keep(StrEnum):
    DROP = "drop"
    KEEP = "keep"


class Caution(StrEnum):
    """How much is masked in doubt."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def believed(self) -> float:
        """Least chance that a track is of an object from which it is masked."""
        return {Caution.LOW: 0.7, Caution.NORMAL: 0.45, Caution.HIGH: 0.2}[self]


class Damaged(StrEnum):
    REFUSE = "refuse"
    SALVAGE = "salvage"


@dataclass(frozen=True)
class TrackSettings:
    """How detections become tracks. Times are in seconds and so independent of the frame rate."""

    thresholds: dict[Kind, float] = field(default_factory=dict)
    """least score of a detection that starts a track, per kind; weaker ones only continue a track. Kinds without one
    are not masked; an empty dict stands for those that the shipped weights detect, at their default thresholds"""
    weakest: float = 0.15
    """least score of a detection that continues a track"""
    bridge: float = 1.0
    """longest gap between two detections that is bridged"""
    follow: float = REACH
    """how long a mask follows the pixels before the first and after the last detection, at most `REACH`"""
    extend: float = 0.1
    """how long a mask goes on blindly where its object cannot be followed any more"""
    grow: float = 0.0
    """fraction of a box's width and height that is added on each side, besides the margin of its kind"""
    believed: float = Caution.NORMAL.believed
    """least chance that a track is of an object, judged from all its detections, from which it is masked"""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is masked."""
        return frozenset(self.thresholds or SHIPPED_KINDS)

    @property
    def detects(self) -> bool:
        """Whether any kind is detected."""
        return not self.thresholds or any(score < UNDETECTED for score in self.thresholds.values())


@dataclass(frozen=True)
class RenderSettings:
    """How masked frames look and are encoded."""

    style: Style = Style.BLUR
    encoder: str = ""
    """libx264 or libx265; empty: the one for the codec of the source"""
    crf: int = 20
    preset: str = "veryfast"
    deinterlace: bool = False
    """whether interlaced frames become progressive ones"""


@dataclass(frozen=True)
class Zone:
    """A named rectangle of the picture."""

    name: str
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 as fractions of the upright frame's width and height, 0..1, far side outside"""


@dataclass(frozen=True)
class Zones:
    """The zones of one camera."""

    ignore: tuple[Zone, ...] = ()
    """detections inside are not masked"""
    mask: tuple[Zone, ...] = ()
    """masked on every frame"""


@dataclass(frozen=True)
class CameraZones:
    """A camera, recognised by file name, and its zones."""

    files: str
    """shell pattern of its file names"""
    zones: Zones


@dataclass(frozen=True)
class RecheckSettings:
    """How the finished file is checked by a detector. Scores are relative to the detector's own thresholds."""

    every: int = 5
    """every n-th frame is checked"""
    lowest: float = 1.3
    """least relative score of a detection that counts together with others of the same object"""
    certain: float = 1.4
    """least relative score of a detection that counts on its own"""
    sights: int = 2
    """number of detections below `certain` that are reported as an object"""
    models: tuple[str, ...] = ()
    """sha256 of the weights of each detector"""

    def threshold(self, own: float) -> float:
        """Least score of a detection that counts together with others. own: threshold of the detector."""
        return self.lowest * own

    def certain_threshold(self, own: float) -> float:
        """Least score of a detection that counts on its own. own: threshold of the detector."""
        return self.certain * own


@dataclass(frozen=True)
class BoxFile:
    """A file of boxes that are masked in addition to, or instead of, detections."""

    sha256: str
    labels: str = ""
    """sha256 of the list of classes beside it, for formats that have one"""
    kinds: tuple[Kind, ...] = KINDS
    """of the boxes that are used, besides zones"""

    def takes(self, kind: Kind) -> bool:
        return kind is Kind.ZONE or kind in self.kinds


@dataclass(frozen=True)
class Settings:
    link: TrackSettings = TrackSettings()
    hide: RenderSettings = RenderSettings()
    audio: Keep = Keep.DROP
    gps: Keep = Keep.DROP
    damaged: Damaged = Damaged.REFUSE
    video_stream: int | None = None
    """index of the one video stream to mask where a file has several"""
    segment_seconds: float = 10.0
    """least length of a segment; it ends at the first key frame after that"""
    tiles: int = 1
    """factor by which pictures are larger when detection runs on overlapping tiles; 1: on whole pictures only"""
    zones: Zones = Zones()
    """of this video only, so that those of other cameras do not change its fingerprint"""
    boxes: BoxFile | None = None
    masked_limit: float = 0.15
    """mean share of the picture under masks, besides those of zones, above which a person should look"""
    second_look: RecheckSettings | None = None
    """None: the finished file is not checked by a detector"""

    def for_rendering(self) -> "Settings":
        """The same for tracks that are settled: nothing is detected, neither on the source nor on the finished file."""
        return replace(self, boxes=None, second_look=None)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def fingerprint(self, model: ModelIdentity, long_side: int) -> str:
        """sha256 over everything but the source that changes an output or its record."""
        parts = {"journey": PIPELINE_VERSION, "settings": self.as_dict(), "model": model.sha256, "long_side": long_side}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def from_record(record: Mapping[str, Any]) -> Settings:
    """The settings that `as_dict` gave; what an older version did not have is as it is by default.

    ValueError where a field does not hold what it should.
    """
    try:
        return msgspec.convert(record, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
