"""Videos with the objects on some of their frames marked: `{"clip", "width", "height", "frames": [...]}`.

Each frame is `{"index", "boxes": [{"label", "x", "y", "w", "h", "ignore"?, "track"?}]}`; the index counts decoded
frames from 0, and boxes are pixels of the upright frame. A malformed file is a UsageError that says what is wrong.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dashredact.errors import RefusedError, UsageError
from dashredact.evaluate import datasets
from dashredact.evaluate.masking import MarkedFrame, MarkedVideo
from dashredact.formats import validation
from dashredact.formats.validation import FormatError
from dashredact.kinds import KINDS, Kind
from dashredact.pipeline.video import VideoPipeline
from dashredact.settings import Settings
from dashredact.values import Detector, ProgressCallback
from dashredact.workspace.work_folder import WorkFolder


@dataclass(frozen=True)
class MarkedClip:
    """A file of marks, and the video that it is about."""

    path: Path
    """of the video"""
    size: tuple[int, int]
    """width, height of the upright picture"""
    kinds: tuple[Kind, ...]
    frames: tuple[MarkedFrame, ...]


def looks_like(path: Path) -> bool:
    """Whether a file holds the marks of a clip, or a folder holds such files."""
    return bool(_files(path))


def read(path: Path, folders: Sequence[Path] = ()) -> list[MarkedClip]:
    """The clips of a file, or of all files of a folder. folders: where the videos are; else beside their files."""
    return [_read(file, [*folders, file.parent]) for file in _files(path)]


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(path.glob("*.json"))
    return [file for file in found if isinstance(_content(file), dict) and "clip" in _content(file)]


def _content(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _read(file: Path, folders: Sequence[Path]) -> MarkedClip:
    content = _content(file)
    try:
        name = validation.text(content["clip"], '"clip"')
        size = tuple(datasets.whole(content.get(side), f'"{side}"', least=1) for side in ("width", "height"))
        frames = [_frame(row, where, file.stem) for where, row in validation.tables(content, "frames")]
        labelled = content.get("labelled", [kind for kind in KINDS if kind.row.shipped])
        kinds = datasets.labelled_kinds(labelled)
    except FormatError as error:
        raise UsageError(f"{file} {error}.") from None
    path = next((path for folder in folders for path in _named(folder, name)), None)
    if path is None:
        raise UsageError(f"{file} is about {name}, which is not beside it; name its folder with --videos.")
    return MarkedClip(path, (size[0], size[1]), tuple(kind for kind in KINDS if kind in kinds), tuple(frames))


def _named(folder: Path, name: str) -> list[Path]:
    """Files of that name in the folder or below. name: never leads elsewhere."""
    return [path for path in sorted(folder.rglob(name)) if path.is_file()] if Path(name).name == name else []


def _frame(row: Mapping[str, Any], where: str, clip: str) -> MarkedFrame:
    boxes = list(validation.tables(row, "boxes", where))
    parsed = [datasets.marked_box(one, path) for path, one in boxes]
    names = [datasets.track_name(one, path) for path, one in boxes]
    doubtful = np.array([ignored for _, _, ignored in parsed], np.bool_)
    corners = np.array([corners for corners, _, _ in parsed], np.float64).reshape(-1, 4)
    kinds = np.array([kind for _, kind, _ in parsed], np.int8)
    own = np.array([f"{clip}/{name}" if name else "" for name in names], np.str_)
    index = datasets.whole(row.get("index"), f'"index" of {where}', least=0)
    return MarkedFrame(index, corners[~doubtful], kinds[~doubtful], own[~doubtful], corners[doubtful])


def detected(clip: MarkedClip, detector: Detector, settings: Settings, progress: ProgressCallback) -> MarkedVideo:
    """Pass one on the video. VideoError where it cannot be used, or is not what the marks are about."""
    with TemporaryDirectory() as folder:
        work = WorkFolder(Path(folder), clip.path.name, "evaluate")
        found = VideoPipeline(clip.path, work, detector, settings, progress).detected()
    if found.size != clip.size:
        (width, height), (wide, high) = found.size, clip.size
        raise RefusedError(f"{clip.path.name} has {width}x{height} pixels and its marks say {wide}x{high}.")
    if any(frame.index >= len(found.times) for frame in clip.frames):
        raise RefusedError(f"{clip.path.name} has {len(found.times)} frames, and a later one is marked.")
    kinds = tuple(kind for kind in clip.kinds if kind in settings.link.kinds)
    return MarkedVideo(
        clip.path.name, found.size, found.times, found.detections, found.paths, found.cuts, kinds, clip.frames
    )
