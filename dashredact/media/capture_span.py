"""When a clip was filmed, from its name or its container. Cameras' clocks may be wrong: all is a claim."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

_STAMP = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)"
    r"(?:[-_. tT]{0,2}([01]\d|2[0-3])[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d))?(?!\d)"
)
"""Without seconds only the day counts: four digits more may be a running number."""
_DAY = timedelta(days=1)


class CaptureSpan(NamedTuple):
    """A time in which a clip was filmed: local, without a zone, `start <= t <= end`."""

    start: datetime
    end: datetime
    basis: str
    """log, name, container or name (day only)"""

    def meets(self, start: datetime | None, end: datetime | None) -> bool:
        return (start is None or self.end >= start) and (end is None or self.start <= end)


def from_name(name: str, seconds: float) -> CaptureSpan | None:
    """`front-20260412-081502.mp4`, `2026_0412_081502_F.mp4`, `2026-04-12/front.mp4`; files before folders.

    seconds: how long the clip lasts. A name that tells only the day stands for all of it.
    """
    for part in reversed(name.split("/")):
        if found := next(_stamps(part), None):
            start, exact = found
            length = timedelta(seconds=seconds) if exact else _DAY
            return CaptureSpan(start, start + length, "name" if exact else "name (day only)")
    return None


def _stamps(text: str) -> Iterator[tuple[datetime, bool]]:
    """Times in a name, and whether the hour is known."""
    for found in _STAMP.finditer(text):
        try:
            yield datetime(*(int(part or 0) for part in found.groups())), found[4] is not None  # type: ignore[arg-type]
        except ValueError:
            continue  # 20261399 is a number, and no day


def from_log(captured: str, seconds: float) -> CaptureSpan | None:
    """captured: what a line of the audit log says, a day or a time; empty where it does not."""
    try:
        start = datetime.fromisoformat(captured).replace(tzinfo=None)
    except ValueError:
        return None
    length = timedelta(seconds=seconds) if len(captured) > len("2026-04-12") else _DAY
    return CaptureSpan(start, start + length, "log")


def from_container(created: str, seconds: float) -> CaptureSpan | None:
    """created: ISO 8601, in UTC by the rules; many cameras write local time there, so both readings count."""
    try:
        written = datetime.fromisoformat(created)
    except ValueError:
        return None
    plain = written.replace(tzinfo=None)
    local = (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone().replace(tzinfo=None)
    return CaptureSpan(min(plain, local), max(plain, local) + timedelta(seconds=seconds), "container")


def told(name: str, captured: str, seconds: float) -> CaptureSpan | None:
    """What log and name say together: the log's day, to the second where the name knows it."""
    logged, named = from_log(captured, seconds), from_name(name, seconds)
    exact = named is not None and named.basis == "name"
    if logged and not (exact and named and named.start.date() == logged.start.date()):
        return logged
    return named


def day_of(name: str, captured: str) -> date | None:
    """The day of filming, as the log or the name tells it; None where neither does."""
    span = told(name, captured, 0)
    return span.start.date() if span else None
