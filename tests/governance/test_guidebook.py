"""Each item of the guidebook is answered from the policy and the audit log, with evidence and standing."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from log_lines import events
from policies import FULL, changed, policy

from dashredact.governance.notice import pages
from dashredact.governance.notice.evidence import Case
from dashredact.governance.notice.guidebook import Answer, Certainty, ItemVerdict, check

_SHA = "ab" * 32
_TODAY = date(2026, 5, 10)
_OTHER = {"source": {"name": "b.mp4", "sha256": "d" * 64}, "output": {"name": "b.masked.mp4", "sha256": "f" * 64}}
_OUTSIDE = {"B2", "B3", "B5", "N2", "C1", "C2", "C3", "H5", "H6", "M2", "M4", "M5"}
_NEED_LOG = {"B8", "C4", "H2", "H4", "M1"}


def _line(day: str = "2026-05-09", **changes: Any) -> dict[str, Any]:
    """What the log says of a masked video."""
    settings = {
        "audio": "drop",
        "gps": "drop",
        "hide": {"style": "blur"},
        "link": {"thresholds": {"face": 0.4, "plate": 0.4}},
    }
    line = {
        "time": f"{day}T01:02:03+00:00",
        "outcome": "masked",
        "policy": _SHA,
        "source": {"name": "a.mp4", "sha256": "c" * 64},
        "output": {"name": "a.masked.mp4", "sha256": "e" * 64},
        "settings": settings | changes.pop("settings", {}),
    }
    return line | changes


def _answers(
    content: Any = FULL,
    log: Sequence[Mapping[str, Any]] | None = (_line(),),
    exposed: Sequence[str] = (),
    today: date = _TODAY,
) -> dict[str, Answer]:
    log_events = None if log is None else events(*log)
    return {answer.item.id: answer for answer in check(Case(policy(content), _SHA, today, log_events, exposed))}


def _missed(answers: Mapping[str, Answer]) -> set[str]:
    return {name for name, answer in answers.items() if answer.verdict is ItemVerdict.NOT_MET}


def test_every_item_is_answered_once_with_evidence() -> None:
    answers = check(Case(policy(), _SHA, _TODAY, events(_line())))
    names = [answer.item.id for answer in answers]
    assert names == [*(f"B{n}" for n in range(1, 9)), "N1", "N2", "N3", "N3'", "N4", *(f"C{n}" for n in range(1, 5)),
                     *(f"H{n}" for n in range(1, 8)), *(f"M{n}" for n in range(1, 7))]  # fmt: skip
    assert all(answer.evidence and all(answer.evidence) for answer in answers)
    assert {answer.item.certainty for answer in answers} == set(Certainty)


def test_a_good_policy_with_a_good_log_misses_nothing() -> None:
    answers = _answers()
    assert _missed(answers) == set()
    assert {name for name, answer in answers.items() if answer.verdict is ItemVerdict.OUTSIDE} == _OUTSIDE


def test_without_a_log_nothing_that_it_alone_shows_is_met() -> None:
    assert _missed(_answers(log=None)) == _NEED_LOG
    assert _missed(_answers(log=())) == _NEED_LOG - {"M1"}


@pytest.mark.parametrize(
    ("line", "missed"),
    [
        (_line(settings={"audio": "keep"}), "B8"),
        (_line(settings={"gps": "keep"}), "B8"),
        (_line(policy="no policy"), "C4"),
        (_line(policy="cd" * 32), "C4"),
        (_line(settings={"hide": {"style": "none"}}), "H2"),
        (_line(settings={"link": {"thresholds": {"face": 0.4}}}), "H4"),
        (_line(outcome="needs review"), "H4"),
        (_line("2026-05-01"), "H1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_does_not_fit_is_named(line: dict[str, Any], missed: str) -> None:
    refused = {"time": "2026-05-09T00:00:00+00:00", "outcome": "refused", "source": {"name": "b", "sha256": None}}
    answers = _answers(log=(_line(), refused, line | _OTHER))
    assert _missed(answers) == {missed}
    assert any(told.startswith("audit line 3: ") for told in answers[missed].evidence)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (_line("2026-05-01"), {"act": "purged", "source": {"name": "a.mp4", "sha256": "c" * 64}}),
        (_line(outcome="needs review"), {"act": "reviewed", "source": {"name": "a.mp4", "sha256": "c" * 64}}),
    ],
    ids=["purged", "reviewed"],
)
def test_a_later_line_puts_it_right(first: dict[str, Any], then: dict[str, Any]) -> None:
    assert _missed(_answers(log=(first,)))
    assert not _missed(_answers(log=(first, {"time": "2026-05-09T00:00:00+00:00", **then})))


@pytest.mark.parametrize(
    ("place", "value", "missed"),
    [
        (("notice", "published"), date(2026, 4, 1), "N1"),
        (("retention", "captured"), 8, "H1"),
        (("review_by",), date(2026, 5, 9), "M6"),
    ],
    ids=["lead time", "kept long", "review overdue"],
)
def test_a_policy_that_falls_short_is_told(place: tuple[str, ...], value: Any, missed: str) -> None:
    answers = _answers(changed(place, value))
    assert _missed(answers) == {missed}
    assert any(told.startswith(".".join(place)) for told in answers[missed].evidence)


def test_a_written_reason_allows_to_keep_longer() -> None:
    content = changed(("retention", "captured"), 30)
    content["retention"] |= {"reason": "the insurer needs a month"}
    assert _missed(_answers(content)) == set()


def test_a_file_that_others_can_read_is_told() -> None:
    answers = _answers(exposed=["a.masked.mp4", "b.masked.mp4"])
    assert _missed(answers) == {"M1"}
    assert answers["M1"].evidence == ("a.masked.mp4 and 1 more: others than the owner can read it",)


def test_many_lines_are_counted() -> None:
    (told,) = _answers(log=tuple(_line() for _ in range(20)))["B8"].evidence
    assert told == "audit lines 1, 2, 3, 4, 5, 6, 7, 8 and 12 more: sound and positions dropped"


def test_the_page_holds_every_answer_and_escapes_hostile_names() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    answers = tuple(_answers(exposed=[hostile]).values())
    text = pages.guidebook_page(answers, hostile, "2026-05-10")
    assert hostile not in text and "&lt;img src=x" in text
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']", text) and "<script" not in text
    assert [answer.item.id for answer in answers if f"<td>{answer.item.asks}</td>" not in text] == []
    assert "1 not met" in text


def test_a_request_that_is_overdue_is_told() -> None:
    asked = {"act": "requested", "request": {"id": 1, "kind": "copy", "due": str(_TODAY)}}
    done = {"act": "answered", "request": {"id": 1}}
    assert _answers(log=(_line(), asked))["M5"].evidence[-1] == "audit line 2: requests that are open"
    late = {"act": "requested", "request": {"id": 1, "kind": "copy", "due": "2026-01-01"}}
    answer = _answers(log=(_line(), late))["M5"]
    assert (answer.verdict, answer.evidence[-1]) == (ItemVerdict.NOT_MET, "audit line 2: requests that are overdue")
    assert _answers(log=(_line(), late, done))["M5"].verdict is ItemVerdict.OUTSIDE
