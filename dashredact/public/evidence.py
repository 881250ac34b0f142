"""What a policy and an audit log show for each item of the guidebook."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from dashredact.policy.model import Policy

_LONGEST_UNEXPLAINED = 7  # days that unmasked footage may be kept without a reason
_LISTED = 8  # lines that one piece of evidence names


@dataclass(frozen=True)
class Case:
    """What is judged."""

    policy: Policy
    sha256: str
    """of the policy file"""
    today: date
    log: Sequence[Mapping[str, Any]] | None = None
    """the records of an audit log, oldest first; None where none was given"""
    loose: Sequence[str] = ()
    """names of outputs that others than their owner can read"""


class Found(NamedTuple):
    holds: bool | None
    """None: it lies outside the tool"""
    told: tuple[str, ...]


def _met(*told: str) -> Found:
    return Found(True, told)


def _outside(*told: str) -> Found:
    return Found(None, told)


def _key(case: Case, path: str) -> str:
    """`contact.email: camera@example.jp`"""
    value: Any = case.policy
    for part in path.split("."):
        value = getattr(value, part)
    if hasattr(value, "ja"):
        return f"{path}: {value.ja} / {value.en}"
    if isinstance(value, bool):
        return f"{path}: {str(value).lower()}"
    return f"{path}: {len(value) if isinstance(value, tuple) else value}"


def _lines(numbers: Sequence[int]) -> str:
    """`audit line 3`, `audit lines 1, 2 and 40 more`"""
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return f"audit line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_LISTED]))}{more}"


def _act(record: Mapping[str, Any]) -> str:
    return str(record.get("act", record.get("outcome", "")))


def _masked(case: Case) -> list[tuple[int, Mapping[str, Any]]]:
    """Lines that tell of a masked video, with their numbers from 1."""
    made = ("masked", "needs review", "corrected")
    return [(number, record) for number, record in enumerate(case.log or (), 1) if _act(record) in made]


def _every(case: Case, good: Callable[[Mapping[str, Any]], bool], right: str, wrong: str) -> Found:
    """Whether it is so of every masked video of the log."""
    if case.log is None:
        return Found(False, ("not shown: no audit log was given; add --out",))
    masked = _masked(case)
    bad = [number for number, record in masked if not good(record)]
    if bad:
        return Found(False, (f"{_lines(bad)}: {wrong}",))
    if not masked:
        return Found(False, ("not shown: the audit log tells of no masked video",))
    return _met(f"{_lines([number for number, _ in masked])}: {right}")


def _setting(record: Mapping[str, Any], *path: str) -> Any:
    value: Any = record.get("settings", {})
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def operator(case: Case) -> Found:
    return _met(_key(case, "operator.name"))


def watching(case: Case) -> Found:
    return _outside("people have to follow law and opinion", _key(case, "review_by"))


def risks(case: Case) -> Found:
    return _outside("a risk analysis and named managers are yours to write down", *_stages(case))


def _stages(case: Case) -> list[str]:
    return [f"retention.{stage}: {getattr(case.policy.retention, stage)} days" for stage in _STAGES]


_STAGES = ("captured", "masked", "audit")


def contact(case: Case) -> Found:
    return _met(_key(case, "contact.name"), _key(case, "contact.email"))


def dialogue(_case: Case) -> Found:
    return _outside("surveys and talks are people's work")


def benefit(case: Case) -> Found:
    return _met(_key(case, "benefit"))


def why(case: Case) -> Found:
    return _met(f"purposes: {', '.join(purpose.id for purpose in case.policy.purposes)}", _key(case, "notice.address"))


def only_needed(case: Case) -> Found:
    return _every(
        case,
        lambda record: _setting(record, "audio") == "drop" and _setting(record, "gps") == "drop",
        "sound and positions dropped",
        "sound or positions kept",
    )


def lead_time(case: Case) -> Found:
    notice = case.policy.notice
    return Found(notice.published < notice.start, (_key(case, "notice.published"), _key(case, "notice.start")))


def both_means(case: Case) -> Found:
    return _outside(
        "`dashredact notice` writes page and sticker; putting them up is yours", _key(case, "notice.address")
    )


def named_first(case: Case) -> Found:
    return _met(_key(case, "operator.name"), _key(case, "purposes"))


def full_notice(case: Case) -> Found:
    paths = ("purposes", "contact.email", "benefit", "cameras", "recipients", "notice.start")
    return _met("`dashredact notice` writes all of it", *(_key(case, path) for path in paths))


def languages(_case: Case) -> Found:
    return _met("page and sticker are in Japanese and English; the sticker shows a camera")


def on_the_spot(_case: Case) -> Found:
    return _outside("the sticker has to be on every vehicle")


def visible(_case: Case) -> Found:
    return _outside("where cameras are and whether they can be seen is decided on the vehicle")


def sticker(case: Case) -> Found:
    return _outside("the tool writes sticker and page; the vehicles carry them", _key(case, "contact.email"))


def no_hidden_purpose(case: Case) -> Found:
    return _every(
        case,
        lambda record: case.sha256 in str(record.get("policy", "")),
        "run under this policy, so for a published purpose",
        "not run under this policy",
    )


def discarded(case: Case) -> Found:
    kept, reason = case.policy.retention.captured, case.policy.retention.reason
    told = (f"retention.captured: {kept} days", *([f"retention.reason: {reason}"] if reason else []))
    if kept > _LONGEST_UNEXPLAINED and not reason:
        return Found(False, (*told, f"more than {_LONGEST_UNEXPLAINED} days need retention.reason"))
    if overdue := _overdue(case):
        return Found(
            False, (*told, f"{_lines(overdue)}: the time is over and no line tells that the source was purged")
        )
    return _met(*told)


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


def masked(case: Case) -> Found:
    styles = ("blur", "mosaic", "fill")
    right = "masked with few mean colours or filled, and the file checked"
    return _every(case, lambda record: _setting(record, "hide", "style") in styles, right, "no known way of masking")


def kept(case: Case) -> Found:
    return _met(f"retention.masked: {case.policy.retention.masked} days")


def by_chance(case: Case) -> Found:
    if doubtful := _doubtful(case):
        return Found(False, (f"{_lines(doubtful)}: a person has to look, and no line tells that one did",))
    kinds = {"face", "plate"}
    return _every(
        case,
        lambda record: kinds <= set(_setting(record, "link", "thresholds") or ()),
        "faces and plates masked; a detector can miss some",
        "only faces or only plates masked",
    )


def _doubtful(case: Case) -> list[int]:
    seen = {name for record in case.log or () if _act(record) == "reviewed" for name in _names(record)}
    return [n for n, record in _masked(case) if _act(record) == "needs review" and seen.isdisjoint(_names(record))]


def repeat(_case: Case) -> Found:
    return _outside("the tool computes no features of faces, so it cannot recognise who returns")


def joining(_case: Case) -> Found:
    return _outside("the tool keeps no identities; what is done with its videos elsewhere it cannot see")


def limited(case: Case) -> Found:
    told = (f"recipients: {one.name.en} for {', '.join(one.purposes)}" for one in case.policy.recipients)
    return _met(_key(case, "purposes"), *told)


def safe(case: Case) -> Found:
    if case.log is None:
        return Found(False, ("not shown: no output folder was given; add --out",))
    if case.loose:
        more = f" and {len(case.loose) - 1} more" if len(case.loose) > 1 else ""
        return Found(False, (f"{case.loose[0]}{more}: others than the owner can read it",))
    return _met("outputs: for their owner's eyes only", f"audit log: {len(case.log)} lines, unbroken")


def access(case: Case) -> Found:
    return _outside("who has an account on the machine is yours to limit", _key(case, "review.second_person"))


def handed_on(case: Case) -> Found:
    told = [f"recipients: {one.name.en}, contract {one.contract}" for one in case.policy.recipients]
    return _met(*(told or ["recipients: none"]))


def supervised(case: Case) -> Found:
    told = [f"processors: {one.name.en}, contract {one.contract}" for one in case.policy.processors]
    return _outside("supervision is people's work", *told) if told else _met("processors: none")


def requests(case: Case) -> Found:
    return _outside("requests and reports are answered by people", _key(case, "contact.email"))


def reviewed(case: Case) -> Found:
    return Found(case.policy.review_by >= case.today, (_key(case, "review_by"), f"today: {case.today}"))
