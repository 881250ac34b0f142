"""What is never deleted, because somebody said why and until when: as the audit log has it.

The output folder's lock is not needed to add a hold: an accident does not wait for a run to end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.events import Event, Held, HoldTerms, Released, SourceEntry, SourceEvent
from dashredact.errors import UsageError
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


def active_holds(events: Iterable[Event]) -> dict[str, Hold]:
    """By name of the source, all that were added and not released, those whose time is over too."""
    holds: dict[str, Hold] = {}
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


def read(out: Path) -> dict[str, Hold]:
    """`active_holds` of an output folder. LedgerError where its log is broken."""
    return active_holds(audit_log.events(out / audit_log.NAME))


def add(out: Path, inbox: Path | None, hold: Hold) -> None:
    """UsageError where neither the log nor the inbox knows the name: a mistyped hold would hold nothing."""
    source = _source(out, hold.name)
    if source is None and (inbox is None or files.within(inbox, hold.name) is None):
        where = f"nor does {inbox}" if inbox else "and no --inbox was given"
        raise UsageError(f"The log of {out} knows no source {hold.name}, {where}; give its name as the log has it.")
    terms = HoldTerms(kind=hold.kind, until=hold.until)
    event = Held(reason=hold.reason, source=source or SourceEntry(name=hold.name), hold=terms)
    audit_log.append(out / audit_log.NAME, event)


def release(out: Path, name: str, reason: str) -> None:
    """UsageError where it is not held."""
    if name not in read(out):
        raise UsageError(f"{name} is not held in {out}; see `hold list`.")
    event = Released(reason=reason, source=_source(out, name) or SourceEntry(name=name))
    audit_log.append(out / audit_log.NAME, event)


def _source(out: Path, name: str) -> SourceEntry | None:
    """As its newest line with a sha256 says it."""
    events = audit_log.events(out / audit_log.NAME)
    sources = [event.source for event in events if isinstance(event, SourceEvent) and event.source]
    own = [source for source in sources if source.name == name]
    return next((source for source in reversed(own) if source.sha256), own[-1] if own else None)
