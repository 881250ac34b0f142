"""Facts and audit lines as people and programs read them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from dashredact.facts import VideoFacts
from dashredact.pure.acts import Act, act_of


def as_dict(facts: VideoFacts) -> dict[str, Any]:
    """For JSON: fractions as `30000/1001`, times in seconds as text with three digits behind the point."""
    video = facts.video
    return {
        "name": facts.name,
        "bytes": facts.size,
        "container": facts.container,
        "video": {
            **{name: _plain(value) for name, value in asdict(video).items()},
            "variable_rate": facts.variable_rate,
            "true_start": _plain(facts.start),
            "counted_frames": len(facts.packets),
            "shown_frames": len(facts.packets.shown_pts),
            "key_frames": sum(facts.packets.keys),
        },
        "streams": [{name: _plain(value) for name, value in asdict(stream).items()} for stream in facts.streams],
        "chapters": facts.chapters,
        "claimed_duration": _plain(facts.duration),
        "notes": list(facts.notes),
        "damages": list(facts.damages),
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Fraction) else value


def in_words(facts: VideoFacts) -> str:
    """A few lines for a terminal."""
    video = facts.video
    lines = [
        f"{facts.name}: {facts.container}, {facts.size:,} bytes",
        f"  picture   {video.codec} {video.width}x{video.height} {video.pixel_format}{_turned(video.rotation)}",
        f"  frames    {len(facts.packets)} counted, {video.claimed_frames or 'none'} claimed, {_rate(facts)}",
        f"  time      from {_seconds(facts.start)} on, lasts {_seconds(_length(facts))},"
        f" {_seconds(facts.duration)} claimed",
        f"  streams   {', '.join(map(str, facts.streams))}",
    ]
    lines += [f"  note      {note}" for note in facts.notes]
    lines += [f"  damaged   {damage}" for damage in facts.damages]
    return "\n".join(lines)


def _turned(rotation: int) -> str:
    return f", shown turned by {rotation}°" if rotation else ""


def _rate(facts: VideoFacts) -> str:
    if facts.variable_rate and facts.step:
        return f"variable rate, {float(facts.step[0]):.3f} to {float(facts.step[1]):.3f} s apart"
    return f"{facts.video.rate} a second"


def _length(facts: VideoFacts) -> Fraction | None:
    """From the first to the last frame."""
    pts = facts.packets.shown_pts
    return (pts[-1] - pts[0]) * facts.video.time_base if pts else None


def _seconds(time: Fraction | None) -> str:
    return "unknown" if time is None else f"{float(time):.3f} s"


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
        "act": act_of(record),
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
    tell = _DECISIONS.get(act_of(record))
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
    return f"draw {record['draw']['id']}, {judged['frames']} frames seen, {missed or 'nothing'} missed"


_DECISIONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    Act.MARKED: lambda record: _box(record["mark"]),
    Act.LIFTED: lambda record: _box(record["lift"]),
    Act.UNDONE: lambda record: str(record["undo"]["track"]),
    Act.CORRECTED: _corrected,
    Act.REVIEWED: lambda record: f"{record['verdict']}, {_hash(record)}",
    Act.SAMPLED: lambda record: f"draw {record['draw']['id']}",
    Act.JUDGED: _judged,
    Act.HELD: lambda record: f"{record['hold']['kind']}, until {record['hold']['until']}",
    Act.PURGED: lambda record: ", ".join(file["name"] for file in record.get("files") or ()),
    Act.ANSWERED: lambda record: f"request {record['request']['id']}",
}


def _hash(record: Mapping[str, Any]) -> str:
    return str((record.get("output") or {}).get("sha256", ""))[:12]


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines in columns under the keys of all rows; none for no rows. Counts by name become `name 2, other`."""
    if not rows:
        return []
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" if count > 1 else str(name) for name, count in value.items())
    return str(value)
