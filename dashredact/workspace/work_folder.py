"""The work folder of one video: its saved stages, so that a run that was killed can be resumed.

It holds detections, encoded masked parts and what was painted on them; never an unmasked pixel.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from copy import copy
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from dashredact.errors import MediaError
from dashredact.files import private_folder, publish
from dashredact.imaging.boxes import PixelBox
from dashredact.imaging.mosaic import Mask
from dashredact.values import Detections, Paths, SegmentDetections
from dashredact.workspace.locks import STATE_FOLDER

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)
_PLANES, _CELLS = 3, 16  # the most planes of a mask, and the most cells of a plane


class WorkFolder:
    """The saved stages of one source under one set of settings."""

    FINISHED = "finished"

    def __init__(self, output_folder: Path, source: str, key: str) -> None:
        """source: name of the video relative to the run. key: hash of everything that its result depends on."""
        work = private_folder(output_folder / STATE_FOLDER)
        self.folder = work / f"{_owner(source)}-{key}"
        forget(output_folder, source, but=self.folder)
        private_folder(self.folder)

    @property
    def assembled(self) -> Path:
        """All parts as one stream, before the re-mux."""
        return self.folder / "assembled.mp4"

    @property
    def finished(self) -> Path:
        """The file that is verified and then published."""
        return self.folder / self.FINISHED

    def part(self, segment: int) -> Path:
        """The encoded part of a segment; it exists only when it is complete."""
        return self.folder / f"part-{segment:05}.mp4"

    def temporary_part(self, segment: int) -> Path:
        """Where a part is written before it is complete."""
        return self.folder / f"temporary-{segment:05}.mp4"

    def recheck_folder(self, key: str) -> "WorkFolder":
        """A folder for the detections on the finished file; inside this one, so that it is removed with it."""
        other = copy(self)
        other.folder = private_folder(self.folder / f"recheck-{key}")
        return other

    def close(self) -> None:
        """Remove the work folder: the result is published, or never will be."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def save_part(self, segment: int, temporary: Path, masks: dict[int, list[Mask]]) -> None:
        """masks: what was painted, by frame index; saved first, so that every part has its masks."""
        self._save_arrays(self._masks_path(segment), _pack(masks))
        publish(temporary, self.part(segment))

    def masks(self, segment: int) -> dict[int, list[Mask]]:
        """What was painted on a segment, by frame index. MediaError if it cannot be read."""
        try:
            with self._masks_path(segment).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return _unpack(arrays["frames"], arrays["boxes"], arrays["shapes"], arrays["cells"])
        except _UNREADABLE as error:
            raise MediaError("The work folder is damaged; run again to start from the beginning.") from error

    def save_detections(self, segment: int, saved: SegmentDetections) -> None:
        arrays = {"pts": saved.pts, "lost": np.array(saved.lost, np.int64), "size": np.array(saved.size)}
        arrays |= {"hidden": np.array(saved.hidden), "forms": np.frombuffer(saved.forms, np.uint8)}
        arrays |= {"changes": saved.changes}
        arrays |= saved.detections.to_arrays() | saved.paths.to_arrays()
        self._save_arrays(self._detections_path(segment), arrays)

    def detections(self, segment: int) -> SegmentDetections | None:
        """None if nothing was saved for this segment, or it cannot be read."""
        try:
            with self._detections_path(segment).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                width, height = (int(side) for side in arrays["size"])
                lost = tuple(int(pts) for pts in arrays["lost"])
                detections, hidden = Detections.from_arrays(arrays), int(arrays["hidden"])
                forms, paths = arrays["forms"].tobytes(), Paths.from_arrays(arrays)
                found = (arrays["pts"], (width, height), detections, lost, hidden)
                return SegmentDetections(*found, forms, paths, arrays["changes"])
        except _UNREADABLE:
            return None

    def _detections_path(self, segment: int) -> Path:
        return self.folder / f"detections-{segment:05}.npz"

    def _masks_path(self, segment: int) -> Path:
        return self.folder / f"masks-{segment:05}.npz"

    def _save_arrays(self, path: Path, arrays: dict[str, NDArray[Any]]) -> None:
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        publish(temporary, path)


def folders(output_folder: Path) -> list[Path]:
    """All work folders."""
    return sorted(
        path for path in (output_folder / STATE_FOLDER).glob("*-*") if path.is_dir() and not path.is_symlink()
    )


def owner_in(folder: Path, sources: Iterable[str]) -> str:
    """The source that a work folder belongs to; empty if it is none of these."""
    return next((source for source in sources if folder.name.startswith(f"{_owner(source)}-")), "")


def _owner(source: str) -> str:
    return hashlib.sha256(os.fsencode(source)).hexdigest()[:16]


def of_source(output_folder: Path, source: str) -> list[Path]:
    """The work folders of a source."""
    return sorted((output_folder / STATE_FOLDER).glob(f"{_owner(source)}-*"))


def forget(output_folder: Path, source: str, *, but: Path | None = None) -> None:
    """Remove the work folders of a source: its result is published, or they are of other settings."""
    for stale in of_source(output_folder, source):
        if stale != but:
            shutil.rmtree(stale)


def _pack(masks: dict[int, list[Mask]]) -> dict[str, NDArray[Any]]:
    flat = [(frame, mask) for frame, painted in sorted(masks.items()) for mask in painted]
    shapes = np.zeros((len(flat), _PLANES, 2), np.uint8)
    cells = np.zeros((len(flat), _PLANES, _CELLS), np.uint16)
    for row, (_, mask) in enumerate(flat):
        for plane, values in enumerate(mask.cells):
            shapes[row, plane] = values.shape
            cells[row, plane, : values.size] = values.ravel()
    return {
        "frames": np.array([frame for frame, _ in flat], np.int32),
        "boxes": np.array([mask.box for _, mask in flat], np.int32).reshape(-1, 4),
        "shapes": shapes,
        "cells": cells,
    }


def _unpack(
    frames: NDArray[Any], boxes: NDArray[Any], shapes: NDArray[Any], cells: NDArray[Any]
) -> dict[int, list[Mask]]:
    masks: dict[int, list[Mask]] = {}
    for frame, box, sizes, values in zip(frames, boxes, shapes.astype(int), cells, strict=True):
        planes = [own[: size.prod()].reshape(size) for own, size in zip(values, sizes, strict=True) if size.all()]
        masks.setdefault(int(frame), []).append(Mask(PixelBox(*map(int, box)), tuple(planes)))
    return masks
