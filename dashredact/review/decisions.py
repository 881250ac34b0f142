"""What people decide becomes a line of the audit log, by whom and when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashredact.audit import provenance
from dashredact.audit.events import EventType
from dashredact.errors import UsageError
from dashredact.formats import tracks_json
from dashredact.kinds import Kind
from dashredact.review import publish
from dashredact.review.state import FIRST_MARK, How, Opinion, Record, ReviewState
from dashredact.review.views import ReviewQueue
from dashredact.text import plural
from dashredact.values import Track
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder


@contextmanager
def deciding(out: Path) -> Iterator[None]:
    """One person decides at a time, while runs go on masking. What a crash has cut short needs the folder itself."""
    with OutputFolder(out).deciding():
        if publish.cut_short(out):
            with OutputFolder(out).masking():
                publish.complete_all(out, Index(OutputFolder(out)))
        yield


class Reviewer:
    """Writes down what one person decides about the videos of one folder. Its caller holds the desk."""

    def __init__(self, out: Path, name: str = "") -> None:
        """name: the person, where that is not the account. A correction that a crash cut short is published first."""
        self.desk = ReviewQueue(out)
        self.index = Index(OutputFolder(out))
        if publish.complete_all(out, self.index):
            self.desk = ReviewQueue(out)
        self._name = readable(name)

    @property
    def by(self) -> dict[str, str]:
        account: dict[str, str] = provenance.provenance()["by"]
        return {**account, **({"name": self._name} if self._name else {})}

    def approve(self, name: str, note: str) -> None:
        """UsageError where corrections wait. RefusedError where the output is not the file that the log names."""
        standing = self.desk.standing(name)
        if standing.waiting:
            waiting = plural(standing.waiting, "correction")
            raise UsageError(f"{name}: {waiting} not yet in the output; apply or undo first.")
        self.desk.output(standing)
        self.desk.tracks(standing)
        self._write(standing, EventType.REVIEWED, verdict=str(Opinion.APPROVED), reason=note)

    def reject(self, name: str, note: str) -> None:
        standing = self.desk.standing(name)
        self._write(standing, EventType.REVIEWED, verdict=str(Opinion.REJECTED), reason=note)

    def mark(
        self, name: str, kind: Kind, keys: list[tuple[float, ...]], end: int, how: How, note: str
    ) -> Mapping[str, Any]:
        """keys: frame x0 y0 x1 y1, by rising frame; lines between them, the last box held until frame `end`.

        UsageError where a key is not on a frame of the video, or its box is not in the picture.
        """
        standing = self.desk.standing(name)
        file = self.desk.tracks(standing)
        check_frames(name, int(keys[0][0]), end, len(file.pts))
        for _, *box in keys if how is not How.TRACKED else ():
            check_box(box, *file.size)
        number = FIRST_MARK + standing.drawn
        mark = {"id": number, "kind": str(kind), "first": int(keys[0][0]), "end": end, "how": str(how)}
        mark["keys"] = [[int(frame), *sides] for frame, *sides in keys]
        self._write(standing, EventType.MARKED, mark=mark, reason=note)
        return mark

    def unmask(self, name: str, numbers: Iterable[int], note: str) -> None:
        """Take away the masks of these tracks, or of none of them.

        UsageError where the output has no such track, or the person who drew it can take it back.
        """
        standing = self.desk.standing(name)
        tracks = {track.id: track for track in self.desk.tracks(standing).tracks}
        chosen = [_unmaskable(standing, tracks, number) for number in dict.fromkeys(numbers)]
        for track in chosen:
            self._write(standing, EventType.UNMASKED, lift=tracks_json.fields(track), reason=note)

    def undo(self, name: str, numbers: Iterable[int], note: str) -> None:
        """Take back these marks and unmaskings, or none of them. UsageError where one is not in force."""
        standing = self.desk.standing(name)
        chosen = list(dict.fromkeys(numbers))
        for number in chosen:
            if number not in standing.marks and number not in standing.lifts:
                raise UsageError(f"{name}: {number} is neither a mark nor unmasked; `review show` lists what is.")
        for number in chosen:
            self._write(standing, EventType.UNDONE, undo={"track": number}, reason=note)

    def _write(self, standing: ReviewState, act: EventType, **more: Any) -> None:
        about: dict[str, Record] = {"source": standing.result["source"], "output": standing.output}
        self.index.append({"act": str(act), "by": self.by, **about, **more, "reason": readable(more.get("reason", ""))})


def _unmaskable(standing: ReviewState, tracks: Mapping[int, Track], number: int) -> Track:
    name = standing.name
    if number in standing.marks:
        raise UsageError(f"{name}: {number} is a mark that a person drew; take it back with `review undo`.")
    if number in standing.lifts:
        raise UsageError(f"{name}: track {number} is unmasked already.")
    if number not in tracks:
        raise UsageError(f"{name}: has no track {number}; `review show` lists them.")
    if tracks[number].kind is Kind.ZONE:
        raise UsageError(f"{name}: {number} is a zone of its camera; change the zones file and mask it again.")
    return tracks[number]


def readable(text: str) -> str:
    """Stray bytes of a command line could not be written into the log."""
    return text.encode("utf-8", "backslashreplace").decode()


def check_frames(name: str, first: int, end: int, frames: int) -> None:
    if not 0 <= first < end <= frames:
        raise UsageError(f"{name}: has the frames 0..{frames - 1}, and not all of {first}..{end - 1}.")


def check_box(box: Sequence[float], width: int, height: int) -> None:
    x0, y0, x1, y1 = box
    told = ",".join(f"{side:g}" for side in box)
    if x1 <= x0 or y1 <= y0:
        raise UsageError(f"The box {told} has no inside; give it as X0,Y0,X1,Y1 with the left upper corner first.")
    if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
        raise UsageError(f"The box {told} lies outside the picture of {width}x{height} pixels.")
