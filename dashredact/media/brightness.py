"""How light a video is, from a few frames of it."""

from pathlib import Path

import av
import numpy as np

from dashredact.media.images import planes
from dashredact.media.packets import open_container

_FRAMES = 5


def mean_luma(path: Path) -> float | None:
    """Of key frames at even distances, of 256 levels. None where the file cannot be opened or decoded."""
    try:
        with open_container(path) as container:
            stream = container.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            length, start = container.duration or 0, container.start_time or 0
            found = []
            for number in range(_FRAMES):
                container.seek(start + length * (2 * number + 1) // (2 * _FRAMES))
                frame = next(container.decode(stream), None)
                if frame is not None:
                    shown = planes(frame)
                    found.append(float(shown.planes[0].mean()) / (1 << (shown.depth - 8)))
    except (av.FFmpegError, IndexError, OSError):
        return None
    return float(np.mean(found)) if found else None
