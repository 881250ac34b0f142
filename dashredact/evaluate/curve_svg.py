"""The curve of cover against waste as a picture, SVG."""

from collections.abc import Sequence

from dashredact.evaluate.masking import CurvePoint
from dashredact.kinds import Kind
from dashredact.settings import Caution

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _RIGHT, _TOP = 640, 420, 64, 48, 24, 28
_TICKS = 5
_STYLE = "font: 12px sans-serif; fill: #333"


def draw(points: Sequence[CurvePoint]) -> bytes:
    """A line for each kind, from most cautious to least: across the waste, up what stays uncovered, in percent."""
    kinds = list(points[0].uncovered)
    shares = {kind: [100 * (point.uncovered[kind].share or 0.0) for point in points] for kind in kinds}
    waste = [100 * point.wasted for point in points]
    right, top = _ceiling(max(waste)), _ceiling(max(max(own) for own in shares.values()))

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + x / right * (_WIDTH - _LEFT - _RIGHT)
        return round(across, 1), round(_HEIGHT - _BOTTOM - y / top * (_HEIGHT - _BOTTOM - _TOP), 1)

    parts = [_axes(right, top)]
    for number, kind in enumerate(kinds):
        way = [place(x, y) for x, y in zip(waste, shares[kind], strict=True)]
        parts.append(_line(kind, way, points, _TOP + 16 * number))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" style="background: #fff">'
    return "\n".join((head, *parts, "</svg>\n")).encode()


def _ceiling(value: float) -> float:
    """The next number of 1, 2 or 5 times a power of ten, at least 0.1."""
    steps = [step * 10.0**power for power in (-1, 0, 1, 2) for step in (1, 2, 5)]
    return next((step for step in steps if step >= value), 100.0)


def _axes(right: float, top: float) -> str:
    inner, low = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BOTTOM
    rows = [f'<path d="M{_LEFT} {_TOP}V{low}H{_WIDTH - _RIGHT}" fill="none" stroke="#333"/>']
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        x, y = _LEFT + share * inner, low - share * (low - _TOP)
        rows.append(
            f'<text x="{x:.0f}" y="{low + 16}" text-anchor="middle" style="{_STYLE}">{share * right:.3g}</text>'
        )
        rows.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end" style="{_STYLE}">{share * top:.3g}</text>'
        )
    middle = _LEFT + inner / 2
    waste, uncovered = "% of the picture under masks of nothing", "% of objects uncovered"
    rows.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 12}" text-anchor="middle" style="{_STYLE}">{waste}</text>')
    rows.append(f'<text x="8" y="16" style="{_STYLE}">{uncovered}</text>')
    return "\n".join(rows)


def _line(kind: Kind, way: Sequence[tuple[float, float]], points: Sequence[CurvePoint], y: int) -> str:
    colour = kind.row.colours[0]
    names = {level.believed: level.value for level in Caution}
    route = " ".join(f"{x},{y}" for x, y in way)
    rows = [f'<polyline points="{route}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for (x, across), point in zip(way, points, strict=True):
        name = names.get(point.believed)
        rows.append(f'<circle cx="{x}" cy="{across}" r="{5 if name else 2.5}" fill="{colour}"/>')
        if name:
            rows.append(f'<text x="{x + 8}" y="{across - 6}" style="{_STYLE}">{name}</text>')
    rows.append(f'<text x="{_WIDTH - _RIGHT}" y="{y}" text-anchor="end" style="{_STYLE}; fill: {colour}">{kind}</text>')
    return "\n".join(rows)
