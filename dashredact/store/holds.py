"""Holds in the audit log. The output folder's lock is not needed: an accident does not wait for a run to end."""

from pathlib import Path
from typing import Any

from dashredact.errors import UsageError
from dashredact.pure.acts import Act
from dashredact.pure.holds import Hold, standing
from dashredact.store import audit, files


def read(out: Path) -> dict[str, Hold]:
    """By name of the source, those whose time is over too. LedgerError where the log is broken."""
    return standing(audit.records(out / audit.NAME))


def add(out: Path, inbox: Path | None, hold: Hold) -> None:
    """UsageError where neither the log nor the inbox knows the name: a mistyped hold would hold nothing."""
    source = _source(out, hold.name)
    if source is None and (inbox is None or files.within(inbox, hold.name) is None):
        where = f"nor does {inbox}" if inbox else "and no --inbox was given"
        raise UsageError(f"The log of {out} knows no source {hold.name}, {where}; give its name as the log has it.")
    about = {"kind": hold.kind, "until": str(hold.until)}
    _append(out, Act.HELD, hold.reason, source=source or _untried(hold.name), hold=about)


def release(out: Path, name: str, reason: str) -> None:
    """UsageError where it is not held."""
    if name not in read(out):
        raise UsageError(f"{name} is not held in {out}; see `hold list`.")
    _append(out, Act.RELEASED, reason, source=_source(out, name) or _untried(name))


def _append(out: Path, act: Act, reason: str, **about: Any) -> None:
    audit.append(out / audit.NAME, {"act": act, "reason": reason, **about})


def _source(out: Path, name: str) -> dict[str, Any] | None:
    """As its newest line with a sha256 says it."""
    told = [record["source"] for record in audit.records(out / audit.NAME) if record.get("source")]
    mine = [source for source in told if source["name"] == name]
    return next((source for source in reversed(mine) if source["sha256"]), mine[-1] if mine else None)


def _untried(name: str) -> dict[str, Any]:
    return {"name": name, "sha256": None, "bytes": None, "place": None}
