"""When a clip was filmed: what a name says, what it only seems to say, and which evidence counts."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from capture_names import DAY, DAY_ONLY, EXACT, NAMES, NOTHING, SEVERAL
from clips import Library, ffmpeg
from hypothesis import given
from hypothesis import strategies as st

from dashredact.errors import UnreadableError
from dashredact.media.capture_time import (
    CaptureTime,
    ContainerTime,
    Doubt,
    Evidence,
    Span,
    capture_time,
    read_container,
)

TODAY = date(2099, 12, 31)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _by_container(created: str, name: str = "front-1.mp4", today: date = TODAY) -> CaptureTime:
    return capture_time(name, today=today, container=lambda: ContainerTime(created))


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_a_name_says(name: str) -> None:
    assert capture_time(name, today=TODAY) == NAMES[name]


def test_a_recording_with_two_times_began_between_them() -> None:
    when = capture_time("20260412080000_20260412080100.mp4", today=TODAY)
    assert when == replace(EXACT, began=Span(_at("2026-04-12T08:00"), _at("2026-04-12T08:01")))


@given(
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y_%m%d", "%Y%m%d%H%M%S"]),
    st.text("abF_- 前"),
    st.text("abF_- 前"),
    st.booleans(),
)
def test_every_form_is_read_between_other_text(day: date, form: str, before: str, after: str, folder: bool) -> None:
    text = f"{before}{day.strftime(form)}{after}"
    when = capture_time(f"{text}/front.mp4" if folder else f"{text}.mp4", today=TODAY)
    assert (when.day, when.evidence) == (day, Evidence.FOLDER if folder else Evidence.NAME)


@given(
    st.lists(st.dates(date(2000, 1, 1), date(2099, 12, 31)), min_size=2, max_size=3, unique=True),
    st.lists(st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y_%m%d", "%Y%m%d%H%M%S"]), min_size=3, max_size=3),
    st.sampled_from(["-", "_", " ", "~", " to ", "__"]),
)
def test_a_range_of_days_is_never_read_as_one_of_them(days: list[date], forms: list[str], between: str) -> None:
    text = between.join(day.strftime(form) for day, form in zip(days, forms, strict=False))
    assert capture_time(f"{text}.mp4", today=TODAY) == SEVERAL


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_it(name: str, logged: str, created: str) -> None:
    when = capture_time(name, today=TODAY, logged=logged, container=lambda: ContainerTime(created))
    assert when.day is None or (when.evidence and when.began and when.span(1.0))


# --- which evidence counts -------------------------------------------------------------------------------------------

_OTHER = date(2026, 4, 13)


@pytest.mark.parametrize(
    ("name", "logged", "expected"),
    [
        ("front-20260412-081502.mp4", "2026-04-12", replace(EXACT, evidence=Evidence.LOG)),
        ("front-20260412.mp4", "2026-04-12", replace(DAY_ONLY, evidence=Evidence.LOG)),
        ("20260411_20260413.mp4", "2026-04-12", replace(DAY_ONLY, evidence=Evidence.LOG)),
        ("front-20260413-081502.mp4", "2026-04-12", replace(DAY_ONLY, evidence=Evidence.LOG)),
        ("2026-04-13/front.mp4", "2026-04-12", replace(DAY_ONLY, evidence=Evidence.LOG)),
        ("front-1.mp4", "2026-04-12", replace(DAY_ONLY, evidence=Evidence.LOG)),
        ("front-20260412.mp4", "", DAY_ONLY),
        ("front-20260412.mp4", "yesterday", DAY_ONLY),
    ],
)
def test_the_log_says_the_day_and_the_name_the_hour(name: str, logged: str, expected: CaptureTime) -> None:
    assert capture_time(name, today=TODAY, logged=logged) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_day_that_a_person_gives_counts_before_all_else(name: str) -> None:
    when = capture_time(
        name, today=TODAY, given=_OTHER, logged=str(DAY), container=lambda: ContainerTime("2026-04-12T12:00:00Z")
    )
    assert (when.evidence, when.day, when.source) == (Evidence.GIVEN, _OTHER, "given (day only)")


@pytest.mark.parametrize("name", NAMES)
def test_a_container_counts_where_the_name_says_nothing_not_where_it_is_ambiguous(name: str) -> None:
    when = _by_container("2026-04-13T12:00:00Z", name)
    if NAMES[name] == NOTHING:
        assert (when.evidence, when.day) == (Evidence.CONTAINER, _OTHER)
    else:
        assert when == NAMES[name]


@pytest.mark.parametrize("words", [{"given": date.max}, {"logged": str(date.max)}])
def test_the_last_day_of_all_is_no_bug(words: dict[str, object]) -> None:
    assert capture_time("a.mp4", today=TODAY, **words).doubt is Doubt.TO_COME  # type: ignore[arg-type]


def test_a_container_is_not_read_in_vain() -> None:
    def read() -> ContainerTime:
        raise AssertionError

    assert capture_time("20260412.mp4", today=TODAY, container=read).day == DAY


@pytest.mark.parametrize(
    "words",
    [
        {"name": "front-20260414.mp4"},
        {"name": "2026-04-14/front.mp4"},
        {"name": "front-20260412.mp4", "given": date(2026, 4, 14)},
        {"name": "front-20260412.mp4", "logged": "2026-04-14"},
        {"name": "front-1.mp4", "container": lambda: ContainerTime("2026-04-14T12:00:00Z")},
    ],
)
def test_a_day_that_is_still_to_come_is_not_believed_and_nothing_replaces_it(words: dict[str, object]) -> None:
    """Tomorrow may be a camera's time zone."""
    with_container = {"container": lambda: ContainerTime("2026-04-12T12:00:00Z"), **words}
    when = capture_time(**with_container, today=DAY)  # type: ignore[arg-type]
    assert (when.day, when.began, when.doubt) == (None, None, Doubt.TO_COME)
    assert capture_time(**with_container, today=_OTHER).day == date(2026, 4, 14)  # type: ignore[arg-type]


# --- containers ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("tokyo")
def test_a_container_may_mean_utc_or_local_time() -> None:
    when = _by_container("2026-04-12T08:00:00.000000Z")
    began = Span(_at("2026-04-12T08:00"), _at("2026-04-12T17:00"))
    assert when == CaptureTime(Evidence.CONTAINER, DAY, began, Doubt.UTC_OR_LOCAL)
    assert when.span(60) == (began.start, _at("2026-04-12T17:01"))


@pytest.mark.usefixtures("tokyo")
def test_a_container_whose_two_readings_are_of_two_days_has_no_day() -> None:
    when = _by_container("2026-04-12T20:00:00Z")
    began = Span(_at("2026-04-12T20:00"), _at("2026-04-13T05:00"))
    assert when == CaptureTime(Evidence.CONTAINER, None, began, Doubt.SEVERAL_DAYS)


@pytest.mark.parametrize("created", ["1904-01-01T00:00:00Z", "1970-01-01T00:00:01.000000Z", "0001-01-02T00:00:00Z"])
def test_a_clock_that_was_never_set_says_no_day(created: str) -> None:
    assert _by_container(created) == CaptureTime(Evidence.CONTAINER, doubt=Doubt.CLOCK_NOT_SET)


@pytest.mark.parametrize("created", ["", "yesterday", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_a_container_without_a_readable_time_says_nothing(created: str) -> None:
    assert _by_container(created) in (NOTHING, CaptureTime(Evidence.CONTAINER, doubt=Doubt.TO_COME))


def test_a_container_is_read_with_its_length(clip: Library, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg("-i", clip("30.mp4"), "-c", "copy", "-metadata", "creation_time=2026-04-12T08:17:00Z", path)
    told = read_container(path)
    assert told.created.startswith("2026-04-12T08:17:00") and told.seconds == pytest.approx(1.0, abs=0.2)
    assert read_container(clip("30.mp4")).created == ""


def test_what_is_no_video_has_no_container(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\xff\xd8\xff and more")
    with pytest.raises(UnreadableError, match="is a JPEG picture"):
        read_container(path)


# --- spans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [
        (None, None, True),
        ("08:16:02", None, True),
        ("08:16:03", None, False),
        (None, "08:15:02", True),
        (None, "08:15:01", False),
    ],
)
def test_both_ends_belong_to_a_span(first: str | None, last: str | None, overlaps: bool) -> None:
    span = EXACT.span(60)
    assert span is not None
    assert span.overlaps(*(_at(f"2026-04-12T{text}") if text else None for text in (first, last))) is overlaps


def test_a_clip_may_run_on_into_the_next_day() -> None:
    assert DAY_ONLY.span(60) == (_at("2026-04-12"), _at("2026-04-13T00:00:59.999999"))
    assert SEVERAL.span(60) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 30)), st.floats(0, 86400))
def test_a_moment_of_the_clip_is_in_its_span(moment: datetime, length: float) -> None:
    began = moment.replace(microsecond=0)
    middle = began + timedelta(seconds=length / 2)
    for name in (began.strftime("%Y%m%d_%H%M%S"), began.strftime("%Y-%m-%d")):
        span = capture_time(f"{name}.mp4", today=TODAY).span(length)
        assert span and span.overlaps(middle, middle)


@pytest.mark.parametrize(
    ("when", "source", "why_undated"),
    [
        (EXACT, "name", ""),
        (DAY_ONLY, "name (day only)", ""),
        (SEVERAL, "name (several days)", "name: several days"),
        (NOTHING, "", ""),
    ],
)
def test_evidence_and_doubt_in_words(when: CaptureTime, source: str, why_undated: str) -> None:
    assert (when.source, when.why_undated) == (source, why_undated)
