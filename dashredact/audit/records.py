"""Lines of the audit log as plain mappings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from dashredact.audit.events import EventType, parse
from dashredact.audit.legal_holds import active_holds, find_hold
from dashredact.values import Day

OUTCOMES = (
    *(EventType.MASKED, EventType.NEEDS_REVIEW, EventType.CORRECTED, EventType.DUPLICATE),
    *(EventType.REFUSED, EventType.REFUSED_BY_POLICY, EventType.FAILED, EventType.BUG),
)
"""Acts after which a video has an outcome."""
_MAKING = (EventType.MASKED, EventType.NEEDS_REVIEW, EventType.CORRECTED)
"""Acts whose output and tracks file lie in the folder of the log afterwards."""


class ResultFile(NamedTuple):
    """A file that should lie beside the log."""

    line: int
    name: str
    sha256: str

    @property
    def inside(self) -> bool:
        """Whether the name stays in the folder. Names may be hostile: nothing elsewhere is looked at."""
        return not self.name.startswith("/") and ".." not in self.name.split("/") and "\0" not in self.name


def event_type(record: Mapping[str, Any]) -> str:
    """Lines of version 1 only have an outcome."""
    return str(record.get("act", record.get("outcome", "")))


def policy_mark(policy: object) -> str:
    """The policy that a line tells of, and what a person said under it, whatever the video."""
    if not isinstance(policy, Mapping):
        return str(policy)
    return " ".join(repr(policy.get(name)) for name in ("sha256", "purpose", "basis", "reason", "given"))


def captured_days(records: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str | None], str]:
    """The day of filming, ISO 8601, by name and sha256 of the source: of the newest line that says one."""
    days = {}
    for record in records:
        source, policy = record.get("source"), record.get("policy")
        if isinstance(source, Mapping) and isinstance(policy, Mapping) and policy.get("captured"):
            days[str(source.get("name")), source.get("sha256")] = str(policy["captured"])
    return days


def results(records: Sequence[Mapping[str, Any]], first: int = 1) -> list[ResultFile]:
    """Of every name the newest file that has it, without those that were purged. first: number of the first line."""
    newest: dict[str, ResultFile] = {}
    for line, record in enumerate(records, first):
        act = event_type(record)
        for file in files_of(record):
            if act == EventType.PURGED:
                newest.pop(file["name"], None)
            elif act in _MAKING and "sha256" in file:
                newest[file["name"]] = ResultFile(line, file["name"], file["sha256"])
    return sorted(newest.values())


def files_of(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every file under the output folder that the line names."""
    several = record.get("files")
    named = [record.get("output"), record.get("tracks_file"), *(several if isinstance(several, list) else [])]
    yield from (file for file in named if isinstance(file, Mapping) and "name" in file)


@dataclass(frozen=True)
class RecordFilter:
    """Which lines; an empty field asks for nothing."""

    since: str = ""
    """first day, UTC, as 2026-01-31"""
    until: str = ""
    """last day"""
    names: Sequence[str] = ()
    """patterns of which the source's or the output's name fits one"""
    outcomes: Sequence[str] = ()

    def takes(self, record: Mapping[str, Any]) -> bool:
        return (
            self.in_period(record)
            and self._named(record)
            and (not self.outcomes or event_type(record) in self.outcomes)
        )

    def in_period(self, record: Mapping[str, Any]) -> bool:
        day = str(record.get("time", ""))[:10]  # always UTC, so days compare as text
        return self.since <= day and (not self.until or "" < day <= self.until)

    def _named(self, record: Mapping[str, Any]) -> bool:
        told = [part["name"] for part in (record.get("source"), record.get("output")) if isinstance(part, Mapping)]
        return not self.names or any(fnmatchcase(name, pattern) for name in told for pattern in self.names)


Record = Mapping[str, Any]


@dataclass(frozen=True)
class Clip:
    """A source that was tried, as the log leaves it."""

    name: str
    """of the source, as the log calls it"""
    line: int
    """of `record`"""
    record: Record
    """the newest line that gave it an output; where none did, of the last try"""
    tried: Record
    """the newest line that says with which settings it was masked: a correction may not"""
    reviewed_by: str = ""
    """who approved the newest masked file; empty where nobody has, or where a later look rejected it"""
    purged: bool = False
    """whether the masked file is gone on purpose"""
    erased: bool = False
    """whether the source is gone on purpose"""
    captured: str = ""
    """day of filming, ISO 8601; empty where no line about this content says one"""

    @property
    def output(self) -> Record | None:
        """Name and sha256 of the masked file; None where there is none any more."""
        output = self.record.get("output")
        return output if isinstance(output, Mapping) and not self.purged else None

    @property
    def source_sha256(self) -> str | None:
        return (self.record.get("source") or {}).get("sha256")


@dataclass(frozen=True)
class Handed:
    """A version of a clip that went to somebody."""

    line: int
    time: str
    clip: str
    """name of the source"""
    output: str
    """name of the masked file under the output folder"""
    sha256: str
    """of that masked file; a copy for one person was made with its masks"""
    recipient: str
    purpose: str
    contract: str

    def is_personal_for(self, reference: str) -> bool:
        """Whether it is the copy that somebody got of themselves, under that number of the operator's own file."""
        return not self.purpose and self.recipient.startswith("request ") and self.recipient.endswith(f": {reference}")

    def fits(self, names: Iterable[str]) -> bool:
        """Whether its source or its masked file has such a name, or fits it as a pattern."""
        return any(_has(name, (self.clip, self.output)) for name in names)


@dataclass(frozen=True)
class Recall:
    """Somebody to tell, and why."""

    handed: Handed
    act: str
    """corrected or purged"""
    line: int
    time: str
    reason: str


def person(record: Record) -> str:
    """Who acted."""
    by = record.get("by") or {}
    return str(by.get("name", by.get("user", "")))


def clips(records: Sequence[Record]) -> list[Clip]:
    """Every source that was tried, in the order of the first try."""
    about: dict[str, list[tuple[int, Record]]] = {}
    for line, record in enumerate(records, 1):
        name = (record.get("source") or {}).get("name")
        if name and event_type(record) in OUTCOMES:
            about.setdefault(name, []).append((line, record))
    later = _Later.of(records)
    return [_clip(name, tries, later) for name, tries in about.items()]


@dataclass(frozen=True)
class _Later:
    """What the log says after a line, looked up instead of searched."""

    made: Mapping[str, Record]
    """see `made_last`"""
    reviews: Mapping[str | None, tuple[int, Record]]
    """by sha256 of the masked file, the newest review"""
    purges: Mapping[str, int]
    """by name of a file or source, the newest line that says it was purged"""
    captured: Mapping[tuple[str, str | None], str]
    """see `captured_days`"""

    @classmethod
    def of(cls, records: Sequence[Record]) -> "_Later":
        numbered = list(enumerate(records, 1))
        reviews = {
            (one.get("output") or {}).get("sha256"): (line, one)
            for line, one in numbered
            if event_type(one) == EventType.REVIEWED
        }
        purges = {name: line for line, one in numbered for name in gone(one)}
        return cls(made_last(records), reviews, purges, captured_days(records))


def named(found: Sequence[Clip], names: Sequence[str]) -> tuple[list[Clip], list[str]]:
    """The clips whose source or masked file has such a name, or fits it as a pattern; and names that fit none."""
    wanted = {name: [clip for clip in found if _fits(clip, name)] for name in names}
    chosen = {clip.name: clip for several in wanted.values() for clip in several}
    return list(chosen.values()), [name for name, several in wanted.items() if not several]


def _fits(clip: Clip, name: str) -> bool:
    output = clip.record.get("output")
    return _has(name, [clip.name, *([str(output["name"])] if output else [])])


def _has(name: str, own: Sequence[str]) -> bool:
    return name in own or any(fnmatchcase(one, name) for one in own)


def _clip(name: str, tries: Sequence[tuple[int, Record]], later: _Later) -> Clip:
    made = [try_ for try_ in tries if isinstance(try_[1].get("output"), Mapping)]
    line, record = (made or tries)[-1]
    record = followed(record, later.made)
    settled = [try_ for _, try_ in tries if "settings" in try_ and (not made or try_.get("output"))]
    output = record.get("output") or {}
    return Clip(
        name,
        line,
        record,
        settled[-1] if settled else record,
        _reviewed_by(later.reviews.get(output.get("sha256")), line) if made else "",
        later.purges.get(str(output.get("name")), 0) > line if made else False,
        later.purges.get(name, 0) > line,
        later.captured.get((name, record["source"].get("sha256")), ""),
    )


def made_last(records: Sequence[Record]) -> dict[str, Record]:
    """By name of a masked file, the newest line that made it."""
    made = (one for one in records if event_type(one) in _MAKING and isinstance(one.get("output"), Mapping))
    return {one["output"]["name"]: one for one in made}


def followed(record: Record, made: Mapping[str, Record]) -> Record:
    """A duplicate's line with the files that stand for it as they are now: corrections change them."""
    now = made.get((record.get("output") or {}).get("name", "")) if event_type(record) == EventType.DUPLICATE else None
    return {**record, "output": now["output"], "tracks_file": now["tracks_file"]} if now else record


def _reviewed_by(review: tuple[int, Record] | None, line: int) -> str:
    """Who approved it after that line."""
    found = review is not None and review[0] > line and review[1].get("verdict") == "approved"
    return person(review[1]) if review and found else ""


def gone(record: Record) -> set[str]:
    """Names of the files of which the line says that they were purged."""
    if event_type(record) != EventType.PURGED:
        return set()
    parts = [record.get("output"), *(record.get("files") or [])]
    alone = [record.get("source")] if not any(parts) else []
    return {str(part["name"]) for part in [*parts, *alone] if isinstance(part, Mapping) and "name" in part}


def handed(records: Sequence[Record]) -> Iterator[Handed]:
    """Everything that went out, oldest first."""
    for line, record in enumerate(records, 1):
        if event_type(record) == EventType.EXPORTED and isinstance(record.get("output"), Mapping):
            output, told = record["output"], (str(record.get(key, "")) for key in ("recipient", "purpose", "contract"))
            name = str((record.get("source") or {}).get("name", ""))
            yield Handed(line, str(record.get("time", "")), name, output["name"], output["sha256"], *told)


def recalls(records: Sequence[Record]) -> list[Recall]:
    """Whoever holds a version that was corrected or purged after they got it, oldest act first."""
    out = list(handed(records))
    found = []
    for line, record in enumerate(records, 1):
        act, away = event_type(record), gone(record)
        for one in out:
            corrected = act == EventType.CORRECTED and record.get("replaces") == one.sha256
            if one.line < line and (corrected or one.output in away):
                found.append(Recall(one, act, line, str(record.get("time", "")), str(record.get("reason", ""))))
    return found


def outputs_of(found: Sequence[Clip], names: Sequence[str]) -> set[str]:
    """Names of masked files, there or not, of the clips that have or fit one of the names: duplicates share one."""
    fitting = [clip for clip in found if any(_fits(clip, name) for name in names)]
    return {str(clip.record["output"]["name"]) for clip in fitting if clip.record.get("output")}


def held(records: Sequence[Record], clip: Clip, today: Day) -> str:
    """Why the clip must be kept; empty where nothing holds it."""
    hold = find_hold(active_holds(map(parse, records)).values(), [clip.name], [clip.source_sha256], today)
    return hold.reason or hold.kind if hold else ""
