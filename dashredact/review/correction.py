"""The corrections of one video make a new masked file: touched segments through `hide`, the others as they were."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import to_builtins

from dashredact.audit.events import EventType
from dashredact.errors import MediaError, RefusedError, UsageError, VideoError
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.media import join, segmentation
from dashredact.media.info import VideoInfo
from dashredact.pipeline import audit_record, stages
from dashredact.pipeline.outcome import classify_error
from dashredact.pipeline.stages import TrackedVideo
from dashredact.pipeline.video import Executor, RenderedVideo, StageRunner
from dashredact.review import correction_stages, publish
from dashredact.review.correction_stages import CorrectedSegments
from dashredact.review.decisions import Reviewer
from dashredact.review.state import ReviewState, track_of
from dashredact.settings import Damaged, HideSettings, Keep, Settings, Style
from dashredact.values import Kind, ProgressCallback, Track
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


def settings_of(told: Mapping[str, Any]) -> Settings:
    """Of a line of the log, as far as rendering depends on them."""
    hide = told["hide"]
    return Settings(
        hide=HideSettings(Style(hide["style"]), hide["encoder"], hide["crf"], hide["preset"]),
        audio=Keep(told["audio"]),
        gps=Keep(told["gps"]),
        damaged=Damaged(told["damaged"]),
        video_stream=told["video_stream"],
        segment_seconds=told["segment_seconds"],
    )


class Correction:
    """Of one video, whose source is at hand. OUT is locked by the caller."""

    def __init__(self, reviewer: Reviewer, name: str, source: Path) -> None:
        """UsageError where nothing waits or the source is another one. RefusedError where a result was changed."""
        desk = reviewer.desk
        self._reviewer, self._out = reviewer, desk.out
        self._standing = standing = desk.standing(name)
        if not standing.waiting:
            forget(desk.out, name)
            raise UsageError(f"{name}: there is nothing to apply; `review mark` and `review lift` say what is wrong.")
        self._before, self._file = desk.output(standing), desk.tracks(standing)
        self._source = sources.Source(Item(source, source.name), reviewer.index, force_hash=True)
        self._path = source
        if self._source.sha256 != standing.result["source"]["sha256"]:
            raise UsageError(f"{source} is not the video that {standing.output['name']} was made from.")
        self._settings = settings_of(standing.result["settings"])

    @cached_property
    def changes(self) -> Changes:
        return track_changes(self._standing, self._file)

    def apply(self, report: ProgressCallback, crew: Executor) -> Mapping[str, Any]:
        """Render, verify, publish. The line of the log comes back. What is saved goes on in the next run."""
        job = self._job()
        try:
            return self._applied(StageRunner(self._path, crew, report), job)
        except VideoError:
            job.close()  # what is in it may be the cause
            raise
        except OSError as error:
            raise MediaError(classify_error(self._standing.name, self._out, error)[1]) from error

    def _applied(self, run: StageRunner, job: WorkFolder) -> Mapping[str, Any]:
        facts = run.one(stages.probe_source, self._path, self._settings)
        run.expect(facts)
        cut = self._cut(facts)
        finished, compared = self._render(run, facts, cut, job)
        self._source.check_unchanged()
        file = replace(self._file, tracks=tuple(self.changes.tracks))
        content = tracks_json.encode_file(file, {"second_look": to_builtins(audit_record.second_look(finished.again))})
        record = self._record(finished, cut, content) | {"compared": asdict(compared)}
        publish.publish(self._out, self._reviewer.index, job, record, content)
        return record

    def _job(self) -> WorkFolder:
        standing = self._standing
        parts = [standing.output["sha256"], sorted(standing.marks), sorted(standing.lifts)]
        return WorkFolder(self._out, standing.name, hashlib.sha256(json.dumps(parts).encode()).hexdigest())

    def _cut(self, facts: VideoInfo) -> CorrectedSegments:
        pts, time_base = self._file.pts, facts.video.time_base
        if self._file.time_base != time_base:
            raise RefusedError(f"{facts.name}: its time base is {time_base} and not that of its tracks file.")
        segments = segmentation.split(facts.packets, time_base, self._settings.segment_seconds)
        starts = [int(np.searchsorted(pts, segment.start)) if segment.start is not None else 0 for segment in segments]
        ends = [*starts[1:], len(pts)]
        touched = {
            segment.index
            for segment, first, end in zip(segments, starts, ends, strict=True)
            if any(track.first < end and track.end > first for track in self.changes.moved)
        }
        firsts = {segment.index: first for segment, first in zip(segments, starts, strict=True)}
        return CorrectedSegments(segments, firsts, pts, self._file.size, frozenset(touched))

    def _render(
        self, run: StageRunner, facts: VideoInfo, cut: CorrectedSegments, job: WorkFolder
    ) -> tuple[RenderedVideo, correction_stages.Compared]:
        settings, pts = self._settings, cut.pts
        style = settings.hide.style
        run.one(correction_stages.prepare, self._before, job, cut, facts.video.time_base)
        linked = TrackedVideo(pts, dict(cut.firsts), cut.size, (), self.changes.tracks)
        again = [[segment] for segment in cut.segments if segment.index in cut.touched]
        run.all(stages.render, [(self._path, facts, job, own, linked.part(own), settings.hide) for own in again])
        choice = join.select_streams(facts, settings)
        done = run.one(stages.finish, self._path, facts, job, cut.segments, choice, style)
        compared = run.one(correction_stages.compare, self._before, job, cut, style)
        about = (facts, choice, pts, cut.size, (), linked.tracks, done.checks)
        finished = RenderedVideo(job.finished, done.sha256, *about, again=None, seconds={**run.seconds})
        return finished, compared

    def _record(self, finished: RenderedVideo, cut: CorrectedSegments, content: bytes) -> dict[str, Any]:
        """What the masking was done with stays what it was: the next run of `redact` has nothing to do."""
        standing, before = self._standing, self._standing.result
        same = ("policy", "model", "settings", "fingerprint", "source")
        return {
            **{name: before[name] for name in same},
            **audit_record.of_rendered(finished),
            "act": str(EventType.CORRECTED),
            "by": self._reviewer.by,
            "reason": "",
            "frames": before["frames"],
            "output": {
                "name": standing.output["name"],
                "sha256": finished.sha256,
                "bytes": finished.path.stat().st_size,
            },
            "replaces": standing.output["sha256"],
            "tracks_file": {
                "name": before["tracks_file"]["name"],
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            },
            "corrections": {"marks": sorted(standing.marks), "lifts": sorted(standing.lifts)},
            "segments": {"rendered": sorted(cut.touched), "of": len(cut.segments)},
        }
