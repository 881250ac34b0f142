"""Holds in the audit log. The output folder's lock is not needed: an accident does not wait for a run to end."""

from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.events import EventType
from dashredact.audit.legal_holds import Hold, active_holds
from dashredact.errors import UsageError


def read(out: Path) -> dict[str, Hold]:
    """By name of the source, those whose time is over too. LedgerError where the log is broken."""
    return active_holds(audit_log.records(out / audit_log.NAME))


def add(out: Path, inbox: Path | None, hold: Hold) -> None:
    """UsageError where neither the log nor the inbox knows the name: a mistyped hold would hold nothing."""
    source = _source(out, hold.name)
    if source is None and (inbox is None or files.within(inbox, hold.name) is None):
        where = f"nor does {inbox}" if inbox else "and no --inbox was given"
        raise UsageError(f"The log of {out} knows no source {hold.name}, {where}; give its name as the log has it.")
    about = {"kind": hold.kind, "until": str(hold.until)}
    _append(out, EventType.HELD, hold.reason, source=source or _untried(hold.name), hold=about)


def release(out: Path, name: str, reason: str) -> None:
    """UsageError where it is not held."""
    if name not in read(out):
        raise UsageError(f"{name} is not held in {out}; see `hold list`.")
    _append(out, EventType.RELEASED, reason, source=_source(out, name) or _untried(name))


def _append(out: Path, act: EventType, reason: str, **about: Any) -> None:
    audit_log.append(out / audit_log.NAME, {"act": act, "reason": reason, **about})


def _source(out: Path, name: str) -> dict[str, Any] | None:
    """As its newest line with a sha256 says it."""
    told = [record["source"] for record in audit_log.records(out / audit_log.NAME) if record.get("source")]
    mine = [source for source in told if source["name"] == name]
    return next((source for source in reversed(mine) if source["sha256"]), mine[-1] if mine else None)


def _untried(name: str) -> dict[str, Any]:
    return {"name": name, "sha256": None, "bytes": None, "place": None}
