"""The register of requests, read from the audit log. Who asks is not in it, only a reference. Times compare as text."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from dashredact.audit.events import Answered, Event, Requested, RequestKind, RequestRef


class RequestState(StrEnum):
    OPEN = "open"
    DUE = "due"
    """within a few days"""
    OVERDUE = "overdue"
    CLOSED = "closed"


@dataclass(frozen=True)
class SubjectRequest:
    id: int
    kind: RequestKind
    reference: str
    vehicle: str
    """pattern of file names; empty where not known"""
    start: str
    """local time of the camera, ISO 8601 without a zone; empty where not known"""
    end: str
    place: str
    received: str
    """day, ISO 8601"""
    due: str
    closed: str = ""
    """how it ended; empty while it is open"""

    def state(self, today: str, soon: str) -> RequestState:
        """today, soon: days, ISO 8601; due from `due <= soon` on."""
        if self.closed:
            return RequestState.CLOSED
        if self.due < today:
            return RequestState.OVERDUE
        return RequestState.DUE if self.due <= soon else RequestState.OPEN

    def entry(self) -> RequestRef:
        """As the log says it."""
        return RequestRef(
            id=self.id,
            kind=self.kind,
            reference=self.reference,
            vehicle=self.vehicle,
            start=self.start,
            end=self.end,
            place=self.place,
            received=self.received,
            due=self.due,
        )


def register(events: Iterable[Event]) -> dict[int, SubjectRequest]:
    """All requests by id, oldest first."""
    requests: dict[int, SubjectRequest] = {}
    closed: dict[int, str] = {}
    for event in events:
        if isinstance(event, Answered) and event.request:
            closed[event.request.id] = event.reason or "closed"
        elif isinstance(event, Requested) and event.request and event.request.kind:
            requests[event.request.id] = _request(event.request, event.request.kind)
    return {number: replace(one, closed=closed.get(number, "")) for number, one in requests.items()}


def _request(entry: RequestRef, kind: RequestKind) -> SubjectRequest:
    return SubjectRequest(
        entry.id,
        kind,
        entry.reference or "",
        entry.vehicle or "",
        entry.start or "",
        entry.end or "",
        entry.place or "",
        entry.received or "",
        entry.due or "",
    )
