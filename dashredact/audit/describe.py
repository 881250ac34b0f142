"""Lines of the audit log as people and spreadsheets read them."""

from collections.abc import Callable, Mapping
from typing import Any

from dashredact.audit.events import EventType
from dashredact.audit.records import event_type
from dashredact.text import plural

AUDIT_COLUMNS = (
    "seq",
    "time",
    "act",
    "source",
    "output",
    "tracks",
    "decision",
    "reason",
    "user",
    "host",
    "source_sha256",
    "sha256",
)
"""Of the audit log as a table; see `cells_of`."""


def line_of(record: Mapping[str, Any]) -> str:
    """`2026-01-02T03:04:05+00:00  masked  trip.mp4 → trip.masked.mp4  face 3, plate 2`"""
    told = dict(zip(AUDIT_COLUMNS, cells_of(record), strict=True))
    names = " → ".join(filter(None, (told["source"], told["output"])))
    parts = (told[column] for column in ("tracks", "decision", "reason"))
    return "  ".join(filter(None, (told["time"], told["act"], names, *parts)))


def cells_of(record: Mapping[str, Any]) -> list[str]:
    """One for each of AUDIT_COLUMNS, empty where the line does not say."""
    source, output, by = (record.get(name) or {} for name in ("source", "output", "by"))
    cells = {
        **record,
        "act": event_type(record),
        "source": source.get("name"),
        "source_sha256": source.get("sha256"),
        "output": output.get("name"),
        "tracks": ", ".join(f"{kind} {count['tracks']}" for kind, count in (record.get("tracks") or {}).items()),
        "decision": _decision(record),
        "user": by.get("name", by.get("user")),
        "host": by.get("host"),
    }
    return [str(cells.get(column) or "") for column in AUDIT_COLUMNS]


def act_line(record: Mapping[str, Any]) -> str:
    """`17  2026-01-02T03:04:05+00:00  marked  clerk@host  plate 1000001, frames 120..187, still: a note`"""
    cells = dict(zip(AUDIT_COLUMNS, cells_of(record), strict=True))
    who = f"{cells['user']}@{cells['host']}" if cells["user"] or cells["host"] else ""
    what = cells["decision"] or ", ".join(filter(None, (cells["output"], _hash(record))))
    said = ": ".join(filter(None, (what, cells["reason"])))
    return "  ".join(filter(None, (cells["seq"], cells["time"], cells["act"], who, said)))


def _decision(record: Mapping[str, Any]) -> str:
    """What a person decided, without the note; nothing where the tool acted alone, or the line says it otherwise."""
    tell = _DECISIONS.get(event_type(record))
    try:
        return tell(record) if tell else ""
    except (KeyError, TypeError):
        return ""


def _box(told: Mapping[str, Any]) -> str:
    how = f", {told['how']}" if "how" in told else ""
    return f"{told['kind']} {told['id']}, frames {told['first']}..{told['end'] - 1}{how}"


def _corrected(record: Mapping[str, Any]) -> str:
    told = record["corrections"]
    numbers = ", ".join(map(str, [*told["marks"], *told["lifts"]])) or "none in force"
    return f"{numbers}; {_hash(record)} replaces {record['replaces'][:12]}"


def _judged(record: Mapping[str, Any]) -> str:
    judged = record["judged"]
    missed = sum(miss["missed"] for miss in judged["misses"])
    return f"draw {record['draw']['id']}, {plural(judged['frames'], 'frame')} seen, {missed or 'nothing'} missed"


_DECISIONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    EventType.MARKED: lambda record: _box(record["mark"]),
    EventType.UNMASKED: lambda record: _box(record["lift"]),
    EventType.UNDONE: lambda record: str(record["undo"]["track"]),
    EventType.CORRECTED: _corrected,
    EventType.REVIEWED: lambda record: f"{record['verdict']}, {_hash(record)}",
    EventType.SAMPLED: lambda record: f"draw {record['draw']['id']}",
    EventType.JUDGED: _judged,
    EventType.HELD: lambda record: f"{record['hold']['kind']}, until {record['hold']['until']}",
    EventType.PURGED: lambda record: ", ".join(file["name"] for file in record.get("files") or ()),
    EventType.ANSWERED: lambda record: f"request {record['request']['id']}",
}


def _hash(record: Mapping[str, Any]) -> str:
    return str((record.get("output") or {}).get("sha256", ""))[:12]
