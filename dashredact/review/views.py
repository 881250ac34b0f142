"""Rows about videos, tracks and corrections: what the command line prints, and a desk in a browser can show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashredact.audit.clips import Clip
from dashredact.audit.events import Mark, Marked, ResidualEntry, Undone, Unmasked, UnmaskedTrack
from dashredact.formats.tracks_json import TracksFile
from dashredact.review.flags import FlaggedTrack, best_score
from dashredact.review.queue import QueuedVideo
from dashredact.values import Array, Track


@dataclass(frozen=True)
class VideoRow:
    """A video of the queue."""

    risk: float
    name: str
    state: str
    corrections_waiting: int
    to_look_at: int
    """tracks and finds of a second look that are worth a look"""
    reasons: Mapping[str, int]

    @classmethod
    def of(cls, video: QueuedVideo) -> "VideoRow":
        priority = video.priority
        waiting = video.clip.corrections.waiting
        return cls(priority.risk, video.clip.name, video.state, waiting, video.to_look_at, dict(priority.reasons))

    def to_record(self) -> dict[str, Any]:
        return {
            "risk": self.risk,
            "name": self.name,
            "state": self.state,
            "corrections waiting": self.corrections_waiting,
            "to look at": self.to_look_at,
            "reasons": self.reasons,
        }


@dataclass(frozen=True)
class TrackRow:
    """A track, a find of a second look or a correction of one video. Frames count from 0, the last one included."""

    kind: str
    first: int
    last: int
    seconds: tuple[float, float]
    """of the first and the last frame"""
    reasons: str
    track: int | None = None
    """None for a find of a second look"""
    best_frame: int | None = None
    box: tuple[float, ...] = ()
    """x0 y0 x1 y1 on the best frame"""
    score: float | None = None
    weight: float | None = None
    by: str = ""
    """who decided"""

    def to_record(self) -> dict[str, Any]:
        """Without the fields that do not apply."""
        record = {
            "track": "none" if self.track is None else self.track,
            "kind": self.kind,
            "frames": f"{self.first}..{self.last}",
            "seconds": f"{self.seconds[0]:.2f}-{self.seconds[1]:.2f}",
            "look at frame": self.best_frame,
            "box": ",".join(f"{side:.0f}" for side in self.box) or None,
            "score": None if self.score is None else round(self.score, 2),
            "weight": None if self.weight is None else round(self.weight, 1),
            "reasons": self.reasons,
            "by": self.by or None,
        }
        return {name: value for name, value in record.items() if value is not None}


@dataclass(frozen=True)
class _Decided:
    """A mark or an unmasked track, and who had the last word about it."""

    what: str
    entry: Mark | UnmaskedTrack
    in_force: bool
    applied: bool
    by: str = field(default="")

    @property
    def words(self) -> str:
        if self.in_force:
            return f"{self.what}, {'applied' if self.applied else 'waits for `review apply`'}"
        return f"{self.what}, undone, in the file until `review apply`"


def flagged_row(flagged: FlaggedTrack, file: TracksFile) -> TrackRow:
    track = flagged.track
    best = int(track.scores.argmax())
    return TrackRow(
        kind=str(track.kind),
        first=track.first,
        last=track.end - 1,
        seconds=_seconds(file, track.first, track.end - 1),
        reasons=", ".join(flag.reason for flag in flagged.flags),
        track=track.id,
        best_frame=track.first + best,
        box=tuple(track.boxes[best].tolist()),
        score=best_score(track),
        weight=flagged.weight,
    )


def residual_row(residual: ResidualEntry, file: TracksFile) -> TrackRow:
    return TrackRow(
        kind=residual.kind,
        first=residual.first,
        last=residual.last,
        seconds=_seconds(file, residual.first, residual.last),
        reasons="second look",
        best_frame=residual.frame,
        box=residual.box,
        score=residual.score,
    )


def correction_rows(clip: Clip, file: TracksFile) -> list[TrackRow]:
    """Marks and unmasked tracks that are in force, or still in the masked file although they were undone."""
    return [
        TrackRow(
            kind=decided.entry.kind,
            first=decided.entry.first,
            last=decided.entry.end - 1,
            seconds=_seconds(file, decided.entry.first, decided.entry.end - 1),
            reasons=_with_loss(decided, clip),
            track=decided.entry.id,
            by=decided.by,
        )
        for decided in _decided(clip)
    ]


def _with_loss(decided: _Decided, clip: Clip) -> str:
    entry = decided.entry
    if entry in clip.corrections.unfinished_marks and isinstance(entry, Mark):
        return (
            f"{decided.words}; lost its object, so frames {entry.end}..{(entry.wanted_end or entry.end) - 1} are bare"
        )
    return decided.words


def _decided(clip: Clip) -> Iterator[_Decided]:
    corrections, by = clip.corrections, _last_words(clip)
    groups: tuple[tuple[str, Mapping[int, Mark | UnmaskedTrack], Mapping[int, Mark | UnmaskedTrack]], ...] = (
        ("mark", corrections.marks, corrections.applied_marks),
        ("unmasked", corrections.unmasked, corrections.applied_unmasked),
    )
    for what, in_force, applied in groups:
        for number, entry in {**applied, **in_force}.items():
            yield _Decided(what, entry, number in in_force, number in applied, by.get(number, ""))


def _last_words(clip: Clip) -> dict[int, str]:
    """By number of a mark or track, who said the last thing about it."""
    by: dict[int, str] = {}
    for event in clip.events:
        about = (
            event.mark.id
            if isinstance(event, Marked) and event.mark
            else event.lift.id
            if isinstance(event, Unmasked) and event.lift
            else event.undo.track
            if isinstance(event, Undone) and event.undo
            else None
        )
        if about is not None:
            by[about] = str(event.actor)
    return by


def uncovered_lines(tracks: Sequence[Track], times: Array) -> list[str]:
    """`face 12 on frames 30..61 (1.00-2.03 s), up to 84x102 pixels`: what is to be seen without these masks.

    times: (frames,) seconds of the video's frames.
    """
    lines = []
    for track in tracks:
        width, height = (track.boxes[:, 2:] - track.boxes[:, :2]).max(0)
        seconds = f"{times[track.first]:.2f}-{times[track.end - 1]:.2f} s"
        frames = f"frames {track.first}..{track.end - 1} ({seconds})"
        lines.append(f"{track.kind} {track.id} on {frames}, up to {width:.0f}x{height:.0f} pixels")
    return lines


def review_line(clip: Clip) -> str:
    """`approved by A. Clerk, 2026-01-02T03:04:05+00:00: a note`; empty before anybody has reviewed this version."""
    review = clip.review
    if review is None or not review.verdict:
        return ""
    note = f": {review.reason}" if review.reason else ""
    return f"{review.verdict} by {review.actor}, {review.time}{note}"


def _seconds(file: TracksFile, first: int, last: int) -> tuple[float, float]:
    """Frames that the file does not have, as a broken line may name them, count as its last one."""
    end = len(file.times) - 1
    return float(file.times[min(first, end)]), float(file.times[min(last, end)])
