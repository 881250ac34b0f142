"""On which day a video was filmed, as its file name or its container says."""

import re
from collections.abc import Iterator

from dashredact.values import Day

_DAY = re.compile(
    r"(?<![0-9])(20[0-9]{2})(?:([-_.])([0-9]{2})\2?([0-9]{2})|([0-9]{2})([0-9]{2}))"
    r"(?=[^0-9]|$|[0-9]{4}(?:[0-9]{2})?(?:[^0-9]|$))"
)
"""`20260401`, `2026-04-01`, `2026_04_01`, `2026.04.01`, `2026_0401`; a time of four or six digits may follow."""


def in_name(name: str) -> Day | None:
    """The one day that a file name holds; None where it holds none, or several. name: may stand behind its folders."""
    days = set(_days(name.rpartition("/")[2]))
    return days.pop() if len(days) == 1 else None


def _days(text: str) -> Iterator[Day]:
    for found in _DAY.finditer(text):
        parts = [int(part) for part in found.group(1, 3, 4, 5, 6) if part]
        try:
            yield Day(*parts)
        except ValueError:
            continue
