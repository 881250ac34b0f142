"""What a page is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.pipeline import recheck
from dashredact.review import risk
from dashredact.review.draws import Draw
from dashredact.review.risk import Hole, Risk
from dashredact.tracking.timeline import duration, masked_shares
from dashredact.values import Array, Track

BAD = ("refused", "refused by policy", "failed", "bug")
"""How trying a video may end without a result."""
DONE = ("masked", "corrected", "needs review")
DUPLICATE = "duplicate"
"""A source with the content of another, whose output stands for both."""


class FileState(StrEnum):
    """A file of the folder against the audit log."""

    AS_LOGGED = "has the sha256 that the audit log names"
    CHANGED = "does not have the sha256 that the audit log names"
    MISSING = "is not there"
    OUTSIDE = "has a name that leads out of the folder; it was not opened"
    PURGED = "was purged"
    NONE = "was never made"


@dataclass(frozen=True)
class Picture:
    """A thumbnail of the masked file."""

    time: float
    """seconds since the first frame"""
    width: int
    height: int
    data: str
    """the JPEG in base64"""
    words: str
    """what a screen reader says"""


@dataclass(frozen=True)
class Masks:
    """What the tracks file says of one video."""

    tracks: Sequence[Track]
    times: Array
    """(frames,) seconds since the first frame"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    thresholds: Mapping[str, float]
    """score by kind from which a detection started a track"""

    @cached_property
    def risks(self) -> list[tuple[Track, tuple[Risk, ...]]]:
        """Every track with its reasons to be looked at."""
        return [(track, risk.risks(track, self.times, *self.size, self.thresholds)) for track in self.tracks]

    @cached_property
    def risky(self) -> list[tuple[Track, tuple[Risk, ...]]]:
        """Only those with a reason, most pressing first."""
        return risk.by_risk(self.risks)

    @cached_property
    def short(self) -> list[Track]:
        """Seen for a moment only, in the order of the file."""
        return [track for track in self.tracks if risk.is_short(track, self.times)]

    @cached_property
    def holes(self) -> list[Hole]:
        return [hole for track in self.tracks for hole in risk.holes(track, self.times)]

    @cached_property
    def shares(self) -> Array:
        """(frames,) share of the picture under masks, 0..1."""
        return masked_shares(self.tracks, len(self.times), *self.size)

    @property
    def length(self) -> float:
        """Seconds, the last frame's own included."""
        return duration(self.times)

    def starts(self, frame: int) -> float:
        """Seconds at which the frame comes up; past the last frame, the length."""
        return float(self.times[frame]) if frame < len(self.times) else self.length


@dataclass(frozen=True)
class Event:
    """A line of the audit log about a video."""

    line: int
    time: str
    act: str
    reason: str


@dataclass(frozen=True)
class Video:
    """All there is to say of one source."""

    name: str
    page: str
    """file name of its page"""
    act: str
    """how the last try ended"""
    reason: str
    events: Sequence[Event]
    record: Mapping[str, Any] = field(default_factory=dict)
    """line of the newest result, of the last try where there is none"""
    earlier: bool = False
    """whether the result is of a try before the last"""
    output: FileState = FileState.NONE
    tracks_file: FileState = FileState.NONE
    masks: Masks | None = None
    faults: Sequence[str] = ()
    """why parts of the page are missing"""
    pictures: Sequence[Picture] = ()
    looked: Mapping[str, Any] | None = None
    """what a second look over the masked file saw, as the line says it; None where none ran"""

    @cached_property
    def left(self) -> Sequence[Mapping[str, Any]] | None:
        """What it saw and no mask covers by now; None where the tracks file cannot say."""
        return recheck.still_uncovered(self.looked["finds"], self.masks.tracks) if self.looked and self.masks else None

    def told(self, *keys: str) -> Any:
        """A part of the record; None where it has none."""
        value: Any = self.record
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    @property
    def frames(self) -> int:
        shown = len(self.masks.times) if self.masks else 0
        return int(self.told("frames", "out") or shown)

    @property
    def length(self) -> float | None:
        """Seconds; None where the tracks file cannot say."""
        return self.masks.length if self.masks else None

    @property
    def work(self) -> float:
        """Seconds that the stages took together."""
        return float(sum((self.told("seconds") or {}).values()))

    @property
    def counts(self) -> dict[Kind, int]:
        """Tracks by kind, of the kinds that were to be masked and of others that are: people may draw any."""
        masked = self.told("settings", "link", "thresholds") or SHIPPED_KINDS
        counts = {kind: self._count(kind) for kind in KINDS}
        return {kind: count for kind, count in counts.items() if count or kind in masked}

    def _count(self, kind: Kind) -> int:
        """As the audit log has it; of a duplicate only the tracks file says so."""
        if self.told("tracks") is None and self.masks:
            return sum(track.kind is kind for track in self.masks.tracks)
        return int(self.told("tracks", kind, "tracks") or 0)

    @property
    def todo(self) -> list[str]:
        """What a person has to look at, beside single tracks."""
        found = [self.reason or self.act] if self.act in (*BAD, "needs review") else []
        for what, state in (("The masked video", self.output), ("The tracks file", self.tracks_file)):
            if state in (FileState.CHANGED, FileState.MISSING, FileState.OUTSIDE):
                found.append(f"{what} {state}.")
        return found + [fault for fault in self.faults if fault not in found]


@dataclass(frozen=True)
class Row:
    """What the batch page keeps of a video."""

    name: str
    page: str
    act: str
    reason: str
    counts: Mapping[Kind, int]
    """see `Video.counts`"""
    risky: int | None
    """tracks with a reason to be looked at; None where there is no tracks file"""
    todo: Sequence[str]
    frames: int
    length: float | None
    work: float
    policy: str

    @classmethod
    def of(cls, video: Video) -> "Row":
        risky = len(video.masks.risky) if video.masks else None
        policy = _named(video.told("policy"))
        about = (video.name, video.page, video.act, video.reason)
        return cls(*about, video.counts, risky, video.todo, video.frames, video.length, video.work, policy)


def _named(policy: Any) -> str:
    """A policy as one piece of text, whatever the version of the log writes."""
    parts = policy.items() if isinstance(policy, Mapping) else ()
    return ", ".join(f"{key} {value}" for key, value in parts if value) or str(policy or "not said")


@dataclass(frozen=True)
class Folder:
    """All there is to say of a batch."""

    name: str
    rows: Sequence[Row]
    lines: int
    """of the audit log"""
    broken: str
    """why the audit log cannot be believed; empty where it is whole"""
    left: int
    """work folders of videos that were not finished"""
    draws: Sequence[Draw] = ()
    """frames drawn for a person to judge, oldest first"""

    @property
    def kinds(self) -> list[Kind]:
        """That were to be masked, or are, in any of the videos."""
        return [kind for kind in KINDS if any(kind in row.counts for row in self.rows)]

    @property
    def acts(self) -> dict[str, int]:
        """Videos by how the last try ended."""
        acts = [row.act for row in self.rows]
        return {act: acts.count(act) for act in sorted(set(acts))}

    @property
    def frames(self) -> int:
        """Of all videos but duplicates, whose output is another's."""
        return sum(row.frames for row in self.rows if row.act != DUPLICATE)

    @property
    def length(self) -> float:
        """Seconds of the same videos, as far as their length is known."""
        return sum(row.length or 0.0 for row in self.rows if row.act != DUPLICATE)

    @property
    def work(self) -> float:
        return sum(row.work for row in self.rows)

    @property
    def policies(self) -> dict[str, int]:
        named = [row.policy for row in self.rows]
        return {policy: named.count(policy) for policy in sorted(set(named))}
