"""The register of what people who may have been filmed ask for.

It is kept in the audit log, which never holds who asks. `audit.subject_requests` reads it; here it is written.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashredact.audit.events import Answered, Requested, RequestKind, RequestRef
from dashredact.audit.subject_requests import RequestState, SubjectRequest, register
from dashredact.errors import UsageError
from dashredact.workspace.output_folder import OutputFolder

_SOON = timedelta(days=3)
"""A request counts as due so long before its day."""


@dataclass(frozen=True)
class NewRequest:
    """A request as it came in."""

    kind: RequestKind
    reference: str
    """number of the operator's own file"""
    received: date
    vehicle: str = ""
    """pattern of file names; empty where not known"""
    start: datetime | None = None
    """local time of the camera"""
    end: datetime | None = None
    place: str = ""
    """a note on where"""


def add(folder: OutputFolder, new: NewRequest, answer_days: int, today: date) -> SubjectRequest:
    """Enter it in the register. UsageError where its times cannot be."""
    if new.start and new.end and new.end < new.start:
        raise UsageError("--to lies before --from; give the earlier moment first.")
    if new.received > today:
        raise UsageError(f"--received {new.received} is yet to come; give the day on which it came in.")
    start, end = (moment.isoformat() if moment else "" for moment in (new.start, new.end))
    due = new.received + timedelta(days=answer_days)
    with folder.deciding():
        number = max(register(folder.events()), default=0) + 1
        request = SubjectRequest(
            number, new.kind, new.reference.strip(), new.vehicle, start, end, new.place, str(new.received), str(due)
        )
        reason = f"Request {number}: {request.kind}, {request.reference}, due {due}."
        folder.append(Requested(reason=reason, request=request.entry()))
    return request


def listed(folder: OutputFolder, today: date) -> list[tuple[SubjectRequest, RequestState]]:
    """All of them, closed ones too, oldest first."""
    return [(one, one.state(str(today), str(today + _SOON))) for one in register(folder.events()).values()]


def find(folder: OutputFolder, number: int) -> SubjectRequest:
    """Open or closed. UsageError where there is none of that number."""
    request = register(folder.events()).get(number)
    if request is None:
        raise UsageError(f"There is no request {number}; `dashredact request list` shows them.")
    return request


def find_open(folder: OutputFolder, number: int, kinds: Collection[RequestKind]) -> SubjectRequest:
    """UsageError where it is not there, closed, or of another kind."""
    request = find(folder, number)
    if request.closed:
        raise UsageError(f"Request {number} is closed; register a new one with `request add`.")
    if request.kind not in kinds:
        raise UsageError(f"Request {number} asks for {request.kind}; register another one with `request add`.")
    return request


def close(folder: OutputFolder, number: int, note: str) -> None:
    """note: how it ended. UsageError where it is not there, or closed already."""
    with folder.deciding():
        if find(folder, number).closed:
            raise UsageError(f"Request {number} is closed already.")
        folder.append(Answered(reason=note, request=RequestRef(id=number)))
