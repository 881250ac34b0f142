"""Events of the audit log as people and spreadsheets read them."""

from dashredact.audit.events import (
    Answered,
    Corrected,
    Event,
    Held,
    Judged,
    Mark,
    Marked,
    Purged,
    Reviewed,
    Sampled,
    SourceEvent,
    Tried,
    Undone,
    Unmasked,
    UnmaskedTrack,
)
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
"""Of the audit log as a table; see `cells`."""


def cells(event: Event, sha256: str = "") -> list[str]:
    """One for each of AUDIT_COLUMNS, empty where the line does not say. sha256: of the line itself."""
    about = event if isinstance(event, SourceEvent) else SourceEvent()
    by_column = {
        "seq": str(event.seq or ""),
        "time": event.time,
        "act": str(event.type),
        "source": about.name,
        "output": about.output.name if about.output else "",
        "tracks": _tracks(event),
        "decision": decision(event),
        "reason": event.reason,
        "user": str(event.actor),
        "host": event.actor.host,
        "source_sha256": (about.source.sha256 or "") if about.source else "",
        "sha256": sha256,
    }
    return [by_column[column] for column in AUDIT_COLUMNS]


def summary_line(event: Event) -> str:
    """`2026-01-02T03:04:05+00:00  masked  trip.mp4 → trip.masked.mp4  face 3, plate 2`"""
    names = ""
    if isinstance(event, SourceEvent):
        names = _joined(" → ", event.name, event.output.name if event.output else "")
    return _joined("  ", event.time, str(event.type), names, _tracks(event), decision(event), event.reason)


def history_line(event: Event) -> str:
    """`17  2026-01-02T03:04:05+00:00  marked  clerk@host  plate 1000001, frames 120..187, still: a note`"""
    actor = event.actor
    who = f"{actor}@{actor.host}" if str(actor) or actor.host else ""
    output = event.output.name if isinstance(event, SourceEvent) and event.output else ""
    what = decision(event) or _joined(", ", output, _digest(event))
    return _joined("  ", str(event.seq or ""), event.time, str(event.type), who, _joined(": ", what, event.reason))


def decision(event: Event) -> str:
    """What a person decided, without the note; nothing where the tool acted alone, or the line says it otherwise."""
    match event:
        case Marked(mark=Mark() as mark):
            words = _masked(mark) + (f", {mark.how}" if mark.how else "")
        case Unmasked(lift=UnmaskedTrack() as track):
            words = _masked(track)
        case Undone() if event.undo:
            words = str(event.undo.track)
        case Corrected() if event.corrections:
            numbers = _joined(", ", *map(str, [*event.corrections.marks, *event.corrections.lifts]))
            words = f"{numbers or 'none in force'}; {_digest(event)} replaces {event.replaces[:12]}"
        case Reviewed() if event.verdict:
            words = f"{event.verdict}, {_digest(event)}"
        case Sampled() if event.draw:
            words = f"draw {event.draw.id}"
        case Judged() if event.draw and event.judged:
            missed = sum(miss.missed for miss in event.judged.misses)
            words = f"draw {event.draw.id}, {plural(event.judged.frames, 'frame')} seen, {missed or 'nothing'} missed"
        case Held() if event.hold:
            words = f"{event.hold.kind}, until {event.hold.until}"
        case Purged():
            words = ", ".join(file.name for file in event.files)
        case Answered() if event.request:
            words = f"request {event.request.id}"
        case _:
            words = ""
    return words


def _masked(masked: Mark | UnmaskedTrack) -> str:
    return f"{masked.kind} {masked.id}, frames {masked.first}..{masked.end - 1}"


def _tracks(event: Event) -> str:
    counts = event.tracks if isinstance(event, Tried) else {}
    return _joined(", ", *(f"{kind} {count.get('tracks', 0)}" for kind, count in counts.items()))


def _digest(event: Event) -> str:
    output = event.output if isinstance(event, SourceEvent) else None
    return output.sha256[:12] if output else ""


def _joined(separator: str, *parts: str) -> str:
    return separator.join(part for part in parts if part)
