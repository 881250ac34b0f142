"""What `evaluate` found, as people and programs read it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashredact.evaluate.masking import NEAR, CurvePoint, Interval, MaskFigures
from dashredact.evaluate.metrics import MIN_IOU, PRECISION, Bin, DetectionMetrics, Rate
from dashredact.evaluate.run import LOWEST_SCORE, Evaluation
from dashredact.imaging.coverage import COVERED_FROM
from dashredact.kinds import KINDS, Kind
from dashredact.text import plural
from dashredact.values import Detector

_CLASS = max(map(len, ("class", *KINDS)))  # characters
_HEADS = f"{'class':{_CLASS}} pictures objects   AP50   AR50  R@P.8  score |  score recall  prec. false/pic.    masked"


def as_dict(detector: Detector, results: Mapping[str, Evaluation], together: Evaluation) -> dict[str, Any]:
    """One document. Shares are 0..1, sizes pixels of the original pictures, null is what could not be measured."""
    return {
        "model": {"name": detector.identity.name, "sha256": detector.identity.sha256},
        "long_side": detector.long_side,
        "lowest_score": LOWEST_SCORE,
        "iou": MIN_IOU,
        "sets": {name: _result(result) for name, result in results.items()},
        "all": _result(together),
    }


def clips_as_dict(
    detector: Detector, figures: Mapping[str, MaskFigures], together: MaskFigures, points: Sequence[CurvePoint]
) -> dict[str, Any]:
    """One document about videos with marked frames."""
    return {
        "model": {"name": detector.identity.name, "sha256": detector.identity.sha256},
        "long_side": detector.long_side,
        "videos": {name: masking(one) for name, one in figures.items()},
        "all": masking(together),
        "curve": curve(points),
    }


def _result(result: Evaluation) -> dict[str, Any]:
    classes = {kind: _class(kind, figures, result.falsely_masked[kind]) for kind, figures in result.classes.items()}
    masks = masking(result.masking) if result.masking else None
    return {"images": result.images, "classes": classes, "masks": masks}


def masking(figures: MaskFigures) -> dict[str, Any]:
    """What masks cover and what they waste, for a program."""
    return {
        "videos": figures.videos,
        "frames": figures.frames,
        "masked_share": _interval_row(figures.masked),
        "wasted_share": {"near": NEAR, **_interval_row(figures.wasted)},
        "classes": {kind: _uncovered(kind, figures) for kind in figures.uncovered},
    }


def curve(points: Sequence[CurvePoint]) -> list[dict[str, Any]]:
    return [
        {
            "believed": point.believed,
            "wasted_share": _round(point.wasted),
            "uncovered": {kind: _rate(rate) for kind, rate in point.uncovered.items()},
            "uncovered_from_size": {kind: _rate(rate) for kind, rate in point.plain.items()},
        }
        for point in points
    ]


def _uncovered(kind: Kind, figures: MaskFigures) -> dict[str, Any]:
    one = figures.uncovered[kind]
    return {
        "covered_from": COVERED_FROM,
        "uncovered": _rate(one.every),
        "uncovered_from_size": {
            "from": kind.row.plain,
            "count": one.plain.count,
            "of": one.plain.of,
            **_interval_row(figures.share[kind]),
        },
        "by_size": _bins(one.sizes),
        "objects_ever_uncovered": _rate(one.tracks),
    }


def _interval_row(interval: Interval) -> dict[str, Any]:
    return {"share": _round(interval.value), "low": _round(interval.low), "high": _round(interval.high)}


def _class(kind: Kind, figures: DetectionMetrics, falsely_masked: float) -> dict[str, Any]:
    return {
        "images": figures.images,
        "objects": figures.objects,
        "ap50": _round(figures.ap50),
        "ar50": _round(figures.ar50),
        "at_precision": {
            "precision": PRECISION,
            "recall": _round(figures.recall_at_precision),
            "score": _round(figures.score_at_precision),
        },
        "at_threshold": {
            "score": figures.threshold,
            "recall": _rate(figures.recall),
            "precision": _rate(figures.precision),
            "false_boxes_per_image": _round(figures.false_per_image),
            "falsely_masked_share": _round(falsely_masked),
        },
        "recall_by_size": _bins(figures.sizes),
        "recall_from_size": {"from": kind.row.plain, **_rate(figures.plain)},
    }


def _bins(bins: tuple[Bin, ...]) -> list[dict[str, Any]]:
    return [{"from": one.least, "below": one.below, **_rate(one.rate)} for one in bins]


def _rate(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    counts = {"count": rate.count, "of": rate.of, "share": _round(rate.share)}
    return {**counts, "low": round(low, 4), "high": round(high, 4)}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def in_words(results: Mapping[str, Evaluation], together: Evaluation) -> str:
    """Tables, then sentences that can stand by themselves."""
    named = {**results, **({"all": together} if len(results) > 1 else {})}
    width = max(len("set"), *map(len, named))
    parts = [
        [f"{'set':{width}} {_HEADS}"],
        [_line(name, width, kind, result) for name, result in named.items() for kind in result.classes],
        ["", f"{'set':{width}} {'class':{_CLASS}}  size px      found      of  recall  95 % interval"],
        [line for name, result in named.items() for line in _size_lines(name, width, result)],
        _mask_lines({name: result.masking for name, result in named.items() if result.masking}, width),
        [""],
        list(_sentences(together)),
    ]
    return "\n".join(line for part in parts for line in part)


def _line(name: str, width: int, kind: Kind, result: Evaluation) -> str:
    figures = result.classes[kind]
    before = (figures.ap50, figures.ar50, figures.recall_at_precision, figures.score_at_precision)
    after = (figures.threshold, figures.recall.share, figures.precision.share)
    masked = 100 * result.falsely_masked[kind]
    return (
        f"{name:{width}} {kind:{_CLASS}} {figures.images:8d} {figures.objects:7d} {' '.join(map(_three, before))} |"
        f" {' '.join(map(_three, after))} {_three(figures.false_per_image):>10} {masked:7.3f} %"
    )


def _three(value: float | None) -> str:
    return f"{'-':>6}" if value is None else f"{value:6.3f}"


def _size_lines(name: str, width: int, result: Evaluation) -> Iterator[str]:
    for kind, figures in result.classes.items():
        for one in figures.sizes:
            share, interval = (_percent(one.rate), _interval(one.rate)) if one.rate.of else ("-", "-")
            counts = f"{one.rate.count:7d} {one.rate.of:7d}"
            yield f"{name:{width}} {kind:{_CLASS}}  {_span(one):10} {counts} {share:>8}  {interval}"


def _mask_lines(named: Mapping[str, MaskFigures], width: int) -> list[str]:
    """Empty where no picture is a frame of a video."""
    if not named:
        return []
    head = f"{'set':{width}} {'class':{_CLASS}} uncovered of frames   share | ever uncovered of objects | masked  waste"
    lines = [
        f"{name:{width}} {kind:{_CLASS}} {_left(one.every)} | {one.tracks.count:14d} {one.tracks.of:10d} |"
        f" {_percent_of(figures.masked.value):>6} {_percent_of(figures.wasted.value):>6}"
        for name, figures in named.items()
        for kind, one in figures.uncovered.items()
    ]
    return ["", head, *lines]


def masks_in_words(named: Mapping[str, MaskFigures], together: MaskFigures, points: Sequence[CurvePoint]) -> str:
    """Of videos alone."""
    every = {**named, **({"all": together} if len(named) > 1 else {})}
    width = max(len("set"), *map(len, every))
    lines = [*_mask_lines(every, width)[1:], *_curve_lines(points), "", *_mask_sentences(together)]
    return "\n".join(lines)


def _curve_lines(points: Sequence[CurvePoint]) -> Iterator[str]:
    for number, point in enumerate(points):
        if not number:
            yield ""
            yield f"{'believed from':13} {'waste':>8}" + "".join(
                f" {kind + 's uncovered':>18}" for kind in point.uncovered
            )
        rates = "".join(f" {f'{rate.count} of {rate.of}':>18}" for rate in point.uncovered.values())
        yield f"{point.believed:13.2f} {_percent_of(point.wasted):>8}{rates}"


def _mask_sentences(figures: MaskFigures) -> Iterator[str]:
    for kind, one in figures.uncovered.items():
        if one.plain.of:
            what = f"{plural(one.plain.of, 'frame')} of {_objects(kind, 0, kind.row.plain)}"
            meaning = f"less than {100 * COVERED_FROM:.0f} % of the box under masks"
            yield f"Of {what}, {_between(figures.share[kind])} were uncovered ({meaning})."
        if tracks := one.tracks.of:
            how = f"{_percent(one.tracks)} {_interval(one.tracks)} were uncovered on one frame or more"
            yield f"Of {tracks} such {kind.row.noun(tracks)}, each followed through its video, {how}."
    masked, wasted = _between(figures.masked), _between(figures.wasted)
    yield f"On average {masked} of a video's picture was masked, and {wasted} of it lay under masks of nothing."


def _between(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return _percent_of(interval.value)
    return f"{_percent_of(interval.value)} [{100 * interval.low:.1f}-{100 * interval.high:.1f} %]"


def _percent_of(share: float) -> str:
    return f"{100 * share:.1f} %"


def _left(rate: Rate) -> str:
    return f"{rate.count:9d} {rate.of:9d} {_percent(rate) if rate.of else '-':>7}"


def _span(one: Bin) -> str:
    if one.below is None:
        return f"from {one.least:g}"
    return f"{one.least:g}-{one.below:g}" if one.least else f"under {one.below:g}"


def _percent(rate: Rate) -> str:
    return f"{100 * (rate.share or 0.0):.1f} %"


def _interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"[{100 * low:.1f}-{100 * high:.1f} %]"


def _sentences(result: Evaluation) -> Iterator[str]:
    for kind, figures in result.classes.items():
        plain = figures.plain
        if plain.of:
            what, how = _objects(kind, plain.of, kind.row.plain), f"(IoU {MIN_IOU:g}, score {figures.threshold:g})"
            yield f"Of {what}, {_percent(plain)} {_interval(plain)} were found {how}."
        else:
            yield f"No {kind} to find is at least {kind.row.plain} px {kind.row.measure}."
        if figures.images:
            false, masked = figures.false_per_image, result.falsely_masked[kind]
            yield f"There were {false:.2f} false {kind} boxes a picture, which would mask {100 * masked:.2f} % of it."
    if result.masking:
        yield from _mask_sentences(result.masking)


def _objects(kind: Kind, count: int, least: float) -> str:
    """`412 plates at least 40 px wide`; without the number where it is 0."""
    return f"{count or ''} {kind.row.noun(count)} at least {least:g} px {kind.row.measure}".lstrip()
