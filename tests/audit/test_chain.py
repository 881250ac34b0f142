"""The hash chain: whoever changes, removes, adds or moves a line is found, at that line."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashredact.audit import chain

OURS = ("schema", "seq", "prev", "sha256", "key", "signature")
_FEW = settings(max_examples=60, deadline=None)

_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text
_value = _leaf | st.lists(_leaf, max_size=2) | st.dictionaries(_text, _leaf, max_size=2)
_record = st.dictionaries(_text.filter(lambda name: name != "sha256"), _value, max_size=3)
_records = st.lists(_record, min_size=2, max_size=4)


def _chain(records: list[dict[str, Any]]) -> list[str]:
    lines, tip = [], chain.START
    for record in records:
        lines.append(chain.chain_line(record, tip))
        tip = chain.advance(lines[-1], tip)
    return lines


def _faulty(lines: list[str]) -> list[int]:
    return [fault.line for fault in chain.verify(lines)]


@_FEW
@given(_records)
def test_a_chain_as_written_has_no_fault_and_gives_its_records_back(records: list[dict[str, Any]]) -> None:
    lines = _chain(records)
    assert _faulty(lines) == []
    for number, (line, record) in enumerate(zip(lines, records, strict=True), 1):
        told = json.loads(line)
        assert "\n" not in line
        assert told["seq"] == number
        assert all(told[name] == value for name, value in record.items() if name not in OURS)


@settings(max_examples=200, deadline=None)
@given(_records, st.data())
def test_any_changed_character_is_found_at_its_line(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _chain(records)
    index = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[index]) - 1))
    other = data.draw(st.characters(exclude_categories=("Cs",)) | st.sampled_from(' 0123456789abcdef"{}:,\\'))
    assume(other != lines[index][place])
    lines[index] = lines[index][:place] + other + lines[index][place + 1 :]
    assert _faulty(lines)[0] == index + 1


@_FEW
@given(_records, st.data())
def test_any_lengthened_or_shortened_line_is_found_at_its_line(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    lines = _chain(records)
    index = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[index]) - 1))
    middle = data.draw(st.sampled_from(("", " ", "\t", "\r", lines[index][place] * 2)))
    lines[index] = lines[index][:place] + middle + lines[index][place + 1 :]
    assert _faulty(lines)[0] == index + 1


@pytest.mark.parametrize("line", [0, 1])
@pytest.mark.parametrize("form", ["{} ", " {}", "{}\r", "\t{}", "\ufeff{}"], ids=ascii)
def test_blanks_around_a_line_are_found_at_that_line(form: str, line: int) -> None:
    lines = _chain([{"a": 1}, {"a": 2}])
    lines[line] = form.format(lines[line])
    assert _faulty(lines)[0] == line + 1


@_FEW
@given(_records, st.data())
def test_a_line_changed_with_a_fitting_sha256_is_found_at_the_next(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    lines = _chain(records)
    index = data.draw(st.integers(0, len(lines) - 2))
    told = json.loads(lines[index])
    del told["sha256"]
    told["added"] = f"to {told.get('added')}"
    own = hashlib.sha256(_canonical(told).encode()).hexdigest()
    lines[index] = _canonical({**told, "sha256": own})
    assert _faulty(lines) == [index + 2]


def _canonical(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@_FEW
@given(_records, st.data())
def test_a_removed_line_is_found_where_it_is_missing(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _chain(records)
    index = data.draw(st.integers(0, len(lines) - 2))
    del lines[index]
    assert _faulty(lines)[0] == index + 1


@_FEW
@given(_records, st.data())
def test_a_line_that_stands_twice_is_found_at_the_copy(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _chain(records)
    index = data.draw(st.integers(0, len(lines) - 1))
    lines.insert(index + 1, lines[index])
    assert _faulty(lines)[0] == index + 2


@_FEW
@given(_records, st.data())
def test_swapped_lines_are_found_at_the_first_of_them(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _chain(records)
    one, other = sorted(data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True)))
    lines[one], lines[other] = lines[other], lines[one]
    assert _faulty(lines)[0] == one + 1


@_FEW
@given(_records, _record, st.data())
def test_an_inserted_line_is_found_even_if_it_is_well_sealed(
    records: list[dict[str, Any]], forged: dict[str, Any], data: st.DataObject
) -> None:
    lines = _chain(records)
    index = data.draw(st.integers(0, len(lines) - 1))
    tip = chain.START
    for line in lines[:index]:
        tip = chain.advance(line, tip)
    added = chain.chain_line(forged, tip)
    assume(added != lines[index])
    lines.insert(index, added)
    assert _faulty(lines)[0] == index + 2


@pytest.mark.parametrize("line", ["", "{", "nothing", "[]", "null", '"text"', "7", "{}"])
def test_what_is_no_line_of_ours_is_a_fault_and_not_a_crash(line: str) -> None:
    lines = _chain([{"a": 1}, {"a": 2}])
    assert _faulty([lines[0], line])[0] == 2


def test_a_chain_that_does_not_begin_at_the_beginning_is_found() -> None:
    lines = _chain([{"a": 1}, {"a": 2}, {"a": 3}])
    assert _faulty(lines[1:])[0] == 1


@pytest.mark.parametrize(
    "name", ["ダッシュカム 2026.mp4", "Fußgänger→.mov", "\u2028\u0085.mp4", "🚗\r.mkv", '"\\\n.mp4']
)
def test_any_name_survives_in_one_line(name: str) -> None:
    lines = _chain([{"source": {"name": name}}, {"source": {"name": name}}])
    assert _faulty(lines) == []
    assert all("\n" not in line and json.loads(line)["source"]["name"] == name for line in lines)


def test_the_faults_say_what_happened() -> None:
    lines = _chain([{"a": 1}, {"a": 2}, {"a": 3}])
    lines[1] = lines[1].replace('"a":2', '"a":7')
    first, second = chain.verify(lines)
    assert first.line == 2 and "its own sha256" in first.reason
    assert second.line == 3 and "line before" in second.reason


def test_versions_may_be_mixed_and_an_unknown_one_is_found() -> None:
    lines = _chain([{"a": 1}, {"a": 2}, {"a": 3}])
    for schema, wanted in (("dashredact/audit/1", []), ("dashredact/audit/9", [2])):
        mixed, tip = [], chain.START
        for number, line in enumerate(lines):
            told = json.loads(line)
            del told["sha256"]
            told |= {"prev": tip.sha256, "schema": schema if number == 1 else chain.SCHEMA}
            mixed.append(_canonical({**told, "sha256": hashlib.sha256(_canonical(told).encode()).hexdigest()}))
            tip = chain.advance(mixed[-1], tip)
        assert _faulty(mixed) == wanted


def test_a_part_of_a_chain_is_checked_from_the_line_before_it() -> None:
    lines = _chain([{"a": n} for n in range(5)])
    before = chain.ChainEnd(2, chain.digest(lines[1]))
    assert list(chain.verify(lines[2:], before)) == []
    assert next(chain.verify(lines[3:], before)).line == 3


def test_what_a_record_claims_to_be_is_not_taken_over() -> None:
    """Else a record could pass for a signed line, or for one in another place."""
    told = json.loads(
        chain.chain_line({"seq": 7, "key": "forged", "signature": "forged", "schema": "other"}, chain.START)
    )
    assert sorted(told) == ["prev", "schema", "seq", "sha256"]
    assert (told["seq"], told["schema"]) == (1, chain.SCHEMA)
