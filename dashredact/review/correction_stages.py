"""The stages of a correction that masking does not have, each a function that can run in another process."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dashredact.errors import UnverifiedError
from dashredact.media import copy_segments
from dashredact.media.compare import compare_files
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.verify import mask_differences
from dashredact.pipeline.stages import PaintedMasks, Seconds, TrackedVideo
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import Style
from dashredact.values import StageProgress
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class CorrectionPlan:
    """What a correction makes of a video, and which of its segments it changes."""

    segments: Sequence[Segment]
    tracked: TrackedVideo
    """with the tracks after the correction"""
    touched: frozenset[int]
    """indices of segments that are rendered again"""

    @property
    def changed_segments(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.index in self.touched]


def copy_unchanged(
    before: Path, work: WorkFolder, plan: CorrectionPlan, info: VideoInfo, advance: StageProgress
) -> tuple[None, Seconds]:
    """Fill the work folder: the frames of every segment, and the parts of unchanged segments from the file before.

    info: of the source.
    """
    stopwatch = Stopwatch()
    advance("copy", 0)
    frames = {segment.index: plan.tracked.no_detections(segment) for segment in plan.segments}
    for segment, detections in frames.items():
        work.save_detections(segment, detections)

    def target_of(segment: int) -> Path | None:
        is_copied = segment not in plan.touched and not work.part(segment).exists()
        return work.temporary_part(segment) if is_copied else None

    with stopwatch.timed("copy"):
        firsts = {index: plan.tracked.first_frames[index] for index, own in frames.items() if len(own.pts)}
        pts = (plan.tracked.pts - info.origin).tolist()
        for segment in copy_segments.copy_segments(before, pts, info.video.time_base, firsts, target_of):
            work.save_part(segment, work.temporary_part(segment), {})
            advance("copy", 0)
    return None, stopwatch.seconds


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
    before: Path, work: WorkFolder, plan: CorrectionPlan, style: Style, advance: StageProgress
) -> tuple[Compared, Seconds]:
    """UnverifiedError if a frame outside the touched segments has changed, or a mask is missing inside them."""
    painted = PaintedMasks.load(work, plan.segments)
    same = rendered = masks = 0
    worst, firsts = 0.0, [plan.tracked.first_frames[segment.index] for segment in plan.segments]
    for number, frame, identical in compare_files(before, work.finished):
        if bisect_right(firsts, number) - 1 in plan.touched:
            rendered += 1
            differences = list(mask_differences(frame, number, painted(number), style))
            masks, worst = masks + len(differences), max(worst, *differences, 0.0)
        elif identical:
            same += 1
        else:
            raise UnverifiedError(f"Frame {number} of the corrected file changed although no correction touches it.")
        advance("verify", 1)
    return Compared(same, rendered, masks, round(worst, 2)), Counter()
