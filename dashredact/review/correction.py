"""The corrections of one video make a new masked file: touched segments through `hide`, the others as they were."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from dashredact.audit.events import EventType
from dashredact.errors import MediaError, RefusedError, UsageError, VideoError
from dashredact.execute.protocol import Executor
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import Kind
from dashredact.pipeline import audit_record, stages
from dashredact.pipeline.outcome import classify_error
from dashredact.pipeline.stages import TrackedVideo
from dashredact.pipeline.video import OpenedVideo, RenderedVideo, VideoPipeline
from dashredact.review import correction_stages, publish
from dashredact.review.correction_stages import CorrectionPlan
from dashredact.review.decisions import Reviewer
from dashredact.review.state import ReviewState, track_of
from dashredact.settings import Settings
from dashredact.values import ProgressCallback, Track
from dashredact.workspace import sources
from dashredact.workspace.inbox import Item
from dashredact.workspace.work_folder import WorkFolder, forget


@dataclass(frozen=True)
class Changes:
    """What corrections make of the tracks of an output."""

    tracks: Sequence[Track]
    """all that are to be masked"""
    moved: Sequence[Track]
    """those that come or go"""


def track_changes(standing: ReviewState, file: TracksFile) -> Changes:
    """Of the marks and lifts that are in force against those that are in the output."""
    gone = {*(standing.applied_marks.keys() - standing.marks.keys()), *standing.lifts}
    come = [
        track_of(mark, *file.size) for number, mark in standing.marks.items() if number not in standing.applied_marks
    ]
    back = [track for number, track in standing.applied_lifts.items() if number not in standing.lifts]
    come += [tracks_json.track_of(row, f"line of track {row['id']}", file.size, len(file.pts)) for row in back]
    kept = [track for track in file.tracks if track.id not in gone]
    lost = [track for track in file.tracks if track.id in gone]
    every = sorted([*kept, *come], key=lambda track: (track.kind is not Kind.ZONE, track.first, track.id))
    return Changes(every, [*come, *lost])


class Correction:
    """Of one video, whose source is at hand. OUT is locked by the caller."""

    def __init__(self, reviewer: Reviewer, name: str, source: Path) -> None:
        """UsageError where nothing waits or the source is another one. RefusedError where a result was changed."""
        desk = reviewer.desk
        self._reviewer, self._out = reviewer, desk.out
        self._standing = standing = desk.standing(name)
        if not standing.waiting:
            forget(desk.out, name)
            raise UsageError(f"{name}: there is nothing to apply; `review mark` and `review unmask` say what is wrong.")
        self._before, self._file = desk.output(standing), desk.tracks(standing)
        self._source = sources.Source(Item(source, source.name), reviewer.index, force_hash=True)
        self._path = source
        if self._source.sha256 != standing.result["source"]["sha256"]:
            raise UsageError(f"{source} is not the video that {standing.output['name']} was made from.")
        self._settings = Settings.for_rendering(standing.result["settings"])

    @cached_property
    def changes(self) -> Changes:
        return track_changes(self._standing, self._file)

    def apply(self, progress: ProgressCallback, executor: Executor) -> Mapping[str, Any]:
        """Render, verify, publish. Returns the line of the log. A run that is stopped is resumed by the next one."""
        work = self._work_folder()
        try:
            return self._applied(VideoPipeline(self._path, work, None, self._settings, progress, executor))
        except VideoError:
            work.close()  # its content may be the cause
            raise
        except OSError as error:
            raise MediaError(classify_error(self._standing.name, self._out, error)[1]) from error

    def _applied(self, pipeline: VideoPipeline) -> Mapping[str, Any]:
        video, work = pipeline.open(), pipeline.work
        plan = self._plan(video)
        video.runner.one(correction_stages.copy_unchanged, self._before, work, plan, video.info.video.time_base)
        rendered = pipeline.render(video, plan.tracked, [[segment] for segment in plan.changed_segments])
        compared = video.runner.one(correction_stages.compare, self._before, work, plan, self._settings.hide.style)
        self._source.check_unchanged()
        file = replace(self._file, tracks=tuple(self.changes.tracks))
        look = to_builtins(audit_record.second_look(rendered.recheck))
        content = tracks_json.encode_file(file, {"second_look": look})
        record = self._record(rendered, plan, content) | {"compared": asdict(compared)}
        publish.publish(self._out, self._reviewer.index, work, record, content)
        return record

    def _work_folder(self) -> WorkFolder:
        standing = self._standing
        parts = [standing.output["sha256"], sorted(standing.marks), sorted(standing.lifts)]
        return WorkFolder(self._out, standing.name, hashlib.sha256(json.dumps(parts).encode()).hexdigest())

    def _plan(self, video: OpenedVideo) -> CorrectionPlan:
        file, time_base = self._file, video.info.video.time_base
        if file.time_base != time_base:
            raise RefusedError(
                f"{video.info.name}: its time base is {time_base}, but that of its tracks file is"
                f" {file.time_base}; give the original with --source."
            )
        first_frames = stages.first_frames_of(video.segments, file.pts)
        tracked = TrackedVideo(file.pts, first_frames, file.size, (), self.changes.tracks)
        changed = replace(tracked, tracks=self.changes.moved)
        touched = frozenset(segment.index for segment in video.segments if changed.part([segment]).tracks)
        return CorrectionPlan(video.segments, tracked, touched)

    def _record(self, rendered: RenderedVideo, plan: CorrectionPlan, content: bytes) -> dict[str, Any]:
        """What the masking was done with stays what it was: the next run of `redact` has nothing to do."""
        standing, before = self._standing, self._standing.result
        same = ("policy", "model", "settings", "fingerprint", "source")
        return {
            **{name: before[name] for name in same},
            **to_builtins(audit_record.of_rendered(rendered)),
            "act": str(EventType.CORRECTED),
            "by": self._reviewer.by,
            "reason": "",
            "frames": before["frames"],
            "output": {
                "name": standing.output["name"],
                "sha256": rendered.sha256,
                "bytes": rendered.path.stat().st_size,
            },
            "replaces": standing.output["sha256"],
            "tracks_file": {
                "name": before["tracks_file"]["name"],
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            },
            "corrections": {"marks": sorted(standing.marks), "lifts": sorted(standing.lifts)},
            "segments": {"rendered": sorted(plan.touched), "of": len(plan.segments)},
        }
