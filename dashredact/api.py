"""The Python interface that docs/api.md shows. `dashredact` itself exports it and loads it when it is first used."""

import tempfile
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dashredact import files
from dashredact.audit.events import Tried
from dashredact.batch.batch import Batch
from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.errors import UsageError
from dashredact.execute.inline import INLINE
from dashredact.execute.pool import Limits, WorkerPool
from dashredact.execute.protocol import Executor
from dashredact.formats import exchange, tracks_json
from dashredact.formats.exchange import TracksFormat
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import KINDS, Kind
from dashredact.media.info import VideoInfo
from dashredact.media.probe import probe as probe_file
from dashredact.pipeline import given_boxes
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions, VideoPipeline
from dashredact.settings import RecheckSettings, Settings
from dashredact.values import Detector, ProgressCallback, ProgressEvent, Track
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class RedactResult:
    """What became of one video."""

    name: str
    """of the source, relative to the folder it was found in"""
    status: VideoStatus
    reason: str
    """why it was not masked, or why a person should look; empty where all is well"""
    output: Path | None
    """the masked file, where there is one"""
    tracks: Path | None
    """every mask of it, as JSON"""
    event: Tried | None
    """what the audit log says; None for a video that was done before"""

    @property
    def ok(self) -> bool:
        """Whether there is a masked file that nobody has to look at first."""
        return self.status in (VideoStatus.MASKED, VideoStatus.SKIPPED, VideoStatus.DUPLICATE)


def probe(path: str | Path, *, video_stream: int | None = None) -> VideoInfo:
    """What is known of a file before a frame of it is decoded.

    video_stream: index of the one to describe in files with several. Raises VideoError where it cannot be masked.
    """
    return probe_file(Path(path), video_stream=video_stream)


def redact(
    sources: str | Path | Sequence[str | Path],
    folder: str | Path,
    *,
    settings: Settings | None = None,
    detector: Detector | None = None,
    boxes: str | Path | None = None,
    boxes_of_another_video: bool = False,
    second_look: bool = True,
    workers: int = 0,
    progress: ProgressCallback | None = None,
) -> list[RedactResult]:
    """Mask videos, and folders of videos, into an output folder; one result each, in the order in which they end.

    settings: how. Kinds without a threshold are not masked; where it names none, all that the detector finds are, at
        its own thresholds.
    detector: who looks; the shipped one, for faces and plates, where none is given.
    boxes: a file of boxes that are masked too (tracks JSON, COCO, CVAT, MOT), for one video: of the kinds that settings
        names, or of all where it names none.
    boxes_of_another_video: whether a tracks file may name another video than this one.
    second_look: whether the detector looks at the finished file again.
    workers: processes that do the work, so that a codec that crashes ends one video; 0: this process does it. The
        workers must be able to import a detector of your own.
    progress: is called with what happens.

    A video that cannot be masked is a result, not an exception. Raises UsageError for what can be seen beforehand,
    MachineError where the machine is not ready, LockedError where another run holds the folder, LedgerError where its
    audit log is broken.
    """
    chosen = [Path(source) for source in ([sources] if isinstance(sources, str | Path) else sources)]
    target = OutputFolder(Path(folder))
    inbox.check_apart(chosen, target.path)
    items = inbox.plan(chosen, target.path)
    if boxes and len(items) > 1:
        raise UsageError(f"{boxes} holds the boxes of one video, and there are {len(items)}; give one.")
    looks = detector or build_detector(DetectorOptions(tiles=settings.tiles if settings else 1))
    if boxes and not boxes_of_another_video:
        for item in items:
            exchange.check_source(Path(boxes), item.source)
    named = settings.link.thresholds if settings else {}
    taken = [kind for kind in KINDS if kind in (named or KINDS)]
    box_file = exchange.box_file(Path(boxes), taken) if boxes else None
    in_boxes = _kinds_in(Path(boxes), items[0].source, settings) if boxes and items else frozenset()
    if missing := [kind for kind in named if kind not in looks.thresholds and kind not in in_boxes]:
        finds = ", ".join(looks.thresholds)
        raise UsageError(f"The detector finds {finds}, and {', '.join(missing)} is to be masked; use another detector.")
    how = replace(_complete(settings or Settings(), looks, second_look=second_look), boxes=box_file)
    run_options = RunOptions((looks,) if how.second_look else (), boxes=Path(boxes) if boxes else None)
    with target.masking(), _executor(workers) as executor:
        batch = Batch(target, looks, how, progress or _ignore, executor=executor, run_options=run_options)
        return [_result(target, outcome) for outcome in batch.run(items)]


def find_tracks(
    source: str | Path,
    *,
    settings: Settings | None = None,
    detector: Detector | None = None,
    progress: ProgressCallback | None = None,
) -> Sequence[Track]:
    """What would be masked. Nothing is left on disk. Raises VideoError where the video cannot be decoded."""
    looks = detector or build_detector()
    how = _complete(settings or Settings(), looks, second_look=False)
    with tempfile.TemporaryDirectory(prefix="dashredact-") as scratch:
        work = WorkFolder(files.private_folder(Path(scratch) / "work"), Path(source).name, "detect")
        return VideoPipeline(Path(source), work, looks, how, progress or _ignore).detect()


def read_tracks(path: str | Path) -> TracksFile:
    """Every mask of a video, from its `.tracks.json`. Raises UsageError where the file is not one."""
    return tracks_json.read(Path(path))


def write_tracks(path: str | Path, tracks: TracksFile, format: TracksFormat | str = TracksFormat.JSON) -> None:
    """Write them for another tool (json, coco, cvat, mot, mot0) under a name that is free."""
    exchange.write(Path(path), tracks, TracksFormat(format))


def _kinds_in(boxes: Path, source: Path, settings: Settings | None) -> Set[Kind]:
    """All of them where only decoding tells."""
    tracks = given_boxes.read(boxes, source, settings.video_stream if settings else None)
    return frozenset(KINDS) if tracks is None else {track.kind for track in tracks}


def _complete(settings: Settings, detector: Detector, *, second_look: bool) -> Settings:
    link = settings.link
    if not link.thresholds:
        settings = replace(settings, link=replace(link, thresholds=dict(detector.thresholds)))
    if second_look and settings.second_look is None:
        settings = replace(settings, second_look=RecheckSettings(models=(detector.identity.sha256,)))
    return settings


@contextmanager
def _executor(workers: int) -> Iterator[Executor]:
    if not workers:
        yield INLINE
        return
    pool = WorkerPool(workers, Limits())
    try:
        yield pool
    finally:
        pool.close()


def _result(folder: OutputFolder, outcome: Outcome) -> RedactResult:
    entry = outcome.event.tracks_file if outcome.event else None
    tracks = folder.resolve(entry.name) if entry else None
    return RedactResult(outcome.name, outcome.status, outcome.reason, outcome.output, tracks, outcome.event)


def _ignore(_event: ProgressEvent) -> None:
    pass
