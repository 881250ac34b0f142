"""Decodes the frames of a file with their exact PTS.

A frame is never returned if it cannot be decoded, if the decoder marks it as corrupt, or if it may depend on such a
frame; its PTS is kept in `Reader.lost` instead.
"""

import heapq
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import av
from av.video.frame import VideoFrame

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.corruption import CorruptionFilter
from dashredact.media.images import Frame
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.packets import demux, open_container

_HIDDEN_FRAME_CODECS = {
    "vp8",
    "vp9",
    "av1",
    "mpeg4",
    "msmpeg4v2",
    "msmpeg4v3",
    "wmv2",
    "wmv3",
    "vc1",
    "mpeg1video",
    "mpeg2video",
}
"""Codecs in which a packet may give no frame of its own (hidden references, packed B-frames, fields)."""

_MAX_PTS_DISORDER = 3  # frames by which a frame may come too late


class Reader:
    """The frames of one file, segment by segment. Consecutive segments are decoded without a seek in between."""

    def __init__(self, path: Path, info: VideoInfo) -> None:
        self._path, self._info = path, info
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[Frame] = iter(())
        self._pending: Frame | None = None
        self._next_segment: int | None = None
        self._failed = False
        self._hidden = info.packets.hidden_pts if info.packets.timed else frozenset[int]()
        self.lost: list[int] = []
        """PTS of the frames of the last segment that could not be decoded, sorted"""

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._frames, self._pending, self._next_segment = iter(()), None, None
        if self._container is not None:
            self._container.close()
            self._container = None

    def frames(self, segment: Segment) -> Iterator[Frame]:
        """Every intact frame of the segment, PTS rising. Must be read to the end before the next segment is started."""
        if segment.index != self._next_segment:
            self._seek(segment)
        self._next_segment, self.lost = None, []
        shown: list[int] = []
        rejected: list[int] = []
        for frame in self._remaining():
            if frame.pts in self._hidden:
                continue
            if segment.end is not None and frame.pts >= segment.end:
                self._pending = frame
                break
            if segment.start is not None and frame.pts < segment.start:
                continue
            if not frame.intact or (shown and frame.pts <= shown[-1]):
                rejected.append(frame.pts)
                continue
            shown.append(frame.pts)
            yield frame
        self.lost = sorted({*rejected, *self._missing(segment, shown)})
        self._next_segment = segment.index + 1

    def _missing(self, segment: Segment, shown: list[int]) -> list[int]:
        """PTS of packets that should have given a frame but did not."""
        if not self._complete():
            return []
        first, end = segment.start, segment.end
        keys = [pts for pts, key in zip(self._info.packets.pts, self._info.packets.keys, strict=True) if key]
        first_decodable = min(keys, default=0)  # no player shows frames before the first key frame
        expected = [
            pts
            for pts in self._info.packets.shown_pts
            if pts >= first_decodable and (first is None or pts >= first) and (end is None or pts < end)
        ]
        return sorted(set(expected) - set(shown))

    def _complete(self) -> bool:
        """Whether every packet should give a frame."""
        return self._failed or self._info.video.codec not in _HIDDEN_FRAME_CODECS

    def _remaining(self) -> Iterator[Frame]:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            yield pending
        for frame in self._frames:  # noqa: UP028 - `yield from` would close the decoder along with this generator
            yield frame

    def _seek(self, segment: Segment) -> None:
        self.close()
        self._failed = False  # per decoder, not per segment: the decoder runs ahead of the segment that is read
        try:
            self._container = open_container(self._path)
        except av.FFmpegError as error:
            raise UnreadableError(f"{self._path.name}: cannot be opened ({error.strerror}).") from None
        stream = self._container.streams[self._info.video.index]
        if not isinstance(stream, av.VideoStream):
            raise UnreadableError(f"{self._path.name}: its stream #{stream.index} cannot be decoded.")
        if segment.preroll is not None and not self._seek_to(stream, segment.preroll):
            self._container.seek(0, any_frame=False)
            self._container.close()
            self._container = open_container(self._path)
        decoded = self._decode(self._container)
        packets = self._info.packets
        ordered = _sorted_by_pts(decoded) if packets.timed else _with_packet_times(decoded, packets.shown_pts)
        self._frames = CorruptionFilter(packets, self._complete).filter(ordered)

    def _seek_to(self, stream: "av.VideoStream", pts: int) -> bool:
        """Seek to the key frame or before it. False for containers that do not do so reliably."""
        assert self._container is not None
        if self._info.container not in ("mp4", "mov", "mkv", "webm"):
            return False
        try:
            self._container.seek(pts, stream=stream)
        except av.FFmpegError:
            return False
        return True

    def _decode(self, container: "av.container.InputContainer") -> Iterator[Frame]:
        index = self._info.video.index
        stream = container.streams[index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "SLICE"  # with frame threads libavcodec sometimes fails to mark a corrupt frame
        context = stream.codec_context
        try:
            for packet in demux(container, index):
                yield from self._decoded(
                    context, _without_discard_flag(packet) if packet.pts in self._hidden else packet
                )
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
            if image.pts is not None or not self._info.packets.timed:
                yield Frame(image.pts or 0, image)
            else:
                self._failed = True

    def _check(self, image: VideoFrame) -> None:
        video = self._info.video
        if (image.width, image.height) != (video.width, video.height):
            raise RefusedError(
                f"{self._path.name}: the size of its picture changes from {video.width}x{video.height} to"
                f" {image.width}x{image.height} partway through; split it there first."
            )


def _without_discard_flag(packet: "av.Packet[Any]") -> "av.Packet[Any]":
    """A copy without the flag that hides its frame: the decoder drops hidden frames without reporting corruption."""
    copy = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.time_base, copy.is_keyframe = packet.pts, packet.dts, packet.time_base, packet.is_keyframe
    for data in packet.iter_sidedata():
        copy.set_sidedata(data)
    return copy


def _sorted_by_pts(frames: Iterator[Frame]) -> Iterator[Frame]:
    """By PTS: some recorders write times that jump back a little, and players show frames in order of their times."""
    waiting: list[tuple[int, int, Frame]] = []
    for number, frame in enumerate(frames):
        heapq.heappush(waiting, (frame.pts, number, frame))
        if len(waiting) > _MAX_PTS_DISORDER:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _with_packet_times(frames: Iterator[Frame], times: list[int]) -> Iterator[Frame]:
    """In the order of the decoder, with the times of the packets: without stored PTS, times of frames are guesses."""
    for frame, time in zip(frames, times, strict=False):
        yield Frame(time, frame.image)
