"""The pages as text: jinja2 with everything escaped. File names are whatever a camera or an attacker calls a file."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.filters import do_urlencode

from dashredact.kinds import Kind
from dashredact.report import charts, words
from dashredact.report.page_names import INDEX
from dashredact.report.values import FileState, Folder, Masks, Video
from dashredact.review import risk
from dashredact.review.risk import Reason, Risk
from dashredact.values import Origin

MARK = "dashredact report"
"""stands as generator in every page, so that a later report knows pages of ours"""
_SHARE_HEIGHT = 120.0
_FOREMOST = 12  # risky tracks that are listed at once
_MOST_HOLES = 200  # in a table: an hour of video may have many thousand


def video(shown: Video) -> str:
    """The page of one video."""
    return _environment().get_template("video.html").render(video=shown, said=words.of_video(shown))


def index(folder: Folder) -> str:
    """The page of the batch."""
    return _environment().get_template("index.html").render(folder=folder, said=words.of_folder(folder))


@cache
def _environment() -> Environment:
    templates = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters |= {"clock": words.clock, "percent": _percent, "href": _href, "flat": _flat, "why": _why}
    environment.globals |= {
        "mark": MARK,
        "index": INDEX,
        "style": (templates / "style.css").read_text("utf-8") + _kind_styles(),
        "charts": charts,
        "share_of": lambda masks: charts.share(masks, _SHARE_HEIGHT),
        "share_height": _SHARE_HEIGHT,
        "best_score": risk.best_score,
        "frames_of": risk.frames_of,
        "origins": Origin,
        "states": FileState,
        "reasons": list(Reason),
        "foremost": _FOREMOST,
        "most_holes": _MOST_HOLES,
    }
    return environment


def _kind_styles() -> str:
    """A class for each kind that sets the colour of its marks; paper is light."""
    light, dark = (" ".join(f".{kind} {{ --kind: {kind.row.colours[ground]}; }}" for kind in Kind) for ground in (0, 1))
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark} }}\n"


def _printable(value: Any) -> Any:
    """Names may hold newlines, and signs that turn the direction of writing: they are shown as Python writes them."""
    if value is None:
        return "not said"
    if type(value) is not str or value.isprintable():
        return value
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in value)


def _href(page: str) -> str:
    """A link to a page beside this one: never another scheme, never another folder."""
    return f"./{do_urlencode(page)}"


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


def _why(one: Risk, masks: Masks) -> str:
    """A reason with its figure: `low score: 0.43`."""
    figure = {
        Reason.LOW_SCORE: f"{one.figure:.2f} at best",
        Reason.SINGLE_SIGHTING: "seen on one frame",
        Reason.ENDS_INSIDE: f"at {words.clock(masks.starts(one.first))}",
        Reason.TOUCHES_BORDER: f"{one.figure:.0f} frames",
        Reason.SMALL: f"{one.figure:.0f} px at most",
        Reason.BRIDGED: f"{one.figure:.2f} s unseen",
        Reason.LONG_EXTENDED: f"{one.figure:.0f} frames extended",
    }
    return f"{one.reason} ({figure[one.reason]})"
