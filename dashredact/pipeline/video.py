"""One video, from source to verified file.

    probe ─ split ─┬─ detect  (per segment)  decode → detect in batches → detections on disk
                   ├─ track   (whole video)  detections → tracks
                   ├─ render  (per segment)  decode → paint tracks → encode → part
                   └─ join → re-mux the selected streams → verify → recheck

There are two passes because an object must be masked before the first frame on which it is detected. An executor runs
every stage, maybe in another process, and the segments of a pass may be divided among several. A VideoError ends the
pipeline with nothing published; the work folder lets the next run resume after the last segment that was saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashredact.errors import DamagedError, RefusedError
from dashredact.execute.inline import INLINE
from dashredact.execute.protocol import Executor
from dashredact.formats.tracks_json import TracksFile
from dashredact.media.info import Segment, StreamKind, VideoInfo
from dashredact.media.segmentation import partition, split
from dashredact.media.streams import StreamSelection, select_streams
from dashredact.media.verify import Checks
from dashredact.pipeline import stages
from dashredact.pipeline.recheck import RecheckResult, ResidualDetection
from dashredact.pipeline.stage_runner import StageRunner
from dashredact.pipeline.stages import DetectedVideo, TrackedVideo
from dashredact.settings import Damaged, Settings
from dashredact.values import Detector, ProgressCallback, Track
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class RunOptions:
    """Options of a run that are not settings of the output."""

    recheck_detectors: tuple[Detector, ...] = ()
    """check the finished file, if the settings ask for that"""
    boxes: Path | None = None
    """a file of boxes that are masked too"""
    keep_detections: bool = False
    """keep detections beside the tracks file, for other thresholds later"""
    relink: bool = False
    """refuse a video without kept detections instead of detecting"""


NO_OPTIONS = RunOptions()


@dataclass(frozen=True)
class RenderedVideo:
    """A verified file in the work folder, ready to be published, and what is recorded about it."""

    path: Path
    sha256: str
    info: VideoInfo
    """of the source"""
    selection: StreamSelection
    pts: NDArray[np.int64]
    """(frames,) in the source's time base"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    lost: tuple[int, ...]
    """PTS of frames that could not be decoded and were left out"""
    tracks: Sequence[Track]
    notes: tuple[str, ...]
    """irregularities of the source, for people"""
    checks: Checks
    recheck: RecheckResult | None
    """None: the finished file was not rechecked"""
    seconds: dict[str, float]
    """by stage, summed over threads and workers"""


@dataclass(frozen=True)
class OpenedVideo:
    """A video that was probed, and the runner of its stages."""

    runner: StageRunner
    info: VideoInfo
    segments: Sequence[Segment]


@dataclass(frozen=True)
class VideoPipeline:
    source: Path
    work: WorkFolder
    detector: Detector | None
    """None if nothing is to be detected"""
    settings: Settings
    progress: ProgressCallback
    executor: Executor = INLINE
    max_parts: int = 1
    """number of parts into which a pass may be divided"""
    options: RunOptions = NO_OPTIONS

    def mask(self) -> RenderedVideo:
        """Both passes. Segments that the work folder has saved are not processed again."""
        video = self.open()
        return self.render(video, self._detect_and_track(video))

    def mask_tracks(self, known: TracksFile) -> RenderedVideo:
        """Pass two alone, with the tracks of a file. The work folder must be empty."""
        video = self.open()
        tracked = video.runner.one(stages.adopt_tracks, self.source, video.info, self.work, video.segments, known)
        return self.render(video, tracked)

    def detect(self) -> Sequence[Track]:
        """Pass one alone: the tracks that would be masked."""
        return self._detect_and_track(self.open()).tracks

    def detected(self) -> DetectedVideo:
        """Pass one alone: what it found, before it is tracked."""
        video = self.open()
        self._detect(video)
        return video.runner.one(stages.load_detected, video.info, self.work, video.segments)

    def open(self) -> OpenedVideo:
        """DamagedError if the file is damaged and the settings do not salvage."""
        runner = StageRunner(self.source, self.executor, self.progress)
        info = runner.one(stages.probe_source, self.source, self.settings)
        if info.damages and self.settings.damaged is Damaged.REFUSE:
            faults = "; ".join([*info.packets.irregularities, *info.damages])
            raise DamagedError(f"{info.name}: {faults}. Use --damaged salvage to mask what can be decoded.")
        kept = select_streams(info, self.settings).kept
        if info.packets.restarts and any(stream.kind is StreamKind.AUDIO for stream in kept):
            raise RefusedError(
                f"{info.name}: its times start anew, and sound cannot be kept in step there; mask it with --audio drop."
            )
        recheck = self.settings.second_look
        runner.expect(info, passes=2 + (len(self.options.recheck_detectors) / recheck.every if recheck else 0))
        return OpenedVideo(runner, info, split(info.packets, info.video.time_base, self.settings.segment_seconds))

    def render(
        self, video: OpenedVideo, tracked: TrackedVideo, parts: Sequence[Sequence[Segment]] | None = None
    ) -> RenderedVideo:
        """Pass two, join, verify and recheck.

        parts: runs of neighbouring segments that are rendered; the work folder must have the other ones. None: all.
        """
        runner, info, settings = video.runner, video.info, self.settings.hide
        parts = self._parts(video.segments) if parts is None else parts
        calls = [(self.source, info, self.work, part, tracked.part(part), settings) for part in parts]
        runner.all(stages.render, calls)
        selection = select_streams(info, self.settings)
        whole = (self.source, info, self.work, video.segments)
        verified = runner.one(stages.join_and_verify, *whole, selection, tracked.form, tracked.end, settings)
        return RenderedVideo(
            path=self.work.finished,
            sha256=verified.sha256,
            info=info,
            selection=selection,
            pts=tracked.pts,
            size=tracked.size,
            lost=tracked.lost,
            tracks=tracked.tracks,
            notes=(*info.notes, *tracked.notes),
            checks=verified.checks,
            recheck=self._recheck(video, verified.sha256) if self.settings.second_look else None,
            seconds=dict(runner.seconds),
        )

    def _detect_and_track(self, video: OpenedVideo) -> TrackedVideo:
        self._detect(video)
        what = (video.info, self.work, video.segments, self.settings, self.options.boxes)
        return video.runner.one(stages.track, *what)

    def _detect(self, video: OpenedVideo) -> None:
        how = (self.detector, self.settings.damaged)
        calls = [(self.source, video.info, self.work, part, *how) for part in self._parts(video.segments)]
        video.runner.all(stages.detect, calls)

    def _recheck(self, video: OpenedVideo, sha256: str) -> RecheckResult:
        """sha256: of the finished file."""
        settings, runner, path = self.settings.second_look, video.runner, self.work.finished
        assert settings is not None and self.options.recheck_detectors, "a recheck without detectors checks nothing"
        info = runner.one(stages.probe_source, path, Settings())
        segments = split(info.packets, info.video.time_base, self.settings.segment_seconds)
        frames, residuals = 0, list[ResidualDetection]()
        for detector in self.options.recheck_detectors:
            work = self.work.recheck_folder(sha256[:16] + detector.identity.sha256[:16])
            calls = [(path, info, work, part, detector, settings.every) for part in self._parts(segments)]
            runner.all(stages.recheck, calls)
            finished, source = (info, work, segments), (self.work, video.segments)
            frames, found = runner.one(stages.find_residuals, *finished, *source, detector, self.settings)
            residuals += found
        names = tuple(detector.identity.name for detector in self.options.recheck_detectors)
        return RecheckResult(settings.every, frames, names, tuple(sorted(residuals, key=lambda one: one.frame)))

    def _parts(self, segments: Sequence[Segment]) -> list[Sequence[Segment]]:
        return partition(segments, self.max_parts)
