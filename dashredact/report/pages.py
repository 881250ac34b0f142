"""The pages of a report as text."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dashredact.audit.describe import decision
from dashredact.kinds import Kind
from dashredact.report import charts, words
from dashredact.report.page_names import INDEX
from dashredact.report.values import DiskState, Folder, Masks, Video
from dashredact.review import flags
from dashredact.review.flags import Flag, Reason
from dashredact.templates import Templates
from dashredact.text import plural
from dashredact.values import Origin

MARK = "dashredact report"
"""stands as generator in every page, so that a later report knows pages of ours"""
_SHARE_HEIGHT = 120.0
_FIRST = 12  # flagged tracks that are listed at once
_MAX_HOLES = 200  # in a table: an hour of video may have many thousand


def video(shown: Video) -> str:
    """The page of one video."""
    return _templates().render("video.html", video=shown, summary=words.of_video(shown))


def index(folder: Folder) -> str:
    """The page of the batch."""
    return _templates().render("index.html", folder=folder, summary=words.of_folder(folder))


@cache
def _templates() -> Templates:
    folder = Path(__file__).parent / "templates"
    filters: dict[str, Callable[..., Any]] = {
        "clock": words.clock,
        "percent": _percent,
        "flat": _flat,
        "why": _why,
        "decision": decision,
    }
    names = {
        "mark": MARK,
        "index": INDEX,
        "style": (folder / "style.css").read_text("utf-8") + _kind_styles(),
        "charts": charts,
        "share_of": lambda masks: charts.share(masks, _SHARE_HEIGHT),
        "share_height": _SHARE_HEIGHT,
        "best_score": flags.best_score,
        "frames_of": flags.frames_of,
        "origins": Origin,
        "states": DiskState,
        "first_flagged": _FIRST,
        "max_holes": _MAX_HOLES,
    }
    return Templates(folder, filters, names)


def _kind_styles() -> str:
    """A class for each kind that sets the colour of its marks; paper is light."""
    light, dark = (" ".join(f".{kind} {{ --kind: {kind.row.colours[ground]}; }}" for kind in Kind) for ground in (0, 1))
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark} }}\n"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _flat(value: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    """`link.thresholds.face`, 0.4: nested settings as rows."""
    return list(_rows(value, name))


def _rows(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _rows(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from _rows(inner, f"{name} {number}")
    else:
        yield name, "none" if value in (None, "", [], {}) else str(value)


def _why(one: Flag, masks: Masks) -> str:
    """A reason with its figure: `low score: 0.43`."""
    figure = {
        Reason.LOW_SCORE: f"{one.figure:.2f} at best",
        Reason.SINGLE_SIGHTING: "seen on one frame",
        Reason.ENDS_INSIDE: f"at {words.clock(masks.starts(one.first))}",
        Reason.TOUCHES_BORDER: plural(round(one.figure), "frame"),
        Reason.SMALL: f"{one.figure:.0f} px at most",
        Reason.LARGE: f"{one.figure:.0%} of the picture",
        Reason.BRIDGED: f"{one.figure:.2f} s unseen",
        Reason.LONG_EXTENDED: f"{plural(round(one.figure), 'frame')} extended",
    }
    return f"{one.reason} ({figure[one.reason]})"
