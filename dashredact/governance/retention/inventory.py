"""How long what the audit log tells of may be kept, and what has to be true before it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from dashredact.audit.events import EventType, Rule, SourceEntry
from dashredact.audit.records import captured_days, event_type, files_of
from dashredact.media.capture_time import capture_time
from dashredact.values import Day

_MADE = (EventType.MASKED, EventType.NEEDS_REVIEW, EventType.CORRECTED)
_FAILED = (EventType.FAILED, EventType.REFUSED, EventType.REFUSED_BY_POLICY, EventType.BUG)
_TRIED = (*_MADE, *_FAILED, EventType.DUPLICATE)
_REJECTED = "rejected"


class Disposition(StrEnum):
    """What became of a file."""

    DELETED = "deleted"
    SEALED = "sealed"
    HELD = "held"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class PurgeFinding:
    what: Disposition
    name: str
    """relative to the inbox or the output folder"""
    reason: str
    """why, as half a sentence"""


class LoggedFile(NamedTuple):
    name: str
    sha256: str


@dataclass(frozen=True)
class RetentionRule:
    """So many days from a day on."""

    name: str
    """key of the policy"""
    days: int
    since: Day

    def over(self, today: Day) -> bool:
        """The last day is a day on which it may still be there."""
        return (today - self.since).days > self.days

    @property
    def entry(self) -> Rule:
        """As the log says it."""
        return Rule(name=self.name, days=self.days, since=str(self.since))


@dataclass(frozen=True)
class OriginalRecord:
    """A source, as far as the log knows."""

    name: str
    source: Mapping[str, Any]
    """as the line says it: name, sha256, bytes, place"""
    filmed: Day
    """the day of filming, or where that is unknown the day on which it was first tried: never an earlier one"""
    act: str
    """how the last try ended"""
    place: str
    """where it lies now, relative to the inbox"""
    output: LoggedFile | None = None
    """of the last try"""
    sealed: LoggedFile | None = None
    """its encrypted copy, relative to the inbox"""
    opinion: str = ""
    """of whoever reviewed that output; empty where nobody did"""

    @property
    def entry(self) -> SourceEntry:
        """The source as the log says it."""
        return msgspec.convert(self.source, SourceEntry)

    @property
    def sha256(self) -> str | None:
        digest: str | None = self.source["sha256"]
        return digest

    @property
    def blocked(self) -> str:
        """Why it may not go, whatever the day, as half a sentence; empty where its output decides."""
        if self.act == EventType.REFUSED_BY_POLICY:
            return "is not masked (refused by policy); delete it yourself, or correct what the policy refused"
        if self.act in _FAILED or self.output is None:
            return f"is not masked ({self.act}); mask it, or delete it yourself"
        if self.opinion == _REJECTED:
            return "is masked, and a person rejected the result; correct it"
        if self.act == EventType.NEEDS_REVIEW and not self.opinion:
            return "is masked, and nobody has looked at what was doubtful; review it"
        return ""


@dataclass(frozen=True)
class Artifact:
    """A masked video or a tracks file."""

    file: LoggedFile
    filmed: Day
    """the latest of its sources"""
    sources: frozenset[str]
    digests: frozenset[str | None]
    """sha256 of the sources"""


@dataclass
class Inventory:
    """What the log says in the end."""

    originals: dict[str, OriginalRecord] = field(default_factory=dict)
    """by name of the source"""
    made: dict[str, Artifact] = field(default_factory=dict)
    """by name under the output folder; what was purged is left out"""
    _days: Mapping[tuple[str, str | None], Day] = field(default_factory=dict)
    """see `_days`"""

    def output_of(self, original: OriginalRecord) -> LoggedFile | None:
        """The newest file that was made of its content under the name of its output; None where it was purged."""
        made = self.made.get(original.output.name) if original.output else None
        return made.file if made and original.sha256 in made.digests else None

    @classmethod
    def read(cls, records: Sequence[Mapping[str, Any]], today: Day) -> "Inventory":
        books = cls(_days=_days(records, today))
        for record in records:
            books._take(record, event_type(record))
        return books

    def _take(self, record: Mapping[str, Any], act: str) -> None:
        source = record.get("source")
        if source and act in _TRIED:
            self._tried(record, act, source)
        elif act == EventType.PURGED:
            for file in record.get("files") or ():
                self.made.pop(file["name"], None)
        elif act == EventType.REVIEWED:
            self._reviewed(record)
        elif source and source["name"] in self.originals:
            self._moved(record, act, self.originals[source["name"]])

    def _tried(self, record: Mapping[str, Any], act: str, source: Mapping[str, Any]) -> None:
        before = self.originals.get(source["name"])
        same = before is not None and before.sha256 == source["sha256"]
        output = _file(record["output"]) if record.get("output") else None
        day = self._days[source["name"], source["sha256"]]
        original = OriginalRecord(source["name"], source, day, act, source["name"], output)
        self.originals[source["name"]] = replace(original, sealed=before.sealed) if before and same else original
        for file in map(_file, files_of(record)):
            other = self.made.get(file.name)
            joined = other if other and (other.file == file or act == EventType.DUPLICATE) else None
            self.made[file.name] = _joined(file, original, joined)

    def _reviewed(self, record: Mapping[str, Any]) -> None:
        """Of the output that the line names; where it names none, of that of its source."""
        output, opinion = record.get("output") or {}, str(record.get("verdict", "approved"))
        source = {} if output else record.get("source") or {}
        for name, original in self.originals.items():
            whole = original.output and original.output.sha256 == output.get("sha256")
            if whole or (source and original.sha256 == source.get("sha256")):
                self.originals[name] = replace(original, opinion=opinion)

    def _moved(self, record: Mapping[str, Any], act: str, original: OriginalRecord) -> None:
        if act == EventType.QUARANTINED:
            original = replace(original, place=record["moved_to"])
        elif act == EventType.RETRIED:
            original = replace(original, place=original.name)
        elif act == EventType.SEALED:
            original = replace(original, sealed=_file(record["sealed"]))
        self.originals[original.name] = original


def _joined(file: LoggedFile, original: OriginalRecord, other: Artifact | None) -> Artifact:
    """With what is known of the other sources of that file."""
    if other is None:
        return Artifact(file, original.filmed, frozenset({original.name}), frozenset({original.sha256}))
    latest = max(original.filmed, other.filmed)
    return Artifact(other.file, latest, other.sources | {original.name}, other.digests | {original.sha256})


def _file(told: Mapping[str, Any]) -> LoggedFile:
    return LoggedFile(told["name"], told["sha256"])


def _days(records: Sequence[Mapping[str, Any]], today: Day) -> dict[tuple[str, str | None], Day]:
    """By name and sha256 of each source its day of filming; where that is unknown, the day of the first try."""
    captured = captured_days(records)
    days: dict[tuple[str, str | None], Day] = {}
    for record in records:
        source = record.get("source")
        if source and event_type(record) in _TRIED and (key := (source["name"], source["sha256"])) not in days:
            when = capture_time(source["name"], today=today, logged=captured.get(key, ""))
            days[key] = when.day or Day.fromisoformat(record["time"][:10])
    return days
