"""Pass one: decode, detect on every frame, follow what was detected, save both.

No frame is kept longer than its batch, but for small grey ones of a second or so, to follow on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dashredact.errors import DamagedError
from dashredact.imaging import boxes as geometry
from dashredact.media import images as frame_images
from dashredact.media import reader as frame_reader
from dashredact.media.form import Form, encode_forms, form_of
from dashredact.media.images import Frame
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.prefetch import prefetch
from dashredact.pipeline.path_finder import GreyFrame, PathFinder, grey_frame
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import Damaged
from dashredact.values import REACH, Detections, Detector, Paths, Picture, SegmentDetections, StageProgress
from dashredact.workspace.work_folder import WorkFolder

_BATCHES_AHEAD = 2  # decoded while the detector works on an earlier batch


class _ScaledFrame(NamedTuple):
    """A frame on its way to the detector."""

    pts: int
    size: tuple[int, int]
    """width and height of the upright frame"""
    picture: Picture
    """the upright frame, scaled down"""
    form: Form


class DetectPass:
    """Detects on the segments of one video. Segments whose detections are saved are loaded instead."""

    def __init__(
        self,
        source: Path,
        info: VideoInfo,
        work: WorkFolder,
        detector: Detector,
        stopwatch: Stopwatch,
        *,
        stage: str = "detect",
        every: int = 1,
    ) -> None:
        """stage: its name in progress events. every: detect on every n-th frame, from the first of each segment; on
        frames that are not neighbours nothing is followed.
        """
        self._info, self._work, self._detector, self._stopwatch = info, work, detector, stopwatch
        self._stage, self._every = stage, every
        self._reader = frame_reader.Reader(source, info)
        self._scaler = frame_images.Scaler(*frame_images.picture_size(info, detector.long_side, detector.detail))
        self._reach = ceil(REACH / info.video.time_base)  # ticks
        self._lead: list[GreyFrame] = []

    def run(self, segments: Sequence[Segment], damaged: Damaged, advance: StageProgress) -> None:
        """DamagedError for frames that cannot be decoded, unless they are salvaged."""
        with self._reader:
            for segment in segments:
                self._check_lost(self._detections(segment, advance), damaged)

    def _detections(self, segment: Segment, advance: StageProgress) -> SegmentDetections:
        saved = self._work.detections(segment.index)
        if saved is not None:
            advance(self._stage, len(saved.pts))
            return saved
        detected = self._detect(segment, advance)
        self._work.save_detections(segment.index, detected)
        advance("saved", 0)
        return detected

    def _check_lost(self, detected: SegmentDetections, damaged: Damaged) -> None:
        damaged_frames = [pts for pts in detected.lost if pts >= self._info.packets.first_key]
        if damaged_frames and self._info.container == "avi":
            raise DamagedError(
                f"{self._info.name}: {len(damaged_frames)} of its frames cannot be decoded, and its container does not"
                " say which ones; repair it, or copy it again from the camera."
            )
        if damaged_frames and damaged is Damaged.REFUSE:
            raise DamagedError(
                f"{self._info.name}: {lost_frames(damaged_frames, self._info)}."
                " Use --damaged salvage to mask what can be decoded and drop the rest."
            )

    def _detect(self, segment: Segment, advance: StageProgress) -> SegmentDetections:
        pts: list[int] = []
        detections: list[Detections] = []
        size = (0, 0)
        forms: Counter[Form] = Counter()
        self._lead = self._lead if self._reader.continues(segment) else []
        finder = PathFinder(self._lead)
        # Closed on every way out: a thread that still decodes while the reader closes crashes the process.
        with closing(prefetch(self._scaled(segment), _BATCHES_AHEAD * self._detector.batch_size)) as frames:
            for batch in _batches(self._without_lead(frames, segment, finder), self._detector.batch_size):
                with self._stopwatch.timed("detect"):
                    results = self._detector([frame.picture for frame in batch])
                for frame, result in zip(batch, results, strict=True):
                    found = _on_frame(result, frame, index=len(pts))
                    if self._follows:
                        with self._stopwatch.timed("follow"):
                            finder.add(self._grey(frame), found, frame.size[0])
                    detections.append(found)
                    pts.append(frame.pts)
                    forms[frame.form] += 1
                size = batch[0].size
                advance(self._stage, len(batch))
        merged = Detections.concatenate(detections)
        lost, hidden = tuple(self._reader.lost), self._reader.hidden
        paths = self._paths(finder, segment) if self._follows else Paths.empty()
        what, changes = (np.array(pts, np.int64), size, merged, lost, hidden), np.array(finder.changes, np.float32)
        return SegmentDetections(*what, encode_forms(forms), paths, changes)

    @property
    def _follows(self) -> bool:
        return self._every == 1

    def _scaled(self, segment: Segment) -> Iterator[_ScaledFrame]:
        since = segment.start - self._reach if self._follows and segment.start is not None else None
        decoded = self._stopwatch.each("decode", self._reader.frames(segment, since))
        for frame in islice(decoded, 0, None, self._every):
            yield self._scale(frame)

    def _scale(self, frame: Frame) -> _ScaledFrame:
        with self._stopwatch.timed("scale"):
            size, form = frame_images.upright_size(frame.image), form_of(frame.image, frame.aspect)
            return _ScaledFrame(frame.pts, size, self._scaler(frame.image), form)

    def _grey(self, frame: _ScaledFrame) -> GreyFrame:
        return grey_frame(float(frame.pts * self._info.video.time_base), frame.picture)

    def _without_lead(
        self, frames: Iterator[_ScaledFrame], segment: Segment, finder: PathFinder
    ) -> Iterator[_ScaledFrame]:
        """The frames of the segment; those before it are only there to be followed back to."""
        for frame in frames:
            if segment.start is None or frame.pts >= segment.start:
                yield frame
            else:
                finder.lead(self._grey(frame))

    def _paths(self, finder: PathFinder, segment: Segment) -> Paths:
        tail = self._reader.ahead(segment.end + self._reach) if segment.end is not None else []
        with self._stopwatch.timed("follow"):
            paths = finder.finish(self._grey(self._scale(frame)) for frame in tail)
        self._lead = finder.last
        return paths


def _on_frame(detections: Detections, frame: _ScaledFrame, index: int) -> Detections:
    """With boxes in pixels of the upright frame instead of the scaled picture, and the index of the frame."""
    height, width = frame.picture.shape[:2]
    boxes = geometry.scale(detections.boxes, frame.size[0] / width, frame.size[1] / height).astype(np.float32)
    return Detections(np.full(len(detections), index, np.int32), detections.kinds, boxes, detections.scores)


def _batches(items: Iterator[_ScaledFrame], size: int) -> Iterator[list[_ScaledFrame]]:
    while batch := list(islice(items, size)):
        yield batch


def lost_frames(lost: Sequence[int], info: VideoInfo) -> str:
    """`3 of its frames cannot be decoded (at 1.20, 1.24, 1.28 s)`; those before the first key frame apart."""
    before_key = sum(pts < info.packets.first_key for pts in lost)
    if before_key:
        first = "first frame" if before_key == 1 else f"first {before_key} frames"
        begins = f"it begins between key frames: its {first} cannot be decoded"
        rest = [pts for pts in lost if pts >= info.packets.first_key]
        return f"{begins}; {lost_frames(rest, info)}" if rest else begins
    times = ", ".join(f"{float(pts * info.video.time_base):.2f}" for pts in lost[:5])
    more = " and later" if len(lost) > 5 else ""
    return f"{len(lost)} of its frames cannot be decoded (at {times} s{more})"
