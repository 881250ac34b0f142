"""The journey of one video.

    probe ─ cuts ─┬─ look  (per segment)  decode → detect in batches → detections on disk
                  ├─ link  (whole video)  detections → tracks
                  ├─ hide  (per segment)  decode → paint tracks → encode → part
                  └─ join → re-mux chosen streams → verify the finished file

Two passes, because a person must be hidden before the detector first saw them. A VideoError ends the journey;
nothing has a final name then, and the work folder lets the next run go on from the last finished step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashredact.errors import DamagedError, UnreadableError
from dashredact.facts import Segment, VideoFacts
from dashredact.hide import Hider
from dashredact.look import Looker
from dashredact.media import join
from dashredact.media.probe import probe
from dashredact.media.verify import Checks, verify
from dashredact.pure import zones
from dashredact.pure.cuts import cut
from dashredact.pure.paint import Mask
from dashredact.pure.tracks import link
from dashredact.settings import Damaged, Settings
from dashredact.stopwatch import Stopwatch
from dashredact.store.job import Job
from dashredact.values import Detections, Detector, Fact, Look, Report, Track


@dataclass(frozen=True)
class Finished:
    """A verified file that waits in the work folder for its name, and all there is to say about it."""

    path: Path
    facts: VideoFacts
    choice: join.Choice
    pts: NDArray[np.int64]
    """(frames,) in the source's time base"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    lost: tuple[int, ...]
    """PTS of frames that could not be decoded and were left out"""
    tracks: Sequence[Track]
    checks: Checks
    seconds: dict[str, float]
    """by stage; decoding and scaling for the detector run beside it"""


def mask_video(source: Path, job: Job, detector: Detector, settings: Settings, report: Report) -> Finished:
    """From a source to a verified file. Steps that the job has saved are not done again."""
    facts = probe(source, video_stream=settings.video_stream)
    _admit(facts, settings)
    segments = cut(facts.packets, facts.video.time_base, settings.segment_seconds)
    watch, advance = Stopwatch(), _Advance(facts, report)

    looks = Looker(source, facts, job, detector, watch).look(segments, settings.damaged, advance)
    pts = np.concatenate([look.pts for look in looks])
    if not len(pts):
        raise UnreadableError(f"{facts.name}: not one frame of it can be decoded.")
    size = next(look.size for look in looks if len(look.pts))

    advance("link", 0)
    with watch.timed("link"):
        tracks = _link(looks, facts, size, settings)

    Hider(source, facts, job, settings.hide, watch).hide(segments, looks, tracks, advance)

    advance("join", 0)
    choice = join.choose(facts, settings)
    with watch.timed("join"):
        join.assemble(_parts(job, segments, looks), job.assembled, facts.video.time_base)
        join.remux(job.assembled, source, job.finished, facts, choice)

    advance("verify", 0)
    with watch.timed("verify"):
        masks = _Masks(job, segments, looks)
        checks = verify(job.finished, source, facts, choice, pts=pts.tolist(), masks=masks, style=settings.hide.style)

    lost = tuple(time for look in looks for time in look.lost)
    return Finished(job.finished, facts, choice, pts, size, lost, tracks, checks, dict(watch.seconds))


def detect_video(source: Path, job: Job, detector: Detector, settings: Settings, report: Report) -> Sequence[Track]:
    """Pass one alone: what would be masked."""
    facts = probe(source, video_stream=settings.video_stream)
    _admit(facts, settings)
    segments = cut(facts.packets, facts.video.time_base, settings.segment_seconds)
    looks = Looker(source, facts, job, detector, Stopwatch()).look(segments, settings.damaged, _Advance(facts, report))
    size = next((look.size for look in looks if len(look.pts)), (0, 0))
    return _link(looks, facts, size, settings)


def _admit(facts: VideoFacts, settings: Settings) -> None:
    if facts.damages and settings.damaged is Damaged.REFUSE:
        raise DamagedError(
            f"{facts.name}: {'; '.join(facts.damages)}. Use --damaged salvage to mask what can be decoded."
        )


def _link(looks: Sequence[Look], facts: VideoFacts, size: tuple[int, int], settings: Settings) -> list[Track]:
    """Tracks over the whole video, zones first: segment borders are no borders for an object."""
    firsts = np.cumsum([0, *(len(look.pts) for look in looks)])
    seen = [look.detections.shifted(int(first)) for look, first in zip(looks, firsts, strict=False)]
    times = np.concatenate([look.pts for look in looks]) * float(facts.video.time_base)
    counted = zones.outside(Detections.concatenate(seen), settings.zones.ignore, *size)
    tracks = [*zones.tracks(settings.zones.mask, len(times), *size), *link(counted, times, *size, settings.link)]
    return [replace(track, id=number) for number, track in enumerate(tracks, 1)]


def _parts(job: Job, segments: Sequence[Segment], looks: Sequence[Look]) -> list[Path]:
    return [job.part(segment.index) for segment, look in zip(segments, looks, strict=True) if len(look.pts)]


class _Masks:
    """What was painted on a frame, read back segment by segment: a long video's masks would fill the memory."""

    def __init__(self, job: Job, segments: Sequence[Segment], looks: Sequence[Look]) -> None:
        self._job = job
        self._segments = [segment.index for segment, look in zip(segments, looks, strict=True) if len(look.pts)]
        self._ends = np.cumsum([len(look.pts) for look in looks if len(look.pts)])
        self._place = -1
        self._masks: dict[int, list[Mask]] = {}

    def __call__(self, frame: int) -> Sequence[Mask]:
        place = int(np.searchsorted(self._ends, frame, "right"))
        if place != self._place:
            self._place, self._masks = place, self._job.masks(self._segments[place])
        return self._masks.get(frame, ())


class _Advance:
    """Counts frames over both passes and reports them."""

    def __init__(self, facts: VideoFacts, report: Report) -> None:
        self._name, self._report = facts.name, report
        self._total = 2 * len(facts.packets.shown_pts)
        self._done = 0

    def __call__(self, stage: str, frames: int) -> None:
        self._done += frames
        self._report(Fact(self._name, stage, self._done, self._total))
