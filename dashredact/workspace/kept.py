"""Detections that stay beside a finished video, so that other thresholds need no detector (NAME.detections.npz).

They hold boxes and scores of one source under one detector; never a pixel.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from dashredact.settings import PIPELINE_VERSION, Settings
from dashredact.values import Detections, Detector, SegmentDetections

DETECTIONS = ".detections.npz"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)


def key(source_sha256: str, detector: Detector, settings: Settings) -> str:
    """sha256 over all that detections depend on."""
    cuts = (settings.video_stream, settings.segment_seconds, settings.tiles)
    parts = [PIPELINE_VERSION, source_sha256, detector.identity.sha256, detector.long_side, *cuts]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write(path: Path, owner: str, looks: Sequence[SegmentDetections]) -> None:
    """looks: of every segment, in order. owner: their key."""
    firsts = np.cumsum([0, *(len(look.pts) for look in looks)]).tolist()
    moved = [look.detections.shifted(first) for look, first in zip(looks, firsts, strict=False)]
    seen = Detections.concatenate(moved)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            key=np.array(owner),
            sizes=np.array([look.size for look in looks], np.int64).reshape(-1, 2),
            segments=np.array(firsts, np.int64),
            pts=np.concatenate([np.empty(0, np.int64), *(look.pts for look in looks)]),
            lost=np.array([pts for look in looks for pts in look.lost], np.int64),
            lost_in=np.array([number for number, look in enumerate(looks) for _ in look.lost], np.int64),
            **seen.to_arrays(),
        )


def read(path: Path, owner: str) -> list[SegmentDetections]:
    """Of every segment; none at all where the file cannot be read or belongs to another key."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as there:
            arrays = {name: there[name] for name in there.files}
        if str(arrays["key"]) != owner:
            return []
        seen = Detections.from_arrays(arrays)
        return [_look(arrays, seen, number) for number in range(len(arrays["sizes"]))]
    except _UNREADABLE:
        return []


def _look(arrays: dict[str, np.ndarray], seen: Detections, number: int) -> SegmentDetections:
    first, end = (int(arrays["segments"][at]) for at in (number, number + 1))
    rows = slice(*np.searchsorted(seen.frames, [first, end]).tolist())
    own = Detections(seen.frames[rows], seen.kinds[rows], seen.boxes[rows], seen.scores[rows]).shifted(-first)
    width, height = (int(side) for side in arrays["sizes"][number])
    lost = tuple(int(pts) for pts in arrays["lost"][arrays["lost_in"] == number])
    return SegmentDetections(arrays["pts"][first:end], (width, height), own, lost)
