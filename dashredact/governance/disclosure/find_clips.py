"""Which clips a request is about: by vehicle and time, masked or not. A clip whose time is unknown is listed too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from dashredact.audit.clips import Clip, Clips
from dashredact.audit.disclosures import disclosures
from dashredact.audit.subject_requests import SubjectRequest
from dashredact.errors import UsageError, VideoError
from dashredact.formats import tracks_json
from dashredact.media.capture_time import CaptureTime, ContainerTime, Span, capture_time, read_container
from dashredact.workspace import originals
from dashredact.workspace.output_folder import OutputFolder

_UNKNOWN = 3600.0  # seconds that a clip is taken to last where nothing says: longer than most cameras' files
_LONGEST = 86400.0  # seconds


@dataclass(frozen=True)
class ClipMatch:
    name: str
    state: str
    """masked, purged, how the last try ended, or `not masked`"""
    captured: CaptureTime
    span: Span | None
    """None where it is unknown when it was filmed: a person has to decide"""
    output: str
    """name of the masked file; empty where there is none"""
    original: bool
    """whether a file of its source's size was found: hashing a fleet's takes hours. False also where nobody looked"""
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class ClipQuery:
    """Which clips are looked for. Times are local ones of the cameras, both ends inside; None leaves a side open."""

    vehicle: str = ""
    """pattern of file names, empty for all"""
    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of_request(cls, request: SubjectRequest) -> "ClipQuery":
        start, end = (datetime.fromisoformat(text) if text else None for text in (request.start, request.end))
        return cls(request.vehicle, start, end)

    def fits(self, name: str) -> bool:
        names = (name, name.rpartition("/")[2])
        return not self.vehicle or any(fnmatchcase(text, self.vehicle) for text in names)

    def overlaps(self, span: Span | None) -> bool:
        """Whether it may be in that time, which it may be where that is unknown."""
        return span is None or span.overlaps(self.start, self.end)


def find_clips(folder: OutputFolder, inboxes: Sequence[Path], query: ClipQuery, today: date) -> list[ClipMatch]:
    """inboxes: folders in which originals may lie, also such as were never tried."""
    search = _Search(folder, inboxes, today)
    return [match for match in search.matches(query) if query.overlaps(match.span)]


class _Search:
    """What the log and the inboxes have."""

    def __init__(self, folder: OutputFolder, inboxes: Sequence[Path], today: date) -> None:
        self._folder, self._today = folder, today
        events = folder.events()
        self._clips = Clips.read(events)
        self._recipients: dict[str, dict[str, None]] = {}
        for one in disclosures(events):
            for name in (one.clip, one.output):  # duplicates share the masked file
                self._recipients.setdefault(name, {})[one.recipient] = None
        self._originals = dict(originals.videos(inboxes))
        self._sizes = {path.stat().st_size for path in self._originals.values()}

    def matches(self, query: ClipQuery) -> Iterator[ClipMatch]:
        """All of that vehicle, but those whose name and log say that they are of another time."""
        for clip in self._clips:
            if query.fits(clip.name) and query.overlaps(self._longest_span(clip)):
                yield self._match(clip)
        tried = {name for clip in self._clips for name in (clip.name, clip.location)}
        for name, path in self._originals.items():
            if name not in tried and query.fits(name):
                captured, span = _timed(name, path, self._today)
                yield ClipMatch(name, "not masked", captured, span, "", True, ())

    def _longest_span(self, clip: Clip) -> Span | None:
        """Without reading its tracks file, which would take long for a whole fleet."""
        return capture_time(clip.name, today=self._today, logged=clip.captured).span(_LONGEST)

    def _match(self, clip: Clip) -> ClipMatch:
        path = self._originals.get(clip.location)
        captured, span = _timed(clip.name, path, self._today, clip.captured, self._seconds(clip))
        state = "purged" if clip.purged else "masked" if clip.output else str(clip.tried.type)
        output = clip.result.output.name if clip.result and clip.result.output else ""
        recipients = {**self._recipients.get(clip.name, {}), **self._recipients.get(output, {})}
        there = clip.source.bytes in self._sizes
        return ClipMatch(
            clip.name, state, captured, span, clip.output.name if clip.output else "", there, tuple(recipients)
        )

    def _seconds(self, clip: Clip) -> float | None:
        """None where its tracks file is gone or broken."""
        try:
            tracks = tracks_json.read(self._folder.resolve(clip.tracks_file.name)) if clip.tracks_file else None
        except (UsageError, VideoError):
            return None
        return float((tracks.pts[-1] - tracks.pts[0]) * tracks.time_base) if tracks else None


def _timed(
    name: str, path: Path | None, today: date, logged: str = "", seconds: float | None = None
) -> tuple[CaptureTime, Span | None]:
    """path: of its original; None where that was not found. seconds: how long it lasts; None asks the container."""

    @cache
    def container() -> ContainerTime:
        return _container(path)

    captured = capture_time(name, today=today, logged=logged, container=container)
    return captured, captured.span(min(seconds or container().seconds or _UNKNOWN, _LONGEST))


def _container(path: Path | None) -> ContainerTime:
    """Empty where it cannot be read: the clip is listed, and a person decides."""
    try:
        return read_container(path) if path else ContainerTime()
    except (VideoError, OSError):
        return ContainerTime()
