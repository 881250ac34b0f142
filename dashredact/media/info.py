"""What is known about a file before a frame is decoded: its container, streams, packets and segments.

A time is a Fraction of seconds or an integer PTS with its time base; a rate is a Fraction of frames a second.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

HIDDEN_FRAME_CODECS = {
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

_INTERLACED = {"tt", "tb", "bb", "bt"}
_BOTTOM_FIRST = {"mkv": ("bb", "bt")}  # Matroska names the order of interleaved fields the other way round
_RATE_TOLERANCE = Fraction(2, 100)
_MAX_LAST_FRAME = 10  # seconds, or the length of the video if that is more


class StreamKind(StrEnum):
    VIDEO = "video"
    THUMBNAIL = "thumbnail"
    AUDIO = "audio"
    SUBTITLE = "subtitle"
    DATA = "data"
    ATTACHMENT = "attachment"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Stream:
    """One stream of a container as its header describes it."""

    index: int
    kind: StreamKind
    codec: str
    tag: str = ""
    """four-character code of the container, e.g. gpmd"""
    language: str = ""
    start: Fraction | None = None
    """seconds"""
    duration: Fraction | None = None
    """seconds, as claimed"""

    def __str__(self) -> str:
        return f"#{self.index} {self.kind} {self.codec}"


@dataclass(frozen=True)
class VideoStream(Stream):
    width: int = 0
    """pixels as stored, before rotation"""
    height: int = 0
    pixel_format: str = ""
    rate: Fraction | None = None
    """frames a second, average, as claimed"""
    delay: int = 0
    """packets that the decoder holds back, because frames may be shown in another order than they are coded in"""
    time_base: Fraction = Fraction(1)
    sample_aspect_ratio: Fraction = Fraction(1)
    rotation: int = 0
    """degrees by which players rotate the picture, counter-clockwise"""
    field_order: str = "progressive"
    color_range: str = ""
    color_space: str = ""
    color_transfer: str = ""
    color_primaries: str = ""
    chroma_location: str = ""
    """where the samples of 4:2:0 lie: left, center, topleft, ...; empty where the file does not say"""
    claimed_frames: int | None = None
    """frames that the header claims"""


@dataclass(frozen=True)
class PacketIndex:
    """The packets of the video stream in file order, whatever the header claims."""

    pts: tuple[int, ...]
    """unique; those of a file that is not `timed` are its times as far as it has any, made rising (`media.packets`)"""
    keys: tuple[bool, ...]
    shown: tuple[bool, ...]
    """False where an edit list hides the packet's frame"""
    timed: bool = True
    """False if packets have no PTS (AVI, raw streams), share one, or start anew: then the file is decoded as a whole,
    in order, and the frames get the `pts` of those packets that gave one, in the decoder's order"""
    restarts: int = 0
    """how often the times start anew, as where recordings were put one behind the other"""
    leading: int = 0
    """packets that have no time and belong before the first key frame, where a cut has left them"""
    irregularities: tuple[str, ...] = ()
    """what is wrong with the times, for people"""
    codec_rate: Fraction | None = None
    """frames a second, as the stream itself says; half the packets a second where a packet holds a field"""
    read_until: int = 0
    """byte at which the last packet ends; 0 where that is not known"""
    end: int | None = None
    """ticks until which the container says that the last frame is shown"""
    unreadable: bool = False
    """whether the container has parts that could not be read, and what they held is not known"""
    corrupt: tuple[int, ...] = ()
    """indices of packets that the container reports as incomplete; the damage may also be in the packet after each"""

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def shown_pts(self) -> list[int]:
        """PTS of every packet whose frame is shown, sorted."""
        return sorted(pts for pts, shown in zip(self.pts, self.shown, strict=True) if shown)

    @property
    def first_key(self) -> int:
        """PTS of the first key frame, before which nothing can be decoded."""
        return next((pts for pts, key in zip(self.pts, self.keys, strict=True) if key), self.pts[0])

    @property
    def hidden_pts(self) -> frozenset[int]:
        """PTS at which an edit list hides the frame. They must be decoded all the same: others depend on them."""
        return frozenset(self.pts) - frozenset(self.shown_pts)


@dataclass(frozen=True)
class VideoInfo:
    """A video file, before a frame of it is decoded."""

    name: str
    size: int
    """bytes"""
    container: str
    """mp4, mov, mkv, webm, ts, avi, ..."""
    video: VideoStream
    streams: tuple[Stream, ...]
    chapters: int
    duration: Fraction | None
    """seconds, as the header claims"""
    packets: PacketIndex
    frame_intervals: tuple[Fraction, Fraction] | None
    """shortest and longest time between neighbouring frames, seconds; None for a single frame"""
    tags: frozenset[str] = frozenset()
    """names of all metadata tags of the file and its streams, in lower case"""
    notes: tuple[str, ...] = ()
    """irregularities that do not prevent masking"""
    damages: tuple[str, ...] = ()
    """damage for which the file is refused, unless --damaged salvage is given"""

    @property
    def variable_rate(self) -> bool:
        """Whether frame intervals differ by more than rounding to a coarse time base explains (2 ms)."""
        return self.frame_intervals is not None and self.frame_intervals[1] - self.frame_intervals[0] > Fraction(1, 500)

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels after the rotation that the header asks for."""
        size = (self.video.width, self.video.height)
        return size[::-1] if self.video.rotation % 180 else size

    @property
    def field_order(self) -> str:
        """Which field of a frame is shown first: top or bottom; empty where frames are progressive, or not stated."""
        if self.video.field_order not in _INTERLACED:
            return ""
        return "bottom" if self.video.field_order in _BOTTOM_FIRST.get(self.container, ("bb", "tb")) else "top"

    @property
    def frame_count(self) -> int | None:
        """How many frames the video shows, where its packets tell; None where only decoding does."""
        if self.damages or not self.packets.timed or self.video.codec in HIDDEN_FRAME_CODECS or self.field_order:
            return None
        return len(self.packets.shown_pts)

    @property
    def end(self) -> int:
        """Ticks until which the last frame is shown: as the header says, else as its packet does, else as the stated
        rate does, else as long as the frame before it."""
        pts = self.packets.shown_pts
        if not pts:
            return 0
        interval = pts[-1] - pts[-2] if len(pts) > 1 else 1
        claimed = pts[0] + round((self.video.duration or 0) / self.video.time_base)
        is_whole = self.video.claimed_frames in (None, len(self.packets))
        most = 2 * pts[-1] - pts[0] + _MAX_LAST_FRAME / self.video.time_base  # a fragmented file may claim anything
        if self.container in ("mp4", "mov") and is_whole and all(self.packets.shown) and pts[-1] < claimed <= most:
            return claimed
        if self.packets.end is not None:
            slots = min(claimed, pts[-1] + interval) if self.container == "avi" else 0
            return max(self.packets.end, slots)
        if self.video.rate:
            return pts[-1] + max(round(1 / (self.video.rate * self.video.time_base)), 1)
        return pts[-1] + interval

    @property
    def average_rate(self) -> Fraction:
        """Frames a second: as stated where that agrees with the times, else as measured: headers may state a time base.
        25 for a single frame of which none is stated."""
        pts, stated = self.packets.shown_pts, self.video.rate
        if len(pts) < 2 or pts[-1] == pts[0]:
            return stated or Fraction(25)
        measured = (len(pts) - 1) / ((pts[-1] - pts[0]) * self.video.time_base)
        rate = self.packets.codec_rate
        if self.field_order and rate and abs(measured / (2 * rate) - 1) < _RATE_TOLERANCE:  # of fields
            return rate
        if stated and abs(measured / stated - 1) < _RATE_TOLERANCE:
            return stated
        return measured.limit_denominator(1001)

    @property
    def origin(self) -> int:
        """PTS from which parts count, for an MP4 hides what is before 0: that of the first frame if it is negative."""
        return min([0, *self.packets.shown_pts[self.packets.leading :][:1]])

    @property
    def start(self) -> Fraction | None:
        """Seconds of the first frame."""
        pts = self.packets.shown_pts
        return pts[0] * self.video.time_base if pts else None


@dataclass(frozen=True)
class Segment:
    """A range of the source by presentation time: the frames with `start <= PTS < end`."""

    index: int
    start: int | None
    """PTS; None: the beginning of the file"""
    end: int | None
    """PTS; None: the end of the file"""
    preroll: int | None = None
    """PTS of the key frame at which decoding starts after a seek; None: the beginning of the file"""

    def contains(self, pts: int) -> bool:
        return (self.start is None or pts >= self.start) and (self.end is None or pts < self.end)
