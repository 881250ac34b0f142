"""What masks cover on videos with marked frames: what they leave of the objects, and how much of them lies on nothing.

Both always together: either alone is easy. An object is uncovered on a frame where more than 5 % of it lies outside the
masks. Waste is the share of the picture under masks and outside every marked box, doubtful ones too, grown by half of
its sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dashredact.evaluate import metrics
from dashredact.evaluate.metrics import Bin, Rate
from dashredact.imaging import boxes as geometry
from dashredact.imaging import coverage
from dashredact.imaging.coverage import ObjectCoverage
from dashredact.kinds import KINDS, Kind
from dashredact.settings import Caution, TrackSettings
from dashredact.tracking.tracks import build_tracks
from dashredact.values import Array, Detections, Paths

NEAR = 0.5
"""fraction of a box's sides by which it is grown before masks around it are waste"""
BELIEVED = tuple(sorted({0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, *(one.believed for one in Caution)}))
"""chances at which tracks are believed, for a curve"""
_RESAMPLED, _TAILS = 2000, (2.5, 97.5)  # times, percentiles


@dataclass(frozen=True)
class MarkedFrame:
    """What a person marked on a frame, O objects and D doubtful ones."""

    index: int
    """in the video"""
    objects: Array
    """(O, 4) x0 y0 x1 y1, pixels"""
    kinds: NDArray[np.int8]
    """(O,) index into `KINDS`"""
    names: NDArray[np.str_]
    """(O,) the same on all frames of its video; empty where unknown"""
    doubtful: Array
    """(D, 4) neither an object nor background"""


@dataclass(frozen=True)
class MarkedVideo:
    """A video in which objects were detected and followed, and what was marked on some of its frames."""

    name: str
    size: tuple[int, int]
    """width, height in pixels"""
    times: Array
    """(frames,) seconds"""
    detections: Detections
    paths: Paths
    cuts: tuple[int, ...]
    kinds: tuple[Kind, ...]
    """what was marked; of others nothing is known, and they are not masked"""
    frames: tuple[MarkedFrame, ...]

    def masked(self, settings: TrackSettings) -> "MaskedVideo":
        own = replace(settings, thresholds={kind: settings.thresholds[kind] for kind in self.kinds})
        tracks = build_tracks(self.detections, self.paths, self.times, *self.size, own, self.cuts)
        masks = [
            np.array([track.boxes[frame.index - track.first] for track in tracks if track.shows(frame.index)])
            for frame in self.frames
        ]
        return MaskedVideo(self, tuple(boxes.reshape(-1, 4) for boxes in masks))


@dataclass(frozen=True)
class MaskedVideo:
    """A video's marked frames under masks."""

    video: MarkedVideo
    masks: tuple[Array, ...]
    """(M, 4) on each marked frame"""

    @cached_property
    def masked(self) -> Array:
        """(F,) share of each picture under masks."""
        width, height = self.video.size
        return np.array([coverage.union_area(boxes) / (width * height) for boxes in self.masks])

    @cached_property
    def wasted(self) -> Array:
        """(F,) share of each picture under masks that lie on nothing."""
        shares = []
        for frame, masks in zip(self.video.frames, self.masks, strict=True):
            near = geometry.grow(np.concatenate((frame.objects, frame.doubtful)), NEAR)
            shares.append(coverage.falsely_masked(masks, near, *self.video.size))
        return np.array(shares)

    def objects(self, kind: Kind) -> ObjectCoverage:
        """One entry an object and marked frame."""
        parts = [self._on_frame(kind, frame, masks) for frame, masks in zip(self.video.frames, self.masks, strict=True)]
        return coverage.concatenate(parts)

    def _on_frame(self, kind: Kind, frame: MarkedFrame, masks: Array) -> ObjectCoverage:
        own = frame.kinds == KINDS.index(kind)
        objects = frame.objects[own]
        inside = geometry.clip(objects, *self.video.size)
        bare = coverage.covered(inside, masks) < coverage.COVERED_FROM
        return ObjectCoverage(metrics.size(kind, objects), bare, frame.names[own])


@dataclass(frozen=True)
class Uncovered:
    """What masks leave uncovered of the objects of one kind."""

    every: Rate
    """objects of any size, counted on every marked frame"""
    plain: Rate
    """those that are large enough for their kind (`KindRow.plain`)"""
    sizes: tuple[Bin, ...]
    tracks: Rate
    """objects large enough that are uncovered on one frame or more, where it is known which boxes are of one"""


@dataclass(frozen=True)
class Interval:
    """A figure, and where it lies in 95 % of samples of as many videos drawn from these; None for a single video."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MaskFigures:
    """Of several videos together."""

    videos: int
    frames: int
    """marked ones"""
    uncovered: dict[Kind, Uncovered]
    share: dict[Kind, Interval]
    """of objects large enough that are uncovered"""
    masked: Interval
    """mean share of the picture; each video counts the same"""
    wasted: Interval


@dataclass(frozen=True)
class CurvePoint:
    believed: float
    """chance from which a track is masked"""
    uncovered: dict[Kind, Rate]
    """of objects of any size"""
    plain: dict[Kind, Rate]
    wasted: float


def figures(videos: Sequence[MaskedVideo]) -> MaskFigures:
    """At least one video."""
    kinds = [kind for kind in KINDS if any(kind in one.video.kinds for one in videos)]
    covers = {kind: [one.objects(kind) for one in videos if kind in one.video.kinds] for kind in kinds}
    return MaskFigures(
        videos=len(videos),
        frames=sum(len(one.masks) for one in videos),
        uncovered={kind: _uncovered(kind, coverage.concatenate(parts)) for kind, parts in covers.items()},
        share={kind: _share([_plain(kind, part) for part in parts]) for kind, parts in covers.items()},
        masked=_mean([float(one.masked.mean()) for one in videos]),
        wasted=_mean([float(one.wasted.mean()) for one in videos]),
    )


def curve(videos: Sequence[MarkedVideo], settings: TrackSettings) -> list[CurvePoint]:
    """What more or less caution gives: the same detections, with tracks believed at other chances."""
    points = []
    for believed in BELIEVED:
        result = figures([video.masked(replace(settings, believed=believed)) for video in videos])
        every = {kind: one.every for kind, one in result.uncovered.items()}
        plain = {kind: one.plain for kind, one in result.uncovered.items()}
        points.append(CurvePoint(believed, every, plain, result.wasted.value))
    return points


def _uncovered(kind: Kind, cover: ObjectCoverage) -> Uncovered:
    bare = coverage.uncovered_tracks(cover, kind.row.plain)
    return Uncovered(
        Rate(int(cover.uncovered.sum()), len(cover.uncovered)),
        _plain(kind, cover),
        metrics.bins(kind, cover.sizes, cover.uncovered),
        Rate(int(bare.sum()), len(bare)),
    )


def _plain(kind: Kind, cover: ObjectCoverage) -> Rate:
    return metrics.from_size(cover.sizes, cover.uncovered, kind.row.plain)


def _share(rates: Sequence[Rate]) -> Interval:
    """Of all together; whole videos are drawn, since the frames of one are alike."""
    counts = np.array([(rate.count, rate.of) for rate in rates if rate.of], np.float64).reshape(-1, 2)
    sums = counts[_draws(len(counts))].sum(1)
    rate = Rate(int(counts[:, 0].sum()), int(counts[:, 1].sum()))
    return _interval(rate.share or 0.0, sums[:, 0] / np.maximum(sums[:, 1], 1))


def _mean(values: Sequence[float]) -> Interval:
    array = np.array(values)
    return _interval(float(array.mean()), array[_draws(len(array))].mean(1))


def _draws(videos: int) -> NDArray[np.int64]:
    """(times, videos) which are drawn, with replacement; the same on every run."""
    return np.random.default_rng(0).integers(0, videos, (_RESAMPLED, videos)) if videos > 1 else np.empty((0, 1), int)


def _interval(value: float, drawn: Array) -> Interval:
    low, high = np.percentile(drawn, _TAILS).tolist() if len(drawn) else (None, None)
    return Interval(value, low, high)
