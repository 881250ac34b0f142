"""The boxes of a mark, as a person draws them or as they follow an object through the source."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dashredact.review import originals
from dashredact.review.decisions import check_box, check_frames
from dashredact.review.views import ReviewQueue

Keys = list[tuple[float, ...]]
"""frame x0 y0 x1 y1, by rising frame"""


def drawn(box: Sequence[float], to_box: Sequence[float] | None, frames: range) -> Keys:
    """Still, or on a straight line to the other box on the last of the frames."""
    return [(frames.start, *box), *([(frames.stop - 1, *to_box)] if to_box else [])]


def followed(
    desk: ReviewQueue, name: str, box: Sequence[float], frames: range, source: Path | None, inbox: Path | None
) -> Keys:
    """On every frame until the object is lost. UsageError where box, frames or source are not those of the video."""
    standing = desk.standing(name)
    file, settings = desk.tracks(standing), standing.result["settings"]
    check_frames(name, frames.start, frames.stop, len(file.pts))
    check_box(box, *file.size)
    found = originals.find(standing, source, inbox)
    return originals.follow(found, file, np.array(box), frames, settings["link"]["grow"], settings["video_stream"])
