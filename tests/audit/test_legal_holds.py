"""What may not be deleted, and until when."""

from datetime import date
from typing import Any

from log_lines import SOURCE, clip, events, made

from dashredact.audit.legal_holds import Hold, active_holds, find_hold

_LAST = date(2026, 5, 1)
_HOLD = {"act": "held", "source": SOURCE, "reason": "case 7", "hold": {"kind": "police", "until": str(_LAST)}}
_RELEASE = {"act": "released", "source": SOURCE}


def _held(day: date, *lines: dict[str, Any]) -> bool:
    now = clip(made(1))
    return find_hold(active_holds(events(*lines)).values(), [now.name], now.digests, day) is not None


def test_it_is_held_until_released_or_over() -> None:
    assert _held(_LAST, _HOLD) and not _held(date(2026, 5, 2), _HOLD)
    assert not _held(_LAST, _HOLD, _RELEASE)
    assert _held(_LAST, _HOLD, _RELEASE, _HOLD)


def test_a_content_is_held_under_other_names_too_where_it_was_known() -> None:
    assert _held(_LAST, _HOLD | {"source": {"name": "b.mp4", "sha256": SOURCE["sha256"]}})
    assert not _held(_LAST, _HOLD | {"source": {"name": "b.mp4", "sha256": None}})
    unknown = [Hold("b.mp4", None, "legal", "", date(2099, 1, 1))]
    assert not find_hold(unknown, {"c.mp4"}, {None}, date(2026, 1, 1)), "two that nobody could read are not the same"


def test_the_newest_hold_on_a_name_counts() -> None:
    longer = _HOLD | {"hold": {"kind": "legal", "until": "2027-05-01"}}
    holds = active_holds(events(_HOLD, longer))
    assert (holds["a.mp4"].until, holds["a.mp4"].kind) == (date(2027, 5, 1), "legal")
