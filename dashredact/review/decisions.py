"""What people decide becomes an event of the audit log, by whom and when."""

from collections.abc import Sequence

import msgspec

from dashredact.audit import provenance
from dashredact.audit.clips import Clip
from dashredact.audit.events import (
    Actor,
    Event,
    Mark,
    Marked,
    Reviewed,
    ReviewVerdict,
    SourceEvent,
    Undo,
    Undone,
    Unmasked,
    UnmaskedTrack,
)
from dashredact.errors import UsageError
from dashredact.formats import tracks_json
from dashredact.kinds import Kind
from dashredact.review.likeness import alike
from dashredact.review.marking import How, MarkBoxes, check_box, check_frames
from dashredact.review.queue import ReviewQueue
from dashredact.text import plural
from dashredact.values import Track
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder

FIRST_MARK = 1_000_001
"""Number of a video's first mark: no detected track has it, whatever thresholds the video is masked with."""


class Reviewer:
    """Writes down what one person decides about the videos of one folder. The caller holds one of its locks."""

    def __init__(self, folder: OutputFolder, name: str = "") -> None:
        """name: the person, where that is not the account. LedgerError where the audit log is broken."""
        self.folder, self.queue, self.index = folder, ReviewQueue(folder), Index(folder)
        self._name = readable(name)

    @property
    def actor(self) -> Actor:
        account = provenance.actor()
        return msgspec.structs.replace(account, name=self._name) if self._name else account

    def approve(self, name: str, note: str) -> None:
        """UsageError where corrections wait. RefusedError where a file is not the one that the log names."""
        clip = self.queue.masked(name)
        corrections = clip.corrections
        if corrections.waiting:
            waiting = plural(corrections.waiting, "correction")
            raise UsageError(f"{name}: {waiting} not yet in the masked file; apply or undo first.")
        for mark in corrections.unfinished_marks:
            raise UsageError(
                f"{name}: mark {mark.id} lost its object, so frames {mark.end}..{(mark.wanted_end or mark.end) - 1} are"
                f" not masked; mark it from frame {mark.end} on, or undo {mark.id} and mark only up to there."
            )
        self.queue.output(clip)
        self.queue.tracks(clip)
        self._write(clip, Reviewed(verdict=ReviewVerdict.APPROVED, reason=readable(note)))

    def reject(self, name: str, note: str) -> None:
        """Of a video that no try has masked, this says that it stays so: it is no longer listed."""
        clip = self.queue.tried(name)
        clip = self.queue.masked(name) if clip.result else clip
        self._write(clip, Reviewed(verdict=ReviewVerdict.REJECTED, reason=readable(note)))

    def mark(self, name: str, kind: Kind, boxes: MarkBoxes, note: str) -> Mark:
        """UsageError where a key is not on a frame of the video, or its box is not in the picture."""
        clip = self.queue.masked(name)
        file = self.queue.tracks(clip)
        check_frames(name, boxes.first, boxes.end, len(file.pts))
        for _, *box in boxes.keys if boxes.how is not How.TRACKED else ():
            check_box(box, *file.size)
        mark = Mark(
            id=FIRST_MARK + clip.corrections.marks_drawn,
            kind=str(kind),
            first=boxes.first,
            end=boxes.end,
            how=str(boxes.how),
            keys=[(int(frame), x0, y0, x1, y1) for frame, x0, y0, x1, y1 in boxes.keys],
            wanted_end=boxes.wanted_end,
        )
        self._write(clip, Marked(mark=mark, reason=readable(note)))
        return mark

    def unmask(self, name: str, numbers: Sequence[int], note: str, *, like: bool = False) -> list[Track]:
        """All of the tracks or none. The tracks come back: `apply` uncovers what they hide.

        like: also those that are like one of them and can be unmasked. UsageError where the masked file has no such
        track, or the person who drew it can take it back.
        """
        clip = self.queue.masked(name)
        tracks = {track.id: track for track in self.queue.tracks(clip).tracks}
        for number in numbers:
            _check_can_be_unmasked(name, clip, tracks.get(number), number)
        if like:
            kept = clip.corrections.marks.keys() | clip.corrections.unmasked.keys()
            others = [track for track in tracks.values() if track.id not in kept]
            numbers = [*numbers, *(track.id for track in alike(others, [tracks[number] for number in numbers]))]
        for number in dict.fromkeys(numbers):
            entry = msgspec.convert(tracks_json.fields(tracks[number]), UnmaskedTrack)
            self._write(clip, Unmasked(lift=entry, reason=readable(note)))
        return [tracks[number] for number in dict.fromkeys(numbers)]

    def undo(self, name: str, numbers: Sequence[int], note: str) -> None:
        """All of the marks and unmasked tracks or none. UsageError where nothing about a number is in force."""
        clip = self.queue.masked(name)
        for number in numbers:
            if number not in clip.corrections.marks and number not in clip.corrections.unmasked:
                raise UsageError(f"{name}: {number} is neither a mark nor unmasked; `review show` lists what is.")
        for number in dict.fromkeys(numbers):
            self._write(clip, Undone(undo=Undo(track=number), reason=readable(note)))

    def append(self, event: Event) -> None:
        """Write an event into the log, by this person."""
        self.index.append(msgspec.structs.replace(event, by=self.actor))

    def _write(self, clip: Clip, event: SourceEvent) -> None:
        self.append(msgspec.structs.replace(event, source=clip.source, output=clip.output))


def _check_can_be_unmasked(name: str, clip: Clip, track: Track | None, number: int) -> None:
    if number in clip.corrections.marks:
        raise UsageError(f"{name}: {number} is a mark that a person drew; take it back with `review undo`.")
    if number in clip.corrections.unmasked:
        raise UsageError(f"{name}: track {number} is unmasked already.")
    if track is None:
        raise UsageError(f"{name}: has no track {number}; `review show` lists them.")
    if track.kind is Kind.ZONE:
        raise UsageError(f"{name}: {number} is a zone of its camera; change the zones file and mask it again.")


def readable(text: str) -> str:
    """Stray bytes of a command line could not be written into the log."""
    return text.encode("utf-8", "backslashreplace").decode()
