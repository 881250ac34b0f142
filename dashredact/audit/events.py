"""What lines of the audit log tell of: one frozen type for each act, converted from and to JSON here and nowhere else.

A line is JSON (`audit.chain` says how it is written and chained). `parse` turns its fields into the type that its `act`
names, whatever version of this tool wrote it; `Event.to_record` gives the fields that `audit.log` appends. Fields that
no type knows, such as those of a newer version, are ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import msgspec

from dashredact.errors import LedgerError
from dashredact.settings import Settings
from dashredact.settings import from_record as settings_from_record
from dashredact.values import Day


class EventType(StrEnum):
    """What was done. The first seven are how trying a video ended."""

    MASKED = "masked"
    NEEDS_REVIEW = "needs review"
    REFUSED = "refused"
    REFUSED_BY_POLICY = "refused by policy"
    FAILED = "failed"
    BUG = "bug"
    DUPLICATE = "duplicate"
    REVIEWED = "reviewed"
    MARKED = "marked"
    UNMASKED = "lifted"
    UNDONE = "undone"
    SAMPLED = "sampled"
    JUDGED = "judged"
    CORRECTED = "corrected"
    EXPORTED = "exported"
    WITHHELD = "withheld"
    HELD = "held"
    RELEASED = "released"
    PURGED = "purged"
    SEALED = "sealed"
    QUARANTINED = "quarantined"
    RETRIED = "retried"
    REQUESTED = "requested"
    ANSWERED = "answered"
    INCIDENT = "incident"


class ReviewVerdict(StrEnum):
    """What a person who looked at an output thinks of it."""

    NOT_SAID = ""
    """as lines of version 1 may have it"""
    APPROVED = "approved"
    REJECTED = "rejected"


class RequestKind(StrEnum):
    """What somebody who may have been filmed asks for."""

    COPY = "copy"
    ERASE = "erase"
    STOP = "stop"


NO_POLICY = "no policy"
"""What a line says of the policy where the run was under none."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Part of a line; a field that has its default is left out."""


class FileEntry(_Part, frozen=True):
    """A file under the output folder."""

    name: str
    """relative to the folder, with `/`; may be hostile: only `OutputFolder.resolve` makes a path of it"""
    sha256: str = ""
    bytes: int | None = None
    stage: str = ""
    """what it is to the clip, where an erasure tells of it: masked, tracks, detections, report"""


class SourceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A video as it came in."""

    name: str
    """relative to the folder it was found in"""
    sha256: str | None = None
    bytes: int | None = None
    place: str | None = None
    """tells the folders of two sources of one name apart, without saying where they are"""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted."""

    user: str = ""
    """account on the machine"""
    host: str = ""
    name: str | msgspec.UnsetType = msgspec.UNSET
    """what the person calls themselves, where they said so"""

    def __str__(self) -> str:
        return self.name or self.user


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "dashredact"
    version: str = ""


class Rule(_Part, frozen=True):
    """Why something was deleted or encrypted."""

    name: str
    days: int | None = None
    since: str = msgspec.field(name="from", default="")


class RequestRef(_Part, frozen=True):
    """A request of somebody who may have been filmed: all of it where it came in, later its number alone."""

    id: int
    kind: RequestKind | None = None
    reference: str | None = None
    vehicle: str | None = None
    start: str | None = msgspec.field(name="from", default=None)
    end: str | None = msgspec.field(name="to", default=None)
    place: str | None = None
    received: str | None = None
    due: str | None = None


class HoldTerms(_Part, frozen=True):
    kind: str
    until: Day
    """last day"""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A leak, and the dates of its reports (days, ISO 8601)."""

    id: int
    known: str = ""
    wrongful: bool = False
    preliminary: str = ""
    final: str = ""
    clips: list[str] = []


class Mark(_Part, frozen=True):
    """A box that a person drew over something missed. Frames `first..end` of the video."""

    id: int
    kind: str
    first: int
    end: int
    how: str = ""
    """still, moving or tracked"""
    keys: list[tuple[float, float, float, float, float]] = []
    """frame x0 y0 x1 y1, by rising frame"""
    wanted_end: int | None = None
    """end of the frames over which an object was to be followed, where it was lost before"""


class UnmaskedTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track whose mask a person took away, as a tracks file holds it."""

    id: int
    kind: str
    first: int
    end: int
    boxes: list[list[float]] = []
    origins: list[Any] = []
    scores: list[float] = []


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    track: int


class RenderedSegments(msgspec.Struct, frozen=True, kw_only=True):
    """Of a corrected file: numbers of the segments that were rendered again, and how many there are."""

    rendered: list[int] = []
    of: int = 0


class AppliedCorrections(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of the marks and unmasked tracks that are in a corrected file."""

    marks: list[int] = []
    lifts: list[int] = []


class DrawnFrame(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    output: str
    frame: int
    times: int


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """Frames drawn by chance."""

    id: int
    """from 1 in each log"""
    seed: str = ""
    seed_given: bool = False
    """whether a person chose it"""
    frames: int = 0
    kinds: list[str] = []
    """that are masked in all of the videos"""
    names: list[str] = []
    """patterns of the names of videos; none: all"""
    videos: int = 0
    seconds: float = 0.0
    population: str = ""
    """see `review.draws.fingerprint`"""
    drawn: list[DrawnFrame] = []


class DrawRef(msgspec.Struct, frozen=True, kw_only=True):
    """A draw by its number."""

    id: int


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    frame: int
    kind: str
    missed: int


class BoundEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind: see `review.miss_bound.MissBound`."""

    missed: int
    confidence: float
    seen: float
    most: float


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a person saw on drawn frames, and what it bounds."""

    frames: int = 0
    bounds: dict[str, BoundEntry] = {}
    misses: list[Miss] = []


class ResidualEntry(_Part, frozen=True):
    """Something on a masked file that may be a face or a plate and was not under a mask. Frames are the video's."""

    kind: str
    frame: int
    """where it was seen best"""
    time: float
    """seconds of that frame from the start of the video"""
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 on that frame"""
    score: float
    first: int
    last: int
    sights: int | None = None
    """frames on which it was seen"""
    model: str = ""
    """name of the model that saw it"""


class SecondLookEntry(_Part, frozen=True):
    """Whether the finished file was looked at again, and what that saw."""

    ran: bool
    every: int | None = None
    """every so many frames were looked at"""
    frames: int | None = None
    models: list[str] = []
    finds: list[ResidualEntry] | None = None
    """None where it did not run"""


class FrameCounts(msgspec.Struct, frozen=True, kw_only=True):
    in_: int = msgspec.field(name="in", default=0)
    out: int = 0
    lost_at: list[float] = []
    """seconds"""


class StreamLists(msgspec.Struct, frozen=True, kw_only=True):
    kept: list[str] = []
    dropped: list[str] = []


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    sha256: str = ""


class PersonalCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy for one person, which is not among the folder's files."""

    sha256: str
    bytes: int
    lifted: list[int] = []


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="act"):
    """A line of the log. Events to be written have no `seq` and `time` yet; `audit.log` gives them theirs."""

    always: ClassVar[Mapping[str, Any]] = {"reason": ""}
    """fields that the line has even where they hold nothing"""

    seq: int = 0
    """number of the line, from 1"""
    time: str = ""
    """UTC, ISO 8601 to the second; days compare as text"""
    tool: Tool | None = None
    by: Actor | None = None
    reason: str = ""
    mended: str = ""
    """what a crash had left, which was cut off before this line"""

    def __post_init__(self) -> None:
        if self.time:
            Day.fromisoformat(self.time[:10])

    @property
    def type(self) -> EventType:
        return EventType(str(self.__struct_config__.tag))

    @property
    def actor(self) -> Actor:
        return self.by or Actor()

    def to_record(self) -> dict[str, Any]:
        """As JSON has it, with nothing that the log itself adds."""
        record: dict[str, Any] = msgspec.to_builtins(self)
        for name, value in self.always.items():
            record.setdefault(name, value)
        if isinstance(self, Tried) and not isinstance(self, Corrected):
            record["outcome"] = record["act"]
        return record


class SourceEvent(Event, frozen=True):
    """Something about one video."""

    source: SourceEntry | None = None
    output: FileEntry | None = None
    """the masked file that it is about"""

    @property
    def name(self) -> str:
        """Of the source; empty where the line does not say."""
        return self.source.name if self.source else ""


class RunEvent(SourceEvent, frozen=True):
    """Something that a run did with a video, and under which settings it ran."""

    policy: str | dict[str, Any] = NO_POLICY
    model: ModelEntry | None = None
    settings: dict[str, Any] = {}
    """`settings.Settings` as JSON"""
    fingerprint: str = ""
    """of settings and model"""

    @property
    def policy_key(self) -> str:
        return policy_key(self.policy)

    @property
    def captured(self) -> str:
        """Day of filming, ISO 8601, as it was taken to be when it was masked; empty where the line does not say."""
        return str(self.policy.get("captured") or "") if isinstance(self.policy, dict) else ""

    def parsed_settings(self) -> Settings:
        """The settings of the run. LedgerError where the line does not hold what this version knows as settings."""
        try:
            return settings_from_record(self.settings)
        except ValueError as error:
            raise LedgerError(
                f"Line {self.seq} of the audit log holds settings that cannot be read ({error})."
            ) from None


class Tried(RunEvent, frozen=True):
    """How trying a video ended, or what a correction made of it."""

    always: ClassVar[Mapping[str, Any]] = {"reason": "", "output": None, "policy": NO_POLICY}

    tracks_file: FileEntry | None = None
    files: list[FileEntry] = []
    """what else was left beside the output"""
    gates: list[str] = []
    """codes of the gates that refused it"""
    frames: FrameCounts | None = None
    tracks: dict[str, dict[str, int]] = {}
    """per kind: tracks, and masked boxes by origin"""
    masked_share: float | None = None
    """mean share of the picture under masks, besides those of zones; None where the line does not say"""
    streams: StreamLists | None = None
    verified: dict[str, float] | None = None
    second_look: SecondLookEntry | None = None
    notes: list[str] | None = None
    seconds: dict[str, float] = {}
    """by stage"""


class Produced(Tried, frozen=True):
    """A masked file and its tracks file are there afterwards."""

    always: ClassVar[Mapping[str, Any]] = {**Tried.always, "tracks": {}, "notes": [], "seconds": {}}


class Masked(Produced, frozen=True, tag="masked"):
    pass


class NeedsReview(Produced, frozen=True, tag="needs review"):
    pass


class Corrected(Produced, frozen=True, tag="corrected"):
    """What people decided is in the file now; it takes the place of another."""

    replaces: str = ""
    """sha256 of the masked file before"""
    corrections: AppliedCorrections | None = None
    segments: RenderedSegments | None = None
    compared: dict[str, float] = {}


class Duplicate(Tried, frozen=True, tag="duplicate"):
    """Its content was masked under another name, whose output stands for both."""


class NotMasked(Tried, frozen=True):
    """There is no output, and the reason says why."""


class Refused(NotMasked, frozen=True, tag="refused"):
    pass


class RefusedByPolicy(NotMasked, frozen=True, tag="refused by policy"):
    pass


class Failed(NotMasked, frozen=True, tag="failed"):
    pass


class Bug(NotMasked, frozen=True, tag="bug"):
    pass


class Reviewed(SourceEvent, frozen=True, tag="reviewed"):
    verdict: ReviewVerdict = ReviewVerdict.NOT_SAID


class Marked(SourceEvent, frozen=True, tag="marked"):
    mark: Mark | None = None


class Unmasked(SourceEvent, frozen=True, tag="lifted"):
    lift: UnmaskedTrack | None = None


class Undone(SourceEvent, frozen=True, tag="undone"):
    undo: Undo | None = None


class Sampled(Event, frozen=True, tag="sampled"):
    draw: Draw | None = None


class Judged(Event, frozen=True, tag="judged"):
    draw: DrawRef | None = None
    judged: Judgement | None = None


class Leaving(SourceEvent, frozen=True):
    """A masked file on its way to a recipient."""

    recipient: str = ""
    purpose: str = ""
    contract: str = ""
    basis: str = ""
    policy: str = ""
    """sha256 of the policy"""


class Exported(Leaving, frozen=True, tag="exported"):
    one_kind: str = ""
    handed_over: str = ""
    delete_by: str = ""
    copy: PersonalCopy | None = None
    request: RequestRef | None = None


class Withheld(Leaving, frozen=True, tag="withheld"):
    pass


class Held(SourceEvent, frozen=True, tag="held"):
    hold: HoldTerms | None = None


class Released(SourceEvent, frozen=True, tag="released"):
    pass


class Purged(SourceEvent, frozen=True, tag="purged"):
    """Files that are gone on purpose: `files` and `output` of the folder, or where there are none, the source."""

    tracks_file: FileEntry | None = None
    """as lines of version 1 have it; later ones name it among the files"""
    files: list[FileEntry] = []
    rule: Rule | None = None
    policy: dict[str, str] | None = None
    deletion: str = ""
    """tells it from all others"""
    sealed: FileEntry | None = None
    """the encrypted copy of the source, where that is what went"""
    request: RequestRef | None = None
    erased: str = ""
    """sha256 of a source that is not wanted again"""


class Sealed(SourceEvent, frozen=True, tag="sealed"):
    """The source was encrypted, and is gone."""

    sealed: FileEntry | None = None
    sealed_for: str = ""
    rule: Rule | None = None
    policy: dict[str, str] | None = None
    deletion: str = ""


class Quarantined(RunEvent, frozen=True, tag="quarantined"):
    """The source was moved after too many tries."""

    moved_to: str = ""
    """relative to the inbox"""


class Retried(RunEvent, frozen=True, tag="retried"):
    """A person wants the source tried again; it lies where it was before."""


class Requested(Event, frozen=True, tag="requested"):
    request: RequestRef | None = None


class Answered(Event, frozen=True, tag="answered"):
    request: RequestRef | None = None


class IncidentReported(Event, frozen=True, tag="incident"):
    incident: Incident | None = None


_Line = (
    (Masked | NeedsReview | Corrected | Duplicate | Refused | RefusedByPolicy | Failed | Bug)
    | (Reviewed | Marked | Unmasked | Undone | Sampled | Judged)
    | (Exported | Withheld | Held | Released | Purged | Sealed | Quarantined | Retried)
    | (Requested | Answered | IncidentReported)
)


def parse(record: Mapping[str, Any]) -> Event:
    """The event that a line tells of. ValueError, whose text ends a sentence about the line, where it tells of none."""
    try:
        # Lines of version 1 only have an outcome.
        event: Event = msgspec.convert({**record, "act": str(record.get("act", record.get("outcome", "")))}, _Line)
        _check(event)
    except ValueError as error:  # msgspec's as well
        raise ValueError(f"does not have the form of its act ({error})") from None
    return event


def _check(event: Event) -> None:
    """ValueError where a type cannot say what is wrong."""
    if isinstance(event, SourceEvent) and event.source and not event.source.name:
        raise ValueError("a source without a name")
    if isinstance(event, IncidentReported) and event.incident:
        for day in (event.incident.known, event.incident.preliminary, event.incident.final):
            msgspec.convert(day, Day)
    if isinstance(event, Requested | Answered) and event.request:
        for moment in (event.request.start, event.request.end, event.request.received, event.request.due):
            msgspec.convert((moment or "2000-01-01")[:10], Day)


def policy_key(policy: object) -> str:
    """The policy that a line tells of, and what a person said under it, whatever the video."""
    if not isinstance(policy, Mapping):
        return str(policy)
    return " ".join(repr(policy.get(name)) for name in ("sha256", "purpose", "basis", "reason", "given"))


def files_of(event: Event) -> Iterator[FileEntry]:
    """Every file under the output folder that the line names."""
    named = [event.output] if isinstance(event, SourceEvent) else []
    named += [event.tracks_file] if isinstance(event, Tried | Purged) else []
    yield from (file for file in named if file)
    if isinstance(event, Tried | Purged):
        yield from event.files


def files_there(events: Sequence[Event]) -> list[tuple[int, FileEntry]]:
    """What should lie in the folder: of every name the newest file that has it, without those that were purged.

    Each with the number of the line that made it, in order of lines.
    """
    newest: dict[str, tuple[int, FileEntry]] = {}
    for event in events:
        for file in files_of(event):
            if isinstance(event, Purged):
                newest.pop(file.name, None)
            elif isinstance(event, Produced) and file.sha256:
                newest[file.name] = (event.seq, file)
    return sorted(newest.values(), key=lambda entry: (entry[0], entry[1].name))


@dataclass(frozen=True)
class EventFilter:
    """Which lines; an empty field asks for nothing."""

    since: str = ""
    """first day, UTC, as 2026-01-31"""
    until: str = ""
    """last day"""
    names: Sequence[str] = ()
    """patterns of which the source's or the output's name fits one"""
    types: Sequence[str] = ()

    def takes(self, event: Event) -> bool:
        return self.in_period(event) and self._named(event) and (not self.types or event.type in self.types)

    def in_period(self, event: Event) -> bool:
        day = event.time[:10]
        return self.since <= day and (not self.until or "" < day <= self.until)

    def _named(self, event: Event) -> bool:
        parts = (event.source, event.output) if isinstance(event, SourceEvent) else ()
        names = [part.name for part in parts if part]
        return not self.names or any(fnmatchcase(name, pattern) for name in names for pattern in self.names)
