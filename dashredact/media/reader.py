"""Decoded frames with their exact PTS, upright, as planes to paint on and as pictures for the detector.

A frame that the decoder cannot make, or marks as spoilt, or predicts from such a one, never comes out: its PTS is kept
in `Reader.lost` instead.
"""

import heapq
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import av
from av.video.frame import VideoFrame

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.corruption import CorruptionFilter, Frame
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.packets import demux, open_container

_INVISIBLE = {"vp8", "vp9", "av1", "mpeg4", "msmpeg4v2", "msmpeg4v3", "wmv2", "wmv3", "vc1", "mpeg1video", "mpeg2video"}
"""Codecs with packets that rightly give no frame of their own (hidden references, packed B-frames, fields)."""

_REORDER = 3  # frames that a time may jump back over


class Reader:
    """The frames of one file, segment by segment. Neighbouring segments are decoded in one go, others after a seek."""

    def __init__(self, path: Path, facts: VideoInfo) -> None:
        self._path, self._facts = path, facts
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[Frame] = iter(())
        self._held: Frame | None = None
        self._next: int | None = None
        self._failed = False
        self._hidden = facts.packets.hidden_pts if facts.packets.timed else frozenset[int]()
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
        self._next, self.lost = None, []
        seen: list[int] = []
        spoilt: list[int] = []
        for frame in self._upcoming():
            if frame.pts in self._hidden:
                continue
            if segment.end is not None and frame.pts >= segment.end:
                self._held = frame
                break
            if segment.start is not None and frame.pts < segment.start:
                continue
            if not frame.sound or (seen and frame.pts <= seen[-1]):
                spoilt.append(frame.pts)
                continue
            seen.append(frame.pts)
            yield frame
        self.lost = sorted({*spoilt, *self._missing(segment, seen)})
        self._next = segment.index + 1

    def _missing(self, segment: Segment, seen: list[int]) -> list[int]:
        """PTS of packets that should have given a frame and did not."""
        if not self._complete():
            return []
        first, end = segment.start, segment.end
        keys = [pts for pts, key in zip(self._facts.packets.pts, self._facts.packets.keys, strict=True) if key]
        leading = min(keys, default=0)  # a recording that starts between key frames: nothing can show those frames
        expected = [
            pts
            for pts in self._facts.packets.shown_pts
            if pts >= leading and (first is None or pts >= first) and (end is None or pts < end)
        ]
        return sorted(set(expected) - set(seen))

    def _complete(self) -> bool:
        """Whether every packet ought to give a frame."""
        return self._failed or self._facts.video.codec not in _INVISIBLE

    def _upcoming(self) -> Iterator[Frame]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        for frame in self._frames:  # noqa: UP028 - `yield from` would close the decoder with this generator
            yield frame

    def _seek(self, segment: Segment) -> None:
        self.close()
        self._failed = False  # stays for the life of a decoder, which runs ahead of the segment it is asked for
        try:
            self._container = open_container(self._path)
        except av.FFmpegError as error:
            raise UnreadableError(f"{self._path.name}: cannot be opened ({error.strerror}).") from None
        stream = self._container.streams[self._facts.video.index]
        if not isinstance(stream, av.VideoStream):
            raise UnreadableError(f"{self._path.name}: its stream #{stream.index} cannot be decoded.")
        if segment.preroll is not None and not self._lands(stream, segment.preroll):
            self._container.seek(0, any_frame=False)
            self._container.close()
            self._container = open_container(self._path)
        decoded = self._decode(self._container)
        packets = self._facts.packets
        ordered = _in_order(decoded) if packets.timed else _numbered(decoded, packets.shown_pts)
        self._frames = CorruptionFilter(packets, self._complete).judged(ordered)

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
        stream.thread_type = "SLICE"  # with frame threads libavcodec now and then forgets to say that a frame is spoilt
        context = stream.codec_context
        try:
            for packet in demux(container, index):
                yield from self._decoded(context, _unhidden(packet) if packet.pts in self._hidden else packet)
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
            if image.pts is not None or not self._facts.packets.timed:
                yield Frame(image.pts or 0, image)
            else:
                self._failed = True

    def _check(self, image: VideoFrame) -> None:
        video = self._facts.video
        if (image.width, image.height) != (video.width, video.height):
            raise RefusedError(
                f"{self._path.name}: its picture changes from {video.width}x{video.height} to"
                f" {image.width}x{image.height} on the way; split it there first."
            )


def _unhidden(packet: "av.Packet[Any]") -> "av.Packet[Any]":
    """Without the mark that its frame is hidden: the decoder would drop that, and never say that it is spoilt."""
    copy = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.time_base, copy.is_keyframe = packet.pts, packet.dts, packet.time_base, packet.is_keyframe
    for data in packet.iter_sidedata():
        copy.set_sidedata(data)
    return copy


def _in_order(frames: Iterator[Frame]) -> Iterator[Frame]:
    """By PTS: some recorders write times that jump back a little, and players show frames by their time."""
    waiting: list[tuple[int, int, Frame]] = []
    for number, frame in enumerate(frames):
        heapq.heappush(waiting, (frame.pts, number, frame))
        if len(waiting) > _REORDER:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _numbered(frames: Iterator[Frame], times: list[int]) -> Iterator[Frame]:
    """In the decoder's order, with the times that the file has: what it says of single frames is a guess there."""
    for frame, time in zip(frames, times, strict=False):
        yield Frame(time, frame.image)
