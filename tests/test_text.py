"""Counts with their noun, rough times, and names that are safe to show."""

import pytest

from dashredact.templates import Templates
from dashredact.text import plural, printable, rough_time


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 clips"), (1, "1 clip"), (2, "2 clips"), (1234567, "1,234,567 clips")]
)
def test_a_noun_follows_its_count(count: int, words: str) -> None:
    assert plural(count, "clip") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (3600, "60 min"), (7200, "2 h"), (86400, "24 h"), (250000, "3 days")],
)
def test_a_rough_time_has_one_unit(seconds: float, words: str) -> None:
    assert rough_time(seconds) == words


def test_what_a_terminal_or_a_page_would_act_on_is_shown_instead() -> None:
    assert printable("a\nb\x1b[31m\u202ec\u2028") == "a\\nb\\x1b[31m\\u202ec\\u2028"
    assert printable("営業\u3000所 ü") == "営業\u3000所 ü"


def test_a_template_escapes_what_it_shows(tmp_path) -> None:
    (tmp_path / "page.html").write_text(
        '{{ name }} <a href="{{ name|href }}">{{ count|plural("clip") }}</a> {{ nothing }}'
    )
    page = Templates(tmp_path).render("page.html", name="<b>\n&javascript:", count=1, nothing=None)
    assert page == ('&lt;b&gt;\\n&amp;javascript: <a href="./%3Cb%3E%0A%26javascript%3A">1 clip</a> not said')
