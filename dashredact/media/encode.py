"""Painted frames become encoded parts, one a segment, every packet with the PTS of its source frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from dashredact.errors import MediaError
from dashredact.media.ffmpeg import raise_full
from dashredact.media.images import orientation, upright_size, working_format
from dashredact.media.info import VideoInfo
from dashredact.settings import HideSettings
from dashredact.text import plural

_FAMILY = {"h264": "libx264", "hevc": "libx265"}
ENCODERS = ("libx264", "libx265")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_X264_DEPTH = 10  # most bits that libx264 takes; libx265 takes 12
_LEAST_TIMESCALE = 10_000  # below it the MP4 writer doubles a time base, too
_THREADS = 2  # the number of slices, and so the output, would depend on the cores at hand otherwise
_BT709 = 1  # primaries, transfer and matrix all have this number
_INTERLACED = {"tt", "tb", "bb", "bt"}
_OWN_OPTIONS = {
    "libx264": {"a53cc": "0"},  # captions ride on the frames; nobody chose them
    "libx265": {"a53cc": "0", "x265-params": "log-level=error"},
}


@dataclass(frozen=True)
class EncoderSettings:
    """What the parts of one video are encoded as; equal recipes give parts that join without a seam."""

    encoder: str
    pixel_format: str
    width: int
    """pixels, upright"""
    height: int
    rate: Fraction
    """frames a second on average; steers the bit rate only, times are PTS"""
    time_base: Fraction
    sample_aspect_ratio: Fraction
    interlaced: bool
    color: tuple[int, int, int, int]
    """range, primaries, transfer, matrix as libavutil numbers them"""
    options: tuple[tuple[str, str], ...]


def encoder_settings(facts: VideoInfo, image: VideoFrame, settings: HideSettings) -> EncoderSettings:
    """image: the first frame as decoded; its format, orientation and colour tags decide."""
    video = facts.video
    encoder = settings.encoder or _FAMILY.get(video.codec, "libx264")
    width, height = upright_size(image)
    shape = video.sample_aspect_ratio
    options = {"crf": str(settings.crf), "preset": settings.preset, **_OWN_OPTIONS[encoder]}
    return EncoderSettings(
        encoder=encoder,
        pixel_format=_within(encoder, working_format(image)),
        width=width,
        height=height,
        rate=_rate(facts),
        time_base=video.time_base,
        sample_aspect_ratio=1 / shape if shape and orientation(image).transpose else shape,
        interlaced=video.field_order in _INTERLACED and encoder == "libx264",
        color=_color(image),
        options=tuple(sorted(options.items())),
    )


def _color(image: VideoFrame) -> tuple[int, int, int, int]:
    """The frame's own tags. An RGB frame becomes BT.709 (`pictures.paintable`) and is tagged so."""
    if image.format.is_rgb:
        return int(ColorRange.MPEG), _BT709, _BT709, _BT709
    return image.color_range, image.color_primaries, image.color_trc, image.colorspace


def _within(encoder: str, pixel_format: str) -> str:
    return pixel_format.replace("12le", f"{_X264_DEPTH}le") if encoder == "libx264" else pixel_format


def _rate(facts: VideoInfo) -> Fraction:
    """The true average: what headers call a rate is often a time base (600 or 1000 frames a second)."""
    pts = facts.packets.shown_pts
    if len(pts) < 2 or pts[-1] == pts[0]:
        return Fraction(25)
    return ((len(pts) - 1) / ((pts[-1] - pts[0]) * facts.video.time_base)).limit_denominator(1001)


def encode(path: Path, images: Iterable[VideoFrame], how: EncoderSettings) -> int:
    """Write one part to `path`, an MP4 in the source's time base. The number of frames comes back."""
    count = 0
    try:
        with open_mp4(path, how.time_base) as container:
            stream = container.add_stream(how.encoder, rate=max(how.rate, Fraction(1, 100)))
            assert isinstance(stream, av.VideoStream)
            _configure(stream.codec_context, how)
            stream.time_base = how.time_base
            for image in images:
                image.time_base = how.time_base
                container.mux(stream.encode(image))
                count += 1
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise_full(error)
        raise MediaError(f"{how.encoder} failed after {plural(count, 'frame')}: {error.strerror}.") from error
    return count


def open_mp4(path: Path, time_base: Fraction) -> "av.container.OutputContainer":
    """An MP4 for writing that keeps times exactly."""
    return av.open(str(path), "w", format="mp4", options={"movie_timescale": str(timescale(time_base))})


def timescale(time_base: Fraction) -> int:
    """Ticks a second in which an MP4's edit lists count; the default of 1000 would round a late start."""
    scale = time_base.denominator
    while scale < _LEAST_TIMESCALE:
        scale *= 2
    return min(scale, 2**31 - 1)


def _configure(context: "av.VideoCodecContext", how: EncoderSettings) -> None:
    context.time_base = how.time_base
    context.width, context.height = how.width, how.height
    context.pix_fmt = how.pixel_format
    context.options = dict(how.options)
    context.thread_count = _THREADS
    if how.sample_aspect_ratio:
        context.sample_aspect_ratio = how.sample_aspect_ratio
    context.color_range, context.color_primaries, context.color_trc, context.colorspace = how.color
    if how.interlaced:
        context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
