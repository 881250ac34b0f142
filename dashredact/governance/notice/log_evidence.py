"""What an audit log, or the output folder, shows for items of the guidebook."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from dashredact.governance.notice.evidence import Case, EvidenceFound, key, met, outside
from dashredact.governance.policy.gates import MUST_BE_MASKED
from dashredact.text import plural

_LONGEST_UNEXPLAINED = 7  # days that unmasked footage may be kept without a reason
_LISTED = 8  # lines that one piece of evidence names


def _lines(numbers: Sequence[int]) -> str:
    """`audit line 3`, `audit lines 1, 2 and 40 more`"""
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return f"audit {'line' if len(numbers) == 1 else 'lines'} {', '.join(map(str, numbers[:_LISTED]))}{more}"


def _act(record: Mapping[str, Any]) -> str:
    return str(record.get("act", record.get("outcome", "")))


def _masked(case: Case) -> list[tuple[int, Mapping[str, Any]]]:
    """Lines that tell of a masked video, with their numbers from 1."""
    made = ("masked", "needs review", "corrected")
    return [(number, record) for number, record in enumerate(case.log or (), 1) if _act(record) in made]


def _every(case: Case, good: Callable[[Mapping[str, Any]], bool], right: str, wrong: str) -> EvidenceFound:
    """Whether it is so of every masked video of the log."""
    if case.log is None:
        return EvidenceFound(False, ("not shown: no audit log was given; add --out",))
    masked = _masked(case)
    bad = [number for number, record in masked if not good(record)]
    if bad:
        return EvidenceFound(False, (f"{_lines(bad)}: {wrong}",))
    if not masked:
        return EvidenceFound(False, ("not shown: the audit log tells of no masked video",))
    return met(f"{_lines([number for number, _ in masked])}: {right}")


def _setting(record: Mapping[str, Any], *path: str) -> Any:
    value: Any = record.get("settings", {})
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def only_needed(case: Case) -> EvidenceFound:
    return _every(
        case,
        lambda record: _setting(record, "audio") == "drop" and _setting(record, "gps") == "drop",
        "sound and positions dropped",
        "sound or positions kept",
    )


def no_hidden_purpose(case: Case) -> EvidenceFound:
    return _every(
        case,
        lambda record: case.sha256 in str(record.get("policy", "")),
        "run under this policy, so for a published purpose",
        "not run under this policy",
    )


def discarded(case: Case) -> EvidenceFound:
    kept, reason = case.policy.retention.captured, case.policy.retention.reason
    told = (f"retention.captured: {kept} days", *([f"retention.reason: {reason}"] if reason else []))
    if kept > _LONGEST_UNEXPLAINED and not reason:
        return EvidenceFound(False, (*told, f"more than {_LONGEST_UNEXPLAINED} days need retention.reason"))
    if overdue := _overdue(case):
        return EvidenceFound(
            False, (*told, f"{_lines(overdue)}: the time is over and no line tells that the source was purged")
        )
    return met(*told)


def _overdue(case: Case) -> list[int]:
    """Lines of masked videos whose sources should be gone by now."""
    purged = {name for record in case.log or () if _act(record) == "purged" for name in _names(record)}
    last = (case.today - timedelta(days=case.policy.retention.captured)).isoformat()
    old = [(number, record) for number, record in _masked(case) if str(record.get("time", ""))[:10] < last]
    return [number for number, record in old if purged.isdisjoint(_names(record))]


def _names(record: Mapping[str, Any]) -> Iterable[str]:
    """sha256 of the sources that a line is about."""
    parts = [record.get("source"), *(record.get("files") or [])]
    return [str(part["sha256"]) for part in parts if isinstance(part, Mapping) and part.get("sha256")]


def masked(case: Case) -> EvidenceFound:
    styles = ("blur", "mosaic", "fill")
    right = "masked with few mean colours or filled, and the file checked"
    return _every(case, lambda record: _setting(record, "hide", "style") in styles, right, "no known way of masking")


def by_chance(case: Case) -> EvidenceFound:
    if doubtful := _doubtful(case):
        return EvidenceFound(False, (f"{_lines(doubtful)}: a person has to look, and no line tells that one did",))
    kinds = set(MUST_BE_MASKED)
    return _every(
        case,
        lambda record: kinds <= set(_setting(record, "link", "thresholds") or ()),
        "faces and plates masked; a detector can miss some",
        "only faces or only plates masked",
    )


def _doubtful(case: Case) -> list[int]:
    seen = {name for record in case.log or () if _act(record) == "reviewed" for name in _names(record)}
    return [n for n, record in _masked(case) if _act(record) == "needs review" and seen.isdisjoint(_names(record))]


def safe(case: Case) -> EvidenceFound:
    if case.log is None:
        return EvidenceFound(False, ("not shown: no output folder was given; add --out",))
    if case.loose:
        more = f" and {len(case.loose) - 1} more" if len(case.loose) > 1 else ""
        return EvidenceFound(False, (f"{case.loose[0]}{more}: others than the owner can read it",))
    return met("outputs: for their owner's eyes only", f"audit log: {plural(len(case.log), 'line')}, unbroken")


def requests(case: Case) -> EvidenceFound:
    """A register without one that is late is no proof: who asked in another way is not in it."""
    left: dict[int, tuple[int, str]] = {}
    for number, record in enumerate(case.log or (), 1):
        told = record.get("request") or {}
        if _act(record) == "requested":
            left[told["id"]] = number, str(told.get("due", ""))
        elif _act(record) == "answered":
            left.pop(told.get("id", 0), None)
    late = [number for number, due in left.values() if due < case.today.isoformat()]
    if late:
        return EvidenceFound(False, (key(case, "contact.email"), f"{_lines(late)}: requests that are overdue"))
    waiting = [f"{_lines([number for number, _ in left.values()])}: requests that are open"] if left else []
    return outside("requests and reports are answered by people", key(case, "contact.email"), *waiting)
