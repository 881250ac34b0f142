"""Legal holds: what is never deleted while they last, and who said so. They are lines of the audit log.

Adding one takes no lock: an accident does not wait for a run to end.
"""

from collections.abc import Iterable
from pathlib import Path

from dashredact import files
from dashredact.audit.events import Event, Held, HoldTerms, Released, SourceEntry, SourceEvent
from dashredact.audit.legal_holds import Hold, active_holds
from dashredact.errors import MachineError, UsageError
from dashredact.values import Day
from dashredact.workspace.output_folder import OutputFolder


def listed(folder: OutputFolder) -> list[Hold]:
    """All that were not released, those whose time is over too. LedgerError where the log is broken."""
    return list(active_holds(folder.events()).values())


def add(folder: OutputFolder, inbox: Path | None, hold: Hold, today: Day) -> None:
    """Hold the source of that name, and all that was made of it. inbox: may hold sources that were not tried yet.

    It counts at once, also for deletions that a crash has cut short: those are settled afterwards.

    UsageError where neither the log nor the inbox knows the name, for a mistyped hold would hold nothing; where no
    reason is given; where the time is over already.
    """
    if not hold.reason.strip():
        raise UsageError("Say with --reason which accident, request or law it is.")
    if hold.until < today:
        raise UsageError(f"{hold.until} is over already; give a later day with --until.")
    source = _source(folder.events(), hold.name)
    if source is None and (inbox is None or files.within(inbox, hold.name) is None):
        where = f"nor does {inbox}" if inbox else "and no --inbox was given"
        raise UsageError(f"The log of {folder} knows no source {hold.name}, {where}; give its name as the log has it.")
    terms = HoldTerms(kind=hold.kind, until=hold.until)
    folder.append(Held(source=source or SourceEntry(name=hold.name), hold=terms, reason=hold.reason.strip()))
    try:
        folder.settle()
    except MachineError as error:
        raise MachineError(f"The hold is recorded and counts. {error}") from None


def release(folder: OutputFolder, name: str, reason: str) -> None:
    """Hold it no longer. UsageError where it is not held, or no reason is given."""
    if not reason.strip():
        raise UsageError("Say with --reason why it is no longer needed.")
    if all(hold.name != name for hold in listed(folder)):
        raise UsageError(f"{name} is not held in {folder}; see `hold list`.")
    source = _source(folder.events(), name) or SourceEntry(name=name)
    folder.append(Released(source=source, reason=reason.strip()))
    folder.settle()


def _source(events: Iterable[Event], name: str) -> SourceEntry | None:
    """As its newest line with a sha256 has it."""
    mine = [event.source for event in events if isinstance(event, SourceEvent) and event.source and event.name == name]
    return next((source for source in reversed(mine) if source.sha256), mine[-1] if mine else None)
