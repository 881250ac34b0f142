"""When a clip was filmed: what a name says, what it only seems to say, and what a container claims."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashredact.media import capture_span


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("front-20260412-081502.mp4", "2026-04-12T08:15:02"),
        ("2026_0412_081502_001F.MP4", "2026-04-12T08:15:02"),
        ("20260412081502.mp4", "2026-04-12T08:15:02"),
        ("REC_2026_04_12_08_15_02_F.MP4", "2026-04-12T08:15:02"),
        ("2026-04-12 08h15m02.mp4", "2026-04-12T08:15:02"),
        ("20260101/front-20260412-081502.mp4", "2026-04-12T08:15:02"),
    ],
)
def test_a_name_with_a_time(name: str, start: str) -> None:
    assert capture_span.from_name(name, 60) == (_at(start), _at(start.replace(":15:", ":16:")), "name")


@pytest.mark.parametrize(
    "name",
    ["front-20260412.mp4", "2026-04-12/front.mp4", "20260412_0015.mp4", "20260412_001.mp4", "20260412_991502.mp4"],
)
def test_a_name_with_a_day_stands_for_all_of_it(name: str) -> None:
    """Four digits more may be a running number."""
    assert capture_span.from_name(name, 60) == (_at("2026-04-12"), _at("2026-04-13"), "name (day only)")


@pytest.mark.parametrize("name", ["clip0001.mp4", "20261399.mp4", "120260412.mp4", "a123456789012.mp4", "", "/"])
def test_a_number_is_no_day(name: str) -> None:
    assert capture_span.from_name(name, 60) is None


@given(st.text())
def test_no_name_breaks_it(name: str) -> None:
    capture_span.from_name(name, 60)
    capture_span.from_log(name, 60)
    capture_span.from_container(name, 60)


def test_a_container_may_mean_utc_or_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    import time  # noqa: PLC0415

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        span = capture_span.from_container("2026-04-12T08:00:00.000000Z", 60)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert span == (_at("2026-04-12T08:00"), _at("2026-04-12T17:01"), "container")


@pytest.mark.parametrize(
    ("start", "end", "meets"),
    [
        (None, None, True),
        ("08:01:00", None, True),
        ("08:01:01", None, False),
        (None, "08:00:00", True),
        (None, "07:59", False),
    ],
)
def test_both_ends_belong_to_it(start: str | None, end: str | None, meets: bool) -> None:
    span = capture_span.CaptureSpan(_at("2026-04-12T08:00"), _at("2026-04-12T08:01"), "name")
    wanted = (_at(f"2026-04-12T{text}") if text else None for text in (start, end))
    assert span.meets(*wanted) is meets


@pytest.mark.parametrize(
    ("name", "captured", "start", "basis"),
    [
        ("front-20260412-081502.mp4", "2026-04-12", "2026-04-12T08:15:02", "name"),
        ("front-20260412-081502.mp4", "2026-04-13", "2026-04-13T00:00", "log"),
        ("front-20260412.mp4", "2026-04-13", "2026-04-13T00:00", "log"),
        ("front-1.mp4", "2026-04-13", "2026-04-13T00:00", "log"),
        ("front-20260412.mp4", "", "2026-04-12T00:00", "name (day only)"),
    ],
)
def test_the_log_says_the_day_and_the_name_the_hour(name: str, captured: str, start: str, basis: str) -> None:
    span = capture_span.told(name, captured, 60)
    assert span is not None and (span.start, span.basis) == (_at(start), basis)
    assert capture_span.day_of(name, captured) == _at(start).date()


def test_what_nothing_dates_has_no_day() -> None:
    assert capture_span.told("front-1.mp4", "", 60) is None and capture_span.day_of("front-1.mp4", "") is None
