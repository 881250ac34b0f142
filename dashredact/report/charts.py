"""Where things lie on a chart: plain numbers in units of the drawing, which the templates draw as SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.report.values import Masks
from dashredact.review import flags
from dashredact.tracking import timeline
from dashredact.values import Origin, Track

WIDTH = 1000.0
LEFT = 50.0
"""where a chart's time begins; what is left of it is for labels"""
ROW = 9.0
"""height of a track's row"""
_BAR = 6.0
_STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)  # seconds between ticks
_MOST_TICKS = 10
_POINTS = 400
_TABLE = 20
SHAPES = {
    "circle": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "square": "M-3.5-3.5h7v7h-7z",
    "triangle": "M0-5l5 8.5h-10z",
    "diamond": "M0-5l5 5l-5 5l-5-5z",
    "bar": "M-5-2h10v4h-10z",
}
"""SVG paths around 0, 0 of the marks of tracks: kinds differ by shape, since not everybody tells colours apart."""


@dataclass(frozen=True)
class Bar:
    """A track on the timeline."""

    track: Track
    y: float
    x: float
    width: float
    sighted: tuple[float, float]
    """x and width from the first to the last sight; what was bridged lies in between"""
    seen: str
    """an SVG path over the frames on which it was seen"""


@dataclass(frozen=True)
class Panel:
    """The tracks of one kind."""

    kind: Kind
    bars: Sequence[Bar]
    height: float


@dataclass(frozen=True)
class Tick:
    x: float
    seconds: float


@dataclass(frozen=True)
class Share:
    """The masked share over time."""

    mean: str
    """points of the SVG polygon of the means"""
    most: str
    """points of the SVG line of the largest"""
    top: float
    """share at the upper edge"""
    rows: Sequence[timeline.ChartBin]
    """the same in few rows, for a table"""


class Scale:
    """From seconds to where they lie."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._factor = (WIDTH - LEFT) / max(masks.length, 1e-9)

    def at(self, seconds: float) -> float:
        return round(LEFT + seconds * self._factor, 2)

    def frame(self, frame: int) -> float:
        return self.at(self._masks.starts(frame))

    def ticks(self) -> list[Tick]:
        length = self._masks.length
        step = next((step for step in _STEPS if length / step <= _MOST_TICKS), length / _MOST_TICKS)
        return [Tick(self.at(step * number), step * number) for number in range(int(length / step) + 1)]


def panels(masks: Masks) -> list[Panel]:
    """A panel for each kind that has tracks."""
    shown = []
    for kind in Kind:
        tracks = sorted((track for track in masks.tracks if track.kind is kind), key=lambda track: track.first)
        rows = timeline.rows(tracks)
        scale = Scale(masks)
        bars = [_bar(track, row, scale) for track, row in zip(tracks, rows, strict=True)]
        if bars:
            shown.append(Panel(kind, bars, ROW * (max(rows) + 1)))
    return shown


def _bar(track: Track, row: int, scale: Scale) -> Bar:
    y, x = ROW * row, scale.frame(track.first)
    seen = [run for run in timeline.origin_runs(track) if run.origin in (Origin.DETECTED, Origin.MANUAL)]
    near = scale.frame(seen[0].first) if seen else x
    far = scale.frame(seen[-1].end) if seen else x
    path = "".join(f"M{a:g} {y:g}h{b - a:.4g}v{_BAR:g}H{a:g}z" for a, b in _joined(seen, scale))
    return Bar(track, y, x, round(scale.frame(track.end) - x, 2), (near, round(far - near, 2)), path)


def _joined(seen: Sequence[timeline.OriginRun], scale: Scale) -> Iterator[tuple[float, float]]:
    """Sights that lie less than a unit apart are drawn as one: a long track must not weigh more than its page."""
    spans = [(scale.frame(run.first), scale.frame(run.end)) for run in seen]
    while spans:
        near, far = spans.pop(0)
        while spans and spans[0][0] - far < 1:
            far = spans.pop(0)[1]
        yield near, far


@dataclass(frozen=True)
class Dot:
    """A track on the chart of scores."""

    track: Track
    x: float
    score: float

    @property
    def shape(self) -> str:
        """An SVG path around 0, 0."""
        return SHAPES[self.track.kind.row.shape]


def legend(masks: Masks) -> str:
    """`Circles are faces, squares are plates`: the kinds that were to be masked, and others that have tracks."""
    there = {track.kind for track in masks.tracks}
    rows = [kind.row for kind in Kind if kind in (masks.thresholds or SHIPPED_KINDS) or kind in there]
    return ", ".join(f"{row.shape}s are {row.plural}" for row in rows).capitalize()


def dots(masks: Masks) -> list[Dot]:
    """The best score of each track that was ever seen, at its middle."""
    scale = Scale(masks)
    scores = [(track, flags.best_score(track)) for track in masks.tracks]
    return [Dot(track, scale.frame((track.first + track.end) // 2), score) for track, score in scores if score > 0]


def share(masks: Masks, height: float) -> Share:
    """height: of the drawing, share 0 at its bottom."""
    scale, points = Scale(masks), timeline.bins(masks.shares, _POINTS)
    top = max(float(masks.shares.max(initial=0.0)) * 1.1, 0.01)

    def y(value: float) -> str:
        return f"{height * (1 - value / top):.1f}"

    middles = [scale.at((masks.starts(one.first) + masks.starts(one.end)) / 2) for one in points]
    means = [f"{x:g},{y(one.mean)}" for x, one in zip(middles, points, strict=True)]
    most = [f"{x:g},{y(one.max)}" for x, one in zip(middles, points, strict=True)]
    floor = [f"{middles[0]:g},{height:g}", *means, f"{middles[-1]:g},{height:g}"]
    return Share(" ".join(floor), " ".join(most), top, timeline.bins(masks.shares, _TABLE))
