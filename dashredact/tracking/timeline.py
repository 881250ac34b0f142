"""Data for charts of a video: the masked fraction of each frame, binned values, and a row for each track."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from dashredact.imaging.coverage import union_area
from dashredact.values import ORIGINS, Array, Origin, Track


class OriginRun(NamedTuple):
    """Consecutive frames `first..end` on which the boxes of a track have the same origin."""

    origin: Origin
    first: int
    end: int


class ChartBin(NamedTuple):
    """Values of consecutive frames `first..end`, as one point of a chart."""

    first: int
    end: int
    mean: float
    max: float


def duration(times: Array) -> float:
    """Duration of a video in seconds; its last frame is given the median duration. 0 for a single frame.

    times: (frames,) seconds since the first frame.
    """
    return float(times[-1] + np.median(np.diff(times))) if len(times) > 1 else 0.0


def masked_shares(tracks: Sequence[Track], frames: int, width: int, height: int) -> Array:
    """(frames,) fraction of the picture under the union of the masks. width, height: of the picture in pixels."""
    on_frame: list[list[Array]] = [[] for _ in range(frames)]
    for track in tracks:
        for frame, box in enumerate(track.boxes, track.first):
            on_frame[frame].append(box)
    areas = [union_area(np.array(boxes)) if boxes else 0.0 for boxes in on_frame]
    return np.array(areas) / (width * height)


def bins(values: Array, max_bins: int) -> list[ChartBin]:
    """The values in at most `max_bins` bins of about equal length; no bins if there are no values."""
    edges = np.unique(np.linspace(0, len(values), min(max_bins, len(values)) + 1).astype(int)).tolist()
    matches = pairwise(edges)
    return [ChartBin(a, b, float(values[a:b].mean()), float(values[a:b].max())) for a, b in matches]


def rows(tracks: Sequence[Track]) -> list[int]:
    """A row for each track, from 0, so that tracks in a row do not overlap. tracks: sorted by first frame."""
    ends: list[int] = []
    assigned = []
    for track in tracks:
        row = next((number for number, end in enumerate(ends) if end < track.first), len(ends))
        ends[row : row + 1] = [track.end]
        assigned.append(row)
    return assigned


def origin_runs(track: Track) -> list[OriginRun]:
    """The frames of a track, divided where the origin of its boxes changes."""
    result, first = [], track.first
    for number, run in groupby(track.origins):
        end = first + len(list(run))
        result.append(OriginRun(ORIGINS[number], first, end))
        first = end
    return result
