"""The day of filming in file names."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashredact.media.capture_day import in_name


@pytest.mark.parametrize(
    "name",
    [
        "20260401.mp4",
        "front-20260401.mp4",
        "20260401120000_F.mp4",
        "202604011200.mp4",
        "20260401_201211_05.mp4",
        "20260401T120000Z.mp4",
        "2026-04-01 12-00-00.mp4",
        "2026_04_01.mp4",
        "2026.04.01.mp4",
        "2026_0401_201211_0001F.MP4",
        "sub/20250101/front-20260401.mp4",
        "20260401-20260401.mp4",
        "ドラレコ20260401前.mp4",
    ],
)
def test_one_day(name: str) -> None:
    assert in_name(name) == date(2026, 4, 1)


@pytest.mark.parametrize(
    "name",
    [
        "front-1.mp4",
        "20261301.mp4",
        "20260230.mp4",
        "260401.mp4",
        "19990401.mp4",
        "120260401.mp4",
        "202604011.mp4",
        "2026040112000.mp4",
        "2026-04_01.mp4",
        "2026-0401-2026-0402.mp4",
        "20260401-20260402.mp4",
        "20260401/front.mp4",
        "01-04-2026.mp4",
        "",
    ],
)
def test_no_day_or_no_single_one(name: str) -> None:
    assert in_name(name) is None


@given(
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y_%m%d", "%Y%m%d%H%M%S"]),
    st.text("abF_- 前"),
    st.text("abF_- 前"),
)
def test_every_form_is_read_between_other_text(day: date, form: str, before: str, after: str) -> None:
    assert in_name(f"{before}{day.strftime(form)}{after}.mp4") == day


@given(st.text(max_size=60))
def test_any_name_can_be_asked(name: str) -> None:
    in_name(name)
