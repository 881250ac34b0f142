"""What people decided about the masks of one video: marks they drew, tracks they unmasked, and what of it is applied.

Nothing of it is ever erased from the log; an event takes another one back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dashredact.audit.events import Corrected, Mark, Marked, Undone, Unmasked, UnmaskedTrack

T = TypeVar("T")


@dataclass(frozen=True)
class Corrections:
    """What people decided about the masks of one video. By number: a mark's own, or the track's."""

    marks: Mapping[int, Mark] = field(default_factory=dict)
    """in force"""
    unmasked: Mapping[int, UnmaskedTrack] = field(default_factory=dict)
    """in force"""
    applied_marks: Mapping[int, Mark] = field(default_factory=dict)
    """in the masked file"""
    applied_unmasked: Mapping[int, UnmaskedTrack] = field(default_factory=dict)
    """in the masked file"""
    marks_drawn: int = 0
    """ever, under this name: no number is given twice"""

    @property
    def waiting(self) -> int:
        """How many are in force and not in the masked file, or the other way round."""
        marks, tracks = self.marks.keys() ^ self.applied_marks.keys(), self.unmasked.keys() ^ self.applied_unmasked
        return len(marks) + len(tracks)

    @property
    def unfinished_marks(self) -> list[Mark]:
        """Marks that lost what they followed too early, where no other mark of the kind goes on with it."""
        return [mark for mark in self.marks.values() if self._is_unfinished(mark)]

    def _is_unfinished(self, lost: Mark) -> bool:
        uncovered = set(range(lost.end, lost.wanted_end or 0))
        for mark in self.marks.values():
            if mark.kind == lost.kind:
                uncovered.difference_update(range(mark.first, mark.end))
        return bool(uncovered)

    @property
    def open_reason(self) -> str:
        """Why the masked file is not as people want it to be, as half a sentence; empty where it is."""
        if self.waiting:
            return "has corrections that are not in its masked file; apply them with `review apply`, or undo them"
        if lost := self.unfinished_marks:
            return f"has a mark that lost its object at frame {lost[0].end}; mark it from there on, or undo that mark"
        return ""

    @property
    def settled(self) -> bool:
        """Whether the masked file is as people want it to be."""
        return not self.open_reason

    def after(self, event: Marked | Unmasked | Undone | Corrected) -> "Corrections":
        if isinstance(event, Marked) and event.mark:
            return replace(self, marks={**self.marks, event.mark.id: event.mark}, marks_drawn=self.marks_drawn + 1)
        if isinstance(event, Unmasked) and event.lift:
            return replace(self, unmasked={**self.unmasked, event.lift.id: event.lift})
        if isinstance(event, Undone) and event.undo:
            gone = {event.undo.track}
            return replace(self, marks=_without(self.marks, gone), unmasked=_without(self.unmasked, gone))
        if isinstance(event, Corrected) and event.corrections:
            applied = event.corrections
            return replace(
                self,
                applied_marks={number: self.marks[number] for number in applied.marks if number in self.marks},
                applied_unmasked={number: self.unmasked[number] for number in applied.lifts if number in self.unmasked},
            )
        return self

    def for_new_masking(self, *, same_content: bool) -> "Corrections":
        """What is left of them where the source is masked again."""
        return Corrections(marks=self.marks if same_content else {}, marks_drawn=self.marks_drawn)


def _without(entries: Mapping[int, T], numbers: set[int]) -> dict[int, T]:
    return {number: entry for number, entry in entries.items() if number not in numbers}
