"""What on a masked video still looks like a face or a plate, and does not lie under its masks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging.coverage import covered
from dashredact.settings import RecheckSettings, TrackSettings
from dashredact.tracking.association import Observations, associate
from dashredact.values import KINDS, Array, Detections, Kind, Track

_COVERED = 0.9  # share of a find under masks from which nobody has to look at it any more
_UNDER = 0.5  # share of a box under masks from which it is the mask that looks like that


@dataclass(frozen=True)
class ResidualDetection:
    """One thing that was seen on a masked video. Frames are those of the video."""

    kind: Kind
    frame: int
    """where it was seen best"""
    time: float
    """seconds of that frame from the start of the video"""
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 on that frame"""
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
class RecheckResult:
    """What came of looking at the finished file again."""

    every: int
    """every so many frames were looked at"""
    frames: int
    """that were looked at, by each model"""
    models: tuple[str, ...]
    """names of those that looked"""
    finds: tuple[ResidualDetection, ...]
    """in order of their best frame"""


def uncovered(found: Detections, masks: Callable[[int], Array]) -> Detections:
    """Without the detections of which half or more lies under masks.

    masks: the boxes (M, 4) that were painted on a frame, by the index that `found` has.
    """
    keep = np.zeros(len(found), np.bool_)
    for frame in np.unique(found.frames):
        rows = found.frames == frame
        keep[rows] = covered(found.boxes[rows].astype(np.float64), masks(int(frame))) < _UNDER
    return Detections(found.frames[keep], found.kinds[keep], found.boxes[keep], found.scores[keep])


def residuals(
    found: Detections,
    looked_at: NDArray[np.int64],
    times: Array,
    thresholds: dict[Kind, float],
    settings: RecheckSettings,
    model: str,
) -> list[ResidualDetection]:
    """Of uncovered detections those that several frames agree on, or whose score says enough.

    found: by index into `looked_at`. looked_at: (n,) frames of the video, rising. times: (n,) their seconds.
    thresholds: the detector's own, of the kinds that are masked.
    """
    enough = min(settings.sights, len(looked_at))
    there: list[ResidualDetection] = []
    for number, kind in enumerate(KINDS):
        if kind not in thresholds:
            continue
        lowest, certain = settings.threshold(thresholds[kind]), settings.certain_threshold(thresholds[kind])
        own = np.flatnonzero((found.kinds == number) & (found.scores >= lowest))
        sights = Observations(found.frames[own], found.boxes[own].astype(np.float64), found.scores[own])
        for rows in associate(sights, times, lowest, TrackSettings()):
            seen = sights.take(rows)
            if len(rows) >= enough or seen.scores.max() >= certain:
                there.append(_find(kind, seen, looked_at, times, model))
    return sorted(there, key=lambda find: find.frame)


def _find(kind: Kind, seen: Observations, looked_at: NDArray[np.int64], times: Array, model: str) -> ResidualDetection:
    best = int(seen.scores.argmax())
    frames = looked_at[seen.frames].tolist()
    x0, y0, x1, y1 = (round(float(side), 1) for side in seen.boxes[best])
    return ResidualDetection(
        kind=kind,
        frame=frames[best],
        time=round(float(times[seen.frames[best]]), 4),
        box=(x0, y0, x1, y1),
        score=round(float(seen.scores[best]), 3),
        first=frames[0],
        last=frames[-1],
        sights=len(frames),
        model=model,
    )


def still_uncovered(told: Sequence[Mapping[str, Any]], tracks: Sequence[Track]) -> list[Mapping[str, Any]]:
    """Of finds, as a line of the audit log tells them, those that no mask covers by now."""
    return [find for find in told if _share_covered(find, tracks) < _COVERED]


def _share_covered(find: Mapping[str, Any], tracks: Sequence[Track]) -> float:
    frame = find["frame"]
    boxes = [track.boxes[frame - track.first] for track in tracks if track.first <= frame < track.end]
    return float(covered(np.array([find["box"]], np.float64), np.array(boxes).reshape(-1, 4))[0])
