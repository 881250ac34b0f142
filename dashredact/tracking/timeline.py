"""What a chart of a video needs: the masked share of every frame, tracks in rows, few points for many frames."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from dashredact.imaging.coverage import union_area
from dashredact.values import ORIGINS, Array, Origin, Track


class OriginRun(NamedTuple):
    """Frames `first..end` of the video on which a track's boxes came to be in one way."""

    origin: Origin
    first: int
    end: int


class ChartBin(NamedTuple):
    """Neighbouring frames `first..end` as one point of a chart."""

    first: int
    end: int
    mean: float
    most: float


def length(times: Array) -> float:
    """Seconds that a video lasts, its last frame as long as the middle one of all; 0 for a single frame.

    times: (frames,) seconds since the first frame.
    """
    return float(times[-1] + np.median(np.diff(times))) if len(times) > 1 else 0.0


def masked_shares(tracks: Sequence[Track], frames: int, width: int, height: int) -> Array:
    """(frames,) share of the picture, 0..1, that the masks cover together; width, height: pixels of the picture."""
    on_frame: list[list[Array]] = [[] for _ in range(frames)]
    for track in tracks:
        for frame, box in enumerate(track.boxes, track.first):
            on_frame[frame].append(box)
    areas = [union_area(np.array(boxes)) if boxes else 0.0 for boxes in on_frame]
    return np.array(areas) / (width * height)


def bins(values: Array, most: int) -> list[ChartBin]:
    """The values of neighbouring frames together, so that at most `most` are left. None for no values."""
    edges = np.unique(np.linspace(0, len(values), min(most, len(values)) + 1).astype(int)).tolist()
    pairs = pairwise(edges)
    return [ChartBin(a, b, float(values[a:b].mean()), float(values[a:b].max())) for a, b in pairs]


def lanes(tracks: Sequence[Track]) -> list[int]:
    """A row for each track, from 0: the first in which the track before it has ended. tracks: by first frame."""
    ends: list[int] = []
    rows = []
    for track in tracks:
        row = next((number for number, end in enumerate(ends) if end < track.first), len(ends))
        ends[row : row + 1] = [track.end]
        rows.append(row)
    return rows


def runs(track: Track) -> list[OriginRun]:
    found, first = [], track.first
    for number, run in groupby(track.origins):
        end = first + len(list(run))
        found.append(OriginRun(ORIGINS[number], first, end))
        first = end
    return found
