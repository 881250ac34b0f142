"""The head: a log that is cut, or written anew, is found; a crash between line and head is not mistaken for that."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.audit import chain, heads
from dashredact.audit.heads import EMPTY_HEAD, Head

_FEW = settings(max_examples=60, deadline=None)


def _more(lines: list[str], count: int, mark: str = "") -> list[str]:
    """The same lines, and so many well sealed ones behind them."""
    lines = list(lines)
    for _ in range(count):
        tip = chain.ChainEnd(len(lines), chain.digest(lines[-1])) if lines else chain.START
        lines.append(chain.chain_line({"name": f"ドラレコ{len(lines)}{mark}"}, tip))
    return lines


def _reasons(head: Head, lines: list[str]) -> list[str]:
    found = [*chain.verify(lines), *heads.faults(head, lines), *heads.stale(head, lines)]
    return [f"{fault.line} {fault.reason}" for fault in found]


@_FEW
@given(st.integers(0, 6))
def test_a_whole_log_fits_its_head(count: int) -> None:
    lines = _more([], count)
    head = heads.head_of(lines, EMPTY_HEAD)
    assert head.seq == count
    assert head.bytes == len("".join(line + "\n" for line in lines).encode())
    assert _reasons(head, lines) == []
    assert heads.decode(heads.encode(head)) == head


@_FEW
@given(st.integers(1, 6), st.data())
def test_a_cut_tail_is_found_at_the_first_line_that_is_missing(count: int, data: st.DataObject) -> None:
    lines = _more([], count)
    left = data.draw(st.integers(0, count - 1))
    (reason,) = _reasons(heads.head_of(lines, EMPTY_HEAD), lines[:left])
    assert reason.startswith(f"{left + 1} is missing") and "cut off" in reason


@_FEW
@given(st.integers(1, 6), st.data())
def test_a_log_written_anew_is_found_however_well_it_is_sealed(count: int, data: st.DataObject) -> None:
    lines = _more([], count)
    kept = data.draw(st.integers(0, count - 1))
    forged = _more(lines[:kept], count - kept + data.draw(st.integers(0, 1)), "forged")
    (reason,) = _reasons(heads.head_of(lines, EMPTY_HEAD), forged)
    assert reason.startswith(f"{count} is not the one")


@_FEW
@given(st.integers(0, 5))
def test_a_head_may_be_one_line_behind_and_no_more(count: int) -> None:
    """One is what a crash leaves. Two are a head from yesterday, put back to hide that lines of today are gone."""
    lines = _more([], count)
    head = heads.head_of(lines, EMPTY_HEAD)
    assert _reasons(head, _more(lines, 1)) == []
    (reason,) = _reasons(head, _more(lines, 2))
    assert reason.startswith(f"{count + 1} is the first of 2")


def test_lines_of_releases_that_knew_no_head_may_follow_it() -> None:
    lines = _more([], 2)
    head = heads.head_of(lines, EMPTY_HEAD)
    late = [json.dumps({"schema": chain.SCHEMAS[0]})] * 3
    assert list(heads.stale(head, [*lines, *late])) == []
    assert list(heads.missing(late)) == []
    assert [fault.line for fault in heads.missing([*late, *lines])] == [4]


@_FEW
@given(st.integers(0, 5), st.integers(0, 5), st.data())
def test_a_part_is_checked_by_heads_of_the_whole(first: int, count: int, data: st.DataObject) -> None:
    lines = _more([], first + count)
    start, part = heads.head_of(lines[:first], EMPTY_HEAD), lines[first:]
    named = data.draw(st.integers(0, first + count))
    assert list(heads.faults(heads.head_of(lines[:named], EMPTY_HEAD), part, start)) == []
    other = heads.head_of(_more([], named, "forged"), EMPTY_HEAD)
    assert len(list(heads.faults(other, part, start))) == (1 if named >= max(first, 1) else 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"seq": -1},
        {"seq": "2"},
        {"bytes": -5},
        {"bytes": 1.0},
        {"schema": "dashredact/audit-head/9"},
        {"more": 1},
        {"key": 3},
    ],
    ids=str,
)
def test_what_is_no_head_is_refused(changed: dict[str, object]) -> None:
    told = {**json.loads(heads.encode(heads.head_of(_more([], 2), EMPTY_HEAD))), **changed}
    with pytest.raises(ValueError):
        heads.decode(chain.canonical(told))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "{}"])
def test_what_is_no_json_object_is_no_head(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        heads.decode(text)
