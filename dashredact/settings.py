"""Everything that changes an output, and the fingerprint that tells two settings apart."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.values import ModelIdentity

JOURNEY_VERSION = 1
"""Raise it when the same settings would give another output: finished videos are then masked again."""

UNDETECTED = 1.0
"""Threshold of a kind that is masked and that no detector looks for: only given boxes are."""


class Style(StrEnum):
    BLUR = "blur"
    MOSAIC = "mosaic"
    FILL = "fill"


class Keep(StrEnum):
    DROP = "drop"
    KEEP = "keep"


class Damaged(StrEnum):
    REFUSE = "refuse"
    SALVAGE = "salvage"


@dataclass(frozen=True)
class LinkSettings:
    """How detections become tracks. Times are seconds, so that they mean the same at every frame rate."""

    thresholds: dict[Kind, float] = field(default_factory=dict)
    """score from which a detection starts a track, per kind; lower ones only continue one. Kinds that are not named are
    not masked; naming none stands for those that the shipped weights find, at the threshold of their rows"""
    weakest: float = 0.15
    """score below which a detection does not even continue a track"""
    bridge: float = 1.0
    """longest time without a sight that is bridged inside a track"""
    extend: float = 0.5
    """time a mask stays before the first and after the last sight"""
    smooth: float = 0.15
    """half width of the smoothing window"""
    grow: float = 0.26
    """share of a box's width and height added on each side"""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is masked."""
        return frozenset(self.thresholds or SHIPPED_KINDS)

    @property
    def detects(self) -> bool:
        """Whether any kind is looked for."""
        return not self.thresholds or any(score < UNDETECTED for score in self.thresholds.values())


@dataclass(frozen=True)
class HideSettings:
    """How masked frames look and are encoded."""

    style: Style = Style.BLUR
    encoder: str = ""
    """empty: of the source's codec family"""
    crf: int = 20
    preset: str = "veryfast"


@dataclass(frozen=True)
class Zone:
    """A part of the picture."""

    name: str
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 in shares of the upright frame's width and height, 0..1, far side outside"""


@dataclass(frozen=True)
class Zones:
    """What is settled beforehand about a picture."""

    ignore: tuple[Zone, ...] = ()
    """nothing found inside is masked"""
    mask: tuple[Zone, ...] = ()
    """masked on every frame"""


@dataclass(frozen=True)
class Camera:
    """The zones of all videos of one camera."""

    files: str
    """pattern of their file names, as in a shell"""
    zones: Zones


@dataclass(frozen=True)
class SecondLook:
    """How the finished file is looked at again. Scores are shares of the detector's own thresholds."""

    every: int = 5
    """every so many frames are looked at"""
    lowest: float = 1.3
    """of a sight that counts together with others of the same thing"""
    certain: float = 1.4
    """of a sight that counts alone"""
    sights: int = 2
    """so many make a find, below `certain`"""
    models: tuple[str, ...] = ()
    """sha256 of the weights that look"""

    def threshold(self, own: float) -> float:
        """Score from which a sight counts, where the detector's own is given."""
        return self.lowest * own

    def alone(self, own: float) -> float:
        return self.certain * own


@dataclass(frozen=True)
class Boxes:
    """A file of boxes that are masked besides, or instead of, what is detected."""

    sha256: str
    labels: str = ""
    """sha256 of the list of classes beside it, where its form has one"""
    kinds: tuple[Kind, ...] = KINDS
    """whose boxes are taken; zones always are"""

    def takes(self, kind: Kind) -> bool:
        return kind is Kind.ZONE or kind in self.kinds


@dataclass(frozen=True)
class Settings:
    link: LinkSettings = LinkSettings()
    hide: HideSettings = HideSettings()
    audio: Keep = Keep.DROP
    gps: Keep = Keep.DROP
    damaged: Damaged = Damaged.REFUSE
    video_stream: int | None = None
    """index of the one video stream to mask where a file has several"""
    segment_seconds: float = 10.0
    """least length of a segment; it ends at the next key frame"""
    tiles: int = 1
    """how many times larger the pictures are that are looked at part by part; 1: whole pictures only"""
    zones: Zones = Zones()
    """those of this one video, so that another camera's do not touch its fingerprint"""
    boxes: Boxes | None = None
    second_look: SecondLook | None = None
    """None: the finished file is not looked at again"""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def fingerprint(self, model: ModelIdentity, long_side: int) -> str:
        """sha256 over everything that changes an output, or what is said of it, besides the source itself."""
        parts = {"journey": JOURNEY_VERSION, "settings": self.as_dict(), "model": model.sha256, "long_side": long_side}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
