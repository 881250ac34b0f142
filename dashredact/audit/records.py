"""Lines of the audit log as plain mappings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from dashredact.audit.events import EventType

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
