"""What there is to review in an output folder, read from its audit log and tracks files. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from dashredact import files
from dashredact.audit import events, records
from dashredact.audit import log as audit_log
from dashredact.errors import RefusedError, UsageError, did_you_mean
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.media.brightness import mean_luma
from dashredact.pipeline import recheck
from dashredact.review import queue
from dashredact.review.queue import FlaggedTrack, Priority
from dashredact.review.state import Record, ReviewState, review_states


@dataclass(frozen=True)
class QueuedVideo:
    """A video of the queue."""

    standing: ReviewState
    urgency: Priority
    places: Sequence[FlaggedTrack]
    """tracks that are worth a look, most pressing first"""
    altered: bool = False
    """whether the masked file is gone, or not as large as the log says"""

    @property
    def is_open(self) -> bool:
        """Whether a person has something to do about it."""
        return self.altered or self.standing.is_open

    @property
    def state(self) -> str:
        return "not the file of the log" if self.altered else self.standing.state


class ReviewQueue:
    """One output folder."""

    def __init__(self, out: Path) -> None:
        """UsageError where it holds no audit log, LedgerError where that is broken."""
        if not (out / audit_log.NAME).is_file():
            raise UsageError(f"{out} holds no {audit_log.NAME}; name the folder that redact wrote to.")
        self.out = out
        self.records = list(audit_log.records(out / audit_log.NAME))
        self._standings = review_states(self.records)
        names = {standing.output["name"]: standing.name for standing in self._standings.values()}
        self._same = {
            record["source"]["name"]: names.get(record["output"]["name"], record["source"]["name"])
            for record in self.records
            if records.event_type(record) == events.EventType.DUPLICATE and record.get("output")
        }
        """names under which a content came again: the one under which it was masked"""
        self._there = {result.name for result in records.results(self.records) if result.inside}

    def standing(self, name: str) -> ReviewState:
        """UsageError where the log gives no output to a source of that name, or the output was purged."""
        name = name if name in self._standings else self._same.get(name, name)
        if name not in self._standings:
            hint = did_you_mean(name, self._standings) or "`review list --all` lists the names."
            raise UsageError(f"{self.out} has no masked video of a source named {name}; {hint}")
        standing = self._standings[name]
        if standing.output["name"] not in self._there:
            raise UsageError(f"{name}: its masked video was purged; there is nothing left to review.")
        return standing

    def matching(self, pattern: str) -> list[str]:
        """Names of the sources that fit a pattern as in a shell and whose videos wait for a person."""
        return [own.name for own in self._standings.values() if self._waits(own) and fnmatchcase(own.name, pattern)]

    def history(self, name: str) -> list[Record]:
        """Every line of the log about a source of that name, oldest first."""
        return [record for record in self.records if (record.get("source") or {}).get("name") == name]

    def queue(self, *, every: bool = False) -> list[QueuedVideo]:
        """Videos that wait for a person, most pressing first. every: also those that are done."""
        there = [own for own in self._standings.values() if own.output["name"] in self._there]
        found = [self._weighed(own) for own in there if every or self._waits(own)]
        return sorted(found, key=lambda video: (-video.urgency.risk, video.standing.name))

    def place(self, name: str) -> Path:
        """Where a file of the log lies. RefusedError where its name leads out of the folder."""
        path = self.out / PurePosixPath(name)
        if name.startswith("/") or ".." in name.split("/") or not path.resolve().is_relative_to(self.out.resolve()):
            raise RefusedError(f"The audit log names {name}, which is outside {self.out}; it was not opened.")
        return path

    def output(self, standing: ReviewState) -> Path:
        """The masked file. RefusedError where it is not the one that the log names."""
        return self._as_logged(standing.output)

    def tracks(self, standing: ReviewState) -> TracksFile:
        """RefusedError where the tracks file is not the one that the log names."""
        return tracks_json.read(self._as_logged(standing.result["tracks_file"]))

    def _as_logged(self, file: Mapping[str, Any]) -> Path:
        path = self.place(file["name"])
        if not files.has_digest(path, file["sha256"]):
            raise RefusedError(f"{file['name']} is not the file that the audit log names; find out who changed it.")
        return path

    def places(self, standing: ReviewState, file: TracksFile) -> list[FlaggedTrack]:
        thresholds = standing.result["settings"]["link"]["thresholds"]
        return queue.rank_tracks(file.tracks, file.times, file.size, thresholds)

    def _waits(self, standing: ReviewState) -> bool:
        """Whether a person has something to do about it; never for what was purged."""
        return standing.output["name"] in self._there and (standing.is_open or self._altered(standing))

    def _altered(self, standing: ReviewState) -> bool:
        """Told by the size; to read every file would take hours, and is what `audit verify --files` is for."""
        path = self.place(standing.output["name"])
        return not path.is_file() or path.stat().st_size != standing.output["bytes"]

    def _weighed(self, standing: ReviewState) -> QueuedVideo:
        luma, altered = mean_luma(self.place(standing.output["name"])), self._altered(standing)
        doubts = {"doubted": records.event_type(standing.result) == events.EventType.NEEDS_REVIEW, "altered": altered}
        try:
            file = self.tracks(standing)
        except (RefusedError, UsageError):
            return QueuedVideo(standing, queue.priority_of(None, 0, 0, luma, **doubts), (), altered)
        found, seen = self.places(standing, file), residual_finds(standing, file)
        pressing = [place for place in found if place.weight >= queue.REVIEW_WEIGHT]
        return QueuedVideo(
            standing, queue.priority_of(found, len(file.tracks), len(seen), luma, **doubts), pressing, altered
        )


def residual_finds(standing: ReviewState, file: TracksFile) -> list[Record]:
    """What a second look saw uncovered and no mask covers now, as the line says it."""
    return recheck.still_uncovered(standing.second_look["finds"] if standing.second_look else (), file.tracks)
