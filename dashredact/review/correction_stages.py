"""The steps of a correction that are not those of every journey, each a function that another process can do."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashredact.errors import UnverifiedError
from dashredact.media import copy_segments
from dashredact.media.compare import compare_files
from dashredact.media.info import Segment
from dashredact.media.verify import mask_differences
from dashredact.pipeline.stages import PaintedMasks, Seconds
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import Style
from dashredact.values import Detections, SegmentDetections, StageProgress
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class CorrectedSegments:
    """How the frames of a video fall into segments, and which of them a correction touches."""

    segments: Sequence[Segment]
    firsts: Mapping[int, int]
    """by segment, the index of its first frame in the video"""
    pts: NDArray[np.int64]
    """(frames,) in the source's time base"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    touched: frozenset[int]
    """segments that are rendered again"""

    def look(self, segment: Segment) -> SegmentDetections:
        first = self.firsts[segment.index]
        end = self.firsts.get(segment.index + 1, len(self.pts))
        return SegmentDetections(self.pts[first:end], self.size, Detections.empty())


def prepare(
    before: Path, job: WorkFolder, cut: CorrectedSegments, time_base: Fraction, advance: StageProgress
) -> tuple[None, Seconds]:
    """The job learns which frames there are, and gets the parts that stay as they are from the file before."""
    watch = Stopwatch()
    advance("reuse", 0)
    for segment in cut.segments:
        job.save_look(segment.index, cut.look(segment))

    def place(segment: int) -> Path | None:
        reused = segment not in cut.touched and not job.part(segment).exists()
        return job.unfinished(segment) if reused else None

    with watch.timed("reuse"):
        firsts = {segment.index: cut.firsts[segment.index] for segment in cut.segments if len(cut.look(segment).pts)}
        for segment_index in copy_segments.copy_segments(before, cut.pts.tolist(), time_base, firsts, place):
            job.save_part(segment_index, job.unfinished(segment_index), {})
            advance("reuse", 0)
    return None, watch.seconds


@dataclass(frozen=True)
class Compared:
    """What was proven of a corrected file against the one that it replaces."""

    frames_same: int
    """frames of untouched segments; every one is what it was, bit for bit"""
    frames_rendered: int
    masks_looked_at: int
    """on the latter, every one"""
    worst_mask: float


def compare(
    before: Path, job: WorkFolder, cut: CorrectedSegments, style: Style, advance: StageProgress
) -> tuple[Compared, Seconds]:
    """UnverifiedError where a frame outside the touched segments has changed, or a mask is missing inside."""
    watch: Counter[str] = Counter()
    painted = PaintedMasks(job, cut.segments, [cut.look(segment) for segment in cut.segments])
    same = rendered = masks = 0
    worst, firsts = 0.0, [cut.firsts[segment.index] for segment in cut.segments]
    for index, frame, identical in compare_files(before, job.finished):
        if bisect_right(firsts, index) - 1 in cut.touched:
            rendered += 1
            differences = list(mask_differences(frame, index, painted(index), style))
            masks, worst = masks + len(differences), max(worst, *differences, 0.0)
        elif identical:
            same += 1
        else:
            raise UnverifiedError(f"Frame {index} of the corrected file changed although no correction touches it.")
        advance("verify", 1)
    return Compared(same, rendered, masks, round(worst, 2)), watch
