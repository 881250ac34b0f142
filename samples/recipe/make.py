"""Makes the sample clip `street.mp4` and its ground truth `street.truth.json`, or the canary picture of the weights."""

import json
from fractions import Fraction
from pathlib import Path

import av
import click
import cv2
import numpy as np
import numpy.typing as npt
from av.audio import AudioStream
from av.container import OutputContainer
from av.video import VideoStream
from av.video.reformatter import Colorspace, VideoReformatter

from . import lens, story
from .audio import SAMPLE_RATE, soundtrack
from .camera import HEIGHT, WIDTH
from .canary import draw_canary
from .raster import Pixels
from .scene import paint_scene, visible
from .truth import GroundTruth

_CRF = "25"
_BITEXACT = 1 << 23  # AV_CODEC_FLAG_BITEXACT: no encoder version in the stream
_SECONDS_OF_DAY = 8 * 3600 + 14 * 60 + 51


def frame_at(number: int, truth: GroundTruth) -> Pixels:
    """The finished frame (HEIGHT, WIDTH, 3), RGB; its objects are added to the truth."""
    t = number * story.RATE.denominator / story.RATE.numerator
    scene = paint_scene(t)
    matrix = lens.shake(t, story.speed(t))
    for item in visible(scene):
        truth.add(item.name, item.kind, number, lens.transform_box(item.box, matrix))
    clock = _SECONDS_OF_DAY + int(t)
    stamp = f"2026-05-04  {clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    caption = f"{stamp}    {round(story.speed(t) * 3.6):2} km/h    TAXI 057"
    return lens.expose(scene.canvas.rgb, matrix, number, caption)


def write_clip(path: Path, frames: int) -> GroundTruth:
    """Render and encode the clip: H.264 and AAC in MP4, without anything that changes from run to run."""
    truth = GroundTruth({driver.name: driver.car.plate.text for driver in story.CARS})
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    wave = soundtrack(float(frames / story.RATE))
    reformatter = VideoReformatter()
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video, audio = _video_stream(container), _audio_stream(container)
        with click.progressbar(range(frames), label=path.name) as numbers:
            for number in numbers:
                picture = av.VideoFrame.from_ndarray(frame_at(number, truth), format="rgb24")
                picture = reformatter.reformat(picture, format="yuv420p", dst_colorspace=Colorspace.ITU709)
                picture.pts, picture.time_base = number, 1 / story.RATE
                container.mux(video.encode(picture))
                _encode_audio(container, audio, wave, number / story.RATE, (number + 1) / story.RATE)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return truth


def _video_stream(container: OutputContainer) -> VideoStream:
    options = {"crf": _CRF, "preset": "slow", "g": "60"}
    stream = container.add_stream("libx264", rate=story.RATE, options=options)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context = stream.codec_context
    context.time_base, context.thread_count = 1 / story.RATE, 2
    context.colorspace = context.color_range = context.color_primaries = context.color_trc = 1
    return stream


def _audio_stream(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    stream.bit_rate = 96000
    stream.codec_context.flags |= _BITEXACT
    return stream


def _encode_audio(
    container: OutputContainer, stream: AudioStream, wave: npt.NDArray[np.float32], start: Fraction, end: Fraction
) -> None:
    """Encode the samples between two times, seconds."""
    first, last = round(float(start) * SAMPLE_RATE), round(float(end) * SAMPLE_RATE)
    part = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, first:last]), format="fltp", layout="stereo")
    part.sample_rate, part.pts, part.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
    container.mux(stream.encode(part))


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), default=Path("samples"), show_default=True, help="Folder.")
@click.option("--frames", type=click.IntRange(1), default=story.FRAMES, show_default=True, help="Length of the clip.")
@click.option(
    "--canary", type=click.Path(path_type=Path), metavar="PNG", help="Write only this picture, and print its boxes."
)
def main(out: Path, frames: int, canary: Path | None) -> None:
    if canary is not None:
        picture, objects = draw_canary()
        if not cv2.imwrite(str(canary), picture[..., ::-1]):
            raise click.ClickException(f"Cannot write {canary}.")
        click.echo(json.dumps({"file": canary.name, "objects": objects}))
        return
    out.mkdir(parents=True, exist_ok=True)
    truth = write_clip(out / "street.mp4", frames).to_json("street.mp4", frames)
    (out / "street.truth.json").write_text(json.dumps(truth, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
