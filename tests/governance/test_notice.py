"""The page says all that the policy says, in both languages, loads nothing, and is not taken in by hostile text."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from policies import FULL, Place, changed, keys, policy, without

from dashredact.governance.notice import notice, pages
from dashredact.governance.notice.phrases import HEADINGS, LANGUAGES, Language

_HOSTILE = "<script>alert('1')</script>\"&{{ 7*7 }}{% raw %}"
_VOID = {"meta", "br", "link", "img"}


class _Page(HTMLParser):
    """Text by language and section, every tag and every attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: dict[tuple[str, str], str] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._open: list[str] = []
        self._language = self._key = ""
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        told = dict(attrs)
        if tag == "article":
            self._language = told["lang"] or ""
        if tag == "section":
            self._key = told["data-key"] or ""
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "section":
            self._key = ""

    def handle_data(self, data: str) -> None:
        if self._key:
            place = self._language, self._key
            self.sections[place] = self.sections.get(place, "") + data


def _page(content: Any = FULL) -> _Page:
    return _Page(pages.notice_page(policy(content), "0" * 64))


_WHERE = {
    ("operator", "name"): "operator",
    ("benefit",): "benefit",
    ("contact", "name"): "contact",
    ("notice", "area"): "cameras",
    ("purposes", "name"): "purposes",
    ("purposes", "made"): "made",
    ("cameras", "view"): "cameras",
    ("recipients", "name"): "recipients",
    ("processors", "name"): "processors",
    ("processors", "task"): "processors",
}
"""The section in which a text of the policy stands."""

_SAID = {
    "purposes": {"ja": ["撮影"], "en": ["film the streets"]},
    "cameras": {
        "ja": ["120台", "車外向き", "車内向き", "防犯", "事故の証明"],
        "en": ["120 vehicles", "Facing outward", "Facing the cabin", "security", "Proof of accidents"],
    },
    "masking": {"ja": ["処理済", "検出漏れ"], "en": ["masked", "can miss"]},
    "identifiable": {
        "ja": ["道路地図の更新: 個人を識別しません", "事故の証明: 個人を識別できる"],
        "en": ["Keeping road maps up to date: no person is", "Proof of accidents: a person can be"],
    },
    "recipients": {"ja": ["道路地図の更新"], "en": ["Keeping road maps up to date"]},
    "retention": {
        "ja": ["処理前): 3日", "処理済の映像: 365日", "1825日"],
        "en": ["before masking: 3 days", "Masked footage: 365 days", "1825 days"],
    },
    "contact": {"ja": ["camera@example.jp", "03-0000-0000"], "en": ["camera@example.jp", "03-0000-0000"]},
    "start": {"ja": ["2026年4月1日", "2026年3月1日"], "en": ["1 April 2026", "1 March 2026"]},
}


def _words(place: Place) -> tuple[str, ...]:
    return tuple(part for part in place if isinstance(part, str))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_policy_stands_in_its_section(language: Language) -> None:
    found = _page().sections
    places = [place for place in keys() if place[-1] == language]
    assert {_words(place)[:-1] for place in places} == _WHERE.keys()
    for place in places:
        text = FULL
        for part in place:
            text = text[part]  # type: ignore[index]
        assert text in found[language, _WHERE[_words(place)[:-1]]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_other_field_is_said_too(language: Language) -> None:
    found = _page().sections
    assert {key for own, key in found if own == language} == HEADINGS.keys()
    assert [(key, text) for key, by in _SAID.items() for text in by[language] if text not in found[language, key]] == []


def test_the_cabin_camera_is_said_not_to_be_used() -> None:
    found = _page().sections
    assert "客席(撮影目的: 防犯)。このカメラの映像は上記の目的に利用しません。" in found["ja", "cameras"]
    assert found["en", "cameras"].count("is not used for the above") == 1


@pytest.mark.parametrize("key", ["recipients", "processors"])
def test_nobody_is_said_where_there_is_nobody(key: str) -> None:
    found = _page(changed((key,), [])).sections
    assert "ありません" in found["ja", key] and "Nobody" in found["en", key]


def test_a_contact_without_telephone_has_none() -> None:
    assert "03-" not in _page(without(("contact", "phone"))).sections["ja", "contact"]


def test_the_page_loads_nothing() -> None:
    page = _page()
    loading = {"src", "srcset", "action", "data", "poster", "background", "style"}
    assert not set(page.tags) & {"script", "link", "img", "iframe", "object", "embed", "form", "svg", "base"}
    assert not [entry for entry in page.attributes if entry[1] in loading or entry[1].startswith("on")]
    addresses = {value for _, name, value in page.attributes if name == "href"}
    assert addresses == {"#ja", "#en", FULL["notice"]["address"]}
    text = pages.notice_page(policy(), "0" * 64)
    assert set(re.findall(r"[a-z]+://[^\s\"<]+", text)) == {FULL["notice"]["address"]}
    assert "default-src 'none'" in text and "url(" not in text and "@import" not in text


@pytest.mark.parametrize("place", [place for place in keys() if place[-1] in ("ja", "en")], ids=str)
def test_hostile_text_stays_text(place: Place) -> None:
    page, usual = _page(changed(place, _HOSTILE)), _page()
    assert page.tags == usual.tags
    assert [entry[:2] for entry in page.attributes] == [entry[:2] for entry in usual.attributes]
    assert _HOSTILE in page.sections[str(place[-1]), _WHERE[_words(place)[:-1]]]


def test_json_holds_what_is_public_and_the_text_of_the_page() -> None:
    told = json.loads(json.dumps(notice.as_dict(policy(), "f" * 64)))
    assert told["policy_sha256"] == "f" * 64
    assert told["policy"]["operator"] == FULL["operator"]
    assert told["policy"]["retention"] == FULL["retention"]
    assert told["policy"]["notice"]["start"] == "2026-04-01"
    assert [purpose["id"] for purpose in told["policy"]["purposes"]] == ["road-map", "evidence"]
    found = _page().sections
    for language in LANGUAGES:
        for section in told["text"][language]["sections"]:
            assert all(line in found[language, section["key"]] for line in section["lines"])


def test_what_is_not_public_is_in_neither() -> None:
    told = json.dumps(notice.as_dict(policy(), "0" * 64)) + pages.notice_page(policy(), "0" * 64)
    assert [secret for secret in ("2026-17", "2026-18", "front-", "second_person", "share") if secret in told] == []
