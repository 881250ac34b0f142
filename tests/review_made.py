"""A masked video with something missed on purpose, and a person who corrects it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import clips
from clips import Detections, Finder
from conftest import SETTINGS

from dashredact.audit import log as audit_log
from dashredact.audit.events import Mark
from dashredact.batch.batch import Batch
from dashredact.execute.inline import INLINE
from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.pipeline.outcome import Outcome
from dashredact.review import marking
from dashredact.review.correction import Correction
from dashredact.review.decisions import Reviewer
from dashredact.review.queue import ReviewQueue
from dashredact.settings import Settings, TrackSettings
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

MISSED = range(10, 22)
"""frames on which the detector is blind; key frames are at 0, 15, 30"""
BORDER = {14, 15}
"""frames on both sides of a border of segments, on which the missed object can be seen"""
CUT = replace(
    SETTINGS,
    link=TrackSettings(dict.fromkeys(SHIPPED_KINDS, 0.5), bridge=0.0, follow=0.0, extend=0.0),
    segment_seconds=0.3,
)
"""Short segments, and nothing that covers up for the detector."""


@dataclass
class Blind(Finder):
    """Sees nothing on some frames."""

    missed: Sequence[int] = MISSED

    def _find(self, picture: clips.Picture) -> Detections:
        found = super()._find(picture)
        return Detections.empty() if clips.number_on(picture) in self.missed else found


def redact(source: Path, out: Path, finder: Finder | None = None, settings: Settings = CUT) -> Outcome:
    (outcome,) = Batch(OutputFolder(out), finder or Blind(), settings, lambda _: None).run(inbox.plan([source], out))
    return outcome


def around(frame: int, margin: float = 4) -> list[float]:
    """A box that a person would draw around the secret."""
    box = clips.secret_box(frame)
    assert box is not None
    return [box[0] - margin, 20, box[2] + margin, 58]


def mark(out: Path, name: str, frames: range = MISSED, by: str = "") -> Mark:
    """Over the missed object, between two boxes."""
    boxes = marking.drawn(around(frames.start), around(frames.stop - 1), frames)
    return reviewer(out, by).mark(name, Kind.FACE, boxes, "missed")


def apply(out: Path, source: Path, by: str = "") -> dict[str, Any]:
    """The line of the log comes back."""
    with OutputFolder(out).exclusive():
        Correction(reviewer(out, by), source.name, source).apply(lambda _: None, INLINE)
    return lines(out)[-1]


def reviewer(out: Path, by: str = "") -> Reviewer:
    return Reviewer(OutputFolder(out), by)


def queue(out: Path) -> ReviewQueue:
    return ReviewQueue(OutputFolder(out))


def lines(out: Path) -> list[dict[str, Any]]:
    return list(audit_log.records(out / audit_log.NAME))


def leaks(path: Path) -> list[int]:
    """Frames on which something of the secret can be seen."""
    return [number for number, one in enumerate(clips.pictures_of(path)) if clips.secret_pixels(one).any()]
