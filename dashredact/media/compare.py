"""Compares two masked files of the same video frame by frame."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dashredact.errors import UnverifiedError
from dashredact.media.images import Frame, planes
from dashredact.media.info import Segment
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.text import plural

_WHOLE = Segment(0, None, None)


class ComparedFrame(NamedTuple):
    number: int
    """of the frame, from 0"""
    frame: Frame
    """of the new file"""
    identical: bool
    """whether every sample of every plane is the same in both files"""


def compare_files(before: Path, after: Path) -> Iterator[ComparedFrame]:
    """Every frame of both files. UnverifiedError if their numbers of frames differ or a frame cannot be decoded."""
    with Reader(before, probe(before)) as old, Reader(after, probe(after)) as new:
        old_frames, count = old.frames(_WHOLE), 0
        for count, frame in enumerate(new.frames(_WHOLE), 1):
            other = next(old_frames, None)
            if other is None:
                raise UnverifiedError("The corrected file has more frames than the file that it replaces.")
            yield ComparedFrame(count - 1, frame, _equal(frame, other))
        if next(old_frames, None) is not None:
            raise UnverifiedError(
                f"The corrected file ends after {plural(count, 'frame')}, before the file that it replaces."
            )
        if old.lost or new.lost:
            raise UnverifiedError("Frames of the corrected file, or of the file that it replaces, cannot be decoded.")


def _equal(one: Frame, other: Frame) -> bool:
    if one.image.format.name != other.image.format.name:
        return False
    pairs = zip(planes(one.image).planes, planes(other.image).planes, strict=True)
    return all(np.array_equal(plane, other_plane) for plane, other_plane in pairs)
