"""A copy of a clip for one person: everybody else masked as before, their own masks lifted.

It is made from the source and never lies in the output folder, nor does anything on the way to it: it shows somebody
unmasked. Sound and positions are left out, for they are other people's too.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.events import EventType
from dashredact.audit.records import Clip
from dashredact.errors import ChangedError, RefusedError, UsageError
from dashredact.execute.protocol import Executor
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.governance.disclosure import delivery
from dashredact.kinds import Kind
from dashredact.pipeline.video import RenderedVideo, VideoPipeline
from dashredact.settings import Keep, Settings, from_record
from dashredact.values import ProgressCallback
from dashredact.workspace import originals
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class CopyRequest:
    """A copy as somebody asks for it."""

    clip: Clip
    lifted: Sequence[int]
    """ids of the tracks of that person"""
    target: Path
    """a free name outside of the output folder"""
    request: int
    reference: str


def source_of(clip: Clip, inboxes: Sequence[Path]) -> Path:
    """UsageError where it is gone: there is no way back from a mask."""
    source = clip.record["source"]
    found = originals.find(inboxes, source["sha256"], source["bytes"])
    if not found:
        where = ", ".join(map(str, inboxes))
        raise UsageError(
            f"{clip.name}: its original is not in {where} any more, or was changed; no copy can be made without it."
        )
    return found[0]


def make_copy(out: Path, wanted: CopyRequest, source: Path, crew: Executor, report: ProgressCallback) -> None:
    """Make it, check it, write it down, and only then give it its name. `out` is locked."""
    audit_log.ready(out / audit_log.NAME)
    target = _free(out, wanted.target)
    known = _without(_known(out, wanted.clip), wanted.lifted, wanted.clip.name)
    before = source.stat()
    scratch = target.parent / f".dashredact-{uuid4().hex}"
    try:
        work = WorkFolder(files.private_folder(scratch), wanted.clip.name, uuid4().hex)
        finished = VideoPipeline(source, work, None, _settings(wanted.clip), report, crew).mask_tracks(known)
        after = source.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise ChangedError(f"{wanted.clip.name}: changed while it was read; run again.")
        _record(out, wanted, finished)
        files.publish(finished.path, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _free(out: Path, target: Path) -> Path:
    if target.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"{target} lies in {out}, where nothing is unmasked; name a place outside of it with -o.")
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already; give another name with -o, or remove it first.")
    files.private_folder(target.absolute().parent)
    return target.absolute()


def _known(out: Path, clip: Clip) -> TracksFile:
    """RefusedError where it is not the file that the log names: a box left out of it would show somebody else."""
    told = clip.record.get("tracks_file")
    if not told:
        raise RefusedError(f"{clip.name}: the audit log names no tracks file for its newest masks; mask it again.")
    delivery.check(out, told)
    return tracks_json.read(delivery.place(out, told["name"]))


def _without(known: TracksFile, lifted: Sequence[int], name: str) -> TracksFile:
    kinds = {track.id: track.kind for track in known.tracks}
    for number in lifted:
        if number not in kinds:
            raise UsageError(f"{name}: has no track {number}; `dashredact tracks show` lists them.")
        if kinds[number] is Kind.ZONE:
            raise UsageError(f"{name}: track {number} is a zone, and no person; leave it out.")
    return replace(known, tracks=tuple(track for track in known.tracks if track.id not in lifted))


def _settings(clip: Clip) -> Settings:
    """As the clip was masked, without its audio."""
    return replace(from_record(clip.tried["settings"]).for_rendering(), audio=Keep.DROP, gps=Keep.DROP)


def _record(out: Path, wanted: CopyRequest, finished: RenderedVideo) -> None:
    copied = {
        "sha256": finished.sha256,
        "bytes": finished.path.stat().st_size,
        "lifted": sorted(set(wanted.lifted)),
    }
    about = {"recipient": f"request {wanted.request}: {wanted.reference}", "request": {"id": wanted.request}}
    clip = {"source": wanted.clip.record["source"], "output": wanted.clip.output}
    reason = f"A copy for request {wanted.request}."
    audit_log.append(
        out / audit_log.NAME, {"act": EventType.EXPORTED, "reason": reason, **clip, **about, "copy": copied}
    )
