"""Which clips a request is about: by vehicle and time, masked or not. What cannot be told apart is found too."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dashredact.audit.clips import Clip, clips, handed
from dashredact.audit.records import event_type
from dashredact.errors import UsageError, VideoError
from dashredact.formats import tracks_json
from dashredact.governance.disclosure import delivery
from dashredact.governance.retention.inventory import Inventory
from dashredact.media import capture_span
from dashredact.media.capture_span import CaptureSpan
from dashredact.media.created import created
from dashredact.workspace import originals

_UNKNOWN = 3600.0  # seconds that a clip is taken to last where nothing tells: longer than most cameras' files
_LONGEST = 86400.0  # seconds


@dataclass(frozen=True)
class ClipMatch:
    name: str
    state: str
    """masked, purged, the act that ended the last try, or `not masked`"""
    span: CaptureSpan | None
    """None where nothing tells when it was filmed: a person has to look"""
    output: str
    """name of the masked file; empty where there is none"""
    original: bool
    """whether a file of its source's size was found: hashing a fleet's takes hours. False also where nobody looked"""
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class SearchScope:
    """What is searched."""

    out: Path
    records: Sequence[Mapping[str, Any]]
    inboxes: Sequence[Path] = ()


def find_clips(where: SearchScope, vehicle: str, start: datetime | None, end: datetime | None) -> list[ClipMatch]:
    """vehicle: pattern of file names, empty for all. start, end: local time of the cameras, both inside."""
    here = dict(originals.videos(where.inboxes))
    places = {name: original.place for name, original in Inventory.read(where.records).originals.items()}
    sizes = {path.stat().st_size for path in here.values()}
    known = clips(where.records)
    names = {clip.name for clip in known}
    found = []
    for clip in known:
        if _fits(clip.name, vehicle) and _may_meet(clip, start, end):
            span = _span(clip, where.out, here.get(places.get(clip.name, clip.name)))
            if span is None or span.meets(start, end):
                found.append(_found(clip, span, where, sizes))
    taken = {*names, *places.values()}
    for name, path in here.items():
        if name not in taken and _fits(name, vehicle):
            span = _span_of_file(name, path)
            if span is None or span.meets(start, end):
                found.append(ClipMatch(name, "not masked", span, "", True, ()))
    return found


def _may_meet(clip: Clip, start: datetime | None, end: datetime | None) -> bool:
    """Without a look into its tracks file, which would take long for a whole fleet."""
    rough = capture_span.told(clip.name, clip.captured, _LONGEST)
    return rough is None or rough.meets(start, end)


def _fits(name: str, vehicle: str) -> bool:
    return not vehicle or any(fnmatchcase(text, vehicle) for text in (name, name.rpartition("/")[2]))


def _found(clip: Clip, span: CaptureSpan | None, where: SearchScope, sizes: Set[int]) -> ClipMatch:
    there = clip.record["source"].get("bytes") in sizes
    output = str(clip.output["name"]) if clip.output else ""
    state = "purged" if clip.purged else "masked" if output else event_type(clip.record)
    made = (clip.record.get("output") or {}).get("name")  # duplicates share it
    mine = {one.recipient: None for one in handed(where.records) if one.clip == clip.name or one.output == made}
    return ClipMatch(clip.name, state, span, output, there, tuple(mine))


def _span(clip: Clip, out: Path, path: Path | None) -> CaptureSpan | None:
    return _span_of_file(clip.name, path, clip.captured, _seconds(clip, out))


def _span_of_file(name: str, path: Path | None, captured: str = "", seconds: float | None = None) -> CaptureSpan | None:
    """The log first, then the name, then the container."""
    when, length = created(path) if path else ("", None)
    lasts = seconds or length or _UNKNOWN
    return capture_span.told(name, captured, lasts) or capture_span.from_container(when, lasts)


def _seconds(clip: Clip, out: Path) -> float | None:
    """None where its tracks file is gone or broken."""
    told = clip.record.get("tracks_file")
    try:
        read = tracks_json.read(delivery.place(out, told["name"])) if told else None
    except (UsageError, VideoError):
        return None
    return float((read.pts[-1] - read.pts[0]) * read.time_base) if read else None
