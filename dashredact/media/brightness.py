"""Estimates the brightness of a video from a few key frames."""

from pathlib import Path

import av
import numpy as np

from dashredact.media.images import planes
from dashredact.media.packets import open_container

_FRAMES = 5


def mean_luma(path: Path) -> float | None:
    """Mean luma, 0..255, of five evenly spaced key frames; None if the file cannot be decoded."""
    try:
        with open_container(path) as container:
            stream = container.streams.video[0]
            stream.codec_context.skip_frame = "NONKEY"
            length, start = container.duration or 0, container.start_time or 0
            means = []
            for number in range(_FRAMES):
                container.seek(start + length * (2 * number + 1) // (2 * _FRAMES))
                frame = next(container.decode(stream), None)
                if frame is not None:
                    content = planes(frame)
                    means.append(float(content.planes[0].mean()) / (1 << (content.depth - 8)))
    except (av.FFmpegError, IndexError, OSError):
        return None
    return float(np.mean(means)) if means else None
