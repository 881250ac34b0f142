"""The register of requests, read from the audit log. Who asks is not in it, only a reference. Times compare as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashredact.audit.events import EventType
from dashredact.audit.records import event_type


class RequestKind(StrEnum):
    """What somebody who may have been filmed asks for."""

    COPY = "copy"
    ERASE = "erase"
    STOP = "stop"


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

    def told(self) -> dict[str, Any]:
        """As the log says it."""
        named = {"reference": self.reference, "vehicle": self.vehicle, "from": self.start, "to": self.end}
        days = {"place": self.place, "received": self.received, "due": self.due}
        return {"id": self.id, "kind": self.kind, **named, **days}


def register(records: Sequence[Mapping[str, Any]]) -> dict[int, SubjectRequest]:
    """All requests by id, oldest first."""
    closed = {
        record["request"]["id"]: str(record.get("reason") or "closed")
        for record in records
        if event_type(record) == EventType.ANSWERED and isinstance(record.get("request"), Mapping)
    }
    found = [record["request"] for record in records if event_type(record) == EventType.REQUESTED]
    return {one["id"]: _request(one, closed.get(one["id"], "")) for one in found}


def _request(told: Mapping[str, Any], closed: str) -> SubjectRequest:
    said = {key: str(told.get(key, "")) for key in ("reference", "vehicle", "from", "to", "place", "received", "due")}
    where = {"vehicle": said["vehicle"], "start": said["from"], "end": said["to"], "place": said["place"]}
    days = {"received": said["received"], "due": said["due"]}
    return SubjectRequest(int(told["id"]), RequestKind(told["kind"]), said["reference"], **where, **days, closed=closed)
