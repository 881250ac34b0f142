"""Pictures of a finished file. They are taken from the very bytes that were hashed, or not at all."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from dashredact.errors import MediaError, RefusedError
from dashredact.media.ffmpeg import FORMATS
from dashredact.media.images import orientation

_SMALL, _SMALL_QUALITY = 320, 78  # long side in pixels, of a JPEG
_WHOLE, _WHOLE_QUALITY = 1 << 16, 95
_FURTHER_BACK = (0, 1, 4, 16, 60)  # seconds


@dataclass(frozen=True)
class Thumbnail:
    time: Fraction
    """seconds, as the file counts them"""
    width: int
    height: int
    jpeg: bytes


def stills(path: Path, sha256: str, moments: Sequence[float]) -> Iterator[Thumbnail]:
    """The first frame at or after each of the moments, in the size that it has: seconds since the first frame.

    RefusedError where the file does not have that sha256, MediaError where it or one of the frames cannot be decoded.
    """
    with _opened(path, sha256) as file:
        if file is None:
            raise RefusedError(f"{path.name} is not the file that the audit log names; find out who changed it.")
        with _container(file) as container:
            stream = container.streams.video[0]
            start = (stream.start_time or 0) * (stream.time_base or Fraction(1))
            for moment in moments:
                frame = _at(container, stream, start + Fraction(moment))
                if frame is None:
                    raise MediaError(f"{path.name} has no frame at {moment:.3f} s.")
                yield _picture(frame, stream, _WHOLE, _WHOLE_QUALITY)


def filmstrip(path: Path, sha256: str, count: int) -> list[Thumbnail] | None:
    """`count` frames at even distances, fewer of a short video. None where the file does not have that sha256.

    The file is opened once, so that nobody can put another under its name between the check and the look.
    OSError where it cannot be opened, MediaError where it cannot be decoded.
    """
    with _opened(path, sha256) as file:
        return None if file is None else list(_taken(file, count))


@contextmanager
def _opened(path: Path, sha256: str) -> Iterator[BinaryIO | None]:
    with path.open("rb") as file:
        there = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        file.seek(0)
        try:
            yield file if there else None
        except (av.FFmpegError, IndexError) as error:
            raise MediaError(f"{path.name} cannot be decoded ({error}).") from None


def _container(file: BinaryIO) -> "av.container.InputContainer":
    return av.open(file, "r", options={"format_whitelist": FORMATS})


def _taken(file: BinaryIO, count: int) -> Iterator[Thumbnail]:
    with _container(file) as container:
        stream = container.streams.video[0]
        shown: int | None = None
        for time in _times(container, stream, count):
            frame = _at(container, stream, time)
            if frame is not None and frame.pts != shown:
                shown = frame.pts
                yield _picture(frame, stream, _SMALL, _SMALL_QUALITY)


def _times(container: "av.container.InputContainer", stream: "av.VideoStream", count: int) -> list[Fraction]:
    """Seconds as the file counts them."""
    base, whole = stream.time_base or Fraction(1), Fraction(container.duration or 0, av.time_base)
    length = stream.duration * base if stream.duration else whole
    start = (stream.start_time or 0) * base
    return [start + length * (2 * number + 1) / (2 * count) for number in range(count)]


def _at(container: "av.container.InputContainer", stream: "av.VideoStream", time: Fraction) -> VideoFrame | None:
    """The first frame at or after the time; None past the end. Some containers seek too far: then from further back."""
    base = stream.time_base or Fraction(1)
    target = round(time / base)
    found: VideoFrame | None = None
    for seconds in _FURTHER_BACK:
        container.seek(round((time - seconds) / base), stream=stream)
        found, passed = _next(container, stream, target)
        if passed or (stream.start_time or 0) * base >= time - seconds:
            break
    return found


def _next(
    container: "av.container.InputContainer", stream: "av.VideoStream", target: int
) -> tuple[VideoFrame | None, bool]:
    """The first sound frame from the target on, and whether one before it came by."""
    passed = False
    for frame in container.decode(stream):
        if frame.pts is not None and not frame.is_corrupt:
            if frame.pts >= target:
                return frame, passed or frame.pts == target
            passed = True
    return None, passed


def _picture(frame: VideoFrame, stream: "av.VideoStream", long_side: int, quality: int) -> Thumbnail:
    assert frame.pts is not None and stream.time_base is not None
    shape = float(stream.sample_aspect_ratio or 1) or 1.0
    factor = min(long_side / max(frame.width * shape, frame.height), 1.0)
    width, height = max(round(frame.width * shape * factor), 1), max(round(frame.height * factor), 1)
    picture = VideoReformatter().reformat(frame, width, height, "bgr24").to_ndarray()
    upright = np.ascontiguousarray(orientation(frame).apply(picture))
    _, content = cv2.imencode(".jpg", upright, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Thumbnail(frame.pts * stream.time_base, upright.shape[1], upright.shape[0], content.tobytes())
