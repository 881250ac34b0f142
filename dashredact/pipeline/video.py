"""The journey of one video.

    probe ─ cuts ─┬─ look  (per segment)  decode → detect in batches → detections on disk
                  ├─ link  (whole video)  detections → tracks
                  ├─ hide  (per segment)  decode → paint tracks → encode → part
                  └─ join → re-mux chosen streams → verify the finished file → look at it again

Two passes, because a person must be hidden before the detector first saw them. Every step is done by the crew, maybe in
another process, and a pass may be shared out by segments. A VideoError ends the journey; nothing has a final name then,
and the work folder lets the next run go on from the last finished step.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashredact.errors import DamagedError, OutOfTimeError
from dashredact.execute.inline import INLINE
from dashredact.formats.tracks_json import TracksFile
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.segmentation import partition, split
from dashredact.media.streams import StreamSelection, select_streams
from dashredact.media.verify import Checks
from dashredact.pipeline import stages
from dashredact.pipeline.recheck import RecheckResult, ResidualDetection
from dashredact.pipeline.stages import TrackedVideo
from dashredact.settings import Damaged, Settings
from dashredact.values import Detector, ProgressCallback, ProgressEvent, StageProgress, Track
from dashredact.workspace.work_folder import WorkFolder

T = TypeVar("T")

_SLOW_BYTES_PER_SECOND = 2_000_000  # a slow network disk; a step that reads a whole file may be silent for so long
_SLOW_TO_START = 60.0  # seconds in which a worker loads the detector


class Executor(Protocol):
    """Who does the steps, in the shape of `concurrent.futures`."""

    jobs: int
    """how many steps are done side by side"""

    def submit(self, step: Callable[..., T], *args: Any, advance: StageProgress, patience: float = 0) -> "Future[T]":
        """Call `step(*args, progress)`. patience: seconds for which it may be silent, beyond the usual."""
        ...


@dataclass(frozen=True)
class RunOptions:
    """What a run may bring besides the detector."""

    second: tuple[Detector, ...] = ()
    """they look at the finished file, where the settings have it looked at"""
    boxes: Path | None = None
    """that are masked too"""
    keep: bool = False
    """whether detections are kept beside the tracks, for other thresholds later"""
    relink: bool = False
    """whether a video without kept detections is refused, and not looked at"""


NO_OPTIONS = RunOptions()


@dataclass(frozen=True)
class RenderedVideo:
    """A verified file that waits in the work folder for its name, and all there is to say about it."""

    path: Path
    sha256: str
    info: VideoInfo
    choice: StreamSelection
    pts: NDArray[np.int64]
    """(frames,) in the source's time base"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    lost: tuple[int, ...]
    """PTS of frames that could not be decoded and were left out"""
    tracks: Sequence[Track]
    checks: Checks
    again: RecheckResult | None
    """None: nobody has looked at the finished file again"""
    seconds: dict[str, float]
    """by stage; decoding and scaling for the detector run beside it, and workers beside each other"""


@dataclass(frozen=True)
class VideoPipeline:
    """One video on its way."""

    source: Path
    job: WorkFolder
    detector: Detector | None
    """None where nothing is to be detected"""
    settings: Settings
    report: ProgressCallback
    crew: Executor = INLINE
    most_shares: int = 1
    """into how many shares a pass may be split"""
    aids: RunOptions = NO_OPTIONS

    def mask(self) -> RenderedVideo:
        """From a source to a verified file. Steps that the job has saved are not done again."""
        run, info, segments = self._begin()
        return self._finish(run, info, segments, self._find(run, info, segments))

    def render(self, known: TracksFile) -> RenderedVideo:
        """Pass two alone, with tracks that somebody has settled: nothing is detected. The job starts empty."""
        run, info, segments = self._begin()
        return self._finish(run, info, segments, run.one(stages.adopt, info, self.job, segments, known))

    def _finish(
        self, run: "StageRunner", info: VideoInfo, segments: Sequence[Segment], linked: TrackedVideo
    ) -> RenderedVideo:
        hide = [(share, linked.part(share), self.settings.hide) for share in self._shares(segments)]
        run.all(stages.render, [(self.source, info, self.job, *rest) for rest in hide])

        choice = select_streams(info, self.settings)
        done = run.one(stages.finish, self.source, info, self.job, segments, choice, self.settings.hide.style)
        return RenderedVideo(
            path=self.job.finished,
            sha256=done.sha256,
            info=info,
            choice=choice,
            pts=linked.pts,
            size=linked.size,
            lost=linked.lost,
            tracks=linked.tracks,
            checks=done.checks,
            again=self._look_again(run, segments, done.sha256) if self.settings.second_look else None,
            seconds=dict(run.seconds),
        )

    def detect(self) -> Sequence[Track]:
        """Pass one alone: what would be masked."""
        return self._find(*self._begin()).tracks

    def _begin(self) -> "tuple[StageRunner, VideoInfo, list[Segment]]":
        run = StageRunner(self.source, self.crew, self.report)
        info = run.one(stages.probe_source, self.source, self.settings)
        if info.damages and self.settings.damaged is Damaged.REFUSE:
            raise DamagedError(
                f"{info.name}: {'; '.join(info.damages)}. Use --damaged salvage to mask what can be decoded."
            )
        looks = self.settings.second_look
        run.expect(info, len(self.aids.second) / looks.every if looks else 0)
        return run, info, split(info.packets, info.video.time_base, self.settings.segment_seconds)

    def _find(self, run: "StageRunner", info: VideoInfo, segments: Sequence[Segment]) -> TrackedVideo:
        shared = self._shares(segments)
        look = (self.detector, self.settings.damaged)
        run.all(stages.detect, [(self.source, info, self.job, share, *look) for share in shared])
        return run.one(stages.track, info, self.job, segments, self.settings, self.aids.boxes)

    def _look_again(self, run: "StageRunner", segments: Sequence[Segment], sha256: str) -> RecheckResult:
        """sha256: of the finished file."""
        how = self.settings.second_look
        assert how is not None and self.aids.second, "a check that cannot run is no check"
        info = run.one(stages.probe_source, self.job.finished, Settings())
        parts = split(info.packets, info.video.time_base, self.settings.segment_seconds)
        frames, finds = 0, list[ResidualDetection]()
        for detector in self.aids.second:
            again = self.job.again(sha256[:16] + detector.identity.sha256[:16])
            calls = [(self.job.finished, info, again, share, detector, how.every) for share in self._shares(parts)]
            run.all(stages.detect_again, calls)
            frames, more = run.one(
                stages.residual_detections, info, again, parts, self.job, segments, detector, self.settings
            )
            finds += more
        names = tuple(detector.identity.name for detector in self.aids.second)
        return RecheckResult(how.every, frames, names, tuple(sorted(finds, key=lambda find: find.frame)))

    def _shares(self, segments: Sequence[Segment]) -> list[Sequence[Segment]]:
        return partition(segments, self.most_shares)


class StageRunner:
    """Gives steps to the crew; adds up their time and the frames they have done."""

    def __init__(self, source: Path, crew: Executor, report: ProgressCallback) -> None:
        self._source, self._crew, self._report = source, crew, report
        self._patience = _SLOW_TO_START + source.stat().st_size / _SLOW_BYTES_PER_SECOND
        self._done = self._total = 0
        self.seconds: Counter[str] = Counter()

    def expect(self, info: VideoInfo, again: float = 0) -> None:
        """Frames are counted over all passes. again: share of the frames that are looked at once more."""
        self._total = round((2 + again) * len(info.packets.shown_pts))

    def one(self, step: Callable[..., tuple[T, Counter[str]]], *args: Any) -> T:
        (answer,) = self.all(step, [args])
        return answer

    def all(self, step: Callable[..., tuple[T, Counter[str]]], calls: Sequence[tuple[Any, ...]]) -> list[T]:
        """The answers to calls that are made side by side, as far as the crew is large enough."""
        futures = [self._crew.submit(step, *args, advance=self._advance, patience=self._patience) for args in calls]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            answers = [future.result() for future in futures if future.done()]
        except OutOfTimeError:
            wait(futures)  # each finishes its segment
            raise
        finally:
            for future in futures:
                future.cancel()
        for _, seconds in answers:
            self.seconds.update(seconds)
        return [answer for answer, _ in answers]

    def _advance(self, stage: str, frames: int) -> None:
        self._done += frames
        if self._total and stage != "saved":
            self._report(ProgressEvent(self._source.name, stage, self._done, self._total))
