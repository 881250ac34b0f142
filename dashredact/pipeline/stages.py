"""The stages of a video, each a function that can run in another process.

Arguments and results are small; everything else is in the work folder. The last argument takes the progress, and every
stage also returns the seconds that it spent, by stage.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashredact import files
from dashredact.errors import MediaError, RefusedError, UnreadableError, UsageError
from dashredact.formats import exchange
from dashredact.formats.exchange import Canvas
from dashredact.formats.tracks_json import TracksFile
from dashredact.imaging.mosaic import Mask
from dashredact.media import concat, remux
from dashredact.media.form import Form, decide, decode_forms, form_of
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.probe import probe
from dashredact.media.reader import first_frame
from dashredact.media.streams import StreamSelection
from dashredact.media.verify import Checks, verify
from dashredact.pipeline.detect_pass import DetectPass
from dashredact.pipeline.recheck import ResidualDetection, outside_masks, residual_detections
from dashredact.pipeline.render_pass import RenderPass
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import Damaged, RenderSettings, Settings
from dashredact.tracking import zones
from dashredact.tracking.cuts import cuts
from dashredact.tracking.tracks import build_tracks
from dashredact.values import Array, Detections, Detector, Paths, SegmentDetections, StageProgress, Track
from dashredact.workspace.work_folder import WorkFolder

Seconds = Counter[str]
"""by stage"""


@dataclass(frozen=True)
class TrackedVideo:
    """The frames and tracks of a video, or of a run of its segments."""

    pts: NDArray[np.int64]
    """(frames,) of the whole video, in the source's time base"""
    first_frames: dict[int, int]
    """by segment, the index of its first frame in the video"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    lost: tuple[int, ...]
    """PTS of frames that could not be decoded"""
    tracks: Sequence[Track]
    form: Form
    """of the output"""
    end: int
    """ticks of the source's time base until which the last frame is shown"""
    notes: tuple[str, ...] = ()
    """what was found out while decoding, for people"""

    def frames(self, segments: Sequence[Segment]) -> tuple[int, int]:
        """First frame and end of some neighbouring segments."""
        return self.first_frames[segments[0].index], self.first_frames.get(segments[-1].index + 1, len(self.pts))

    def part(self, segments: Sequence[Segment]) -> "TrackedVideo":
        """The same with only the tracks on some neighbouring segments."""
        first, end = self.frames(segments)
        return replace(self, tracks=[track for track in self.tracks if track.first < end and track.end > first])

    def no_detections(self, segment: Segment) -> SegmentDetections:
        """The frames of a segment, for rendering tracks that do not come from detections."""
        first, end = self.frames([segment])
        return SegmentDetections(self.pts[first:end], self.size, Detections.empty())


class DetectedVideo(NamedTuple):
    """What pass one found in a whole video."""

    pts: NDArray[np.int64]
    """(frames,) in the source's time base"""
    times: Array
    """(frames,) seconds"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    detections: Detections
    paths: Paths
    cuts: tuple[int, ...]
    first_frames: list[int]
    """of each segment"""


class VerifiedFile(NamedTuple):
    checks: Checks
    sha256: str
    """of the finished file"""


def probe_source(source: Path, settings: Settings, advance: StageProgress) -> tuple[VideoInfo, Seconds]:
    advance("probe", 0)
    return probe(source, video_stream=settings.video_stream), Counter()


def detect(
    source: Path,
    info: VideoInfo,
    work: WorkFolder,
    segments: Sequence[Segment],
    detector: Detector,
    damaged: Damaged,
    advance: StageProgress,
) -> tuple[None, Seconds]:
    """Pass one of some neighbouring segments."""
    stopwatch = Stopwatch()
    DetectPass(source, info, work, detector, stopwatch).run(segments, damaged, advance)
    return None, stopwatch.seconds


def track(
    info: VideoInfo,
    work: WorkFolder,
    segments: Sequence[Segment],
    settings: Settings,
    boxes: Path | None,
    advance: StageProgress,
) -> tuple[TrackedVideo, Seconds]:
    """Tracks of the whole video, across segments: first zones, then those of a box file, then those of detections."""
    advance("track", 0)
    stopwatch, saved = Stopwatch(), _load_detections(work, segments)
    with stopwatch.timed("track"):
        found = _merged(info, saved)
        counted = zones.outside(found.detections, settings.zones.ignore, *found.size)
        detections, paths = found.detections.take(counted), found.paths.of(counted)
        detected = build_tracks(detections, paths, found.times, *found.size, settings.link, found.cuts)
        given = _tracks_of_box_file(boxes, settings, Canvas(*found.size, len(found.pts)))
        tracks = [*zones.tracks(settings.zones.mask, len(found.pts), *found.size), *given, *detected]
    numbered = [replace(track, id=number) for number, track in enumerate(tracks, 1)]
    by_segment = {segment.index: first for segment, first in zip(segments, found.first_frames, strict=True)}
    lost = tuple(time for segment in saved for time in segment.lost)
    (form, notes), end = decide(info.name, _forms(saved)), _end(info, saved)
    return TrackedVideo(found.pts, by_segment, found.size, lost, numbered, form, end, notes), stopwatch.seconds


def load_detected(
    info: VideoInfo, work: WorkFolder, segments: Sequence[Segment], advance: StageProgress
) -> tuple[DetectedVideo, Seconds]:
    """What pass one saved."""
    advance("track", 0)
    return _merged(info, _load_detections(work, segments)), Counter()


def _merged(info: VideoInfo, saved: Sequence[SegmentDetections]) -> DetectedVideo:
    """UnreadableError if there is no frame."""
    _check_balance(info, saved)
    if not any(len(segment.pts) for segment in saved):
        raise UnreadableError(f"{info.name}: no frame of it can be decoded; copy it again from the camera.")
    detections, first_frames, size = _merge(saved)
    pts = np.concatenate([segment.pts for segment in saved])
    changes = np.concatenate([segment.changes for segment in saved]).astype(np.float64)
    times, found = pts * float(info.video.time_base), cuts(changes)
    return DetectedVideo(pts, times, size, detections, _merge_paths(saved), found, first_frames)


def _forms(saved: Sequence[SegmentDetections]) -> Counter[Form]:
    return sum((decode_forms(segment.forms) for segment in saved), Counter())


def _check_balance(info: VideoInfo, saved: Sequence[SegmentDetections]) -> None:
    """RefusedError unless every packet gave a frame, or is known to have lost or hidden its own."""
    found = sum(len(segment.pts) + len(segment.lost) + segment.hidden for segment in saved)
    if found != len(info.packets):
        raise RefusedError(
            f"{info.name}: of its {len(info.packets)} packets {found} are accounted for; it was not masked, please"
            " report it."
        )


def adopt_tracks(
    source: Path,
    info: VideoInfo,
    work: WorkFolder,
    segments: Sequence[Segment],
    known: TracksFile,
    advance: StageProgress,
) -> tuple[TrackedVideo, Seconds]:
    """The tracks of a file instead of pass one: its frames are saved as segments without detections."""
    if known.time_base != info.video.time_base:
        raise UnreadableError(
            f"{info.name}: its time base is {info.video.time_base}, but that of its tracks file is {known.time_base};"
            " it belongs to another video."
        )
    head = first_frame(source, info)
    form = form_of(head.image, head.aspect)
    first_frames = first_frames_of(segments, known.pts)
    tracked = TrackedVideo(known.pts, first_frames, known.size, (), known.tracks, form, info.end)
    for segment in segments:
        detections = tracked.no_detections(segment)
        work.save_detections(segment.index, detections)
        advance("detect", len(detections.pts))
    return tracked, Counter()


def first_frames_of(segments: Sequence[Segment], pts: NDArray[np.int64]) -> dict[int, int]:
    """By segment, the index of its first frame. segments: all of a video. pts: of all its frames."""
    return {
        segment.index: 0 if segment.start is None else int(np.searchsorted(pts, segment.start)) for segment in segments
    }


def _tracks_of_box_file(boxes: Path | None, settings: Settings, canvas: Canvas) -> Sequence[Track]:
    """UsageError if the file has changed since the run began, belongs to another video, or gives a run without a
    detector nothing to mask.
    """
    if boxes is None:
        return ()
    expected = settings.boxes
    if expected is None or replace(exchange.box_file(boxes), kinds=expected.kinds) != expected:
        raise UsageError(f"{boxes} has changed since this run began; run again.")
    tracks = exchange.read(boxes, canvas)
    used = [track for track in tracks if expected.takes(track.kind)]
    if tracks and not used and not settings.link.detects:
        raise UsageError(f"{boxes} has no boxes of the kinds that are to be masked; name other kinds with --kinds.")
    return used


def render(
    source: Path,
    info: VideoInfo,
    work: WorkFolder,
    segments: Sequence[Segment],
    tracked: TrackedVideo,
    settings: RenderSettings,
    advance: StageProgress,
) -> tuple[None, Seconds]:
    """Pass two of some neighbouring segments."""
    stopwatch = Stopwatch()
    first_frame = tracked.first_frames[segments[0].index]
    render_pass = RenderPass(source, info, work, settings, stopwatch, tracked.form)
    render_pass.run(segments, _load_detections(work, segments), tracked.tracks, first_frame, advance)
    return None, stopwatch.seconds


def join_and_verify(
    source: Path,
    info: VideoInfo,
    work: WorkFolder,
    segments: Sequence[Segment],
    selection: StreamSelection,
    form: Form,
    end: int,
    settings: RenderSettings,
    advance: StageProgress,
) -> tuple[VerifiedFile, Seconds]:
    """Concatenate the parts, add the selected streams of the source, and verify the finished file.

    form: of the output. end: ticks of the source's time base until which the last frame is shown.
    """
    stopwatch, saved = Stopwatch(), _load_detections(work, segments)
    advance("join", 0)
    with stopwatch.timed("join"):
        parts = [work.part(segment.index) for segment, own in zip(segments, saved, strict=True) if len(own.pts)]
        concat.concatenate(parts, work.assembled, info.video.time_base, end - info.origin)
        remux.remux(work.assembled, source, work.finished, info, selection, form.color, end)
    advance("verify", 0)
    with stopwatch.timed("verify"):
        pts = np.concatenate([segment.pts for segment in saved]).tolist()
        masks, what = PaintedMasks(work, segments, saved), (work.finished, source, info, selection, settings)
        checks = verify(*what, pts=pts, masks=masks, form=form, end=end, advance=advance)
        return VerifiedFile(checks, files.sha256(work.finished)), stopwatch.seconds


def _end(info: VideoInfo, saved: Sequence[SegmentDetections]) -> int:
    """Ticks until which the last frame is shown; frames that were lost behind it are not made up for."""
    last = max(int(segment.pts[-1]) for segment in saved if len(segment.pts))
    return min((pts for segment in saved for pts in segment.lost if pts > last), default=max(info.end, last + 1))


def recheck(
    finished: Path,
    info: VideoInfo,
    work: WorkFolder,
    segments: Sequence[Segment],
    detector: Detector,
    every: int,
    advance: StageProgress,
) -> tuple[None, Seconds]:
    """Detect on every n-th frame of some neighbouring segments of the finished file. info, work: of that file."""
    stopwatch = Stopwatch()
    detect_pass = DetectPass(finished, info, work, detector, stopwatch, stage="recheck", every=every)
    detect_pass.run(segments, Damaged.REFUSE, advance)
    return None, Counter({"recheck": sum(stopwatch.seconds.values())})


def find_residuals(
    info: VideoInfo,
    recheck_work: WorkFolder,
    recheck_segments: Sequence[Segment],
    work: WorkFolder,
    segments: Sequence[Segment],
    detector: Detector,
    settings: Settings,
    advance: StageProgress,
) -> tuple[tuple[int, list[ResidualDetection]], Seconds]:
    """The number of frames that were rechecked, and what was detected on them outside the masks.

    info, recheck_work, recheck_segments: of the finished file. work, segments: of its source.
    """
    advance("recheck", 0)
    assert settings.second_look is not None
    saved, masks = _load_detections(recheck_work, recheck_segments), PaintedMasks.load(work, segments)
    detections, _, size = _merge(saved)
    pts = np.concatenate([segment.pts for segment in saved])
    frames = np.searchsorted(np.array(info.packets.shown_pts, np.int64), pts)
    counted = detections.take(zones.outside(detections, settings.zones.ignore, *size))
    uncovered = outside_masks(counted, lambda row: _boxes(masks(int(frames[row]))))
    times = (pts - info.packets.shown_pts[0]) * float(info.video.time_base)
    thresholds = {kind: score for kind, score in detector.thresholds.items() if kind in settings.link.kinds}
    model, recheck_settings = detector.identity.name, settings.second_look
    residuals = residual_detections(uncovered, frames, times, thresholds, recheck_settings, model)
    return (len(pts), residuals), Counter()


def _boxes(masks: Sequence[Mask]) -> Array:
    """(M, 4)"""
    return np.array([mask.box for mask in masks], np.float64).reshape(-1, 4)


def _load_detections(work: WorkFolder, segments: Sequence[Segment]) -> list[SegmentDetections]:
    loaded = [work.detections(segment.index) for segment in segments]
    intact = [detections for detections in loaded if detections is not None]
    if len(intact) < len(loaded):
        raise MediaError("The work folder is damaged; run again to start from the beginning.")
    return intact


def _merge(saved: Sequence[SegmentDetections]) -> tuple[Detections, list[int], tuple[int, int]]:
    """Detections by frame of the video, the first frame of each segment, and the size of the picture.

    At least one segment must have frames.
    """
    first_frames: list[int] = np.cumsum([0, *(len(segment.pts) for segment in saved[:-1])]).tolist()
    shifted = [segment.detections.shifted(first) for segment, first in zip(saved, first_frames, strict=True)]
    size = next(segment.size for segment in saved if len(segment.pts))
    return Detections.concatenate(shifted), first_frames, size


def _merge_paths(saved: Sequence[SegmentDetections]) -> Paths:
    """Of all segments, by detection of the video."""
    rows: list[int] = np.cumsum([0, *(len(segment.detections) for segment in saved[:-1])]).tolist()
    return Paths.concatenate([segment.paths for segment in saved], rows)


class PaintedMasks:
    """The masks that were painted on a frame. Only those of one segment are in memory at a time."""

    def __init__(self, work: WorkFolder, segments: Sequence[Segment], saved: Sequence[SegmentDetections]) -> None:
        """saved: of each segment."""
        self._work = work
        self._segments = [segment.index for segment, own in zip(segments, saved, strict=True) if len(own.pts)]
        self._ends = np.cumsum([len(own.pts) for own in saved if len(own.pts)])
        self._loaded = -1
        self._masks: dict[int, list[Mask]] = {}

    @classmethod
    def load(cls, work: WorkFolder, segments: Sequence[Segment]) -> "PaintedMasks":
        return cls(work, segments, _load_detections(work, segments))

    def __call__(self, frame: int) -> Sequence[Mask]:
        number = int(np.searchsorted(self._ends, frame, "right"))
        if number != self._loaded:
            self._loaded, self._masks = number, self._work.masks(self._segments[number])
        return self._masks.get(frame, ())
