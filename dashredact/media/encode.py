"""Encodes the masked frames of a segment as one part: an MP4 in which every packet has the PTS of its source frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from dashredact.errors import MachineError, MediaError
from dashredact.media.ffmpeg import raise_if_disk_full
from dashredact.media.form import Color, Form, form_of
from dashredact.media.hdr import static_parameters
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
_INTERLACED = {"tt", "tb", "bb", "bt"}
_BOTTOM_FIRST = {"mkv": ("bb", "bt")}  # Matroska names the order of interleaved fields the other way round
_CHROMA_LOCATIONS = ("left", "center", "topleft", "top", "bottomleft", "bottom")


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
    interlaced: bool
    color: Color
    options: tuple[tuple[str, str], ...]
    """a53cc drops closed captions, which travel as side data of frames"""


def available() -> list[str]:
    """Those of ENCODERS that the linked codec library has. MachineError where it has none of them."""
    names = [name for name in ENCODERS if name in av.codecs_available]
    if not names:
        raise MachineError("The av package was built without libx264 and libx265; install its ordinary wheel.")
    return names


def encoder_settings(
    info: VideoInfo, image: VideoFrame, settings: RenderSettings, form: Form | None = None
) -> EncoderSettings:
    """image: a decoded frame, which tells the orientation. form: of the output; None: that of the frame."""
    video = info.video
    encoder = settings.encoder or _DEFAULT_ENCODER.get(video.codec, "libx264")
    width, height = upright_size(image)
    aspect = video.sample_aspect_ratio
    form = form or form_of(image)
    options = {
        "crf": str(settings.crf),
        "preset": settings.preset,
        "a53cc": "0",
        **_parameters(encoder, info, image, settings),
    }
    return EncoderSettings(
        encoder=encoder,
        pixel_format=_supported_format(encoder, form.pixel_format),
        width=width,
        height=height,
        rate=info.average_rate,
        time_base=video.time_base,
        sample_aspect_ratio=1 / aspect if aspect and orientation(image).transpose else aspect,
        interlaced=video.field_order in _INTERLACED and encoder == "libx264" and not settings.deinterlace,
        color=form.color,
        options=tuple(sorted(options.items())),
    )


def _parameters(encoder: str, info: VideoInfo, image: VideoFrame, settings: RenderSettings) -> dict[str, str]:
    """What only the encoder's own parameters can say."""
    parameters = list(static_parameters(image, encoder))
    if info.video.chroma_location in _CHROMA_LOCATIONS:
        parameters.append(f"chromaloc={_CHROMA_LOCATIONS.index(info.video.chroma_location)}")
    bottom_first = _BOTTOM_FIRST.get(info.container, ("bb", "tb"))
    if encoder == "libx264" and info.video.field_order in bottom_first and not settings.deinterlace:
        parameters.append("bff=1")  # else the first frame of each part would claim the opposite
    if encoder == "libx265":
        parameters.append("log-level=error")
    return {f"{encoder.removeprefix('lib')}-params": ":".join(parameters)} if parameters else {}


def _supported_format(encoder: str, pixel_format: str) -> str:
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
    if settings.interlaced:
        context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
