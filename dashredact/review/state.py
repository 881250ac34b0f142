"""What people have decided about each video: lines of the audit log in, where the video stands out.

A mark is a box that a person has drawn over something missed, a lift takes a false mask away. Both are acts of the log
and stay in force until another act undoes them; nothing is erased. A mark belongs to the source: where that is masked
anew, it has to be applied again. A lift belongs to a track of one masking, and lapses with it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from dashredact.audit.events import EventType
from dashredact.audit.records import event_type

Record = Mapping[str, Any]

_MASKED = (EventType.MASKED, EventType.NEEDS_REVIEW)


class Opinion(StrEnum):
    """What a person who looked at an output thinks of it."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True)
class ReviewState:
    """Of one video."""

    name: str
    """of the source"""
    result: Record
    """line that made its newest output"""
    marks: Mapping[int, Record] = field(default_factory=dict)
    """in force, by number, as the lines have them"""
    lifts: Mapping[int, Record] = field(default_factory=dict)
    """in force, by the track's number: the tracks, as in a tracks file"""
    applied_marks: Mapping[int, Record] = field(default_factory=dict)
    """in the output"""
    applied_lifts: Mapping[int, Record] = field(default_factory=dict)
    drawn: int = 0
    """marks that were ever drawn"""
    second_look: Record | None = None
    """newest one that ran over an output of this masking"""
    review: Record | None = None
    """line of the newest review of this very output"""

    @property
    def output(self) -> Record:
        """Name, sha256 and bytes of the newest output."""
        output: Record = self.result["output"]
        return output

    @property
    def opinion(self) -> Opinion | None:
        return Opinion(self.review["verdict"]) if self.review else None

    @property
    def waiting(self) -> int:
        """Corrections that are in force and not in the output, or the other way round."""
        pairs = ((self.marks, self.applied_marks), (self.lifts, self.applied_lifts))
        return sum(len(wanted.keys() ^ applied.keys()) for wanted, applied in pairs)

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.waiting:
            return "to be applied"
        made = event_type(self.result)
        return str(self.opinion or ("corrected" if made == EventType.CORRECTED else f"{made}, not reviewed"))

    @property
    def is_open(self) -> bool:
        """Whether a person has something to do about it."""
        return self.opinion is None or self.waiting > 0


def review_states(records: Iterable[Record]) -> dict[str, ReviewState]:
    """By name of the source, in the order of the log; of videos that have an output."""
    found: dict[str, ReviewState] = {}
    for record in records:
        name = str((record.get("source") or {}).get("name", ""))
        now = _after(found.get(name), record, name) if name else None
        if now:
            found[name] = now
    return found


def _after(standing: ReviewState | None, record: Record, name: str) -> ReviewState | None:
    act = event_type(record)
    if act in _MASKED and record.get("output"):
        return _masked(standing, record, name)
    change = _CHANGES.get(act)
    return change(standing, record) if standing and change else standing


def _masked(before: ReviewState | None, record: Record, name: str) -> ReviewState:
    same = before and before.result["source"]["sha256"] == record["source"]["sha256"]
    marks, drawn = (before.marks, before.drawn) if before else ({}, 0)
    return ReviewState(name, record, marks if same else {}, drawn=drawn, second_look=_looked(record))


def _corrected(standing: ReviewState, record: Record) -> ReviewState:
    """Everything that was in force when it was made is in it now."""
    told = record.get("corrections", {})
    marks = {number: standing.marks[number] for number in told.get("marks", ()) if number in standing.marks}
    lifts = {number: standing.lifts[number] for number in told.get("lifts", ()) if number in standing.lifts}
    looked = _looked(record) or standing.second_look
    return replace(standing, result=record, applied_marks=marks, applied_lifts=lifts, second_look=looked, review=None)


def _looked(record: Record) -> Record | None:
    told = record.get("second_look")
    return told if isinstance(told, Mapping) and told.get("finds") is not None else None


def _marked(standing: ReviewState, record: Record) -> ReviewState:
    mark = record["mark"]
    return replace(standing, marks={**standing.marks, mark["id"]: mark}, drawn=standing.drawn + 1)


def _lifted(standing: ReviewState, record: Record) -> ReviewState:
    track = record["lift"]
    return replace(standing, lifts={**standing.lifts, track["id"]: track})


def _undone(standing: ReviewState, record: Record) -> ReviewState:
    number = record["undo"]["track"]
    marks = {own: mark for own, mark in standing.marks.items() if own != number}
    lifts = {own: track for own, track in standing.lifts.items() if own != number}
    return replace(standing, marks=marks, lifts=lifts)


def _reviewed(standing: ReviewState, record: Record) -> ReviewState:
    """A review of an earlier output says nothing of this one."""
    about = (record.get("output") or {}).get("sha256")
    return replace(standing, review=record) if about == standing.output["sha256"] and "verdict" in record else standing


_CHANGES: Mapping[str, Callable[[ReviewState, Record], ReviewState]] = {
    EventType.CORRECTED: _corrected,
    EventType.MARKED: _marked,
    EventType.UNMASKED: _lifted,
    EventType.UNDONE: _undone,
    EventType.REVIEWED: _reviewed,
}
