"""What is never deleted, because somebody said why and until when: from the lines of the audit log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashredact.audit.events import EventType
from dashredact.audit.records import event_type
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


def active_holds(records: Iterable[Mapping[str, Any]]) -> dict[str, Hold]:
    """By name of the source, all that were added and not released, those whose time is over too."""
    found: dict[str, Hold] = {}
    for record in records:
        if event_type(record) == EventType.HELD:
            source, told = record["source"], record["hold"]
            until = Day.fromisoformat(told["until"])
            found[source["name"]] = Hold(source["name"], source["sha256"], told["kind"], record["reason"], until)
        elif event_type(record) == EventType.RELEASED:
            found.pop(record["source"]["name"], None)
    return found


def find_hold(holds: Iterable[Hold], names: Iterable[str], digests: Iterable[str | None], today: Day) -> Hold | None:
    """One that holds any of these sources today."""
    names, digests = set(names), set(digests) - {None}
    return next(
        (hold for hold in holds if hold.until >= today and (hold.name in names or hold.sha256 in digests)), None
    )
