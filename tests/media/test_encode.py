"""Painted frames become parts: every frame with its own time, in the form of the source."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from clips import Library

from dashredact.errors import MediaError
from dashredact.media import encode as encoders
from dashredact.media.encode import EncoderSettings, encoder_settings
from dashredact.media.form import Color, form_of
from dashredact.media.info import Segment
from dashredact.media.packets import timescale
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.settings import RenderSettings


def _recipe(clip: Library, name: str, settings: RenderSettings = RenderSettings()) -> EncoderSettings:  # noqa: B008
    info = probe(clip(name))
    with Reader(clip(name), info) as reader:
        frame = next(iter(reader.frames(Segment(0, None, None))))
    return encoder_settings(info, frame.image, settings, form_of(frame.image, frame.aspect))


@pytest.mark.parametrize(
    ("name", "encoder", "pixel_format", "size"),
    [
        ("30.mp4", "libx264", "yuv420p", (192, 112)),
        ("hevc.mp4", "libx265", "yuv420p", (192, 112)),
        ("hevc 10 bit.mkv", "libx265", "yuv420p10le", (192, 112)),
        ("odd.webm", "libx264", "yuv444p", (161, 121)),
        ("mpeg4.avi", "libx264", "yuv420p", (192, 112)),
        ("4-2-2 10 bit.mov", "libx264", "yuv422p10le", (192, 112)),
        ("turned 4-2-2.mp4", "libx264", "yuv444p", (192, 112)),
    ],
)
def test_recipe_follows_the_source(
    clip: Library, name: str, encoder: str, pixel_format: str, size: tuple[int, int]
) -> None:
    how = _recipe(clip, name)
    assert (how.encoder, how.pixel_format, (how.width, how.height)) == (encoder, pixel_format, size)


def test_recipe_turns_the_shape_of_pixels_with_the_picture(clip: Library) -> None:
    assert _recipe(clip, "flat pixels.mp4").sample_aspect_ratio == Fraction(4, 3)
    assert _recipe(clip, "turned flat.mp4").sample_aspect_ratio == Fraction(3, 4)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("30.mp4", Fraction(30)),
        ("29.97.mp4", Fraction(30000, 1001)),
        ("600 ticks.mp4", Fraction(30)),
        ("10.mp4", Fraction(10)),
        ("hole.mp4", Fraction(35 * 30, 125)),
    ],
)
def test_rate_is_the_true_average(clip: Library, name: str, rate: Fraction) -> None:
    assert abs(_recipe(clip, name).rate - rate) < Fraction(1, 1000)


def test_interlaced_source_stays_interlaced(clip: Library) -> None:
    assert _recipe(clip, "interlaced.mp4").field_order == "top"
    assert _recipe(clip, "30.mp4").field_order == ""


def test_twelve_bits_are_cut_only_for_the_encoder_that_cannot() -> None:
    assert encoders.supported_format("libx264", "yuv420p12le") == "yuv420p10le"
    assert encoders.supported_format("libx265", "yuv420p12le") == "yuv420p12le"
    assert encoders.supported_format("libx264", "yuv420p") == "yuv420p"


@pytest.mark.parametrize("base", [Fraction(1, 30), Fraction(1, 600), Fraction(1001, 30000), Fraction(1, 90000)])
def test_timescale_is_fine_enough_and_exact(base: Fraction) -> None:
    assert timescale(base) >= 10_000
    assert timescale(base) % base.denominator == 0


def _images(times: list[int], size: tuple[int, int] = (64, 48)) -> Iterator[VideoFrame]:
    for pts in times:
        image = VideoFrame.from_ndarray(np.full((size[1] * 3 // 2, size[0]), pts % 200, np.uint8), "yuv420p")
        image.pts = pts
        yield image


_HOW = EncoderSettings(
    encoder="libx264",
    pixel_format="yuv420p",
    width=64,
    height=48,
    rate=Fraction(25),
    time_base=Fraction(1, 1000),
    sample_aspect_ratio=Fraction(1),
    field_order="",
    color=Color(1, 1, 1, 1),
    options=(("crf", "20"), ("preset", "veryfast")),
)


@pytest.mark.parametrize("encoder", encoders.ENCODERS)
@pytest.mark.parametrize(
    ("base", "times"),
    [
        (Fraction(1, 1000), [7, 8, 40, 41, 5000, 5001, 5002, 9999]),
        (Fraction(1001, 30000), [100, 101, 102, 105, 106]),
        (Fraction(1, 10), [0, 1, 2, 3, 90]),
        (Fraction(1, 90000), [2**33, 2**33 + 3003, 2**33 + 3004]),
        (Fraction(1, 25), [3]),
    ],
)
def test_every_packet_has_the_time_of_its_frame(tmp_path: Path, encoder: str, base: Fraction, times: list[int]) -> None:
    quiet = (("x265-params", "log-level=none"),) if encoder == "libx265" else ()
    how = replace(_HOW, encoder=encoder, time_base=base, options=(("preset", "ultrafast"), *quiet))
    assert encoders.encode(tmp_path / "part.mp4", _images(times), how) == len(times)
    with av.open(str(tmp_path / "part.mp4")) as file:
        found = sorted(packet.pts * packet.time_base for packet in file.demux(video=0) if packet.size)
    assert found == [pts * base for pts in times]


def test_codec_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="libx264 failed after 0 frames"):
        encoders.encode(tmp_path / "part.mp4", _images([0, 1]), replace(_HOW, options=(("preset", "warp"),)))


def test_error_of_the_painter_is_not_taken_for_one_of_the_codec(tmp_path: Path) -> None:
    def failing() -> Iterator[VideoFrame]:
        yield from _images([0])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        encoders.encode(tmp_path / "part.mp4", failing(), _HOW)
