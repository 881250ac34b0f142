"""Legal holds, as the audit log has them: what is not deleted, why, and until when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dashredact.audit.events import Event, Held, Released
from dashredact.values import Day


class Ground(StrEnum):
    """Why something is held."""

    ACCIDENT = "accident"
    POLICE = "police"
    LEGAL = "legal"


@dataclass(frozen=True)
class Hold:
    """On a source and all that was made of it."""

    name: str
    """of the source; whatever comes under that name is held"""
    sha256: str | None
    """of its content, which is held under other names too; None where it was not known"""
    kind: str
    reason: str
    until: Day
    """last day"""


def active_holds(events: Iterable[Event], before: Mapping[str, Hold] = {}) -> dict[str, Hold]:
    """By name of the source, all that were added and not released, those whose time is over too.

    before: those that earlier events left.
    """
    holds = dict(before)
    for event in events:
        if isinstance(event, Held) and event.source and event.hold:
            source, terms = event.source, event.hold
            holds[source.name] = Hold(source.name, source.sha256, terms.kind, event.reason, terms.until)
        elif isinstance(event, Released):
            holds.pop(event.name, None)
    return holds


def find_hold(holds: Iterable[Hold], names: Iterable[str], digests: Iterable[str | None], today: Day) -> Hold | None:
    """One that holds any of these sources today."""
    names, digests = set(names), set(digests) - {None}
    return next(
        (hold for hold in holds if hold.until >= today and (hold.name in names or hold.sha256 in digests)), None
    )
