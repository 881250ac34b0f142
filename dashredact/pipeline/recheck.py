"""Rechecking a masked video: detections on it that do not lie under its masks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging.coverage import covered
from dashredact.kinds import KINDS, Kind
from dashredact.settings import RecheckSettings, TrackSettings
from dashredact.tracking.association import Observations, associate, observations_of
from dashredact.values import Array, Detections, Track

_RESOLVED = 0.9  # fraction of a residual detection under later masks from which it needs no attention
_UNDER_MASK = 0.5  # fraction of a box under masks from which the detector has seen the mask itself


@dataclass(frozen=True)
class ResidualDetection:
    """An object that was detected on a masked video. Field names are written into the audit log."""

    kind: Kind
    frame: int
    """index in the video of the frame with the best score"""
    time: float
    """seconds of that frame since the first frame"""
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 on that frame"""
    score: float
    first: int
    """first frame on which it was detected"""
    last: int
    sights: int
    """number of frames on which it was detected, of those that were checked"""
    model: str
    """name of the model that detected it"""

    def __str__(self) -> str:
        """`plate at 3.40 s (frame 102, score 0.71)`"""
        return f"{self.kind} at {self.time:.2f} s (frame {self.frame}, score {self.score:.2f})"


@dataclass(frozen=True)
class RecheckResult:
    """Field names are written into the audit log."""

    every: int
    """every n-th frame was checked"""
    frames: int
    """number of frames that each model checked"""
    models: tuple[str, ...]
    """names of the models"""
    finds: tuple[ResidualDetection, ...]
    """by frame"""


def outside_masks(detections: Detections, masks: Callable[[int], Array]) -> Detections:
    """The detections of which less than half lies under masks.

    masks: the boxes (M, 4) that were painted on a frame, by its index in `detections`.
    """
    keep = np.zeros(len(detections), np.bool_)
    for frame in np.unique(detections.frames):
        rows = detections.frames == frame
        keep[rows] = covered(detections.boxes[rows].astype(np.float64), masks(int(frame))) < _UNDER_MASK
    return detections.take(keep)


def residual_detections(
    uncovered: Detections,
    frames: NDArray[np.int64],
    times: Array,
    thresholds: dict[Kind, float],
    settings: RecheckSettings,
    model: str,
) -> list[ResidualDetection]:
    """The objects among uncovered detections: detected on several frames, or once with a high score.

    uncovered: their frames are indices into `frames`. frames: (n,) of the video, rising. times: (n,) their seconds.
    thresholds: the detector's own, of the kinds that are masked.
    """
    min_frames = min(settings.sights, len(frames))
    residuals: list[ResidualDetection] = []
    for number, kind in enumerate(KINDS):
        if kind not in thresholds:
            continue
        threshold, certain = settings.threshold(thresholds[kind]), settings.certain_threshold(thresholds[kind])
        observations = observations_of(uncovered, number, threshold)
        for rows in associate(observations, times, threshold, TrackSettings()):
            own = observations.take(rows)
            if len(rows) >= min_frames or own.scores.max() >= certain:
                residuals.append(_residual(kind, own, frames, times, model))
    return sorted(residuals, key=lambda residual: residual.frame)


def _residual(
    kind: Kind, observations: Observations, frames: NDArray[np.int64], times: Array, model: str
) -> ResidualDetection:
    best = int(observations.scores.argmax())
    own_frames = frames[observations.frames].tolist()
    x0, y0, x1, y1 = (round(float(side), 1) for side in observations.boxes[best])
    return ResidualDetection(
        kind=kind,
        frame=own_frames[best],
        time=round(float(times[observations.frames[best]]), 4),
        box=(x0, y0, x1, y1),
        score=round(float(observations.scores[best]), 3),
        first=own_frames[0],
        last=own_frames[-1],
        sights=len(own_frames),
        model=model,
    )


class Residual(Protocol):
    """A residual detection, whoever says so."""

    @property
    def frame(self) -> int: ...

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0 y0 x1 y1"""
        ...


R = TypeVar("R", bound=Residual)


def still_uncovered(residuals: Sequence[R], tracks: Sequence[Track]) -> list[R]:
    """Those that the tracks do not cover."""
    return [residual for residual in residuals if _covered_fraction(residual, tracks) < _RESOLVED]


def _covered_fraction(residual: Residual, tracks: Sequence[Track]) -> float:
    frame = residual.frame
    boxes = [track.boxes[frame - track.first] for track in tracks if track.first <= frame < track.end]
    return float(covered(np.array([residual.box], np.float64), np.array(boxes).reshape(-1, 4))[0])
