"""Deleting a clip in all its stages: the journal knows what is to go first, then the files go, then the log says so.

A crash leaves the journal's entry, and whichever command writes to the folder next finishes it: log and disk agree
again. A file is deleted only while it is the one that was meant.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit.events import FileEntry, Purged, RequestRef, Rule
from dashredact.audit.records import OUTCOMES, Clip, event_type
from dashredact.report.page_names import page_names, page_paths
from dashredact.workspace import originals, quarantine, work_folder
from dashredact.workspace.journal import Removal, Target
from dashredact.workspace.output_folder import OutputFolder


class Stage(StrEnum):
    """What a file is to its clip."""

    CAPTURED = "captured"
    SEALED = "sealed"
    REASON = "reason"
    """beside a quarantined source, why it is there: the log holds that already"""
    MASKED = "masked"
    TRACKS = "tracks"
    DETECTIONS = "detections"
    REPORT = "report"


UNMASKED = (Stage.CAPTURED, Stage.SEALED)
"""Stages of which the log says that the source is gone."""


@dataclass(frozen=True)
class ClipFile:
    """A file of a clip that is to go."""

    path: Path
    stage: Stage
    entry: FileEntry
    """as the log calls it"""


@dataclass(frozen=True)
class ErasurePlan:
    """One clip in all its stages."""

    source: Mapping[str, Any]
    """as the log says it"""
    files: Sequence[ClipFile]
    work_folders: Sequence[Path] = ()

    @property
    def clip(self) -> str:
        """Name of the source."""
        return str(self.source["name"])


def plan(
    folder: OutputFolder, clip: Clip, records: Sequence[Mapping[str, Any]], inboxes: Sequence[Path]
) -> ErasurePlan:
    """What there is of a clip. inboxes: folders in which its source may lie. RefusedError for a name that leads out."""
    source = clip.record["source"]
    contents = [(Stage.CAPTURED, source), *((Stage.SEALED, one["sealed"]) for one in records if _sealed(one, clip))]
    there = [
        (path, clip.name, stage)
        for stage, content in contents
        for path in originals.find(inboxes, content.get("sha256"), content.get("bytes"))
    ]
    there += [
        (quarantine.reason_of(path), clip.name, Stage.REASON) for path, _, stage in there if stage is Stage.CAPTURED
    ]
    there += [(folder.resolve(name), name, stage) for name, stage in _made(clip, records)]
    there += [
        (path, f"{path.parent.name}/{path.name}", Stage.REPORT)
        for path in page_paths(folder.path, page_names(folder.events()), [clip.name])
    ]
    unlinked = [one for one in dict.fromkeys(there) if one[0].is_file() and not one[0].is_symlink()]
    return ErasurePlan(source, [_clip_file(*one) for one in unlinked], work_folder.of_source(folder.path, clip.name))


def _sealed(record: Mapping[str, Any], clip: Clip) -> bool:
    """Whether the line tells of an encrypted copy of the source."""
    return isinstance(record.get("sealed"), Mapping) and record["source"].get("sha256") == clip.source_sha256


def _made(clip: Clip, records: Sequence[Mapping[str, Any]]) -> list[tuple[str, Stage]]:
    """Every name that the log ever gave to something made of it, and its stage."""
    stages = ("output", Stage.MASKED), ("tracks_file", Stage.TRACKS)
    mine = [one for one in records if (one.get("source") or {}).get("name") == clip.name]
    named = [(one[key]["name"], stage) for one in mine for key, stage in stages if isinstance(one.get(key), Mapping)]
    kept = [
        (file["name"], Stage.DETECTIONS)
        for one in mine
        if event_type(one) in OUTCOMES
        for file in one.get("files") or ()
    ]
    return [*named, *kept]


def _clip_file(path: Path, name: str, stage: Stage) -> ClipFile:
    entry = FileEntry(name=name, sha256=files.sha256(path), bytes=path.stat().st_size, stage=str(stage))
    return ClipFile(path.absolute(), stage, entry)


def erase(folder: OutputFolder, plans: Sequence[ErasurePlan], request: int) -> None:
    """Delete and record, for a request of the register; the folder is held.

    MachineError where a file cannot be deleted: whichever command writes to the folder next goes on there.
    """
    folder.check_log()
    folder.carry_out(*(removal for one in plans for removal in _removals(one, request)))


def _removals(one: ErasurePlan, request: int) -> Iterator[Removal]:
    """A line for the source, one for what was made of it, for other commands tell them apart; one where all is gone."""
    unmasked = [_target(file) for file in one.files if file.stage in UNMASKED]
    others = [file for file in one.files if file.stage not in UNMASKED]
    made = [file for file in others if file.stage is not Stage.REASON and file.entry.bytes]
    unlogged = [
        *(Target(str(file.path), file.entry.sha256) for file in others if file not in made),
        *(Target(str(path)) for path in one.work_folders),
    ]
    if unmasked:
        yield _removal(one, [*unmasked, *unlogged], {**_line(one, request), "source": dict(one.source)})
    if made or not unmasked:
        targets = [*map(_target, made), *(() if unmasked else unlogged)]
        yield _removal(one, targets, {"files": [], **_line(one, request, [file.entry for file in made])})


def _target(file: ClipFile) -> Target:
    return Target(str(file.path), file.entry.sha256, file.entry.name)


def _removal(one: ErasurePlan, targets: Sequence[Target], record: Mapping[str, Any]) -> Removal:
    return Removal(tuple(targets), record, must_finish=True, source=one.clip, source_sha256=one.source.get("sha256"))


def _line(one: ErasurePlan, request: int, made: Sequence[FileEntry] = ()) -> dict[str, Any]:
    return Purged(
        rule=Rule(name="request"),
        reason=f"Request {request}.",
        request=RequestRef(id=request),
        erased=one.source.get("sha256") or "",
        files=list(made),
        deletion=secrets.token_hex(8),
    ).to_record()
