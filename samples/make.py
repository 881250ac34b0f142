"""Makes the sample clip `street.mp4` and its ground truth `street.truth.json`.

Run: python samples/make.py [--out FOLDER]
Or, for one small test picture only: python samples/make.py --canary PNG
"""

import argparse
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import lens
import numpy as np
import story
from av.video.reformatter import Colorspace, VideoReformatter
from camera import HEIGHT, WIDTH
from canary import write_canary
from film import paint_moment, visible
from raster import Floats, Pixels
from sound import SAMPLE_RATE, soundtrack

_CRF = "25"
_SECONDS_OF_DAY = 8 * 3600 + 14 * 60 + 51


class Truth:
    """Where every face and plate is, frame by frame."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.objects: dict[str, dict[str, Any]] = {}

    def add(self, name: str, kind: str, frame: int, box: Floats) -> None:
        """Note a box (x0 y0 x1 y1, pixels) unless more than half of it is outside the picture."""
        inside = np.clip(box, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
        area, kept = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, inside))
        if kept < 0.5 * area or area <= 0:
            return
        entry = self.objects.setdefault(f"{name}-{kind}", {"id": f"{name}-{kind}", "kind": kind, "boxes": {}})
        if kind == "plate":
            entry["text"] = self.texts[name]
        entry["boxes"][str(frame)] = [round(float(side), 1) for side in inside]

    def document(self, file: str, frames: int) -> dict[str, Any]:
        """What goes into the JSON file."""
        return {
            "file": file,
            "width": WIDTH,
            "height": HEIGHT,
            "frames": frames,
            "objects": list(self.objects.values()),
        }


def frame_at(number: int, truth: Truth) -> Pixels:
    """The finished frame, RGB; its objects are added to the truth."""
    t = number * story.RATE[1] / story.RATE[0]
    scene = paint_moment(t)
    matrix = lens.shake(t, story.speed(t))
    for item in visible(scene):
        truth.add(item.name, item.kind, number, lens.moved(item.box, matrix))
    clock = _SECONDS_OF_DAY + int(t)
    stamp = f"2026-05-04  {clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    return lens.expose(scene.canvas.rgb, matrix, number, f"{stamp}    {round(story.speed(t) * 3.6):2} km/h    TAXI 057")


def write_clip(path: Path, frames: int) -> Truth:
    """Render and encode the clip: H.264 and AAC in MP4, without anything that changes from run to run."""
    truth = Truth({driver.name: driver.car.plate.text for driver in story.CARS})
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        rate = Fraction(*story.RATE)
        video = container.add_stream("libx264", rate=rate, options={"crf": _CRF, "preset": "slow", "g": "60"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = 1 / rate
        video.codec_context.thread_count = 2
        video.codec_context.colorspace, video.codec_context.color_range = 1, 1
        video.codec_context.color_primaries, video.codec_context.color_trc = 1, 1
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        audio.bit_rate = 96000
        audio.codec_context.flags |= 1 << 23  # bitexact: no encoder version in the stream
        wave = soundtrack(float(frames / rate))
        reformatter = VideoReformatter()
        for number in range(frames):
            shown = av.VideoFrame.from_ndarray(frame_at(number, truth), format="rgb24")
            shown = reformatter.reformat(shown, format="yuv420p", dst_colorspace=Colorspace.ITU709)
            shown.pts = number
            shown.time_base = 1 / rate
            container.mux(video.encode(shown))
            _write_sound(container, audio, wave, float(number / rate), float((number + 1) / rate))
            if number % 30 == 29:
                print(f"{number + 1}/{frames} frames", file=sys.stderr)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return truth


def _write_sound(
    container: Any, stream: Any, wave: np.ndarray[Any, np.dtype[np.float32]], start: float, end: float
) -> None:
    """Encode the samples between two times, seconds."""
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    part = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, first:last]), format="fltp", layout="stereo")
    part.sample_rate, part.pts, part.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
    container.mux(stream.encode(part))


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description="Make the sample clip and its ground truth.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write street.mp4 into")
    parser.add_argument("--frames", type=int, default=story.FRAMES, help="how many frames, for a shorter trial")
    parser.add_argument(
        "--canary", type=Path, metavar="PNG", help="write one test picture instead, and print its boxes"
    )
    arguments = parser.parse_args()
    if arguments.canary is not None:
        write_canary(arguments.canary)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    truth = write_clip(arguments.out / "street.mp4", arguments.frames)
    document = truth.document("street.mp4", arguments.frames)
    (arguments.out / "street.truth.json").write_text(
        json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
