"""Frames drawn by chance for a person to judge, and what the audit log tells of draws and verdicts.

Every moment of the videos is as likely as any other, and a frame may come up twice: that is what `bound` asks for. Each
draw is a line of the log with its seed, so that a draw that went badly cannot be passed over in silence, and anybody
who has the tracks files can draw again.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np

from dashredact.audit.events import EventType
from dashredact.audit.records import event_type, results
from dashredact.review.miss_bound import MissBound
from dashredact.review.state import ReviewState, review_states
from dashredact.tracking.timeline import duration
from dashredact.values import Array

Record = Mapping[str, Any]


class FrameSpan(NamedTuple):
    """A masked video to draw from."""

    name: str
    """of the source"""
    output: str
    """sha256 of the masked file"""
    times: Array
    """(frames,) seconds since the first frame"""


class Drawn(NamedTuple):
    """A frame that came up."""

    name: str
    output: str
    frame: int
    times: int
    """how often"""


def draw(spans: Sequence[FrameSpan], count: int, seed: str) -> list[Drawn]:
    """So many frames, in the order of the videos. Moment `n` is the sha256 of `SEED n` as a share of all seconds.

    ValueError where the videos have no length.
    """
    lengths = np.array([duration(span.times) for span in spans])
    ends = lengths.cumsum()
    if not spans or not ends[-1]:
        raise ValueError("there is nothing to draw from")
    found: Counter[tuple[int, int]] = Counter()
    for number in range(count):
        share = int(hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:13], 16) / 16**13
        moment = share * ends[-1]
        video = int(np.searchsorted(ends, moment, "right"))
        since = moment - (ends[video] - lengths[video])
        found[video, max(int(np.searchsorted(spans[video].times, since, "right")) - 1, 0)] += 1
    return [Drawn(*spans[video][:2], frame, times) for (video, frame), times in sorted(found.items())]


def population(records: Sequence[Record]) -> list[ReviewState]:
    """Videos with a masked file that was not purged."""
    there = {result.name for result in results(records)}
    return [standing for standing in review_states(records).values() if standing.output["name"] in there]


def named(videos: Sequence[ReviewState], names: Sequence[str]) -> list[ReviewState]:
    """Those whose name fits one of the patterns; all without a pattern."""
    return [video for video in videos if not names or any(fnmatchcase(video.name, pattern) for pattern in names)]


def fingerprint(videos: Sequence[ReviewState]) -> str:
    """sha256 over names and masked files: tells whether the videos of a draw are still the same."""
    lines = sorted(f"{video.output['sha256']} {video.name!r}\n" for video in videos)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def mark(told: Record) -> str:
    """`1-3f2a90b1`: of a draw, and of no draw of another log."""
    parts = f"{told['seed']} {told['population']}"
    return f"{told['id']}-{hashlib.sha256(parts.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Draw:
    """Of the log."""

    line: Record
    judged: Record | None
    """line of the newest verdicts"""
    same: bool
    """whether the masked videos are still those that it was drawn from"""

    @property
    def told(self) -> Record:
        told: Record = self.line["draw"]
        return told

    @property
    def bounds(self) -> dict[str, MissBound]:
        """By kind; empty before there are verdicts."""
        return bounds(self.judged) if self.judged else {}


def bounds(line: Record) -> dict[str, MissBound]:
    """What verdicts prove, by kind, as their line says it."""
    told = line["judged"]
    return {
        kind: MissBound(told["frames"], one["missed"], one["confidence"], one["seen"], one["most"])
        for kind, one in told["bounds"].items()
    }


def draws(records: Sequence[Record]) -> list[Draw]:
    """Oldest first."""
    judged = {record["draw"]["id"]: record for record in records if event_type(record) == EventType.JUDGED}
    made = [record for record in records if event_type(record) == EventType.SAMPLED]
    videos = population(records) if made else []
    return [
        Draw(
            record,
            judged.get(record["draw"]["id"]),
            fingerprint(named(videos, record["draw"]["names"])) == record["draw"]["population"],
        )
        for record in made
    ]
