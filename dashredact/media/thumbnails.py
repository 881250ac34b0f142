"""Takes pictures of a masked file, and only from the bytes whose sha256 was checked."""

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

_SMALL, _SMALL_QUALITY = 320, 78  # long side in pixels, JPEG quality
_FULL, _FULL_QUALITY = 1 << 16, 95
_SEEK_MARGINS = (0, 1, 4, 16, 60)  # seconds before the target, tried one after the other


@dataclass(frozen=True)
class Thumbnail:
    time: Fraction
    """PTS in seconds"""
    width: int
    height: int
    jpeg: bytes


def stills(path: Path, sha256: str, moments: Sequence[float]) -> Iterator[Thumbnail]:
    """The first frame at or after each of the moments, in full size. moments: seconds since the first frame.

    RefusedError if the file does not have that sha256, MediaError if it or one of the frames cannot be decoded.
    """
    with _verified_file(path, sha256) as file:
        if file is None:
            raise RefusedError(f"{path.name} is not the file that the audit log names; find out who changed it.")
        with _container(file) as container:
            stream = container.streams.video[0]
            start = (stream.start_time or 0) * (stream.time_base or Fraction(1))
            for moment in moments:
                frame = _frame_at(container, stream, start + Fraction(moment))
                if frame is None:
                    raise MediaError(f"{path.name} has no frame at {moment:.3f} s.")
                yield _picture(frame, stream, _FULL, _FULL_QUALITY)


def filmstrip(path: Path, sha256: str, count: int) -> list[Thumbnail] | None:
    """`count` evenly spaced frames, fewer of a short video; None if the file does not have that sha256.

    The file is opened once, so that it cannot be replaced between the check and the decoding. OSError if it cannot be
    opened, MediaError if it cannot be decoded.
    """
    with _verified_file(path, sha256) as file:
        return None if file is None else list(_evenly_spaced(file, count))


def shrunk(jpeg: bytes, long_side: int) -> tuple[int, int, bytes]:
    """Width, height and JPEG of the same picture, made small. long_side: pixels, fewer than it has."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, "we have encoded it"
    zoom = min(long_side / max(picture.shape[:2]), 1.0)
    width, height = (max(round(side * zoom), 1) for side in (picture.shape[1], picture.shape[0]))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return width, height, cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _SMALL_QUALITY])[1].tobytes()


@contextmanager
def _verified_file(path: Path, sha256: str) -> Iterator[BinaryIO | None]:
    with path.open("rb") as file:
        matches = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        file.seek(0)
        try:
            yield file if matches else None
        except (av.FFmpegError, IndexError) as error:
            raise MediaError(f"{path.name} cannot be decoded ({error}).") from None


def _container(file: BinaryIO) -> "av.container.InputContainer":
    return av.open(file, "r", options={"format_whitelist": FORMATS})


def _evenly_spaced(file: BinaryIO, count: int) -> Iterator[Thumbnail]:
    with _container(file) as container:
        stream = container.streams.video[0]
        shown: int | None = None
        for time in _times(container, stream, count):
            frame = _frame_at(container, stream, time)
            if frame is not None and frame.pts != shown:
                shown = frame.pts
                yield _picture(frame, stream, _SMALL, _SMALL_QUALITY)


def _times(container: "av.container.InputContainer", stream: "av.VideoStream", count: int) -> list[Fraction]:
    """Evenly spaced PTS in seconds."""
    base, duration = stream.time_base or Fraction(1), Fraction(container.duration or 0, av.time_base)
    length = stream.duration * base if stream.duration else duration
    start = (stream.start_time or 0) * base
    return [start + length * (2 * number + 1) / (2 * count) for number in range(count)]


def _frame_at(container: "av.container.InputContainer", stream: "av.VideoStream", time: Fraction) -> VideoFrame | None:
    """The first frame at or after the time; None past the end. Seeks earlier if a container seeks past the target."""
    base = stream.time_base or Fraction(1)
    target = round(time / base)
    frame: VideoFrame | None = None
    for seconds in _SEEK_MARGINS:
        container.seek(round((time - seconds) / base), stream=stream)
        frame, passed = _next_frame(container, stream, target)
        if passed or (stream.start_time or 0) * base >= time - seconds:
            break
    return frame


def _next_frame(
    container: "av.container.InputContainer", stream: "av.VideoStream", target: int
) -> tuple[VideoFrame | None, bool]:
    """The first intact frame at or after the target, and whether an earlier one was decoded before it."""
    passed = False
    for frame in container.decode(stream):
        if frame.pts is not None and not frame.is_corrupt:
            if frame.pts >= target:
                return frame, passed or frame.pts == target
            passed = True
    return None, passed


def _picture(frame: VideoFrame, stream: "av.VideoStream", long_side: int, quality: int) -> Thumbnail:
    assert frame.pts is not None and stream.time_base is not None
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    zoom = min(long_side / max(frame.width * aspect, frame.height), 1.0)
    width, height = max(round(frame.width * aspect * zoom), 1), max(round(frame.height * zoom), 1)
    picture = VideoReformatter().reformat(frame, width, height, "bgr24").to_ndarray()
    upright = np.ascontiguousarray(orientation(frame).apply(picture))
    _, content = cv2.imencode(".jpg", upright, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Thumbnail(frame.pts * stream.time_base, upright.shape[1], upright.shape[0], content.tobytes())
