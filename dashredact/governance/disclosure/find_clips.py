"""Which clips a request is about: by vehicle and time, masked or not. A clip whose time is unknown is listed too."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from dashredact.audit.records import Clip, clips, event_type, handed
from dashredact.errors import UsageError, VideoError
from dashredact.formats import tracks_json
from dashredact.governance.disclosure import delivery
from dashredact.governance.retention.inventory import Inventory
from dashredact.media.capture_time import CaptureTime, ContainerTime, Span, capture_time, read_container
from dashredact.workspace import originals

_UNKNOWN = 3600.0  # seconds that a clip is taken to last where nothing tells: longer than most cameras' files
_LONGEST = 86400.0  # seconds


@dataclass(frozen=True)
class ClipMatch:
    name: str
    state: str
    """masked, purged, the act that ended the last try, or `not masked`"""
    captured: CaptureTime
    span: Span | None
    """None where it is unknown when it was filmed: a person has to look"""
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
    today: date
    inboxes: Sequence[Path] = ()


def find_clips(where: SearchScope, vehicle: str, start: datetime | None, end: datetime | None) -> list[ClipMatch]:
    """vehicle: pattern of file names, empty for all. start, end: local time of the cameras, both inside."""
    here = dict(originals.videos(where.inboxes))
    inventory = Inventory.read(where.records, where.today)
    paths = {name: original.place for name, original in inventory.originals.items()}
    sizes = {path.stat().st_size for path in here.values()}
    known = clips(where.records)
    matches = []
    for clip in known:
        if _fits(clip.name, vehicle) and _may_overlap(clip, where.today, start, end):
            captured, span = _timed(clip, where, here.get(paths.get(clip.name, clip.name)))
            if span is None or span.overlaps(start, end):
                matches.append(_match(clip, captured, span, where, sizes))
    tried = {*(clip.name for clip in known), *paths.values()}
    for name, path in here.items():
        if name not in tried and _fits(name, vehicle):
            captured, span = _timed_file(name, path, where.today)
            if span is None or span.overlaps(start, end):
                matches.append(ClipMatch(name, "not masked", captured, span, "", True, ()))
    return matches


def _may_overlap(clip: Clip, today: date, start: datetime | None, end: datetime | None) -> bool:
    """Without a look into its tracks file, which would take long for a whole fleet."""
    rough = capture_time(clip.name, today=today, logged=clip.captured).span(_LONGEST)
    return rough is None or rough.overlaps(start, end)


def _fits(name: str, vehicle: str) -> bool:
    return not vehicle or any(fnmatchcase(text, vehicle) for text in (name, name.rpartition("/")[2]))


def _match(clip: Clip, captured: CaptureTime, span: Span | None, where: SearchScope, sizes: Set[int]) -> ClipMatch:
    there = clip.record["source"].get("bytes") in sizes
    output = str(clip.output["name"]) if clip.output else ""
    state = "purged" if clip.purged else "masked" if output else event_type(clip.record)
    made = (clip.record.get("output") or {}).get("name")  # duplicates share it
    mine = {one.recipient: None for one in handed(where.records) if one.clip == clip.name or one.output == made}
    return ClipMatch(clip.name, state, captured, span, output, there, tuple(mine))


def _timed(clip: Clip, where: SearchScope, path: Path | None) -> tuple[CaptureTime, Span | None]:
    return _timed_file(clip.name, path, where.today, clip.captured, _seconds(clip, where.out))


def _timed_file(
    name: str, path: Path | None, today: date, logged: str = "", seconds: float | None = None
) -> tuple[CaptureTime, Span | None]:
    """path: of its original; None where that was not found. seconds: how long it lasts; None asks the container."""

    @cache
    def container() -> ContainerTime:
        return _container(path)

    captured = capture_time(name, today=today, logged=logged, container=container)
    return captured, captured.span(min(seconds or container().seconds or _UNKNOWN, _LONGEST))


def _container(path: Path | None) -> ContainerTime:
    """Nothing where it cannot be read: the clip is listed, and a person looks."""
    try:
        return read_container(path) if path else ContainerTime()
    except (VideoError, OSError):
        return ContainerTime()


def _seconds(clip: Clip, out: Path) -> float | None:
    """None where its tracks file is gone or broken."""
    logged = clip.record.get("tracks_file")
    try:
        tracks = tracks_json.read(delivery.place(out, logged["name"])) if logged else None
    except (UsageError, VideoError):
        return None
    return float((tracks.pts[-1] - tracks.pts[0]) * tracks.time_base) if tracks else None
