"""Decodes the frames of a file with their exact PTS.

A frame is never returned if it cannot be decoded, if the decoder marks it as corrupt, or if it may depend on such a
frame; its PTS is kept in `Reader.lost` instead. Every packet gives a frame that is returned, or is lost, or hides its
frame by design (`Reader.hidden`): their numbers add up to that of the packets.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Set
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
from av.video.frame import VideoFrame

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.corruption import CorruptionFilter
from dashredact.media.images import Frame
from dashredact.media.info import HIDDEN_FRAME_CODECS, Segment, VideoInfo
from dashredact.media.packets import demux, open_container

_FIELD_CODECS = {"h264", "mpeg2video", "vc1"}
"""Codecs of which a packet may hold one of the two fields of a frame, which comes out with the first."""

_MAX_FIELD_GAP = Fraction(3, 5)  # of the time between frames; fields are half of it apart
_MAX_PTS_DISORDER = 3  # frames by which a frame may come too late
_MAX_AHEAD = 32  # frames that are in memory at a time to be looked at before their segment: 4K has 25 MB each
_MAX_REORDER = 16  # frames by which any codec's order of decoding differs from that of showing


@dataclass(frozen=True)
class _Numbered:
    """Travels with a packet to its frame; only for files that are not timed, which are read without a seek. An object
    of its own for each packet, since PyAV tells them apart by their identity."""

    number: int
    """of the packet in the file"""


class Reader:
    """The frames of one file, segment by segment. Consecutive segments are decoded without a seek in between."""

    def __init__(self, path: Path, info: VideoInfo) -> None:
        self._path, self._info = path, info
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[Frame] = iter(())
        self._pending: deque[Frame] = deque()
        self._next_segment: int | None = None
        self._failed = False
        self._hidden = info.packets.hidden_pts if info.packets.timed else frozenset[int]()
        self._number = {pts: number for number, pts in enumerate(info.packets.pts)}
        self._interlaced: set[int] = set()  # packets of which the decoder made an interlaced frame
        self._taken: set[int] = set()  # packets of which it made a frame, where the file is not timed
        self.lost: list[int] = []
        """PTS of the frames of the last segment that could not be decoded, sorted"""
        self.hidden = 0
        """packets of the last segment without a frame of their own that is shown: hidden by an edit list or by their
        codec, or the second field of a frame"""

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._frames, self._next_segment = iter(()), None
        self._pending.clear()
        if self._container is not None:
            self._container.close()
            self._container = None

    def continues(self, segment: Segment) -> bool:
        """Whether the frames of the segment follow those that were read last."""
        return segment.index == self._next_segment

    def frames(self, segment: Segment, since: int | None = None) -> Iterator[Frame]:
        """Every intact frame of the segment, PTS rising. Must be read to the end before the next segment is started.

        since: PTS of an earlier frame, from which frames are returned too where the segment is not the next one.
        """
        since = segment.start if since is None or self.continues(segment) else since
        if not self.continues(segment):
            self._seek(segment)
        self._next_segment, self.lost, self.hidden = None, [], 0
        shown: set[int] = set()
        rejected: set[int] = set()
        last: int | None = None
        for frame in self._remaining():
            if frame.pts in self._hidden:
                continue
            if segment.end is not None and frame.pts >= segment.end:
                self._pending.append(frame)
                break
            if since is not None and frame.pts < since:
                continue
            if not frame.intact or (last is not None and frame.pts <= last):
                rejected.add(frame.pts)
                continue
            shown.add(frame.pts)
            last = frame.pts
            yield frame
        self._account(segment, shown, rejected - shown)
        self._next_segment = segment.index + 1

    def ahead(self, until: int) -> list[Frame]:
        """The intact frames behind the last segment and before a PTS, at most 32; the next segment returns them too."""
        frames: list[Frame] = []
        for frame in self._remaining():
            frames.append(frame)
            if frame.pts >= until or len(frames) == _MAX_AHEAD:
                break
        self._pending.extend(frames)
        return [frame for frame in frames if frame.intact and frame.pts < until and frame.pts not in self._hidden]

    def _account(self, segment: Segment, shown: Set[int], rejected: Set[int]) -> None:
        """What became of the packets of the segment. shown, rejected: PTS of frames."""
        packets = self._info.packets
        missing = {pts for pts in packets.shown_pts if segment.contains(pts)} - shown
        self.lost = sorted(pts for pts in missing if pts in rejected or self._is_lost(pts))
        count = sum(segment.contains(pts) for pts in packets.pts)
        self.hidden = count - sum(segment.contains(pts) for pts in shown & self._number.keys()) - len(self.lost)

    def _is_lost(self, pts: int) -> bool:
        """Whether the frame of a packet that gave none could not be decoded; before the first key frame none can."""
        number = self._number[pts]
        before_key = pts < self._info.packets.first_key and not self._is_second_field(number)
        return before_key or self._gives_frame(number)

    def _gives_frame(self, packet: int) -> bool:
        """Whether a packet of which no frame came should have given one."""
        return self._failed or not (self._info.video.codec in HIDDEN_FRAME_CODECS or self._is_second_field(packet))

    def _is_second_field(self, packet: int) -> bool:
        video, packets = self._info.video, self._info.packets
        rates = [rate for rate in (video.rate, packets.codec_rate) if rate]  # a container may count fields
        if video.codec not in _FIELD_CODECS or packet - 1 not in self._interlaced or not rates:
            return False
        gap = (packets.pts[packet] - packets.pts[packet - 1]) * video.time_base
        return 0 < gap <= _MAX_FIELD_GAP / min(rates)

    def _remaining(self) -> Iterator[Frame]:
        while self._pending:
            yield self._pending.popleft()
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
        ordered = _sorted_by_pts(decoded) if packets.timed else _with_sorted_times(decoded)
        self._frames = CorruptionFilter(packets, self._gives_frame).filter(ordered)

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
        context.copy_opaque = True
        self._taken.clear()
        try:
            for number, packet in enumerate(demux(container, index)):
                marked = _without_discard_flag(packet) if packet.pts in self._hidden else packet
                marked.opaque = _Numbered(number)
                yield from self._decoded(context, marked)
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
            number = self._packet_of(image)
            if number is None:
                self._failed = True
                continue
            if image.interlaced_frame:
                self._interlaced.add(number)
            yield Frame(self._info.packets.pts[number], image, aspect=context.sample_aspect_ratio)

    def _packet_of(self, image: VideoFrame) -> int | None:
        """The packet, by its number in the file, that gave a frame; None where none did."""
        if self._info.packets.timed:
            return None if image.pts is None else self._number.get(image.pts)
        if not isinstance(image.opaque, _Numbered):
            return None
        number = image.opaque.number
        while number in self._taken:  # a packet held two frames; the one behind it stands for the second
            number += 1
        self._taken.add(number)
        return number if number < len(self._info.packets) else None

    def _check(self, image: VideoFrame) -> None:
        video = self._info.video
        if (image.width, image.height) != (video.width, video.height):
            raise RefusedError(
                f"{self._path.name}: the size of its picture changes from {video.width}x{video.height} to"
                f" {image.width}x{image.height} partway through; split it there first."
            )


def first_frame(path: Path, info: VideoInfo) -> Frame:
    """UnreadableError where none can be decoded."""
    with Reader(path, info) as reader:
        frame = next(reader.frames(Segment(0, None, None)), None)
    if frame is None:
        raise UnreadableError(f"{path.name}: no frame of it can be decoded.")
    return frame


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


def _with_sorted_times(frames: Iterator[Frame]) -> Iterator[Frame]:
    """In the order of the decoder: without PTS, times tell when packets came, and not in which order frames show."""
    waiting: deque[Frame] = deque()
    times: list[int] = []
    for frame in frames:
        waiting.append(frame)
        heapq.heappush(times, frame.pts)
        if len(waiting) > _MAX_REORDER:
            yield waiting.popleft()._replace(pts=heapq.heappop(times))
    for frame in waiting:
        yield frame._replace(pts=heapq.heappop(times))
