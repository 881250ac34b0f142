"""A copy of a clip for one person: everybody else masked as before, this person unmasked.

It is rendered from the source. Neither it nor any of its parts ever lies in the output folder, for it shows somebody
unmasked. Audio and positions are left out, for they are other people's too.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from dashredact import files
from dashredact.audit.clips import Clip, Clips
from dashredact.audit.events import Exported, PersonalCopy, RequestKind, RequestRef
from dashredact.audit.subject_requests import SubjectRequest
from dashredact.errors import ChangedError, RefusedError, UsageError
from dashredact.execute.protocol import Executor
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.governance.disclosure import requests
from dashredact.kinds import Kind
from dashredact.pipeline.video import RenderedVideo, VideoPipeline
from dashredact.settings import Keep, Settings
from dashredact.values import ProgressCallback
from dashredact.workspace import originals
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class CopyOptions:
    """A copy as somebody asks for it."""

    request: int
    """number in the register"""
    name: str
    """of a source or masked file"""
    unmasked: Sequence[int]
    """ids of the tracks of that person"""
    inboxes: Sequence[Path]
    """folders in which the original may lie"""
    target: Path
    """a free name outside of the output folder"""


@dataclass(frozen=True)
class SubjectCopy:
    """A copy that can be made."""

    clip: Clip
    source: Path
    tracks: TracksFile
    """those that are masked in the copy"""
    settings: Settings
    request: SubjectRequest
    options: CopyOptions

    def make(self, folder: OutputFolder, executor: Executor, progress: ProgressCallback) -> None:
        """Render it, check it, write it down, and only then give it its name. The folder is held for decisions.

        ChangedError where the source is written to meanwhile; VideoError where rendering fails.
        """
        target = self.options.target.absolute()
        files.private_folder(target.parent)
        before = self.source.stat()
        scratch = target.parent / f".dashredact-{uuid4().hex}"
        try:
            work = WorkFolder(files.private_folder(scratch), self.clip.name, uuid4().hex)
            pipeline = VideoPipeline(self.source, work, None, self.settings, progress, executor)
            rendered = pipeline.mask_tracks(self.tracks)
            after = self.source.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise ChangedError(f"{self.clip.name}: changed while it was read; run again.")
            folder.append(self._exported(rendered))
            files.publish(rendered.path, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _exported(self, rendered: RenderedVideo) -> Exported:
        unmasked = sorted(set(self.options.unmasked))
        return Exported(
            reason=f"A copy for request {self.request.id}.",
            source=self.clip.source,
            output=self.clip.output,
            recipient=f"request {self.request.id}: {self.request.reference}",
            request=RequestRef(id=self.request.id),
            copy=PersonalCopy(sha256=rendered.sha256, bytes=rendered.path.stat().st_size, lifted=unmasked),
        )


def prepare(folder: OutputFolder, options: CopyOptions) -> SubjectCopy:
    """Check everything that a copy needs. The folder is held for decisions.

    UsageError where the request does not ask for a copy, the clip or a track is not known, the original is not there or
    the target is taken. RefusedError where the tracks file is not the one that the log names.
    """
    if not options.inboxes:
        raise UsageError("A copy is made from the original; name the folder it lies in with --inbox.")
    folder.check_log()
    request = requests.find_open(folder, options.request, (RequestKind.COPY,))
    clip = _masked_clip(folder, options.name)
    source = _source_of(clip, options.inboxes)
    _check_free(folder, options.target)
    tracks = _without(_tracks_of(folder, clip), options.unmasked, clip.name)
    settings = replace(clip.masking.parsed_settings().for_rendering(), audio=Keep.DROP, gps=Keep.DROP)
    return SubjectCopy(clip, source, tracks, settings, request, options)


def _masked_clip(folder: OutputFolder, name: str) -> Clip:
    clips = Clips.read(folder.events())
    clip = next((clip for clip in clips if clip.output and name in (clip.name, clip.output.name)), None)
    if clip is None:
        raise UsageError(
            f"The audit log of {folder} knows no masked clip {name}; `dashredact request find` lists them."
        )
    return clip


def _source_of(clip: Clip, inboxes: Sequence[Path]) -> Path:
    """UsageError where it is gone: there is no way back from a mask."""
    paths = originals.find(inboxes, clip.source.sha256, clip.source.bytes)
    if not paths:
        where = ", ".join(map(str, inboxes))
        raise UsageError(
            f"{clip.name}: its original is not in {where} any more, or was changed; no copy can be made without it."
        )
    return paths[0]


def _check_free(folder: OutputFolder, target: Path) -> None:
    if folder.contains(target):
        raise UsageError(f"{target} lies in {folder}, where nothing is unmasked; name a file outside of it with -o.")
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already; give another name with -o, or remove it first.")


def _tracks_of(folder: OutputFolder, clip: Clip) -> TracksFile:
    """RefusedError where it is not the file that the log names: a box left out of it would show somebody else."""
    if clip.tracks_file is None:
        raise RefusedError(f"{clip.name}: the audit log names no tracks file for its newest masks; mask it again.")
    return tracks_json.read(folder.file(clip.tracks_file))


def _without(tracks: TracksFile, unmasked: Sequence[int], name: str) -> TracksFile:
    kinds = {track.id: track.kind for track in tracks.tracks}
    for number in unmasked:
        if number not in kinds:
            raise UsageError(f"{name}: has no track {number}; `dashredact tracks show` lists them.")
        if kinds[number] is Kind.ZONE:
            raise UsageError(f"{name}: track {number} is a zone, not a person; leave it out.")
    return replace(tracks, tracks=tuple(track for track in tracks.tracks if track.id not in unmasked))
