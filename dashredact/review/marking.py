"""Marks: the boxes that a person draws over something missed, or that follow it through the source."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from dashredact.audit.events import Mark
from dashredact.errors import LedgerError, UsageError
from dashredact.kinds import Kind
from dashredact.review import source_frames
from dashredact.review.queue import ReviewQueue
from dashredact.tracking import keyframes
from dashredact.tracking.keyframes import KeyframedBoxes
from dashredact.values import Array, Track
from dashredact.workspace import originals

_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,6})?)")
_ROUNDING = 0.002  # seconds that a time may be off by, as people read it from a player
_WHOLE_PICTURE = 0.9  # share from which a box is no box around something


class How(StrEnum):
    """How the boxes of a mark came to be."""

    STILL = "still"
    MOVING = "moving"
    TRACKED = "tracked"


@dataclass(frozen=True)
class MarkBoxes:
    """Boxes of a mark on the frames `first..end` of the video."""

    keys: Sequence[tuple[float, ...]]
    """frame x0 y0 x1 y1, by rising frame; lines between them, the last box held until `end`"""
    end: int
    how: How
    wanted_end: int | None = None
    """where a followed object was lost: the end of the frames over which it was to be followed"""

    @property
    def first(self) -> int:
        return int(self.keys[0][0])


def drawn(box: Sequence[float], to_box: Sequence[float] | None, frames: range) -> MarkBoxes:
    """Still, or on a straight line to the other box on the last of the frames."""
    keys = [(frames.start, *box), *([(frames.stop - 1, *to_box)] if to_box else [])]
    return MarkBoxes(keys, frames.stop, How.MOVING if to_box else How.STILL)


def followed(
    queue: ReviewQueue,
    name: str,
    kind: Kind,
    box: Sequence[float],
    frames: range,
    source: Path | None,
    inbox: Path | None,
) -> MarkBoxes:
    """On every frame until the object is lost. UsageError where box, frames or source are not those of the video."""
    clip = queue.masked(name)
    file, settings = queue.tracks(clip), clip.masking.parsed_settings()
    check_frames(name, frames.start, frames.stop, len(file.pts))
    check_box(box, *file.size)
    path = originals.locate(clip.source, source, inbox)
    keys = source_frames.follow(path, file, np.array(box), frames, kind, settings.video_stream)
    end = int(keys[-1][0]) + 1
    return MarkBoxes(keys, end, How.TRACKED, frames.stop if end < frames.stop else None)


def frame_range(text: str, times: Array) -> range:
    """`120..187` or `0:04..0:06.2`: frames, or times of a player, both ends included.

    times: (frames,) seconds of the video's frames. UsageError where the text is neither, or is not within the video.
    """
    parts = text.split("..")
    first, last = (_frame(part, times) for part in parts) if len(parts) == 2 else (None, None)
    if first is None or last is None or first > last:
        raise UsageError(
            f"{text} is no range of frames; give A..B as frames counted from 0, such as 120..187, or as times, such as"
            " 0:04..0:06.2."
        )
    return range(first, last + 1)


def _frame(text: str, times: Array) -> int | None:
    """The frame of that number, or the one that is shown at that time; None where it is neither."""
    if re.fullmatch("[0-9]{1,9}", text):
        return int(text)
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return None
    seconds = 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3])
    if seconds > times[-1] + 1:
        raise UsageError(f"{text} is after the end of the video, whose last frame is shown at {times[-1]:.1f} s.")
    return max(int(np.searchsorted(times, seconds + _ROUNDING, "right")) - 1, 0)


def check_frames(name: str, first: int, end: int, frames: int) -> None:
    if not 0 <= first < end <= frames:
        raise UsageError(f"{name}: has the frames 0..{frames - 1}, but not all of {first}..{end - 1}.")


def check_box(box: Sequence[float], width: int, height: int) -> None:
    x0, y0, x1, y1 = box
    sides = ",".join(f"{side:g}" for side in box)
    if x1 <= x0 or y1 <= y0:
        raise UsageError(f"The box {sides} is empty; give it as X0,Y0,X1,Y1, the upper left corner first.")
    if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
        raise UsageError(f"The box {sides} lies outside the picture of {width}x{height} pixels.")
    inside = (min(x1, width) - max(x0, 0)) * (min(y1, height) - max(y0, 0))
    if inside >= _WHOLE_PICTURE * width * height:
        raise UsageError(
            f"The box {sides} covers the whole picture of {width}x{height} pixels; draw it around what was missed, or"
            " reject the video."
        )


def track_of(mark: Mark, width: int, height: int) -> Track:
    """The boxes of a mark on all its frames, cut to the picture of width x height pixels.

    LedgerError where the log's mark is none that this tool draws.
    """
    keys = np.array(mark.keys, np.float64).reshape(-1, 5)
    frames = keys[:, 0]
    rising = len(frames) and frames[0] == mark.first and (np.diff(frames) > 0).all() and frames[-1] < mark.end
    if not rising or mark.kind not in list(Kind):
        raise LedgerError(f"The audit log holds a mark {mark.id} that is no box of a known kind over rising frames.")
    boxes = KeyframedBoxes.manual(mark.id, Kind(mark.kind), frames.astype(np.int64), keys[:, 1:])
    (track,) = keyframes.tracks([keyframes.interpolated(boxes, np.zeros(len(keys), np.bool_), mark.end)], width, height)
    return track
