"""Re-opens the finished file and checks its streams, frames, times and masks. Nothing that it claims is trusted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from dashredact.errors import UnverifiedError, VideoError
from dashredact.imaging.mosaic import Mask, region, render
from dashredact.media import encode
from dashredact.media.form import Form, form_of
from dashredact.media.images import Frame, planes
from dashredact.media.info import Stream, StreamKind, VideoInfo
from dashredact.media.packets import open_container, scan
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.media.remux import shift
from dashredact.media.segmentation import split
from dashredact.media.streams import StreamSelection
from dashredact.settings import RenderSettings, Style
from dashredact.text import plural
from dashredact.values import StageProgress

_TIME_TOLERANCE = Fraction(1, 1000)  # seconds; Matroska rounds to this
_AUDIO_TOLERANCE = Fraction(1, 20)  # seconds; encoded audio comes in frames of about 20 ms
_AAC_FRAME = 1024  # samples; an encoder starts with as many of silence, and fills the last frame with silence
_RATE_TOLERANCE = Fraction(2, 100)
_SHAPE_TOLERANCE = Fraction(1, 100)
_MAX_CHECKED_FRAMES = 300  # of longer videos, about as many are checked
_MAX_MASK_DIFFERENCE = 8.0  # mean difference of a mask from what was painted, of 256 levels; coding causes less than 5
_ALLOWED_TAGS = {
    *("major_brand", "minor_version", "compatible_brands", "encoder", "duration"),
    *("handler_name", "vendor_id", "language", "service_name", "service_provider"),
}
"""Metadata tags that muxers write of their own accord, and the language of an audio stream."""


@dataclass(frozen=True)
class Checks:
    """What was verified of a finished file. Field names are written into the audit log."""

    frames: int
    frames_looked_at: int
    """whose masks were checked"""
    masks_looked_at: int
    worst_mask: float
    """largest mean difference of a plane of a mask from what was painted, of 256 levels"""


def _no_progress(_stage: str, _frames: int) -> None:
    pass


def verify(
    path: Path,
    source: Path,
    info: VideoInfo,
    selection: StreamSelection,
    settings: RenderSettings,
    *,
    pts: Sequence[int],
    masks: Callable[[int], Sequence[Mask]],
    form: Form,
    end: int | None = None,
    advance: StageProgress = _no_progress,
) -> Checks:
    """UnverifiedError if the file differs in any way from what it should be.

    info: of the source. pts: of every frame, in the source's time base. masks: what was painted on a frame, by its
    index. form: of every frame. end: until when the last frame is shown, in the source's time base; None: as the
    source says.
    """
    try:
        finished = probe(path)
    except VideoError as error:
        raise UnverifiedError(f"The finished file cannot be read: {error}") from error
    _check_streams(finished, selection)
    later = shift(info, selection.container)
    expected = [time * info.video.time_base + later for time in pts]
    _check_times(finished, expected)
    _check_length(finished, info, expected, (info.end if end is None else end) * info.video.time_base + later)
    _check_picture(finished, info, form)
    _check_field_order(finished, encode.field_order(info, settings))
    kept_audio = [stream for stream in selection.kept if stream.kind is StreamKind.AUDIO]
    finished_audio = [stream for stream in finished.streams if stream.kind is StreamKind.AUDIO]
    for stream, copy in zip(kept_audio, finished_audio, strict=True):
        _check_audio(source, stream, path, copy, exact=not selection.transcodes(stream), later=later)
    supported = encode.supported_format(encode.encoder_of(info, settings), form.pixel_format)
    expected_form = form._replace(pixel_format=supported, aspect=Fraction(0), dynamic="")
    return _check_frames(path, finished, len(expected), masks, settings.style, expected_form, advance)


def _check_streams(finished: VideoInfo, selection: StreamSelection) -> None:
    expected = sorted([StreamKind.VIDEO, *(stream.kind for stream in selection.kept)])
    actual = sorted(stream.kind for stream in finished.streams)
    if actual != expected:
        raise UnverifiedError(
            f"The finished file has the streams {', '.join(actual)} instead of {', '.join(expected)}."
        )
    if finished.chapters:
        raise UnverifiedError("The finished file has chapters, which should have been dropped.")
    if finished.tags - _ALLOWED_TAGS:
        raise UnverifiedError(f"The finished file has metadata: {', '.join(sorted(finished.tags - _ALLOWED_TAGS))}.")


def _check_times(finished: VideoInfo, expected: Sequence[Fraction]) -> None:
    """expected: seconds of every frame."""
    actual = [pts * finished.video.time_base for pts in finished.packets.shown_pts]
    if len(actual) != len(expected):
        raise UnverifiedError(f"The finished file has {len(actual)} frames instead of {len(expected)}.")
    for index, (time, expected_time) in enumerate(zip(actual, expected, strict=True)):
        if abs(time - expected_time) > _TIME_TOLERANCE:
            raise UnverifiedError(
                f"Frame {index} of the finished file is at {float(time):.4f} s instead of {float(expected_time):.4f} s."
            )


def _check_length(finished: VideoInfo, info: VideoInfo, expected: Sequence[Fraction], end: Fraction) -> None:
    """What the header says of length and rate, half a frame allowed.

    info: of the source. expected: seconds of every frame. end: seconds at which the last one ends.
    """
    length = end - expected[0]
    if finished.container in ("mp4", "mov"):
        stated, wanted, rate = finished.video.duration, length, len(expected) / length
    elif finished.container == "mkv":
        stated, wanted, rate = finished.duration, end, info.average_rate
    else:  # a transport stream states neither
        return
    others = [stream for stream in finished.streams if stream.index != finished.video.index]
    short = stated is None or wanted - stated > 1 / rate / 2 + _TIME_TOLERANCE
    long = stated is not None and stated - wanted > 1 / rate / 2 + _TIME_TOLERANCE
    if short or (long and not (others and finished.container == "mkv")):  # the length is that of the longest stream
        raise UnverifiedError(f"The finished file claims {_seconds(stated)} of video instead of {_seconds(wanted)}.")
    if finished.video.rate and abs(finished.video.rate / rate - 1) > _RATE_TOLERANCE:
        raise UnverifiedError(
            f"The finished file claims {float(finished.video.rate):g} frames/s instead of {float(rate):g}."
        )


def _seconds(time: Fraction | None) -> str:
    return "no length" if time is None else f"{float(time):.3f} s"


def _check_picture(finished: VideoInfo, info: VideoInfo, form: Form) -> None:
    """Size, shape and chroma location, as players show them. form: of the finished file."""
    expected, actual = info.upright_size, finished.upright_size
    if actual != expected:
        raise UnverifiedError(f"The finished file has pictures of {actual} pixels instead of {expected}.")
    aspect = info.video.sample_aspect_ratio
    wanted = 1 / aspect if aspect and info.video.rotation % 180 else aspect
    if abs(finished.video.sample_aspect_ratio - wanted) > _SHAPE_TOLERANCE * wanted:
        raise UnverifiedError(
            f"The finished file has pixels of the shape {finished.video.sample_aspect_ratio} instead of {wanted}."
        )
    location = info.video.chroma_location
    if location in encode.CHROMA_LOCATIONS and "420" in form.pixel_format:
        stated = finished.video.chroma_location
        if stated != location:
            raise UnverifiedError(f"The finished file has its chroma at {stated or 'no place'} instead of {location}.")


def _check_field_order(finished: VideoInfo, expected: str) -> None:
    if finished.field_order != expected:
        words = {"": "progressive pictures", "top": "top fields first", "bottom": "bottom fields first"}
        raise UnverifiedError(f"The finished file has {words[finished.field_order]} instead of {words[expected]}.")


class _Extent(NamedTuple):
    """Of the packets of a stream that are heard."""

    start: Fraction
    """seconds of the first packet"""
    end: Fraction
    """seconds at which the last packet ends"""
    packets: int
    """all of them, also what an edit list hides"""
    frame: Fraction
    """seconds that an AAC frame takes at its sample rate"""

    def __str__(self) -> str:
        return f"from {float(self.start):.3f} to {float(self.end):.3f} s"


def _check_audio(
    source: Path, stream: Stream, finished: Path, copy: Stream, *, exact: bool, later: Fraction = Fraction(0)
) -> None:
    expected, actual = _extent(source, stream), _extent(finished, copy)
    if exact and actual.packets != expected.packets:
        raise UnverifiedError(
            f"Audio {stream} has {actual.packets} packets in the finished file instead of {expected.packets}."
        )
    tolerance = _AUDIO_TOLERANCE if exact else _AUDIO_TOLERANCE + actual.frame
    if max(abs(actual.start - expected.start - later), abs(actual.end - expected.end - later)) > tolerance:
        raise UnverifiedError(f"Audio {stream} runs {actual} in the finished file instead of {expected}.")


def _extent(path: Path, stream: Stream) -> _Extent:
    packets = scan(path, stream.index)
    with open_container(path) as container:
        audio = container.streams[stream.index]
        time_base = audio.time_base or Fraction(1, 1000)
        rate = audio.codec_context.sample_rate if isinstance(audio, av.AudioStream) else 0
    heard = packets.shown_pts or packets.pts
    end = packets.end if packets.end is not None else max(heard)
    return _Extent(min(heard) * time_base, end * time_base, len(packets), Fraction(_AAC_FRAME, rate or 48000))


def _check_frames(
    path: Path,
    finished: VideoInfo,
    frame_count: int,
    masks: Callable[[int], Sequence[Mask]],
    style: Style,
    form: Form,
    advance: StageProgress,
) -> Checks:
    index_of = {pts: index for index, pts in enumerate(finished.packets.shown_pts)}
    frames_checked = masks_checked = 0
    worst = 0.0
    for frame in _sample(path, finished, frame_count):
        index = index_of[frame.pts]
        frames_checked += 1
        _check_form(index, frame.image, form)
        advance("verify", 0)
        for difference in mask_differences(frame, index, masks(index), style):
            worst, masks_checked = max(worst, difference), masks_checked + 1
    return Checks(frame_count, frames_checked, masks_checked, round(worst, 2))


def _check_form(index: int, image: VideoFrame, expected: Form) -> None:
    actual = form_of(image)
    if not image.key_frame and not any(actual.hdr):  # H.264 tells it with key frames only
        actual = actual._replace(hdr=expected.hdr)
    for one, other in zip(_with_range(actual), _with_range(expected), strict=True):
        if one != other:
            raise UnverifiedError(f"Frame {index} of the finished file has {one} instead of {other}.")


def _with_range(form: Form) -> Form:
    """x264 says nothing of a limited range: it is what everybody takes for granted."""
    limited = form.color.range == ColorRange.UNSPECIFIED
    return form._replace(color=form.color._replace(range=int(ColorRange.MPEG))) if limited else form


def _sample(path: Path, finished: VideoInfo, frame_count: int) -> Iterator[Frame]:
    """All frames of a short video; of a longer one, those of evenly spaced segments."""
    segments = split(finished.packets, finished.video.time_base, 1.0 if frame_count > _MAX_CHECKED_FRAMES else 10.0)
    every = max(round(frame_count / _MAX_CHECKED_FRAMES), 1)
    with Reader(path, finished) as reader:
        for segment in segments[::every]:
            yield from reader.frames(segment)
            if reader.lost:
                raise UnverifiedError(f"{plural(len(reader.lost), 'frame')} of the finished file cannot be decoded.")


def mask_differences(frame: Frame, index: int, masks: Sequence[Mask], style: Style) -> Iterator[float]:
    """For each mask, the mean difference of its worst plane from what was painted, of 256 levels.

    UnverifiedError, which names the frame by its index, if that is more than coding explains.
    """
    if not masks:
        return
    decoded = planes(frame.image)
    painted = decoded._replace(planes=[plane.copy() for plane in decoded.planes])
    for box, cells in masks:
        for number, values in enumerate(cells):
            inside = region(painted, number, box)
            inside[:] = render(values, inside.shape[0], inside.shape[1], style)
    for box, cells in masks:
        means = [cv2.absdiff(region(painted, n, box), region(decoded, n, box)).mean() for n in range(len(cells))]
        difference = float(max(means)) / (1 << (decoded.depth - 8))
        if difference > _MAX_MASK_DIFFERENCE:
            raise UnverifiedError(
                f"A mask of frame {index} is missing in the finished file (off by {difference:.0f} of 256 levels)."
            )
        yield difference
