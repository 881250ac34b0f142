"""The work folder of one video: what is already done, so that a killed run goes on where it was.

Holds detections, encoded masked parts and what was painted; never an unmasked pixel.
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
from dashredact.files import private_folder, publish, write
from dashredact.imaging.boxes import PixelBox
from dashredact.imaging.mosaic import Mask
from dashredact.values import Detections, SegmentDetections
from dashredact.workspace.locks import STATE_FOLDER

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)
_PLANES, _CELLS = 3, 16  # most that a mask has


class WorkFolder:
    """Paths and saved steps of one source under one set of settings."""

    FINISHED = "finished"

    def __init__(self, output_folder: Path, source: str, key: str) -> None:
        """source: the video's name relative to the run; key: what its result depends on, as a hash."""
        work = private_folder(output_folder / STATE_FOLDER)
        self.folder = work / f"{_owner(source)}-{key}"
        forget(output_folder, source, but=self.folder)
        private_folder(self.folder)

    @property
    def assembled(self) -> Path:
        return self.folder / "assembled.mp4"

    @property
    def finished(self) -> Path:
        return self.folder / self.FINISHED

    def part(self, segment: int) -> Path:
        """The encoded part of a segment; it exists only whole."""
        return self.folder / f"part-{segment:05}.mp4"

    def again(self, key: str) -> "WorkFolder":
        """The same video's place for what is seen on its finished file; inside, so that it goes with it."""
        other = copy(self)
        other.folder = private_folder(self.folder / f"again-{key}")
        return other

    def close(self) -> None:
        """Empty the work folder: the result is out, or will never be."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def announce(self, output_sha256: str) -> None:
        """Note what is about to get its final name, so that after a crash we know it for ours."""
        write(self.folder / "announced", output_sha256.encode())

    def announced(self) -> str | None:
        path = self.folder / "announced"
        return path.read_text() if path.exists() else None

    def unfinished(self, segment: int) -> Path:
        """Where a part is written before it is whole."""
        return self.folder / f"unfinished-{segment:05}.mp4"

    def save_part(self, segment: int, unfinished: Path, masks: dict[int, list[Mask]]) -> None:
        """masks: what was painted, by frame index; saved first, so that a part without them does not exist."""
        self._save_arrays(self._masks_path(segment), _pack(masks))
        publish(unfinished, self.part(segment))

    def masks(self, segment: int) -> dict[int, list[Mask]]:
        """What was painted on a segment, by frame index. MediaError where that cannot be read."""
        try:
            with self._masks_path(segment).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return _unpack(arrays["frames"], arrays["boxes"], arrays["shapes"], arrays["cells"])
        except _UNREADABLE as error:
            raise MediaError("The work folder was spoilt; run again, it starts anew.") from error

    def save_look(self, segment: int, look: SegmentDetections) -> None:
        seen = look.detections
        arrays = {"pts": look.pts, "lost": np.array(look.lost, np.int64), "size": np.array(look.size)}
        arrays |= {"frames": seen.frames, "kinds": seen.kinds, "boxes": seen.boxes, "scores": seen.scores}
        self._save_arrays(self._look_path(segment), arrays)

    def look(self, segment: int) -> SegmentDetections | None:
        """None where this segment has not been looked at, or what was kept of it cannot be read."""
        try:
            with self._look_path(segment).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                seen = Detections(arrays["frames"], arrays["kinds"], arrays["boxes"], arrays["scores"])
                width, height = (int(side) for side in arrays["size"])
                return SegmentDetections(
                    arrays["pts"], (width, height), seen, tuple(int(pts) for pts in arrays["lost"])
                )
        except _UNREADABLE:
            return None

    def _look_path(self, segment: int) -> Path:
        return self.folder / f"look-{segment:05}.npz"

    def _masks_path(self, segment: int) -> Path:
        return self.folder / f"masks-{segment:05}.npz"

    def _save_arrays(self, path: Path, arrays: dict[str, NDArray[Any]]) -> None:
        beside = path.with_suffix(".tmp")
        with beside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        publish(beside, path)


def folders(output_folder: Path) -> list[Path]:
    """All work folders."""
    return sorted(
        path for path in (output_folder / STATE_FOLDER).glob("*-*") if path.is_dir() and not path.is_symlink()
    )


def owner_in(folder: Path, sources: Iterable[str]) -> str:
    """Which of these sources a work folder belongs to; empty where to none."""
    return next((source for source in sources if folder.name.startswith(f"{_owner(source)}-")), "")


def _owner(source: str) -> str:
    return hashlib.sha256(os.fsencode(source)).hexdigest()[:16]


def of_source(output_folder: Path, source: str) -> list[Path]:
    """The work folders of a source."""
    return sorted((output_folder / STATE_FOLDER).glob(f"{_owner(source)}-*"))


def forget(output_folder: Path, source: str, *, but: Path | None = None) -> None:
    """Remove the work folders of a source: its result is out, or was begun with other settings."""
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
