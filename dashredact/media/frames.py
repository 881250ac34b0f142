"""Decoded frames with their exact PTS, upright, as planes to paint on and as pictures for the detector.

A frame that cannot be decoded cleanly never comes out: its PTS is kept in `Reader.lost` instead.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.probe import demux, open_container
from dashredact.pure.paint import Planes
from dashredact.values import Picture, Segment, VideoFacts

_INVISIBLE = {"vp8", "vp9", "av1", "mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv2", "wmv3", "vc1", "mpeg1video", "mpeg2video"}
"""Codecs with packets that rightly give no frame of their own (hidden references, packed B-frames, fields)."""

_REORDER = 3  # frames that a time may jump back over
_TURNS = 1 << 16  # a display matrix is 16.16 fixed point


@dataclass(frozen=True)
class Orientation:
    """How stored pixels are turned to stand upright: transposed first, then flipped."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def upright(self) -> bool:
        return not (self.transpose or self.flip_x or self.flip_y)

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """array: (height, width) or (height, width, channels), a view of it comes back."""
        turned = array.swapaxes(0, 1) if self.transpose else array
        return turned[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


@dataclass(frozen=True)
class Frame:
    pts: int
    image: VideoFrame
    """as stored, not yet upright"""


class Reader:
    """The frames of one file, segment by segment. Neighbouring segments are decoded in one go, others after a seek."""

    def __init__(self, path: Path, facts: VideoFacts) -> None:
        self._path, self._facts = path, facts
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[Frame] = iter(())
        self._held: Frame | None = None
        self._next: int | None = None
        self._failed = False
        self.lost: list[int] = []
        """PTS of frames of the segment read last that could not be decoded"""

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._frames, self._held, self._next = iter(()), None, None
        if self._container is not None:
            self._container.close()
            self._container = None

    def frames(self, segment: Segment) -> Iterator[Frame]:
        """Every frame of the segment that decodes cleanly, PTS rising. Read to the end before asking for another."""
        if segment.index != self._next:
            self._seek(segment)
        self._next, self.lost, self._failed = None, [], False
        seen: list[int] = []
        spoilt: list[int] = []
        for frame in self._upcoming():
            if segment.end is not None and frame.pts >= segment.end:
                self._held = frame
                break
            if segment.start is not None and frame.pts < segment.start:
                continue
            if frame.image.is_corrupt or (seen and frame.pts <= seen[-1]):
                spoilt.append(frame.pts)
                continue
            seen.append(frame.pts)
            yield frame
        self.lost = sorted({*spoilt, *self._missing(segment, seen)})
        self._next = segment.index + 1

    def _missing(self, segment: Segment, seen: list[int]) -> list[int]:
        """PTS of packets that should have given a frame and did not."""
        if self._facts.video.codec in _INVISIBLE and not self._failed:
            return []
        first, end = segment.start, segment.end
        keys = [
            pts
            for pts, key in zip(self._facts.packets.pts, self._facts.packets.keys, strict=True)
            if key and pts is not None
        ]
        leading = min(keys, default=0)  # a recording that starts between key frames: nothing can show those frames
        expected = [
            pts
            for pts in self._facts.packets.shown_pts
            if pts >= leading and (first is None or pts >= first) and (end is None or pts < end)
        ]
        return sorted(set(expected) - set(seen))

    def _upcoming(self) -> Iterator[Frame]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        for frame in self._frames:  # noqa: UP028 - `yield from` would close the decoder with this generator
            yield frame

    def _seek(self, segment: Segment) -> None:
        self.close()
        try:
            self._container = open_container(self._path)
        except av.FFmpegError as error:
            raise UnreadableError(f"{self._path.name}: cannot be opened ({error.strerror}).") from None
        stream = self._container.streams[self._facts.video.index]
        if not isinstance(stream, av.VideoStream):
            raise UnreadableError(f"{self._path.name}: its stream #{stream.index} cannot be decoded.")
        stream.thread_type = "AUTO"
        if segment.preroll is not None and not self._lands(stream, segment.preroll):
            self._container.seek(0, any_frame=False)
            self._container.close()
            self._container = open_container(self._path)
        self._frames = _in_order(self._decode(self._container))

    def _lands(self, stream: "av.VideoStream", pts: int) -> bool:
        """Seek so that decoding starts at or before the key frame; False where the container cannot be trusted to."""
        assert self._container is not None
        if self._facts.container not in ("mp4", "mov", "mkv", "webm"):
            return False
        try:
            self._container.seek(pts, stream=stream)
        except av.FFmpegError:
            return False
        return True

    def _decode(self, container: "av.container.InputContainer") -> Iterator[Frame]:
        index = self._facts.video.index
        stream = container.streams[index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        context = stream.codec_context
        try:
            for packet in demux(container, index):
                yield from self._decoded(context, packet)
        except av.FFmpegError:
            self._failed = True
        yield from self._decoded(context, None)

    def _decoded(self, context: "av.VideoCodecContext", packet: "av.Packet[Any] | None") -> Iterator[Frame]:
        try:
            images = context.decode(packet)
        except av.FFmpegError:
            self._failed = True
            return
        for image in images:
            self._check(image)
            if image.pts is None:
                self._failed = True
            else:
                yield Frame(image.pts, image)

    def _check(self, image: VideoFrame) -> None:
        video = self._facts.video
        if (image.width, image.height) != (video.width, video.height):
            raise RefusedError(
                f"{self._path.name}: its picture changes from {video.width}x{video.height} to"
                f" {image.width}x{image.height} on the way; split it there first."
            )


def _in_order(frames: Iterator[Frame]) -> Iterator[Frame]:
    """By PTS: some recorders write times that jump back a little, and players show frames by their time."""
    waiting: list[tuple[int, int, Frame]] = []
    for number, frame in enumerate(frames):
        heapq.heappush(waiting, (frame.pts, number, frame))
        if len(waiting) > _REORDER:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def orientation(image: VideoFrame) -> Orientation:
    """From the display matrix of a frame. RefusedError for turns that are no quarter turns."""
    matrix = image.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(memoryview(cast(SideData, matrix)), np.int32)[:5] / _TURNS
    if not (b or c):
        return Orientation(False, bool(a < 0), bool(d < 0))
    if not (a or d):
        return Orientation(True, bool(c < 0), bool(b < 0))
    raise RefusedError("The file asks players to turn its picture by other than quarter turns; store it upright first.")


def upright_size(image: VideoFrame) -> tuple[int, int]:
    """Width and height after turning."""
    return (image.height, image.width) if orientation(image).transpose else (image.width, image.height)


class Scaler:
    """Scaled-down upright RGB pictures for the detector."""

    def __init__(self, width: int, height: int) -> None:
        """width, height: pixels of the picture as stored, that is before it is turned."""
        self._size = (width, height)
        self._scale, self._convert = VideoReformatter(), VideoReformatter()

    def __call__(self, image: VideoFrame) -> Picture:
        # Scaling planes and then converting takes a third of the time of doing both at once (1.4 ms against 4.6 ms).
        scaled = self._scale.reformat(image, *self._size, "yuv420p", interpolation=Interpolation.BILINEAR)
        picture = self._convert.reformat(scaled, format="rgb24")
        return np.ascontiguousarray(orientation(image).apply(picture.to_ndarray()))


def paintable(image: VideoFrame, pixel_format: str) -> tuple[VideoFrame, Planes]:
    """An upright frame of our own in `pixel_format`, and its planes to paint on. The decoder's copy stays as it is."""
    turn = orientation(image)
    source = image if image.format.name == pixel_format else VideoReformatter().reformat(image, format=pixel_format)
    if turn.upright:
        source.make_writable()
        return source, planes(source)
    turned = VideoFrame(*upright_size(image), pixel_format)
    turned.pts = image.pts
    for target, plane in zip(planes(turned).planes, planes(source).planes, strict=True):
        target[:] = turn.apply(plane)
    return turned, planes(turned)


def planes(image: VideoFrame) -> Planes:
    """The planes of a planar YUV or grey frame, without a copy."""
    depth = image.format.components[0].bits
    dtype = np.dtype(np.uint8 if depth == 8 else np.uint16)
    views = []
    for plane in image.planes:
        rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
        views.append(rows[:, : plane.width])
    step_x, step_y = steps(image.format)
    return Planes(views, step_x, step_y, depth)


def steps(form: "av.VideoFormat") -> tuple[int, int]:
    """Luma pixels per chroma pixel, across and down."""
    if len(form.components) < 3 or form.is_rgb:
        return 1, 1
    return 8 // form.chroma_width(8), 8 // form.chroma_height(8)


def working_format(image: VideoFrame) -> str:
    """The planar format that holds the frame without loss once it is upright, of those that encoders take.

    4:2:0 needs even sides and 4:2:2 an even width: odd pictures and turned 4:2:2 get full chroma.
    """
    form = image.format
    bits = max(component.bits for component in form.components)
    depth = 8 if bits <= 8 else 10 if bits <= 10 else 12
    suffix = "" if depth == 8 else f"{depth}le"
    if len(form.components) == 1 and not form.has_palette:
        return f"gray{suffix}"
    step_x, step_y = steps(form)
    turned = orientation(image).transpose
    width, height = upright_size(image)
    if step_x == 1 or (turned and step_y == 1) or width % 2:
        return f"yuv444p{suffix}"
    if step_y == 1:
        return f"yuv422p{suffix}"
    return f"yuv444p{suffix}" if height % 2 else f"yuv420p{suffix}"


def picture_size(facts: VideoFacts, long_side: int) -> tuple[int, int]:
    """Width and height, as stored, of the detector's picture: square pixels, long side fitted, at most doubled."""
    shape = facts.video.sample_aspect_ratio
    height = Fraction(facts.video.height)
    width = facts.video.width * (shape if shape > 0 else Fraction(1))
    factor = min(long_side / max(width, height), Fraction(2))
    return max(round(width * factor), 1), max(round(height * factor), 1)
