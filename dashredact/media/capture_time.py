"""When a clip was filmed, as a person, the audit log, its name or its container says.

The policy gate, export, retention and search all ask here, so that a clip which one of them calls undated gets no day
from another. The first of these that says anything decides; where it leaves the day open, no weaker one replaces it.
Cameras' clocks may be wrong: every answer is a claim.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from dashredact.media.header import read_header

_GLUED_TIME = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){1,2}(?!\d)"
_DAY = re.compile(rf"(?<!\d)(?=((20[0-9]{{2}})([-_.]?)([0-9]{{2}})\3?([0-9]{{2}}))(?:(?!\d)|{_GLUED_TIME}))")
"""`20260412`, `2026-04-12`, `2026_0412`, with one kind of separator. Digits right behind it must be a time, HHMM or
HHMMSS. Matches nothing but a position, so that a day which begins inside another one is seen too."""
_TIME = re.compile(r"[-_. tT]{0,2}([01][0-9]|2[0-3])[-_.:h]?([0-5][0-9])[-_.:m]?([0-5][0-9])(?!\d)")
"""Behind a day. Without seconds it does not count: four digits may as well be a running number."""
_FIRST_YEAR = 2000  # clocks that were never set write 1904 or 1970
_AHEAD = timedelta(days=1)  # that a camera may be in front of us, by its time zone


class Evidence(StrEnum):
    """What says when a clip was filmed, strongest first."""

    GIVEN = "given"
    """by a person, on the command line"""
    LOG = "log"
    NAME = "name"
    """of the file"""
    FOLDER = "folder"
    """names of the folders that the file lies in, all of them together"""
    CONTAINER = "container"


class Doubt(StrEnum):
    """What the evidence leaves open. The last three leave the day open."""

    DAY_ONLY = "day only"
    UTC_OR_LOCAL = "UTC or local time"
    """By the rules a container's time is UTC; many cameras write local time there. Here both are of one day."""
    SEVERAL_DAYS = "several days"
    TO_COME = "still to come"
    CLOCK_NOT_SET = "clock not set"


class Span(NamedTuple):
    """Local times without a zone, `start <= t <= end`."""

    start: datetime
    end: datetime

    def overlaps(self, first: datetime | None, last: datetime | None) -> bool:
        """Both ends belong to it; None leaves a side open."""
        return (first is None or self.end >= first) and (last is None or self.start <= last)


@dataclass(frozen=True)
class CaptureTime:
    """When a clip was filmed, and how that is known."""

    evidence: Evidence | None = None
    """None where nothing says anything"""
    day: date | None = None
    """None where it is unknown: nobody may guess one"""
    began: Span | None = None
    """between which times the recording began, also where these are of several days; None where that is unknown"""
    doubt: Doubt | None = None

    @property
    def source(self) -> str:
        """Evidence and doubt for people, such as `name (day only)`; empty where nothing says anything."""
        return f"{self.evidence or ''} ({self.doubt})" if self.doubt else str(self.evidence or "")

    @property
    def why_undated(self) -> str:
        """What leaves the day open, such as `name: several days`; empty where it is known, or nothing says anything."""
        return "" if self.day or not self.doubt else f"{self.evidence}: {self.doubt}"

    def span(self, seconds: float) -> Span | None:
        """All times that may be in the clip. seconds: how long it lasts."""
        return self.began and Span(self.began.start, self.began.end + timedelta(seconds=seconds))


@dataclass(frozen=True)
class ContainerTime:
    """What a container says of itself."""

    created: str = ""
    """ISO 8601; empty where it does not say"""
    seconds: float | None = None
    """how long it lasts"""


def capture_time(
    name: str,
    *,
    today: date,
    given: date | None = None,
    logged: str = "",
    container: Callable[[], ContainerTime] | None = None,
) -> CaptureTime:
    """The one answer to when a clip was filmed.

    name: of the clip, behind its folders, as the audit log has it. today: a later day than tomorrow is not believed.
    given: the day as a person gave it. logged: the day of the audit log, ISO 8601; empty where it has none.
    container: reads it, and is called only where nothing else says anything.
    """
    named = _by_name(name)
    if stated := given or _logged_day(logged):
        when = _stated(stated, Evidence.GIVEN if given else Evidence.LOG, named)
    elif named.evidence or container is None:
        when = named
    else:
        when = _by_container(container().created)
    if when.began and when.began.start.date() > today + _AHEAD:
        return CaptureTime(when.evidence, doubt=Doubt.TO_COME)
    return when


def read_container(path: Path) -> ContainerTime:
    """By ffprobe, within a minute. Raises UnreadableError where the file is no video."""
    header = read_header(path)
    tags = [owner.get("tags", {}) for owner in (header["format"], *header.get("streams", []))]
    created = next((str(one["creation_time"]) for one in tags if "creation_time" in one), "")
    return ContainerTime(created, _seconds(header["format"].get("duration")))


def _stated(day: date, evidence: Evidence, named: CaptureTime) -> CaptureTime:
    """On that day, and at the hour of the name if the name says the same day."""
    if named.day == day and named.doubt is None:
        return replace(named, evidence=evidence)
    return _day_only(day, evidence)


def _day_only(day: date, evidence: Evidence) -> CaptureTime:
    began = Span(datetime.combine(day, time.min), datetime.combine(day, time.max))
    return CaptureTime(evidence, day, began, Doubt.DAY_ONLY)


def _by_name(name: str) -> CaptureTime:
    *folders, file = name.split("/")
    if mentions := list(_mentions(file)):
        return _agreed(mentions, Evidence.NAME)
    # Clips of one trip share its folder: a time there is when the trip began.
    if mentions := [(day, None) for folder in folders for day, _ in _mentions(folder)]:
        return _agreed(mentions, Evidence.FOLDER)
    return CaptureTime()


def _agreed(mentions: Sequence[tuple[date, datetime | None]], evidence: Evidence) -> CaptureTime:
    days = {day for day, _ in mentions}
    if len(days) > 1:
        return CaptureTime(evidence, doubt=Doubt.SEVERAL_DAYS)
    (day,) = days
    times = [moment for _, moment in mentions if moment]
    return CaptureTime(evidence, day, Span(min(times), max(times))) if times else _day_only(day, evidence)


def _mentions(text: str) -> Iterator[tuple[date, datetime | None]]:
    """Days in a text, each with the moment where a time of day follows."""
    matches = list(_DAY.finditer(text))
    limits = [*(match.start() for match in matches), len(text)][1:]  # `20260412_2026-04-13` holds no 20:26:04
    for match, limit in zip(matches, limits, strict=True):
        try:
            day = date(int(match[2]), int(match[4]), int(match[5]))
        except ValueError:
            continue  # 20261399 is a number, not a day
        clock = _TIME.match(text, match.end(1), limit)
        moment = time(int(clock[1]), int(clock[2]), int(clock[3])) if clock else None
        yield day, datetime.combine(day, moment) if moment else None


def _logged_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _by_container(created: str) -> CaptureTime:
    try:
        stamp = datetime.fromisoformat(created)
        local = (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return CaptureTime()
    if min(stamp.year, local.year) < _FIRST_YEAR:
        return CaptureTime(Evidence.CONTAINER, doubt=Doubt.CLOCK_NOT_SET)
    written = stamp.replace(tzinfo=None)
    began = Span(min(written, local), max(written, local))
    if written.date() != local.date():
        return CaptureTime(Evidence.CONTAINER, None, began, Doubt.SEVERAL_DAYS)
    return CaptureTime(Evidence.CONTAINER, local.date(), began, None if written == local else Doubt.UTC_OR_LOCAL)


def _seconds(duration: Any) -> float | None:
    try:
        seconds = float(duration)
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
