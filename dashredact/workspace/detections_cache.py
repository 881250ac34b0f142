"""Detections of an earlier run (NAME.detections.npz): with them a video is masked again without detecting.

They hold boxes and scores of one source under one detector; never a pixel.
"""

import hashlib
import json
from collections.abc import Sequence
from itertools import count, takewhile
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from dashredact import files
from dashredact.errors import RefusedError
from dashredact.settings import PIPELINE_VERSION, Settings
from dashredact.values import Detections, Detector, Paths, SegmentDetections
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder

_SUFFIX = ".detections.npz"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)


class DetectionsCache:
    """Of one output folder, under one detector and settings."""

    def __init__(self, folder: OutputFolder, index: Index, detector: Detector, settings: Settings) -> None:
        self._folder, self._index, self._detector, self._settings = folder, index, detector, settings

    def path(self, item: Item) -> Path:
        return self._folder.path / self._name(item)

    def restore(self, item: Item, sha256: str, work: WorkFolder, *, must: bool) -> None:
        """Put saved detections into the work folder, if their file is the one that the log names: changed ones would
        uncover faces.

        sha256: of the source. must: RefusedError where none are saved, and the work folder has none of its own.
        """
        if work.detections(0) is not None:
            return
        digest, path = self._index.detections_digest(self._name(item)), self.path(item)
        segments = read(path, self._key(sha256)) if digest and files.has_digest(path, digest) else []
        if must and not segments:
            raise RefusedError(
                f"{item.name}: no detections of this file and model are kept; mask it with --keep-detections first."
            )
        for number, segment in enumerate(segments):
            work.save_detections(number, segment)

    def save(self, sha256: str, work: WorkFolder, target: Path) -> None:
        """Write the detections of a work folder into one file. sha256: of the source."""
        segments = takewhile(lambda segment: segment is not None, (work.detections(number) for number in count()))
        write(target, self._key(sha256), [segment for segment in segments if segment is not None])

    def _name(self, item: Item) -> str:
        return item.stem.with_name(files.bounded_name(item.stem.name, _SUFFIX)).as_posix()

    def _key(self, source_sha256: str) -> str:
        """sha256 over all that detections depend on."""
        segmentation = (self._settings.video_stream, self._settings.segment_seconds, self._settings.tiles)
        parts = [PIPELINE_VERSION, source_sha256, self._detector.identity.sha256, self._detector.long_side]
        return hashlib.sha256(json.dumps([*parts, *segmentation]).encode()).hexdigest()


def write(path: Path, key: str, segments: Sequence[SegmentDetections]) -> None:
    """segments: of the whole video, in order. key: sha256 over all that they depend on."""
    firsts = np.cumsum([0, *(len(segment.pts) for segment in segments)]).tolist()
    shifted = [segment.detections.shifted(first) for segment, first in zip(segments, firsts, strict=False)]
    detections = Detections.concatenate(shifted)
    rows = np.cumsum([0, *(len(segment.detections) for segment in segments)]).tolist()
    paths = Paths.concatenate([segment.paths for segment in segments], rows[:-1])
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            key=np.array(key),
            sizes=np.array([segment.size for segment in segments], np.int64).reshape(-1, 2),
            segments=np.array(firsts, np.int64),
            pts=np.concatenate([np.empty(0, np.int64), *(segment.pts for segment in segments)]),
            lost=np.array([pts for segment in segments for pts in segment.lost], np.int64),
            hidden=np.array([segment.hidden for segment in segments], np.int64),
            forms=np.frombuffer(b"\n".join(segment.forms for segment in segments), np.uint8),
            changes=np.concatenate([np.empty(0, np.float32), *(segment.changes for segment in segments)]),
            lost_in=np.array([number for number, segment in enumerate(segments) for _ in segment.lost], np.int64),
            **detections.to_arrays(),
            **paths.to_arrays(),
        )


def read(path: Path, key: str) -> list[SegmentDetections]:
    """Of every segment; empty where the file cannot be read or has another key."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        if str(arrays["key"]) != key:
            return []
        detections, paths = Detections.from_arrays(arrays), Paths.from_arrays(arrays)
        return [_segment(arrays, detections, paths, number) for number in range(len(arrays["sizes"]))]
    except _UNREADABLE:
        return []


def _segment(arrays: dict[str, np.ndarray], detections: Detections, paths: Paths, number: int) -> SegmentDetections:
    first, end = (int(arrays["segments"][index]) for index in (number, number + 1))
    low, high = np.searchsorted(detections.frames, [first, end]).tolist()
    own, followed = detections.take(np.arange(low, high)).shifted(-first), paths.between(low, high)
    width, height = (int(side) for side in arrays["sizes"][number])
    lost = tuple(int(pts) for pts in arrays["lost"][arrays["lost_in"] == number])
    hidden, forms = int(arrays["hidden"][number]), arrays["forms"].tobytes().split(b"\n")[number]
    found = (arrays["pts"][first:end], (width, height), own, lost, hidden)
    return SegmentDetections(*found, forms, followed, arrays["changes"][first:end])
