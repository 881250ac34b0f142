"""Two finished files of one video side by side, decoded frame by frame."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dashredact.errors import UnverifiedError
from dashredact.media.corruption import Frame
from dashredact.media.images import planes
from dashredact.media.info import Segment
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.text import plural

_WHOLE = Segment(0, None, None)


class Pair(NamedTuple):
    number: int
    """of the frame, from 0"""
    now: Frame
    same: bool
    """whether every sample of every plane is what it was"""


def side_by_side(before: Path, now: Path) -> Iterator[Pair]:
    """Every frame of both. UnverifiedError where they do not have as many, or one cannot be decoded."""
    with Reader(before, probe(before)) as old, Reader(now, probe(now)) as new:
        frames, number = old.frames(_WHOLE), 0
        for number, frame in enumerate(new.frames(_WHOLE), 1):
            other = next(frames, None)
            if other is None:
                raise UnverifiedError("The corrected file has more frames than the file that it replaces.")
            yield Pair(number - 1, frame, _equal(frame, other))
        if next(frames, None) is not None:
            raise UnverifiedError(
                f"The corrected file ends after {plural(number, 'frame')}, before the file that it replaces."
            )
        if old.lost or new.lost:
            raise UnverifiedError("Frames of the corrected file, or of the file that it replaces, cannot be decoded.")


def _equal(one: Frame, other: Frame) -> bool:
    if one.image.format.name != other.image.format.name:
        return False
    pairs = zip(planes(one.image).planes, planes(other.image).planes, strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)
