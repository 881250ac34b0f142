"""The corrections of one video make a new masked file: touched segments are rendered again, the others are copied."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

from dashredact import files
from dashredact.audit.corrections import Corrections
from dashredact.audit.events import AppliedCorrections, Corrected, FileEntry, RenderedSegments
from dashredact.errors import LedgerError, MediaError, RefusedError, UsageError, VideoError
from dashredact.execute.protocol import Executor
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.formats.validation import FormatError
from dashredact.kinds import Kind
from dashredact.media.form import form_of
from dashredact.media.probe import probe
from dashredact.media.reader import first_frame
from dashredact.media.remux import shift
from dashredact.pipeline import audit_record, stages
from dashredact.pipeline.outcome import classify_error
from dashredact.pipeline.stages import TrackedVideo
from dashredact.pipeline.video import OpenedVideo, RenderedVideo, VideoPipeline
from dashredact.review import correction_stages
from dashredact.review.correction_stages import Compared, CorrectionPlan
from dashredact.review.decisions import Reviewer
from dashredact.review.marking import track_of
from dashredact.values import Array, ProgressCallback, Track
from dashredact.workspace import sources
from dashredact.workspace.inbox import Item
from dashredact.workspace.journal import Move, Publication
from dashredact.workspace.work_folder import WorkFolder, forget

_TRACKS = "tracks.json"
"""in the work folder, before it has its name"""


@dataclass(frozen=True)
class Changes:
    """What corrections make of the tracks of a masked file."""

    tracks: Sequence[Track]
    """all that are to be masked"""
    moved: Sequence[Track]
    """those that come or go"""
    uncovered: Sequence[Track]
    """those that go"""


def track_changes(corrections: Corrections, file: TracksFile) -> Changes:
    """Of what is in force against what is in the file. LedgerError where the log holds a mark or track that is none."""
    gone = {*(corrections.applied_marks.keys() - corrections.marks.keys()), *corrections.unmasked}
    come = [
        track_of(mark, *file.size)
        for number, mark in corrections.marks.items()
        if number not in corrections.applied_marks
    ]
    come += [
        _masked_again(entry, file)
        for number, entry in corrections.applied_unmasked.items()
        if number not in corrections.unmasked
    ]
    kept = [track for track in file.tracks if track.id not in gone]
    lost = [track for track in file.tracks if track.id in gone]
    every = sorted([*kept, *come], key=lambda track: (track.kind is not Kind.ZONE, track.first, track.id))
    return Changes(every, [*come, *lost], lost)


def _masked_again(entry: msgspec.Struct, file: TracksFile) -> Track:
    row = msgspec.to_builtins(entry)
    try:
        return tracks_json.track_of(row, f"unmasked track {row['id']}", file.size, len(file.pts))
    except FormatError as error:
        raise LedgerError(f"The audit log {error}.") from None


class Correction:
    """Of one video, whose source is at hand. The caller holds the output folder for itself."""

    def __init__(self, reviewer: Reviewer, name: str, source: Path) -> None:
        """UsageError where nothing waits or the source is another one. RefusedError where a result was changed."""
        queue = reviewer.queue
        self._reviewer, self._folder = reviewer, reviewer.folder
        self._clip = clip = queue.masked(name)
        if not clip.corrections.waiting:
            forget(self._folder.path, clip.name)
            raise UsageError(f"{name}: there is nothing to apply; `review mark` and `review unmask` say what is wrong.")
        self._before, self._file = queue.output(clip), queue.tracks(clip)
        self._source = sources.Source(Item(source, source.name), reviewer.index, force_hash=True)
        self._path = source
        if clip.file is None or self._source.sha256 != clip.source.sha256:
            raise UsageError(
                f"{source} is not the video that {self._before.name} was made from; name that with --source."
            )
        self._made = clip.file.produced
        self._settings = clip.masking.parsed_settings().for_rendering()

    @cached_property
    def changes(self) -> Changes:
        return track_changes(self._clip.corrections, self._file)

    @property
    def times(self) -> Array:
        """(frames,) seconds since the first frame."""
        return self._file.times

    def apply(self, progress: ProgressCallback, executor: Executor) -> Corrected:
        """Render, verify, publish; returns the logged event. A run that is stopped is resumed by the next one."""
        work = self._work_folder()
        try:
            return self._applied(VideoPipeline(self._path, work, None, self._settings, progress, executor))
        except VideoError:
            work.close()  # its content may be the cause
            raise
        except OSError as error:
            raise MediaError(classify_error(self._clip.name, self._folder.path, error)[1]) from error

    def _applied(self, pipeline: VideoPipeline) -> Corrected:
        video, work = pipeline.open(), pipeline.work
        plan = self._plan(video)
        video.runner.one(correction_stages.copy_unchanged, self._before, work, plan, video.info)
        rendered = pipeline.render(video, plan.tracked, [[segment] for segment in plan.changed_segments])
        compared = video.runner.one(correction_stages.compare, self._before, work, plan, self._settings.hide.style)
        self._source.check_unchanged()
        event = self._event(rendered, plan, compared, self._write_tracks(rendered, work))
        self._publish(event, work)
        return event

    def _work_folder(self) -> WorkFolder:
        corrections, output = self._clip.corrections, self._clip.output
        parts = [output and output.sha256, sorted(corrections.marks), sorted(corrections.unmasked)]
        return WorkFolder(self._folder.path, self._clip.name, hashlib.sha256(json.dumps(parts).encode()).hexdigest())

    def _plan(self, video: OpenedVideo) -> CorrectionPlan:
        file, time_base = self._file, video.info.video.time_base
        if file.time_base != time_base:
            raise RefusedError(
                f"{video.info.name}: its time base is {time_base}, but that of its tracks file is"
                f" {file.time_base}; give the original with --source."
            )
        first_frames = stages.first_frames_of(video.segments, file.pts)
        before = probe(self._before)
        head = first_frame(self._before, before)
        form, container = form_of(head.image, head.aspect), before.container
        end = round((before.end * before.video.time_base - shift(video.info, container)) / time_base)
        tracked = TrackedVideo(file.pts, first_frames, file.size, (), self.changes.tracks, form, end)
        changed = replace(tracked, tracks=self.changes.moved)
        touched = frozenset(segment.index for segment in video.segments if changed.part([segment]).tracks)
        return CorrectionPlan(video.segments, tracked, touched)

    def _write_tracks(self, rendered: RenderedVideo, work: WorkFolder) -> Path:
        file = replace(self._file, tracks=tuple(self.changes.tracks))
        second_look = msgspec.to_builtins(audit_record.second_look(rendered.recheck))
        path = work.folder / _TRACKS
        files.write(path, tracks_json.encode_file(file, {"second_look": second_look}))
        return path

    def _event(self, rendered: RenderedVideo, plan: CorrectionPlan, compared: Compared, tracks: Path) -> Corrected:
        """What the masking was done with stays what it was: the next run of `redact` has nothing to do."""
        clip, corrections, made = self._clip, self._clip.corrections, self._made
        fields = {**audit_record.of_rendered(rendered), "frames": made.frames}
        return Corrected(
            **fields,
            by=self._reviewer.actor,
            source=made.source,
            policy=clip.masking.policy,
            model=clip.masking.model,
            settings=clip.masking.settings,
            fingerprint=clip.masking.fingerprint,
            output=self._folder.entry(rendered.path, sha256=rendered.sha256, final=self._before),
            tracks_file=self._folder.entry(tracks, final=self._folder.resolve(_named(made.tracks_file).name)),
            replaces=_named(made.output).sha256,
            corrections=AppliedCorrections(marks=sorted(corrections.marks), lifts=sorted(corrections.unmasked)),
            segments=RenderedSegments(rendered=sorted(plan.touched), of=len(plan.segments)),
            compared=asdict(compared),
        )

    def _publish(self, event: Corrected, work: WorkFolder) -> None:
        tracks, output = _named(event.tracks_file), _named(event.output)
        moves = (Move(_TRACKS, tracks.name, tracks.sha256), Move(work.FINISHED, output.name, output.sha256))
        publication = Publication(self._folder.name_of(work.folder), moves, event.to_record(), event.replaces)
        self._folder.carry_out(publication, append=self._reviewer.index.append)


def _named(entry: FileEntry | None) -> FileEntry:
    assert entry is not None, "queue.output and queue.tracks have opened both"
    return entry
