"""Pass one: decode, detect on every frame, keep what was seen. No frame outlives its batch."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dashredact.errors import DamagedError
from dashredact.imaging import boxes as geometry
from dashredact.media import images as frame_images
from dashredact.media import reader as frame_reader
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.prefetch import prefetch
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import Damaged
from dashredact.values import Detections, Detector, Picture, SegmentDetections, StageProgress
from dashredact.workspace.work_folder import WorkFolder

_AHEAD = 2  # batches that decoding may be in front of detecting


class _Seen(NamedTuple):
    """A frame on its way to the detector."""

    pts: int
    size: tuple[int, int]
    """width and height of the upright frame"""
    picture: Picture
    """the frame scaled down, upright"""


class DetectPass:
    """Looks at the segments of one video; segments that were looked at before are read back."""

    def __init__(
        self,
        source: Path,
        info: VideoInfo,
        job: WorkFolder,
        detector: Detector,
        watch: Stopwatch,
        *,
        stage: str = "look",
        every: int = 1,
    ) -> None:
        """stage: what progress calls it. every: so many frames, counted from a segment's first, are looked at."""
        self._info, self._job, self._detector, self._watch = info, job, detector, watch
        self._stage, self._every = stage, every
        self._reader = frame_reader.Reader(source, info)
        self._scaler = frame_images.Scaler(*frame_images.picture_size(info, detector.long_side))

    def look(self, segments: Sequence[Segment], damaged: Damaged, advance: StageProgress) -> list[SegmentDetections]:
        with self._reader:
            return [self._segment(segment, damaged, advance) for segment in segments]

    def _segment(self, segment: Segment, damaged: Damaged, advance: StageProgress) -> SegmentDetections:
        look = self._job.look(segment.index)
        if look is None:
            look = self._afresh(segment, advance)
            self._job.save_look(segment.index, look)
            advance("saved", 0)
        else:
            advance(self._stage, len(look.pts))
        if look.lost and not self._info.packets.timed:
            raise DamagedError(
                f"{self._info.name}: {len(look.lost)} of its frames cannot be decoded, and its container does not say"
                " which they are; repair it, or take it from the camera again."
            )
        if look.lost and damaged is Damaged.REFUSE:
            raise DamagedError(
                f"{self._info.name}: {lost_frames(look.lost, self._info)}."
                " Use --damaged salvage to mask what can be decoded and drop the rest."
            )
        return look

    def _afresh(self, segment: Segment, advance: StageProgress) -> SegmentDetections:
        pts: list[int] = []
        found: list[Detections] = []
        size = (0, 0)
        # Closed on every way out: a thread that still decodes while the reader closes brings the process down.
        with closing(prefetch(self._pictures(segment), _AHEAD * self._detector.batch_size)) as ahead:
            for batch in _batches(ahead, self._detector.batch_size):
                with self._watch.timed("detect"):
                    answers = self._detector([seen.picture for seen in batch])
                for seen, answer in zip(batch, answers, strict=True):
                    found.append(_placed(answer, seen, frame=len(pts)))
                    pts.append(seen.pts)
                size = batch[0].size
                advance(self._stage, len(batch))
        return SegmentDetections(np.array(pts, np.int64), size, Detections.concatenate(found), tuple(self._reader.lost))

    def _pictures(self, segment: Segment) -> Iterator[_Seen]:
        decoded = self._watch.each("decode", self._reader.frames(segment))
        for frame in islice(decoded, 0, None, self._every):
            with self._watch.timed("scale"):
                seen = _Seen(frame.pts, frame_images.upright_size(frame.image), self._scaler(frame.image))
            yield seen


def _placed(found: Detections, seen: _Seen, frame: int) -> Detections:
    """From pixels of the scaled-down picture to those of the upright frame, under the frame's number."""
    height, width = seen.picture.shape[:2]
    boxes = geometry.scale(found.boxes, seen.size[0] / width, seen.size[1] / height).astype(np.float32)
    return Detections(np.full(len(found), frame, np.int32), found.kinds, boxes, found.scores)


def _batches(items: Iterator[_Seen], size: int) -> Iterator[list[_Seen]]:
    batch: list[_Seen] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def lost_frames(lost: Sequence[int], info: VideoInfo) -> str:
    """`3 frames cannot be decoded (at 1.20, 1.24, 1.28 s)`."""
    moments = ", ".join(f"{float(pts * info.video.time_base):.2f}" for pts in lost[:5])
    more = " and later" if len(lost) > 5 else ""
    return f"{len(lost)} of its frames cannot be decoded (at {moments} s{more})"
