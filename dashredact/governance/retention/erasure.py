"""Deleting clips in all their stages because somebody asked for it.

The journal knows what is to go first, then the files go, then the audit log says so. After a crash whichever command
writes to the folder next finishes it: log and disk agree again. A file is deleted only while it is the one that was
meant.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit.clips import Clips
from dashredact.audit.disclosures import Recall
from dashredact.audit.events import Event, FileEntry, Purged, RequestKind, RequestRef, Rule, SourceEntry, Tried
from dashredact.audit.legal_holds import active_holds, find_hold
from dashredact.audit.subject_requests import SubjectRequest
from dashredact.errors import PolicyError, UsageError
from dashredact.governance.disclosure import requests
from dashredact.governance.disclosure.find_clips import ClipQuery, find_clips
from dashredact.governance.disclosure.recall import concerning
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


_UNMASKED = (Stage.CAPTURED, Stage.SEALED)
"""Stages of which the log says that the source is gone."""


@dataclass(frozen=True)
class ErasureOptions:
    """What is to be erased."""

    request: int
    """number in the register; it asks for erasing, or for no further use"""
    names: Sequence[str]
    """of sources or masked files, or patterns of them"""
    inboxes: Sequence[Path] = ()
    """folders in which originals may lie"""
    beyond: bool = False
    """also clips that do not fit the vehicle and time of the request"""


@dataclass(frozen=True)
class ClipFile:
    """A file of a clip that goes."""

    path: Path
    stage: Stage
    entry: FileEntry
    """as the log calls it"""


@dataclass(frozen=True)
class ErasurePlan:
    """One clip in all its stages."""

    source: SourceEntry
    files: Sequence[ClipFile]
    work_folders: Sequence[Path] = ()

    @property
    def finds_original(self) -> bool:
        return any(file.stage in _UNMASKED for file in self.files)


@dataclass(frozen=True)
class ErasureResult:
    files: Sequence[ClipFile]
    """that are gone"""
    missing: Sequence[str]
    """names of clips whose original was not found, and was not known to be gone"""
    to_tell: Sequence[Recall]
    """whoever was handed one of the clips, but for who asks"""


def erase(folder: OutputFolder, options: ErasureOptions, today: date) -> ErasureResult:
    """Delete clips for a request, all of them or none.

    UsageError where the request does not ask for that, or names are not known or do not fit it. PolicyError with a
    sentence for each clip that is held. MachineError where a file cannot be deleted: whichever command writes to the
    folder next tries again.
    """
    with folder.exclusive():
        folder.check_log()
        request = requests.find_open(folder, options.request, (RequestKind.ERASE, RequestKind.STOP))
        events = folder.events()
        clips = Clips.read(events)
        named = _named(folder, clips, options)
        if not options.beyond:
            _check_fit(folder, request, named, options.inboxes, today)
        sources = _with_same_content(clips, named)
        _check_holds(events, sources, today)
        pages = page_names(events)
        plans = _each_once([plan(folder, clips, pages, source, options.inboxes) for source in sources])
        carry_out(folder, plans, request.id)
        missing = [one.source.name for one in plans if not (one.finds_original or _is_erased(clips, one.source))]
        to_tell = _to_tell(folder.events(), clips, sources, request)
    return ErasureResult([file for one in plans for file in one.files], missing, to_tell)


def plan(
    folder: OutputFolder, clips: Clips, pages: Mapping[str, str], source: SourceEntry, inboxes: Sequence[Path]
) -> ErasurePlan:
    """What there is of a clip. pages: of the report, see `page_names`.

    RefusedError where the log gives it a name that leads out of the folder.
    """
    paths = [(path, source.name, Stage.CAPTURED) for path in originals.find(inboxes, source.sha256, source.bytes)]
    paths += [(quarantine.reason_of(path), name, Stage.REASON) for path, name, _ in paths]
    paths += [
        (path, source.name, Stage.SEALED)
        for copy in clips.sealed_copies.get(source.sha256 or "", ())
        for path in originals.find(inboxes, copy.sha256, copy.bytes)
    ]
    paths += [(folder.resolve(name), name, stage) for name, stage in _made(clips, source.name)]
    paths += [
        (path, f"{path.parent.name}/{path.name}", Stage.REPORT)
        for path in page_paths(folder.path, pages, [source.name])
    ]
    there = [one for one in dict.fromkeys(paths) if one[0].is_file() and not one[0].is_symlink()]
    work_folders = work_folder.of_source(folder.path, source.name)
    return ErasurePlan(source, [_clip_file(*one) for one in there], work_folders)


def _made(clips: Clips, name: str) -> Iterator[tuple[str, Stage]]:
    """Every name that the log ever gave to something made of it, and its stage."""
    for event in clips.by_name[name].events if name in clips.by_name else ():
        if event.output:
            yield event.output.name, Stage.MASKED
        if isinstance(event, Tried):
            yield from ((event.tracks_file.name, Stage.TRACKS),) if event.tracks_file else ()
            yield from ((file.name, Stage.DETECTIONS) for file in event.files)


def _clip_file(path: Path, name: str, stage: Stage) -> ClipFile:
    entry = FileEntry(name=name, sha256=files.sha256(path), bytes=path.stat().st_size, stage=str(stage))
    return ClipFile(path.absolute(), stage, entry)


def carry_out(folder: OutputFolder, plans: Sequence[ErasurePlan], request: int) -> None:
    """Delete and record; the folder is held. MachineError where a file cannot be deleted."""
    folder.carry_out(*(removal for one in plans for removal in _removals(one, request)))


def _removals(one: ErasurePlan, request: int) -> Iterator[Removal]:
    """A line for the source, one for what was made of it, for other commands tell them apart; one where all is gone."""
    unmasked = [_target(file) for file in one.files if file.stage in _UNMASKED]
    others = [file for file in one.files if file.stage not in _UNMASKED]
    made = [file for file in others if file.stage is not Stage.REASON and file.entry.bytes]
    unlogged = [
        *(Target(str(file.path), file.entry.sha256) for file in others if file not in made),
        *(Target(str(path)) for path in one.work_folders),
    ]
    if unmasked:
        line = _line(one, request, source=one.source)
        yield _removal(one, [*unmasked, *unlogged], line.to_record())
    if made or not unmasked:
        line = _line(one, request, files=[file.entry for file in made])
        targets = [*map(_target, made), *(() if unmasked else unlogged)]
        yield _removal(one, targets, {"files": [], **line.to_record()})


def _target(file: ClipFile) -> Target:
    return Target(str(file.path), file.entry.sha256, file.entry.name)


def _removal(one: ErasurePlan, targets: Sequence[Target], record: Mapping[str, Any]) -> Removal:
    return Removal(tuple(targets), record, must_finish=True, source=one.source.name, source_sha256=one.source.sha256)


def _line(one: ErasurePlan, request: int, **about: Any) -> Purged:
    """about: what goes."""
    return Purged(
        rule=Rule(name="request"),
        reason=f"Request {request}.",
        request=RequestRef(id=request),
        erased=one.source.sha256 or "",
        deletion=secrets.token_hex(8),
        **about,
    )


# --- which clips, and who has them -----------------------------------------------------------------------------------


def _named(folder: OutputFolder, clips: Clips, options: ErasureOptions) -> list[SourceEntry]:
    """Also what lies in an inbox and was never tried."""
    chosen, unknown = clips.named(options.names)
    untried = {name: path for name, path in originals.videos(options.inboxes) if name in unknown} if unknown else {}
    if missing := [name for name in unknown if name not in untried]:
        raise UsageError(f"The audit log of {folder} knows no clip {missing[0]}; `dashredact request find` lists them.")
    return [*(clip.source for clip in chosen), *(originals.entry(name, path) for name, path in untried.items())]


def _check_fit(
    folder: OutputFolder, request: SubjectRequest, sources: Sequence[SourceEntry], inboxes: Sequence[Path], today: date
) -> None:
    """UsageError where the request is about other clips: what is erased by mistake is gone."""
    fitting = {match.name for match in find_clips(folder, inboxes, ClipQuery.of_request(request), today)}
    if wrong := [source.name for source in sources if source.name not in fitting]:
        raise UsageError(
            f"{wrong[0]}: does not fit the vehicle and time of request {request.id}; `dashredact request find {folder}"
            f" {request.id}` lists those that do, --beyond erases it all the same."
        )


def _check_holds(events: Sequence[Event], sources: Sequence[SourceEntry], today: date) -> None:
    holds = active_holds(events).values()
    held = [(source.name, find_hold(holds, [source.name], [source.sha256], today)) for source in sources]
    if sentences := [
        f"{name}: is held ({hold.reason or hold.kind}); release it first, or tell them why it is kept."
        for name, hold in held
        if hold
    ]:
        raise PolicyError(*sentences)


def _with_same_content(clips: Clips, named: Sequence[SourceEntry]) -> list[SourceEntry]:
    """One content may have been uploaded under several names."""
    contents = {source.sha256 for source in named if source.sha256}
    names = {source.name for source in named}
    known = [clip.source for clip in clips if clip.name in names or clip.source.sha256 in contents]
    return [*known, *(source for source in named if source.name not in {one.name for one in known})]


def _each_once(plans: Sequence[ErasurePlan]) -> list[ErasurePlan]:
    """Duplicates share a masked file, which goes with the first of them; that the source is gone is said of each."""
    seen: set[Path] = set()
    once = []
    for one in plans:
        once.append(replace(one, files=[file for file in one.files if file.path not in seen]))
        seen |= {file.path for file in one.files if file.stage not in _UNMASKED}
    return once


def _is_erased(clips: Clips, source: SourceEntry) -> bool:
    return source.name in clips.by_name and clips.by_name[source.name].erased


def _to_tell(
    events: Sequence[Event], clips: Clips, sources: Sequence[SourceEntry], request: SubjectRequest
) -> list[Recall]:
    """Everybody who was handed a clip under any of its names, but for who asks."""
    erased = [clips.by_name[source.name] for source in sources if source.name in clips.by_name]
    return [recall for recall in concerning(events, erased) if not recall.disclosure.is_personal_for(request.reference)]
