"""The report of an output folder: what the audit log says of each video, held against what lies on the disk.

Pictures come only from a masked file whose sha256 is the one in the log. A broken log is believed in nothing: then
the batch page says so, and pages of earlier reports go.
"""

import base64
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.records import OUTCOMES, event_type, followed, made_last
from dashredact.errors import LedgerError, MachineError, UsageError, VideoError
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import KINDS, Kind
from dashredact.media.thumbnails import Thumbnail, filmstrip
from dashredact.report import pages
from dashredact.report.page_names import FOLDER, INDEX, page_names
from dashredact.report.values import Event, FileState, Folder, Masks, Picture, Row, Video
from dashredact.review.draws import draws
from dashredact.review.state import review_states
from dashredact.workspace import locks

_PICTURES = 8
_ROUNDING = 0.002  # seconds that a container may be off by
_MARK_WITHIN = 1000  # bytes from the start of a page
_NOT_AS_LOGGED = (FileState.CHANGED, FileState.MISSING, FileState.OUTSIDE)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class WrittenReport:
    """What a report left."""

    index: Path
    changed: Sequence[str]
    """names of files that are not what the audit log says"""


def write_report(out: Path) -> WrittenReport:
    """Write the pages of an output folder into its folder `report`.

    UsageError where there is no audit log. LedgerError where it is broken; the batch page is written all the same.
    """
    if not (out / audit_log.NAME).is_file():
        raise UsageError(f"{out} holds no {audit_log.NAME}; name the folder that redact wrote to.")
    folder = files.private_folder(out / FOLDER)
    if folder.is_symlink():
        raise MachineError(f"{folder} is a link that leads elsewhere; remove it and run again.")
    try:
        records = list(audit_log.records(out / audit_log.NAME))
    except LedgerError as error:
        _publish(folder, {INDEX: pages.index(Folder(_name(out), (), 0, str(error), 0))})
        _clear(folder, {INDEX})
        raise
    return _write_all(out, folder, records)


def _write_all(out: Path, folder: Path, records: Sequence[Record]) -> WrittenReport:
    rows, changed = [], []
    for video in _videos(out, records):
        _publish(folder, {video.page: pages.video(video)})
        rows.append(Row.of(video))
        states = ((video.told("output", "name"), video.output), (video.told("tracks_file", "name"), video.tracks_file))
        changed += [str(name) for name, state in states if state in _NOT_AS_LOGGED]
    batch = Folder(_name(out), rows, len(records), "", _left(out), draws(records))
    _publish(folder, {INDEX: pages.index(batch)})
    _clear(folder, {INDEX, *(row.page for row in rows)})
    return WrittenReport(folder / INDEX, list(dict.fromkeys(changed)))  # duplicates name the same file


def _publish(folder: Path, content: Mapping[str, str]) -> None:
    for name, text in content.items():
        files.write(folder / name, text.encode())


def _clear(folder: Path, keep: set[str]) -> None:
    """Remove pages of earlier reports: what they say and show may not be so any more."""
    for path in folder.glob("*.html"):
        if path.name not in keep and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                ours = pages.MARK.encode() in file.read(_MARK_WITHIN)
            if ours:
                path.unlink()


def _name(out: Path) -> str:
    return out.resolve().name or "/"


def _left(out: Path) -> int:
    """Work folders of videos that were begun and not finished."""
    work = out / locks.STATE_FOLDER
    return sum(path.is_dir() for path in work.glob("[0-9a-f]*-*"))


def _videos(out: Path, records: Sequence[Record]) -> Iterator[Video]:
    """One for each source that was tried, in the order of the first try."""
    about: dict[str, list[Record]] = {}
    made = made_last(records)
    for record in (followed(record, made) for record in records):
        name = (record.get("source") or {}).get("name")
        if name:
            about.setdefault(name, []).append(record)
    known = review_states(records)
    for name, page in page_names(records).items():
        video = _video(out, name, page, about[name])
        yield replace(video, looked=known[name].second_look) if name in known else video


def _video(out: Path, name: str, page: str, records: Sequence[Record]) -> Video:
    tried = [record for record in records if event_type(record) in OUTCOMES]
    last = tried[-1]
    made = [record for record in tried if record.get("output")]
    result = made[-1] if made else last
    events = [
        Event(int(record["seq"]), str(record.get("time", "")), event_type(record), str(record.get("reason") or ""))
        for record in records
    ]
    earlier = bool(made) and result is not last
    video = Video(name, page, event_type(last), str(last.get("reason") or ""), events, result, earlier)
    purged = any(event_type(record) == "purged" for record in records[records.index(result) + 1 :])
    return _with_files(out, video, purged) if made else video


def _with_files(out: Path, video: Video, purged: bool) -> Video:
    found, tracks_state, faults = _tracks(out, video.told("tracks_file"))
    output, thumbnails, more = _thumbnails(out, video.told("output"))
    output, tracks_state = (
        FileState.PURGED if purged and state is FileState.MISSING else state for state in (output, tracks_state)
    )
    shown = [_picture(one, found, number, video.counts) for number, one in enumerate(thumbnails, 1)]
    masks = _masks(found, video.told("settings", "link", "thresholds")) if found else None
    faults = [*faults, *more]
    return replace(video, output=output, tracks_file=tracks_state, masks=masks, faults=faults, pictures=shown)


def _masks(found: TracksFile, thresholds: Any) -> Masks:
    known = {str(kind): float(score) for kind, score in thresholds.items()} if isinstance(thresholds, Mapping) else {}
    return Masks(found.tracks, found.times, found.size, known)


def _place(out: Path, name: str) -> Path | None:
    """Where a file of the log lies; None where its name leads out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        return None
    place = out / path
    return place if place.resolve().is_relative_to(out.resolve()) else None


def _tracks(out: Path, entry: Any) -> tuple[TracksFile | None, FileState, list[str]]:
    """A changed tracks file is not believed: a box left out of it would be a mask that nobody looks for."""
    if not isinstance(entry, Mapping):
        return None, FileState.NONE, []
    path = _place(out, entry["name"])
    if path is None:
        return None, FileState.OUTSIDE, []
    if not path.is_file():
        return None, FileState.MISSING, []
    if not files.has_digest(path, entry["sha256"]):
        return None, FileState.CHANGED, []
    try:
        return tracks_json.read(path), FileState.AS_LOGGED, []
    except UsageError as error:
        return None, FileState.AS_LOGGED, [str(error)]


def _thumbnails(out: Path, entry: Record) -> tuple[FileState, Sequence[Thumbnail], list[str]]:
    path = _place(out, entry["name"])
    if path is None:
        return FileState.OUTSIDE, (), []
    if not path.is_file():
        return FileState.MISSING, (), []
    try:
        found = filmstrip(path, entry["sha256"], _PICTURES)
    except VideoError as error:
        return FileState.AS_LOGGED, (), [str(error)]
    except OSError as error:
        return FileState.MISSING, (), [f"The masked video {path.name} cannot be read ({error.strerror})."]
    return (FileState.CHANGED, (), []) if found is None else (FileState.AS_LOGGED, found, [])


def _picture(shown: Thumbnail, found: TracksFile | None, number: int, kinds: Container[Kind]) -> Picture:
    """kinds: that were to be masked."""
    data = base64.b64encode(shown.jpeg).decode()
    if found is None:
        return Picture(float(shown.time), shown.width, shown.height, data, f"Masked picture {number}")
    start = float(found.pts[0] * found.time_base)
    time = max(float(shown.time) - start, 0.0)
    frame = int(np.searchsorted(found.times, time + _ROUNDING, "right")) - 1
    on = [track.kind for track in found.tracks if track.first <= frame < track.end]
    counts = " and ".join(f"{on.count(kind)} {kind}" for kind in KINDS if kind in kinds or kind in on)
    words = f"Masked picture {number}: {counts} masks"
    return Picture(time, shown.width, shown.height, data, words)
