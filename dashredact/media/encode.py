"""Encodes the masked frames of a segment as one part: an MP4 in which every packet has the PTS of its source frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from dashredact.errors import MachineError, MediaError
from dashredact.media.ffmpeg import raise_if_disk_full
from dashredact.media.form import Color, Form
from dashredact.media.images import orientation, upright_size
from dashredact.media.info import VideoInfo
from dashredact.media.packets import open_mp4
from dashredact.settings import RenderSettings
from dashredact.text import plural

_DEFAULT_ENCODER = {"h264": "libx264", "hevc": "libx265"}
ENCODERS = ("libx264", "libx265")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_X264_MAX_DEPTH = 10  # bits; libx265 supports 12
_THREADS = 2  # otherwise the number of slices, and so the output, would depend on the number of cores
CHROMA_LOCATIONS = ("left", "center", "topleft", "top", "bottomleft", "bottom")


@dataclass(frozen=True)
class EncoderSettings:
    """How the parts of one video are encoded. Parts with equal settings can be concatenated."""

    encoder: str
    pixel_format: str
    width: int
    """of the upright picture, in pixels"""
    height: int
    rate: Fraction
    """average frames a second; used for rate control only, times are PTS"""
    time_base: Fraction
    sample_aspect_ratio: Fraction
    field_order: str
    """top or bottom first; empty for progressive pictures"""
    color: Color
    options: tuple[tuple[str, str], ...]
    """a53cc drops closed captions, which travel as side data of frames"""


def available() -> list[str]:
    """Those of ENCODERS that the linked codec library has. MachineError where it has none of them."""
    names = [name for name in ENCODERS if name in av.codecs_available]
    if not names:
        raise MachineError("The av package was built without libx264 and libx265; install its ordinary wheel.")
    return names


def encoder_settings(info: VideoInfo, image: VideoFrame, settings: RenderSettings, form: Form) -> EncoderSettings:
    """image: a decoded frame, which tells the orientation. form: of the output."""
    video = info.video
    encoder = encoder_of(info, settings)
    width, height = upright_size(image)
    aspect = video.sample_aspect_ratio
    options = {
        "crf": str(settings.crf),
        "preset": settings.preset,
        "a53cc": "0",
        **_parameters(encoder, info, settings, form),
    }
    return EncoderSettings(
        encoder=encoder,
        pixel_format=supported_format(encoder, form.pixel_format),
        width=width,
        height=height,
        rate=info.average_rate,
        time_base=video.time_base,
        sample_aspect_ratio=1 / aspect if aspect and orientation(image).transpose else aspect,
        field_order=field_order(info, settings),
        color=form.color,
        options=tuple(sorted(options.items())),
    )


def encoder_of(info: VideoInfo, settings: RenderSettings) -> str:
    """That of the settings, or the one for the source's codec."""
    return settings.encoder or _DEFAULT_ENCODER.get(info.video.codec, "libx264")


def field_order(info: VideoInfo, settings: RenderSettings) -> str:
    """Of the output: libx265 has no interlaced pictures."""
    return "" if settings.deinterlace or encoder_of(info, settings) != "libx264" else info.field_order


def _parameters(encoder: str, info: VideoInfo, settings: RenderSettings, form: Form) -> dict[str, str]:
    """What only the encoder's own parameters can say."""
    parameters = list(form.hdr.parameters(encoder))
    if info.video.chroma_location in CHROMA_LOCATIONS:
        parameters.append(f"chromaloc={CHROMA_LOCATIONS.index(info.video.chroma_location)}")
    if field_order(info, settings) == "bottom":
        parameters.append("bff=1")  # else the first frame of each part would claim the opposite
    if encoder == "libx265":
        parameters.append("log-level=error")
    return {f"{encoder.removeprefix('lib')}-params": ":".join(parameters)} if parameters else {}


def supported_format(encoder: str, pixel_format: str) -> str:
    return pixel_format.replace("12le", f"{_X264_MAX_DEPTH}le") if encoder == "libx264" else pixel_format


def encode(path: Path, images: Iterable[VideoFrame], settings: EncoderSettings) -> int:
    """Write one part in the source's time base; returns the number of frames. MediaError if the encoder fails."""
    count = 0
    try:
        with open_mp4(path, settings.time_base) as container:
            stream = container.add_stream(settings.encoder, rate=max(settings.rate, Fraction(1, 100)))
            assert isinstance(stream, av.VideoStream)
            _configure(stream.codec_context, settings)
            stream.time_base = settings.time_base
            for image in images:
                image.time_base = settings.time_base
                container.mux(stream.encode(image))
                count += 1
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise_if_disk_full(error)
        raise MediaError(f"{settings.encoder} failed after {plural(count, 'frame')}: {error.strerror}.") from error
    return count


def _configure(context: "av.VideoCodecContext", settings: EncoderSettings) -> None:
    context.time_base = settings.time_base
    context.width, context.height = settings.width, settings.height
    context.pix_fmt = settings.pixel_format
    context.options = dict(settings.options)
    context.thread_count = _THREADS
    if settings.sample_aspect_ratio:
        context.sample_aspect_ratio = settings.sample_aspect_ratio
    context.color_range, context.color_primaries, context.color_trc, context.colorspace = settings.color
    if settings.field_order:
        context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
