"""The report of an output folder: what the audit log says of each video, held against what lies on the disk.

Pictures come only from a masked file whose sha256 is the one in the log. Nothing of a broken log is repeated: then the
batch page says so, and pages of earlier reports go.
"""

import base64
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.clips import Clip, Clips
from dashredact.audit.events import Event, FileEntry
from dashredact.errors import LedgerError, MachineError, RefusedError, UsageError, VideoError
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import KINDS, Kind
from dashredact.media.thumbnails import Thumbnail, filmstrip, shrunk
from dashredact.report import pages
from dashredact.report.page_names import FOLDER, INDEX, page_names
from dashredact.report.values import WRONG, DiskState, Folder, Masks, Picture, Row, Video
from dashredact.review.draws import draws
from dashredact.review.queue import assess
from dashredact.workspace import work_folder
from dashredact.workspace.output_folder import FileState, OutputFolder

_PICTURES = 8
_SMALL = 160  # pixels of the longer side of a picture on the batch page
_MAX_SMALL = 500  # pictures on the batch page, which would take long to open with more
_ROUNDING = 0.002  # seconds that a container may be off by
_MARK_WITHIN = 1000  # bytes from the start of a page
_STATES = {
    FileState.AS_LOGGED: DiskState.AS_LOGGED,
    FileState.CHANGED: DiskState.CHANGED,
    FileState.MISSING: DiskState.MISSING,
    FileState.OUTSIDE: DiskState.OUTSIDE,
}


@dataclass(frozen=True)
class WrittenReport:
    """What a report left."""

    index: Path
    changed: Sequence[str]
    """names of files that are not what the audit log says"""


def write_report(out: OutputFolder) -> WrittenReport:
    """Write the pages of an output folder into its folder `report`.

    LedgerError where the audit log is broken; the batch page is written all the same.
    """
    folder = files.private_folder(out.path / FOLDER)
    if folder.is_symlink():
        raise MachineError(f"{folder} is a link that leads elsewhere; remove it and run again.")
    try:
        events = out.events()
    except LedgerError as error:
        broken = Folder(_name(out), (), 0, str(error), has_head=False, left=0)
        _publish(folder, {INDEX: pages.index(broken)})
        _clear(folder, {INDEX})
        raise
    return _write_all(out, folder, events)


def _write_all(out: OutputFolder, folder: Path, events: Sequence[Event]) -> WrittenReport:
    clips = Clips.read(events)
    rows, changed = list[Row](), list[str]()
    for video in _videos(out, clips, page_names(events)):
        _publish(folder, {video.page: pages.video(video)})
        rows.append(Row.of(video, _small(video) if len(rows) < _MAX_SMALL else None))
        changed += _changed(video)
    has_head = audit_log.read_head(audit_log.head_path(out.log)) is not None
    left = len(work_folder.folders(out.path))
    batch = Folder(_name(out), rows, len(events), "", has_head, left, draws(events, clips))
    _publish(folder, {INDEX: pages.index(batch)})
    _clear(folder, {INDEX, *(row.page for row in rows)})
    return WrittenReport(folder / INDEX, list(dict.fromkeys(changed)))  # duplicates name the same file


def _small(video: Video) -> Picture | None:
    """The picture from the middle of the video, for the batch page."""
    if not video.pictures:
        return None
    middle = video.pictures[len(video.pictures) // 2]
    width, height, jpeg = shrunk(base64.b64decode(middle.data), _SMALL)
    return replace(middle, width=width, height=height, data=base64.b64encode(jpeg).decode())


def _changed(video: Video) -> Iterator[str]:
    entries = ((video.clip.output, video.output), (video.clip.tracks_file, video.tracks_file))
    yield from (entry.name for entry, state in entries if entry and state in WRONG)


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


def _name(out: OutputFolder) -> str:
    return out.path.resolve().name or "/"


def _videos(out: OutputFolder, clips: Clips, page_of: Mapping[str, str]) -> Iterator[Video]:
    """One for each source that was tried, in the order of the log."""
    for name, page in page_of.items():
        yield _video(out, clips.by_name[name], page)


def _video(out: OutputFolder, clip: Clip, page: str) -> Video:
    if clip.file is None:
        return Video(clip, page, assess(clip, None, None, altered=False))
    if clip.purged:
        queued = assess(clip, None, None, altered=False)
        return Video(clip, page, queued, DiskState.PURGED, DiskState.PURGED)
    file, tracks_state, faults = _tracks(out, clip.tracks_file)
    output, thumbnails, more = _thumbnails(out, clip.output)
    queued = assess(clip, file, None, altered=output in WRONG)
    kinds = clip.masking.parsed_settings().link.kinds
    pictures = [_picture(one, file, number, kinds) for number, one in enumerate(thumbnails, 1)]
    masks = _masks(clip, file) if file else None
    return Video(clip, page, queued, output, tracks_state, masks, [*faults, *more], pictures)


def _masks(clip: Clip, file: TracksFile) -> Masks:
    thresholds = {str(kind): score for kind, score in clip.masking.parsed_settings().link.thresholds.items()}
    return Masks(file.tracks, file.times, file.size, thresholds)


def _tracks(out: OutputFolder, entry: FileEntry | None) -> tuple[TracksFile | None, DiskState, list[str]]:
    """A changed tracks file is not read: a box left out of it would be a mask that nobody looks for."""
    if entry is None:
        return None, DiskState.NONE, []
    state = _STATES[out.state(entry)]
    if state is not DiskState.AS_LOGGED:
        return None, state, []
    try:
        return tracks_json.read(out.resolve(entry.name)), state, []
    except UsageError as error:
        return None, state, [str(error)]


def _thumbnails(out: OutputFolder, entry: FileEntry | None) -> tuple[DiskState, Sequence[Thumbnail], list[str]]:
    if entry is None:
        return DiskState.NONE, (), []
    try:
        path = out.resolve(entry.name)
    except RefusedError:
        return DiskState.OUTSIDE, (), []
    if not path.is_file():
        return DiskState.MISSING, (), []
    try:
        pictures = filmstrip(path, entry.sha256, _PICTURES)
    except VideoError as error:
        return DiskState.AS_LOGGED, (), [str(error)]
    except OSError as error:
        return DiskState.MISSING, (), [f"The masked video {entry.name} cannot be read ({error.strerror})."]
    return (DiskState.CHANGED, (), []) if pictures is None else (DiskState.AS_LOGGED, pictures, [])


def _picture(shown: Thumbnail, file: TracksFile | None, number: int, kinds: Container[Kind]) -> Picture:
    """kinds: that were to be masked."""
    data = base64.b64encode(shown.jpeg).decode()
    if file is None:
        return Picture(float(shown.time), shown.width, shown.height, data, f"Masked picture {number}")
    start = float(file.pts[0] * file.time_base)
    time = max(float(shown.time) - start, 0.0)
    frame = int(np.searchsorted(file.times, time + _ROUNDING, "right")) - 1
    on = [track.kind for track in file.tracks if track.first <= frame < track.end]
    counts = " and ".join(f"{on.count(kind)} {kind}" for kind in KINDS if kind in kinds or kind in on)
    words = f"Masked picture {number}: {counts} masks"
    return Picture(time, shown.width, shown.height, data, words)
