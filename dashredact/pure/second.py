"""What on a masked video still looks like a face or a plate, and does not lie under its masks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashredact.pure.coverage import covered
from dashredact.pure.tracks import link
from dashredact.settings import LinkSettings, SecondLook
from dashredact.values import KINDS, ORIGINS, Array, Detections, Kind, Origin, Track

_UNDER = 0.5  # share of a box under masks from which it is the mask that looks like that


@dataclass(frozen=True)
class Find:
    """One thing that was seen on a masked video. Frames are those of the video."""

    kind: Kind
    frame: int
    """where it was seen best"""
    time: float
    """seconds of that frame from the start of the video"""
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 on that frame, with a margin of two pixels"""
    score: float
    first: int
    """first frame on which it was seen"""
    last: int
    sights: int
    """frames on which it was seen, of those that were looked at"""
    model: str
    """name of the model that saw it"""

    def __str__(self) -> str:
        """`plate at 3.40 s (frame 102, score 0.71)`"""
        return f"{self.kind} at {self.time:.2f} s (frame {self.frame}, score {self.score:.2f})"


@dataclass(frozen=True)
class Again:
    """What came of looking at the finished file again."""

    every: int
    """every so many frames were looked at"""
    frames: int
    """that were looked at, by each model"""
    models: tuple[str, ...]
    """names of those that looked"""
    finds: tuple[Find, ...]
    """in order of their best frame"""


def bare(found: Detections, masks: Callable[[int], Array]) -> Detections:
    """Without the detections of which half or more lies under masks.

    masks: the boxes (M, 4) that were painted on a frame, by the index that `found` has.
    """
    keep = np.zeros(len(found), np.bool_)
    for frame in np.unique(found.frames):
        rows = found.frames == frame
        keep[rows] = covered(found.boxes[rows].astype(np.float64), masks(int(frame))) < _UNDER
    return Detections(found.frames[keep], found.kinds[keep], found.boxes[keep], found.scores[keep])


def finds(
    found: Detections,
    looked_at: NDArray[np.int64],
    times: Array,
    size: tuple[int, int],
    thresholds: dict[Kind, float],
    settings: SecondLook,
    model: str,
) -> list[Find]:
    """Of uncovered detections those that several frames agree on, or whose score says enough.

    found: by index into `looked_at`. looked_at: (n,) frames of the video, rising. times: (n,) their seconds.
    thresholds: the detector's own.
    """
    lowest = {kind: settings.threshold(thresholds[kind]) for kind in KINDS}
    how = LinkSettings(lowest, weakest=min(lowest.values()), extend=0, smooth=0, grow=0)
    seen = [_find(track, looked_at, times, model) for track in link(found, times, *size, how)]
    return [
        find
        for find in seen
        if find.sights >= min(settings.sights, len(looked_at)) or find.score >= settings.alone(thresholds[find.kind])
    ]


def _find(track: Track, looked_at: NDArray[np.int64], times: Array, model: str) -> Find:
    seen = np.flatnonzero(track.origins == ORIGINS.index(Origin.DETECTED))
    best = int(seen[track.scores[seen].argmax()])
    at = track.first + best
    x0, y0, x1, y1 = (round(float(side), 1) for side in track.boxes[best])
    return Find(
        kind=track.kind,
        frame=int(looked_at[at]),
        time=round(float(times[at]), 4),
        box=(x0, y0, x1, y1),
        score=round(float(track.scores[best]), 3),
        first=int(looked_at[track.first + seen[0]]),
        last=int(looked_at[track.first + seen[-1]]),
        sights=len(seen),
        model=model,
    )
