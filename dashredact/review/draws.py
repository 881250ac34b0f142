"""Frames drawn by chance for a person to judge, and what the audit log says of draws and verdicts.

Every moment of the videos is as likely as any other, and a frame may come up twice: that is what `miss_bound` asks for.
Each draw is a line of the log with its seed, so that a draw that went badly cannot be passed over in silence, and
anybody who has the tracks files can draw again.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

from dashredact.audit.clips import Clip, Clips
from dashredact.audit.events import Draw, DrawnFrame, Event, Judged, Judgement, Sampled
from dashredact.review.miss_bound import MissBound
from dashredact.tracking.timeline import duration
from dashredact.values import Array


class FrameSpan(NamedTuple):
    """A masked video to draw from."""

    name: str
    """of the source"""
    output: str
    """sha256 of the masked file"""
    times: Array
    """(frames,) seconds since the first frame"""


def draw(spans: Sequence[FrameSpan], count: int, seed: str) -> list[DrawnFrame]:
    """So many frames, in the order of the videos. Moment `n` is the sha256 of `SEED n` as a share of all seconds.

    ValueError where the videos have no length.
    """
    lengths = np.array([duration(span.times) for span in spans])
    ends = lengths.cumsum()
    if not spans or not ends[-1]:
        raise ValueError("there is nothing to draw from")
    counts: Counter[tuple[int, int]] = Counter()
    for number in range(count):
        share = int(hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:13], 16) / 16**13
        moment = share * ends[-1]
        video = int(np.searchsorted(ends, moment, "right"))
        since = moment - (ends[video] - lengths[video])
        counts[video, max(int(np.searchsorted(spans[video].times, since, "right")) - 1, 0)] += 1
    return [
        DrawnFrame(name=spans[video].name, output=spans[video].output, frame=frame, times=times)
        for (video, frame), times in sorted(counts.items())
    ]


def named(clips: Sequence[Clip], patterns: Sequence[str]) -> list[Clip]:
    """Those whose name fits one of the patterns; all without a pattern."""
    return [clip for clip in clips if not patterns or any(fnmatchcase(clip.name, pattern) for pattern in patterns)]


def fingerprint(clips: Sequence[Clip]) -> str:
    """sha256 over names and masked files: tells whether the videos of a draw are still the same."""
    lines = sorted(f"{clip.output.sha256} {clip.name!r}\n" for clip in clips if clip.output)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def label(draw: Draw) -> str:
    """`1-3f2a90b1`: of a draw, and of no draw of another log."""
    parts = f"{draw.seed} {draw.population}"
    return f"{draw.id}-{hashlib.sha256(parts.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class DrawRecord:
    """A draw of the log, and what became of it."""

    sampled: Sampled
    draw: Draw
    judged: Judged | None
    """newest verdicts"""
    same: bool
    """whether the masked videos are still those that it was drawn from"""

    @property
    def bounds(self) -> dict[str, MissBound]:
        """By kind; empty before there are verdicts."""
        return bounds(self.judged.judged) if self.judged and self.judged.judged else {}


def bounds(judgement: Judgement) -> dict[str, MissBound]:
    """What verdicts prove, by kind."""
    return {
        kind: MissBound(judgement.frames, one.missed, one.confidence, one.seen, one.most)
        for kind, one in judgement.bounds.items()
    }


def draws(events: Sequence[Event], clips: Clips) -> list[DrawRecord]:
    """Oldest first. clips: of the same events."""
    judged = {event.draw.id: event for event in events if isinstance(event, Judged) and event.draw}
    sampled = [(event, event.draw) for event in events if isinstance(event, Sampled) and event.draw]
    population = clips.masked() if sampled else []
    return [
        DrawRecord(
            event, draw, judged.get(draw.id), fingerprint(named(population, draw.names or [])) == draw.population
        )
        for event, draw in sampled
    ]
