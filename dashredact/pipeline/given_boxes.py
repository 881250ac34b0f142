"""What a file of boxes holds for a video, before the video is decoded."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dashredact.errors import VideoError
from dashredact.formats import exchange
from dashredact.formats.exchange import Canvas
from dashredact.media.probe import probe
from dashredact.values import Track


def read(path: Path, source: Path, video_stream: int | None) -> Sequence[Track] | None:
    """None where only decoding tells how many frames the video has, or nothing does, which is said later.

    UsageError where the file does not fit the video.
    """
    with suppress(VideoError):
        info = probe(source, video_stream=video_stream)
        if info.frame_count is not None:
            return exchange.read(path, Canvas(*info.upright_size, info.frame_count))
    return None
