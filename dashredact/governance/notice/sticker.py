"""The sticker as a drawing: where each line of text and each module of the QR code lies. All lengths in millimetres."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import segno

from dashredact.errors import PolicyError
from dashredact.governance.notice import phrases
from dashredact.governance.notice.notice import contact
from dashredact.governance.notice.phrases import LANGUAGES
from dashredact.governance.policy.model import Policy

_WIDTH, _HEIGHT, _BAND, _MARGIN = 148.0, 105.0, 26.0, 7.0
_CODE = 46.0
_QUIET = 4  # modules of white round the code, as its standard asks
_LARGEST, _SMALLEST, _STEP = 4.6, 2.0, 0.2
_LEADING = 1.4
_HANGING = "、。，．）」』】・ー,.)"
"""may not begin a line"""


@dataclass(frozen=True)
class Line:
    x: float
    y: float
    """of the baseline, from the top"""
    size: float
    text: str
    white: bool = False


@dataclass(frozen=True)
class Sticker:
    lines: tuple[Line, ...]
    modules: tuple[tuple[float, float], ...]
    """left top corners of the dark ones"""
    module: float
    """side of one"""
    width: float = _WIDTH
    height: float = _HEIGHT
    band: float = _BAND
    """height of the dark band at the top"""


def draw(policy: Policy) -> Sticker:
    """PolicyError where the texts do not fit."""
    modules, side = _code(policy.notice.address)
    titles = (
        Line(38, 12.5, 8.5, phrases.STICKER["ja"]["title"], white=True),
        Line(38, 21, 5.6, phrases.STICKER["en"]["title"], white=True),
    )
    left, under = _WIDTH - _MARGIN - _CODE + _QUIET * side, _BAND + _MARGIN + _CODE + 4
    more = (Line(left, under + 6 * row, 4, phrases.STICKER[language]["more"]) for row, language in enumerate(LANGUAGES))
    lines = (*titles, *_fitted(policy), *more)
    return Sticker(lines, modules, side)


def _code(address: str) -> tuple[tuple[tuple[float, float], ...], float]:
    matrix = segno.make(address, error="m", micro=False, boost_error=False).matrix
    side = _CODE / (len(matrix) + 2 * _QUIET)
    left, top = _WIDTH - _MARGIN - _CODE + _QUIET * side, _BAND + _MARGIN + _QUIET * side
    dark = tuple(
        (left + x * side, top + y * side) for y, row in enumerate(matrix) for x, module in enumerate(row) if module
    )
    return dark, side


def _fitted(policy: Policy) -> tuple[Line, ...]:
    """The text beside the code, as large as it fits."""
    texts, size = list(_texts(policy)), _LARGEST
    width, room = _WIDTH - 3 * _MARGIN - _CODE, _HEIGHT - _BAND - 1.5 * _MARGIN
    while size > _SMALLEST - _STEP / 2:
        lines, y = [], 0.0
        for text in texts:
            for part in wrapped(text, width / size) if text else ():
                y += size * _LEADING
                lines.append(Line(_MARGIN, _BAND + _MARGIN / 2 + y, round(size, 2), part))
            y += 0 if text else size * 0.6
        if y <= room:
            return tuple(lines)
        size -= _STEP
    raise PolicyError("The texts do not fit on the sticker: shorten the names of operator, purposes and contact.")


def _texts(policy: Policy) -> Iterator[str]:
    """Paragraphs; an empty one is a gap."""
    for language in LANGUAGES:
        yield getattr(policy.operator.name, language)
        for purpose in policy.purposes:
            yield f"・{getattr(purpose.name, language)}"
        yield ""
    desk = [" / ".join(getattr(policy.contact.name, language) for language in LANGUAGES)]
    yield from (*desk, *list(contact(policy, "en"))[1:], policy.notice.address)


def wrapped(text: str, ems: float) -> list[str]:
    """The text in lines of at most that many ems, broken at spaces and between Japanese characters."""
    lines = [""]
    for word in re.findall(r"[!-~]+ ?|.", text):
        if lines[-1] and word not in _HANGING and _ems(lines[-1] + word.rstrip()) > ems:
            lines.append("")
        for char in word:  # a word that is longer than a line is broken anywhere
            if _ems(lines[-1] + char) > ems and lines[-1] and char not in _HANGING + " ":
                lines.append("")
            lines[-1] += char
    return [line.strip() for line in lines if line.strip()]


def _ems(text: str) -> float:
    """On the wide side, because the font is the reader's."""
    return sum(
        1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.9 if char in "MWmw@%" else 0.6 for char in text
    )
