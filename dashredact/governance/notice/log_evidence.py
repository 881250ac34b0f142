"""What an audit log, or the output folder, shows for items of the guidebook."""

from collections.abc import Callable, Sequence
from typing import Any

from dashredact.audit.clips import Clips
from dashredact.audit.events import Produced, Requested
from dashredact.audit.subject_requests import register
from dashredact.governance.notice.evidence import Case, Evidence, key, met, not_met, outside
from dashredact.governance.policy.gates import MUST_BE_MASKED
from dashredact.governance.retention.inventory import Inventory
from dashredact.settings import Keep, Style
from dashredact.text import plural

_LONGEST_UNEXPLAINED = 7  # days that unmasked footage may be kept without a reason
_LISTED = 8  # lines that one piece of evidence names


def _lines(numbers: Sequence[int]) -> str:
    """`audit line 3`, `audit lines 1, 2 and 40 more`"""
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return f"audit {'line' if len(numbers) == 1 else 'lines'} {', '.join(map(str, numbers[:_LISTED]))}{more}"


def _every(case: Case, good: Callable[[Produced], bool], right: str, wrong: str) -> Evidence:
    """Whether it is so of every masked video of the log."""
    if case.log is None:
        return not_met("not shown: no output folder was named, so there is no audit log")
    masked = [event for event in case.log if isinstance(event, Produced)]
    bad = [event.seq for event in masked if not good(event)]
    if bad:
        return not_met(f"{_lines(bad)}: {wrong}")
    if not masked:
        return not_met("not shown: the audit log has no masked video")
    return met(f"{_lines([event.seq for event in masked])}: {right}")


def _setting(event: Produced, *path: str) -> Any:
    value: Any = event.settings
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def only_needed(case: Case) -> Evidence:
    return _every(
        case,
        lambda event: _setting(event, "audio") == Keep.DROP and _setting(event, "gps") == Keep.DROP,
        "sound and positions dropped",
        "sound or positions kept",
    )


def no_hidden_purpose(case: Case) -> Evidence:
    return _every(
        case,
        lambda event: case.sha256 in str(event.policy),
        "run under this policy, so for a published purpose",
        "not run under this policy",
    )


def discarded(case: Case) -> Evidence:
    kept, reason = case.policy.retention.captured, case.policy.retention.reason
    lines = (f"retention.captured: {kept} days", *([f"retention.reason: {reason}"] if reason else []))
    if kept > _LONGEST_UNEXPLAINED and not reason:
        return not_met(*lines, f"more than {_LONGEST_UNEXPLAINED} days need retention.reason")
    if overdue := _overdue(case):
        return not_met(*lines, f"{_lines(overdue)}: the time is over and no line says that the source was purged")
    return met(*lines)


def _overdue(case: Case) -> list[int]:
    """Lines of masked videos whose sources should be gone by now."""
    inventory = Inventory(Clips.read(case.log or ()), case.policy, case.today)
    return sorted(
        clip.result.seq
        for clip in inventory.clips
        if clip.result and not clip.erased and inventory.rule_of_original(clip).is_over(case.today)
    )


def masked(case: Case) -> Evidence:
    right = "masked with few mean colours or filled, and the file checked"
    return _every(case, lambda event: _setting(event, "hide", "style") in set(Style), right, "no known way of masking")


def by_chance(case: Case) -> Evidence:
    if doubtful := _doubtful(case):
        return not_met(f"{_lines(doubtful)}: a person has to look, and no line says that one did")
    return _every(
        case,
        lambda event: set(MUST_BE_MASKED) <= set(_setting(event, "link", "thresholds") or ()),
        "faces and plates masked; a detector can miss some",
        "only faces or only plates masked",
    )


def _doubtful(case: Case) -> list[int]:
    """Lines of masked files that were masked with a doubt, and that nobody has looked at."""
    clips = Clips.read(case.log or ()).masked()
    return [
        clip.result.seq
        for clip in clips
        if clip.result and clip.file and clip.file.doubted and not (clip.review or clip.source_review)
    ]


def safe(case: Case) -> Evidence:
    if case.log is None:
        return not_met("not shown: no output folder was named")
    if case.exposed:
        more = f" and {len(case.exposed) - 1} more" if len(case.exposed) > 1 else ""
        return not_met(f"{case.exposed[0]}{more}: others than the owner can read it")
    return met("outputs: for their owner's eyes only", f"audit log: {plural(len(case.log), 'line')}, unbroken")


def requests(case: Case) -> Evidence:
    """A register without one that is late is no proof: who asked in another way is not in it."""
    log = case.log or ()
    lines = {event.request.id: event.seq for event in log if isinstance(event, Requested) and event.request}
    waiting = [request for request in register(log).values() if not request.closed]
    late = [lines[request.id] for request in waiting if request.due < case.today.isoformat()]
    if late:
        return not_met(key(case, "contact.email"), f"{_lines(late)}: requests that are overdue")
    entries = [f"{_lines([lines[request.id] for request in waiting])}: requests that are open"] if waiting else []
    return outside("requests and reports are answered by people", key(case, "contact.email"), *entries)
