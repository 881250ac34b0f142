"""The steps of a journey, each a function that another process can do: what goes in and out is small, the rest is in
the job's folder. The last argument takes the progress.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashredact import files
from dashredact.errors import MediaError, UnreadableError, UsageError
from dashredact.formats import exchange
from dashredact.formats.exchange import Canvas
from dashredact.formats.tracks_json import TracksFile
from dashredact.imaging.mosaic import Mask
from dashredact.media import concat, remux
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.probe import probe
from dashredact.media.streams import StreamSelection
from dashredact.media.verify import Checks, verify
from dashredact.pipeline import recheck
from dashredact.pipeline.detect_pass import DetectPass
from dashredact.pipeline.recheck import ResidualDetection
from dashredact.pipeline.render_pass import RenderPass
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import BoxFile, Damaged, RenderSettings, Settings, Style
from dashredact.tracking import zones
from dashredact.tracking.tracks import build_tracks
from dashredact.values import Array, Detections, Detector, SegmentDetections, StageProgress, Track
from dashredact.workspace.work_folder import WorkFolder

Seconds = Counter[str]
"""by stage"""


@dataclass(frozen=True)
class TrackedVideo:
    """What pass one found in a range of segments."""

    pts: NDArray[np.int64]
    """(frames,) in the source's time base"""
    firsts: dict[int, int]
    """by segment, the index of its first frame in the video"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    lost: tuple[int, ...]
    """PTS of frames that could not be decoded"""
    tracks: Sequence[Track]

    def part(self, share: Sequence[Segment]) -> "TrackedVideo":
        """The same for some neighbouring segments: the tracks that are seen there."""
        first = self.firsts[share[0].index]
        end = self.firsts.get(share[-1].index + 1, len(self.pts))
        return replace(self, tracks=[track for track in self.tracks if track.first < end and track.end > first])


class VerifiedFile(NamedTuple):
    checks: Checks
    sha256: str
    """of the finished file"""


def probe_source(source: Path, settings: Settings, advance: StageProgress) -> tuple[VideoInfo, Seconds]:
    """What the file is, before a frame of it is decoded."""
    advance("probe", 0)
    return probe(source, video_stream=settings.video_stream), Counter()


def detect(
    source: Path,
    info: VideoInfo,
    job: WorkFolder,
    share: Sequence[Segment],
    detector: Detector,
    damaged: Damaged,
    advance: StageProgress,
) -> tuple[None, Seconds]:
    """Pass one of some neighbouring segments."""
    watch = Stopwatch()
    DetectPass(source, info, job, detector, watch).look(share, damaged, advance)
    return None, watch.seconds


def track(
    info: VideoInfo,
    job: WorkFolder,
    segments: Sequence[Segment],
    settings: Settings,
    boxes: Path | None,
    advance: StageProgress,
) -> tuple[TrackedVideo, Seconds]:
    """Tracks over the whole video, zones first, then given boxes: segment borders are no borders for an object."""
    advance("link", 0)
    watch, looks = Stopwatch(), _looks(job, segments)
    pts = np.concatenate([seen.pts for seen in looks])
    if not len(pts):
        raise UnreadableError(f"{info.name}: not one frame of it can be decoded.")
    with watch.timed("link"):
        firsts = np.cumsum([0, *(len(seen.pts) for seen in looks)]).tolist()
        size = next(seen.size for seen in looks if len(seen.pts))
        moved = [seen.detections.shifted(first) for seen, first in zip(looks, firsts, strict=False)]
        counted = zones.outside(Detections.concatenate(moved), settings.zones.ignore, *size)
        found = build_tracks(counted, pts * float(info.video.time_base), *size, settings.link)
        given = _given(boxes, settings.boxes, Canvas(*size, len(pts)))
        tracks = [*zones.tracks(settings.zones.mask, len(pts), *size), *given, *found]
    numbered = [replace(track, id=number) for number, track in enumerate(tracks, 1)]
    places = {segment.index: first for segment, first in zip(segments, firsts, strict=False)}
    lost = tuple(time for seen in looks for time in seen.lost)
    return TrackedVideo(pts, places, size, lost, numbered), watch.seconds


def adopt(
    info: VideoInfo, job: WorkFolder, segments: Sequence[Segment], known: TracksFile, advance: StageProgress
) -> tuple[TrackedVideo, Seconds]:
    """Tracks that are settled take the place of pass one: its frames are saved as looks that saw nothing."""
    if known.time_base != info.video.time_base:
        raise UnreadableError(f"{info.name}: its tracks file counts time in other ticks; it belongs to another video.")
    firsts: dict[int, int] = {}
    for segment in segments:
        first, end = (
            outer if edge is None else int(np.searchsorted(known.pts, edge))
            for edge, outer in ((segment.start, 0), (segment.end, len(known.pts)))
        )
        firsts[segment.index] = first
        job.save_look(segment.index, SegmentDetections(known.pts[first:end], known.size, Detections.empty()))
        advance("look", end - first)
    return TrackedVideo(known.pts, firsts, known.size, (), known.tracks), Counter()


def _given(boxes: Path | None, expected: BoxFile | None, canvas: Canvas) -> Sequence[Track]:
    """UsageError where the file is not the one that the run began with, or not of this video."""
    if boxes is None:
        return ()
    if exchange.described(boxes) != expected:
        raise UsageError(f"{boxes} has changed since this run began; run again.")
    return exchange.read(boxes, canvas)


def render(
    source: Path,
    info: VideoInfo,
    job: WorkFolder,
    share: Sequence[Segment],
    linked: TrackedVideo,
    settings: RenderSettings,
    advance: StageProgress,
) -> tuple[None, Seconds]:
    """Pass two of some neighbouring segments."""
    watch = Stopwatch()
    hider = RenderPass(source, info, job, settings, watch)
    hider.hide(share, _looks(job, share), linked.tracks, linked.firsts[share[0].index], advance)
    return None, watch.seconds


def finish(
    source: Path,
    info: VideoInfo,
    job: WorkFolder,
    segments: Sequence[Segment],
    choice: StreamSelection,
    style: Style,
    advance: StageProgress,
) -> tuple[VerifiedFile, Seconds]:
    """The parts become one file with the chosen streams, and that is verified."""
    watch, looks = Stopwatch(), _looks(job, segments)
    advance("join", 0)
    with watch.timed("join"):
        parts = [job.part(segment.index) for segment, seen in zip(segments, looks, strict=True) if len(seen.pts)]
        concat.concatenate(parts, job.assembled, info.video.time_base)
        remux.remux(job.assembled, source, job.finished, info, choice)
    advance("verify", 0)
    with watch.timed("verify"):
        pts = np.concatenate([seen.pts for seen in looks]).tolist()
        masks = PaintedMasks(job, segments, looks)
        checks = verify(job.finished, source, info, choice, pts=pts, masks=masks, style=style, advance=advance)
        return VerifiedFile(checks, files.sha256(job.finished)), watch.seconds


def detect_again(
    finished: Path,
    info: VideoInfo,
    again: WorkFolder,
    share: Sequence[Segment],
    detector: Detector,
    every: int,
    advance: StageProgress,
) -> tuple[None, Seconds]:
    """Some neighbouring segments of the finished file, whose facts these are."""
    watch = Stopwatch()
    DetectPass(finished, info, again, detector, watch, stage="second look", every=every).look(
        share, Damaged.REFUSE, advance
    )
    return None, Counter({"second look": sum(watch.seconds.values())})


def residual_detections(
    info: VideoInfo,
    again: WorkFolder,
    parts: Sequence[Segment],
    job: WorkFolder,
    segments: Sequence[Segment],
    detector: Detector,
    settings: Settings,
    advance: StageProgress,
) -> tuple[tuple[int, list[ResidualDetection]], Seconds]:
    """How many frames of the finished file were looked at, and what is to be seen there beside the masks.

    facts, again, parts: of the finished file. job, segments: of its source.
    """
    advance("second look", 0)
    assert settings.second_look is not None
    seen, masks = _looks(again, parts), PaintedMasks(job, segments, _looks(job, segments))
    pts = np.concatenate([look.pts for look in seen])
    frames = np.searchsorted(np.array(info.packets.shown_pts, np.int64), pts)
    firsts = np.cumsum([0, *(len(look.pts) for look in seen)]).tolist()
    size = next(look.size for look in seen if len(look.pts))
    moved = [look.detections.shifted(first) for look, first in zip(seen, firsts, strict=False)]
    counted = zones.outside(Detections.concatenate(moved), settings.zones.ignore, *size)
    uncovered = recheck.uncovered(counted, lambda place: _boxes(masks(int(frames[place]))))
    times = (pts - info.packets.shown_pts[0]) * float(info.video.time_base)
    own = {kind: score for kind, score in detector.thresholds.items() if kind in settings.link.kinds}
    finds = recheck.residuals(uncovered, frames, times, own, settings.second_look, detector.identity.name)
    return (len(pts), finds), Counter()


def _boxes(masks: Sequence[Mask]) -> Array:
    """(M, 4)"""
    return np.array([mask.box for mask in masks], np.float64).reshape(-1, 4)


def _looks(job: WorkFolder, segments: Sequence[Segment]) -> list[SegmentDetections]:
    looks = [job.look(segment.index) for segment in segments]
    whole = [seen for seen in looks if seen is not None]
    if len(whole) < len(looks):
        raise MediaError("The work folder was spoilt; run again, it starts anew.")
    return whole


class PaintedMasks:
    """What was painted on a frame, read back segment by segment: a long video's masks would fill the memory."""

    def __init__(self, job: WorkFolder, segments: Sequence[Segment], looks: Sequence[SegmentDetections]) -> None:
        self._job = job
        self._segments = [segment.index for segment, seen in zip(segments, looks, strict=True) if len(seen.pts)]
        self._ends = np.cumsum([len(seen.pts) for seen in looks if len(seen.pts)])
        self._place = -1
        self._masks: dict[int, list[Mask]] = {}

    def __call__(self, frame: int) -> Sequence[Mask]:
        place = int(np.searchsorted(self._ends, frame, "right"))
        if place != self._place:
            self._place, self._masks = place, self._job.masks(self._segments[place])
        return self._masks.get(frame, ())
