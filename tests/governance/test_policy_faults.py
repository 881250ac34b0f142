"""A policy that lacks something is refused, and the clerk reads which field and what to write there."""

import tomllib
from datetime import datetime
from typing import Any

import pytest
from policies import FULL, SHORT, Place, changed, inside, keys, policy, toml, without

from dashredact.errors import ExitCode, PolicyError
from dashredact.governance.policy.faults import parse
from dashredact.governance.policy.template import template

_OPTIONAL = {("contact", "phone")}
_REQUIRED = [place for place in keys() if place not in _OPTIONAL]
_TABLES: list[Place] = [(), *(place for place in keys() if isinstance(inside(FULL, place), dict))]
_LEGAL = ["anonymised data", "We ANONYMIZE it", "匿名化", "匿名加工情報", "仮名加工情報", "ａｎｏｎｙｍｉｓｅｄ"]


def _said(place: Place) -> str:
    """How a message names the place, written down here once more: `cameras 1: view.ja`."""
    words = ""
    for part in place:
        words = f"{words} {part + 1}:" if isinstance(part, int) else f"{words}{_joint(words)}{part}"
    return words


def _joint(words: str) -> str:
    return "" if not words else " " if words.endswith(":") else "."


def _refused(content: Any) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        parse(content if isinstance(content, str) else toml(content))
    assert caught.value.exit_code == ExitCode.REFUSED_BY_POLICY
    assert all(fault.count("\n") == 0 and fault.endswith(".") for fault in caught.value.args)
    return caught.value.args


def test_a_complete_policy_is_read() -> None:
    assert policy().operator.name.ja == FULL["operator"]["name"]["ja"]
    assert parse(SHORT).recipients[0].purposes == ("road-map",)


@pytest.mark.parametrize("place", _REQUIRED, ids=_said)
def test_a_field_that_is_missing_is_named(place: Place) -> None:
    (fault,) = _refused(without(place))
    assert fault.startswith(f"{_said(place)} is missing: write ")


@pytest.mark.parametrize("place", [p for p in _REQUIRED if not isinstance(inside(FULL, p), dict | list)], ids=_said)
@pytest.mark.parametrize("blank", ["", "  "], ids=["empty", "spaces"])
def test_a_field_that_is_blank_is_named(place: Place, blank: str) -> None:
    faults = _refused(changed(place, blank))
    assert [fault.startswith(f"{_said(place)} is ") for fault in faults] == [True]


@pytest.mark.parametrize("table", _TABLES, ids=_said)
def test_a_key_that_is_not_known_is_refused(table: Place) -> None:
    (fault,) = _refused(changed((*table, "colour"), "red"))
    assert fault.startswith(f"{_said((*table, 'colour'))} is not known")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("retention", "captured"), "3"),
        (("retention", "captured"), -1),
        (("retention", "captured"), 1.5),
        (("retention", "captured"), True),
        (("review", "share"), 1.01),
        (("review", "second_person"), "true"),
        (("review", "second_person"), 1),
        (("review_by",), "1 April 2027"),
        (("notice", "address"), "javascript:alert(1)"),
        (("notice", "address"), 'https://example.jp/"><script>'),
        (("notice", "vehicles"), 0),
        (("notice", "vehicles"), 10**400),
        (("notice", "start"), datetime(2026, 4, 1, 12)),
        (("review", "share"), float("nan")),
        (("review", "share"), float("inf")),
        (("contact", "email"), "nobody"),
        (("contact", "phone"), "call us"),
        (("cameras", 0, "facing"), "forward"),
        (("cameras", 0, "files"), "front/*.mp4"),
        (("cameras", 0, "purpose"), "Sale"),
        (("purposes", 0, "id"), "road map"),
        (("purposes", 0, "identifiable"), "no"),
        (("operator", "name", "en"), "x" * 81),
        (("operator", "name", "en"), "two\nlines"),
        (("operator", "name", "en"), "\u202eturned"),
        (("operator", "name", "en"), "\x00"),
        (("recipients", 0, "purposes"), []),
        (("operator",), "Mihon"),
        (("cameras",), {}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_does_not_belong_there_is_named(place: Place, value: Any) -> None:
    (fault,) = _refused(changed(place, value))
    assert fault.startswith(f"{_said(place)} ") and ": write " in fault


@pytest.mark.parametrize("words", _LEGAL)
@pytest.mark.parametrize(
    "place", [("benefit", "ja"), ("purposes", 0, "made", "en"), ("contact", "name", "en")], ids=_said
)
def test_the_name_of_a_legal_category_is_refused_and_not_repeated(words: str, place: Place) -> None:
    (fault,) = _refused(changed(place, words))
    assert fault.startswith(_said(place)) and "masked" in fault and words not in fault


@pytest.mark.parametrize("address", ["https://example.jp/anonymised", "https://anonymized.example.jp"])
def test_not_even_the_address_may_hold_it(address: str) -> None:
    (fault,) = _refused(changed(("notice", "address"), address))
    assert fault.startswith("notice.address")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("notice", "start"), FULL["notice"]["published"].replace(day=1, month=2), "notice.start lies before"),
        (("retention", "audit"), 364, "retention.audit is shorter"),
        (("purposes", 1, "id"), "road-map", "purposes: the id road-map is used 2 times"),
        (("cameras", 0, "purpose"), "sale", "cameras 1: purpose"),
        (("recipients", 0, "purposes"), ["road-map", "sale"], "recipients 1: purposes"),
    ],
    ids=str,
)
def test_fields_that_contradict_each_other_are_named(place: Place, value: Any, said: str) -> None:
    faults = _refused(changed(place, value))
    assert any(fault.replace(": lies", " lies").replace(": is", " is").startswith(said) for fault in faults)


def test_every_fault_is_told_at_once() -> None:
    content = without(("benefit",)) | {"review_by": "", "colour": "red"}
    assert [fault.split()[0] for fault in _refused(content)] == ["benefit", "review_by", "colour"]


@pytest.mark.parametrize(
    "text",
    ["= 1", "a = [", "\x00", "a = " + "[" * 5000 + "]" * 5000, "a = 1" + "0" * 9000],
    ids=["key", "open", "nul", "deep", "long"],
)
def test_what_is_no_policy_is_one_sentence(text: str) -> None:
    assert len(_refused(text)) == 1


def test_no_table_at_all_names_every_table() -> None:
    assert [fault.split()[0] for fault in _refused("")] == [
        *("benefit", "review_by", "operator", "contact", "notice", "purposes"),
        *("cameras", "retention", "review", "recipients", "processors"),
    ]


def test_the_template_holds_every_field_blank_and_is_refused_by_every_name() -> None:
    content = tomllib.loads(template())
    places = [place for place in keys(content) if not isinstance(inside(content, place), dict | list)]
    assert {fault.split(" is blank")[0] for fault in _refused(template())} == {_said(place) for place in places}
    known = {tuple(part for part in place if isinstance(part, str)) for place in _REQUIRED}
    assert {tuple(part for part in place if isinstance(part, str)) for place in keys(content)} == known
    assert max(map(len, template().splitlines())) <= 120


def test_the_template_filled_in_is_complete() -> None:
    content = tomllib.loads(template())
    for place in keys(content):
        if not isinstance(inside(content, place), dict | list):
            inside(content, place[:-1])[place[-1]] = inside(FULL, place)
    assert policy(content).cameras[0].files == FULL["cameras"][0]["files"]
