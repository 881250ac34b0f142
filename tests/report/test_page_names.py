"""Names of pages: plain, short, and no two alike."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashredact.report.page_names import pages_of


def test_a_plain_name_stays() -> None:
    assert pages_of(["trip.mp4", "ドラレコ 1.mov"]) == {"trip.mp4": "trip.html", "ドラレコ 1.mov": "ドラレコ 1.html"}


def test_the_batch_page_and_pages_of_other_sources_are_never_taken() -> None:
    pages = pages_of(["index.mp4", "a.mp4", "A.mov", "a.mov"])
    assert pages["a.mp4"] == "a.html"
    assert len({page.casefold() for page in pages.values()} | {"index.html"}) == 5


def test_a_later_source_does_not_rename_an_earlier_one() -> None:
    assert pages_of(["b.mp4"])["b.mp4"] == pages_of(["b.mp4", "b.mov", "a.mp4"])["b.mp4"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/x.mp4", "day/trip.mp4", "-rf.mp4", ".hidden.mp4", "..", "a\nb\0.mp4"]
)
def test_a_name_never_leads_out_of_the_folder(name: str) -> None:
    (page,) = pages_of([name]).values()
    assert "/" not in page and page.isprintable() and page[0] not in ".-"


@given(st.lists(st.text(min_size=1), unique=True, max_size=20))
def test_any_names_give_as_many_files(names: list[str]) -> None:
    pages = pages_of(names)
    assert list(pages) == names
    assert len({page.casefold() for page in pages.values()}) == len(names)
    for page in pages.values():
        assert len(os.fsencode(page)) < 240 and page.endswith(".html") and page != "index.html"
        assert not set(page) & set('/\\:*?"<>|\0\n') and page[0] not in ".-"
