"""What others read of the finished file is what they read of its source: ffprobe and OpenCV are asked."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import clips
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from clips import Film, Finder, Library
from conftest import SETTINGS, Mask

from dashredact.media import ffmpeg, images
from dashredact.media.encode import ENCODERS
from dashredact.media.hdr import static_metadata
from dashredact.media.probe import probe
from dashredact.media.reader import first_frame
from dashredact.pipeline.outcome import VideoStatus
from dashredact.settings import Keep

_COLOR = ("color_range", "color_space", "color_transfer", "color_primaries", "chroma_location")


def _probed(path: Path, *what: str) -> dict[str, Any]:
    shown = ["-show_format", "-show_streams", *what]
    return dict(json.loads(ffmpeg.run(["ffprobe", "-v", "error", *shown, "-of", "json", "-i", str(path)], timeout=60)))


def _video(path: Path) -> dict[str, Any]:
    return next(dict(one) for one in _probed(path)["streams"] if one["codec_type"] == "video")


def _length(path: Path) -> float:
    """Seconds of the video, as its header says; of the whole where it says nothing of the stream."""
    return float(_video(path).get("duration") or _probed(path)["format"]["duration"])


def _frames(path: Path) -> int:
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


def _opencv(path: Path) -> tuple[float, int]:
    """Frames a second, and their number."""
    capture = cv2.VideoCapture(str(path))
    return capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))


@pytest.mark.parametrize(
    "name",
    [
        "30.mp4",
        "29.97.mp4",
        "10.mp4",
        "600 ticks.mp4",
        "25.mov",
        "hevc.mp4",
        "hevc 10 bit.mkv",
        "mpeg4.avi",
        "h264.avi",
    ],
)
def test_length_rate_and_count_are_those_of_the_source(clip: Library, mask: Mask, name: str) -> None:
    source = clip(name)
    output = mask(source).output
    assert output
    rate = _frames(source) / _length(source)  # an AVI may state that of its fields
    assert _length(output) == pytest.approx(_length(source), abs=0.5 / rate)
    assert float(Fraction(_video(output)["avg_frame_rate"])) == pytest.approx(rate, rel=0.01)
    assert _opencv(output) == (pytest.approx(rate, rel=0.01), _frames(source))


def test_a_frame_a_minute_keeps_its_minute(mask: Mask, tmp_path: Path) -> None:
    source = Film(frames=5, time_base=Fraction(1, 15360), pts=tuple(range(0, 5 * 921600, 921600))).shoot(
        tmp_path / "a.mp4"
    )
    output = mask(source).output
    assert output
    assert _length(output) == pytest.approx(_length(source), abs=1)
    assert _opencv(output)[1] == 5


@pytest.mark.parametrize(("codec", "rate"), [("pcm_u8", "8000"), ("pcm_s16le", "16000"), ("adpcm_ima_wav", "8000")])
def test_sound_of_cheap_cameras_is_kept_in_its_place(
    clip: Library, mask: Mask, tmp_path: Path, codec: str, rate: str
) -> None:
    source = tmp_path / "cheap.avi"
    tone = ("-f", "lavfi", "-i", f"sine=440:r={rate}:d=1.2")
    clips.ffmpeg("-i", clip("mpeg4.avi"), *tone, "-c:v", "copy", "-c:a", codec, "-ar", rate, "-ac", "1", source)
    outcome = mask(source, audio=Keep.KEEP)
    assert outcome.output, outcome.reason
    sound = next(one for one in _probed(outcome.output)["streams"] if one["codec_type"] == "audio")
    assert float(sound["start_time"]) == pytest.approx(0, abs=0.01)
    assert float(sound["duration"]) == pytest.approx(1.2, abs=0.15)


def test_sound_that_no_muxer_takes_is_encoded_again(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source = tmp_path / "rare.mkv"
    tone = ("-f", "lavfi", "-i", "sine=440:r=11025:d=1.2")
    clips.ffmpeg("-i", clip("30.mp4"), *tone, "-c:v", "copy", "-c:a", "adpcm_ms", source)
    outcome = mask(source, audio=Keep.KEEP)
    assert outcome.output, outcome.reason
    assert [one["codec_name"] for one in _probed(outcome.output)["streams"]][1:] == ["aac"]


def test_times_that_repeat_are_those_of_the_decoder(mask: Mask, tmp_path: Path) -> None:
    """ffmpeg makes such times where it copies MPEG-2 with B-frames out of a program stream."""
    program, source = tmp_path / "a.mpg", tmp_path / "a.mov"
    picture = ("-f", "lavfi", "-i", "testsrc=size=192x112:rate=25:duration=2")
    clips.ffmpeg(*picture, "-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-q:v", "2", program)
    clips.ffmpeg("-i", program, "-c", "copy", source)
    outcome = mask(source)
    assert outcome.output, outcome.reason
    assert any("had the time of another" in note for note in outcome.notes)
    frames = _probed(source, "-show_frames")["frames"]
    expected = [float(one["best_effort_timestamp_time"]) for one in frames]
    assert clips.contents(outcome.output).times() == pytest.approx(expected, abs=0.001)


def test_sound_that_begins_late_begins_late(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source = tmp_path / "late sound.ts"
    tone = ("-itsoffset", "0.7", "-f", "lavfi", "-i", "sine=440:r=48000:d=0.4")
    clips.ffmpeg("-i", clip("30.mp4"), *tone, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", source)
    output = mask(source, audio=Keep.KEEP).output
    assert output
    starts = [[_start(path, kind) for kind in "va"] for path in (source, output)]
    assert starts[0] == pytest.approx(starts[1], abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aac.mp4", "pcm_s16le.avi", "libopus.mkv", "mp2.ts", "adpcm_ima_qt.mov"])
def test_sound_is_in_step_after_ten_minutes(mask: Mask, tmp_path: Path, name: str) -> None:
    """A flash and a click every half minute; the codec of the sound is the file's name."""
    source = tmp_path / name
    often = "lt(mod(t\\,30)\\,0.1)"
    flashes = f"color=black:size=160x96:rate=10:duration=600,drawbox=enable='{often}':color=white:t=fill:w=iw:h=ih"
    clicks = f"aevalsrc='sin(2*PI*1000*t)*{often}':s={8000 if 'adpcm' in name else 48000}:d=600"
    sound = ("-f", "lavfi", "-i", clicks, "-c:a", source.stem)
    film = "mjpeg" if source.suffix == ".avi" else "libx264"
    clips.ffmpeg("-f", "lavfi", "-i", flashes, *sound, "-c:v", film, "-pix_fmt", "yuvj420p", source)
    outcome = mask(source, audio=Keep.KEEP, segment_seconds=10.0)
    assert outcome.output, outcome.reason
    (flash, click), (masked_flash, masked_click) = _flash_and_click(source), _flash_and_click(outcome.output)
    assert masked_flash - masked_click == pytest.approx(flash - click, abs=0.02)
    assert min(flash, click) > 560


def _flash_and_click(path: Path) -> tuple[float, float]:
    """Seconds of the last of each."""
    flash = click = 0.0
    with av.open(str(path)) as file:
        dark = True
        for picture in file.decode(video=0):
            bright = picture.to_ndarray()[:96].mean() > 128
            flash, dark = (float(picture.time or 0) if bright and dark else flash), not bright
    with av.open(str(path)) as file:
        quiet_since = 0.0
        for heard in file.decode(audio=0):
            samples = np.abs(heard.to_ndarray().astype(np.float64)).max(0)
            loud = np.flatnonzero(samples > _loudest(heard) / 4)
            if len(loud):
                at = float(heard.time or 0) + loud[0] / heard.sample_rate
                click = at if at - quiet_since > 1 else click
                quiet_since = float(heard.time or 0) + loud[-1] / heard.sample_rate
    return flash, click


def _loudest(heard: "av.AudioFrame") -> float:
    return {"s16": 2.0**15, "s32": 2.0**31, "flt": 1.0}[heard.format.name.removesuffix("p")]


def _start(path: Path, kind: str) -> float:
    with av.open(str(path)) as file:
        stream = file.streams.video[0] if kind == "v" else file.streams.audio[0]
        return min(float(packet.pts * packet.time_base) for packet in file.demux(stream) if packet.size)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_cut_in_an_open_group_loses_only_what_lies_before_it(mask: Mask, tmp_path: Path, codec: str) -> None:
    whole, source = tmp_path / "whole.mp4", tmp_path / "cut.mkv"
    picture = ("-f", "lavfi", "-i", "testsrc=size=192x112:rate=15:duration=4", "-pix_fmt", "yuv420p")
    clips.ffmpeg(*picture, "-c:v", codec, f"-{codec[3:]}-params", "open-gop=1:keyint=15:bframes=3", whole)
    clips.ffmpeg("-ss", "1.3", "-i", whole, "-c", "copy", source)
    outcome = mask(source, damaged="salvage")
    assert outcome.status is VideoStatus.NEEDS_REVIEW and "begins between key frames" in outcome.reason
    assert outcome.output and outcome.record
    shown = [float(one["best_effort_timestamp_time"]) for one in _probed(source, "-show_frames")["frames"]]
    assert clips.contents(outcome.output).times() == pytest.approx(shown, abs=0.001)
    assert outcome.record["frames"]["in"] == len(shown) + len(outcome.record["frames"]["lost_at"])


# --- one form for the whole output --------------------------------------------------------------------------------


def _film(path: Path, *halves: dict[str, Any]) -> Path:
    """A transport stream of two halves, each with a grey of its own brightness in another form."""
    parts = []
    for number, form in enumerate(halves):
        part = path.with_name(f"part-{number}.ts")
        with av.open(str(part), "w", format="mpegts") as file:
            stream = file.add_stream("libx264", rate=15)
            stream.width, stream.height, stream.pix_fmt = (*clips.SIZE, "yuv420p")
            context = stream.codec_context
            context.color_range, context.colorspace = form["range"], form["matrix"]
            context.options = {"crf": "1", "bf": "0", "x264-params": f"sar={form.get('sar', '1/1')}"}
            for index in range(15):
                frame = VideoFrame.from_ndarray(
                    np.vstack([np.full((112, 192), form["luma"], np.uint8), np.full((56, 192), 128, np.uint8)]),
                    format="yuv420p",
                )
                frame.pts, frame.time_base = 15 * number + index, Fraction(1, 15)
                frame.color_range, frame.colorspace = form["range"], form["matrix"]
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        parts.append(part)
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _lumas(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [float(frame.to_ndarray()[:112].mean()) for frame in file.decode(video=0)]


_LIMITED, _FULL = {"range": 1, "matrix": 1, "luma": 235}, {"range": 2, "matrix": 1, "luma": 255}


def test_frames_of_another_range_are_converted_and_named(mask: Mask, tmp_path: Path) -> None:
    """White is white in both halves, whatever number stands for it."""
    source = _film(tmp_path / "range.ts", _LIMITED, _FULL)
    outcome = mask(source, damaged="salvage")
    assert outcome.output, outcome.reason
    assert any("frames of another form" in note for note in outcome.notes)
    lumas = _lumas(outcome.output)
    expected = 255 if _video(outcome.output).get("color_range") == "pc" else 235
    assert lumas == pytest.approx([expected] * len(lumas), abs=2)


_OTHER_FORMS = {
    "matrix": ("bt601", "smpte170m", "yuv420p"),
    "depth": ("bt709", "bt709", "yuv420p10le"),
    "chroma": ("bt709", "bt709", "yuv444p"),
}


@pytest.mark.parametrize("change", _OTHER_FORMS)
def test_a_picture_of_another_form_looks_the_same(mask: Mask, tmp_path: Path, change: str) -> None:
    """Colour bars, first in one form and then, for longer, in another."""
    parts = []
    for seconds, (matrix, tag, pixel_format) in ((1, ("bt709", "bt709", "yuv420p")), (2, _OTHER_FORMS[change])):
        picture = ("-f", "lavfi", "-i", f"smptebars=size=192x112:rate=15:duration={seconds}")
        form = ("-vf", f"scale=out_color_matrix={matrix},format={pixel_format}", "-colorspace", tag)
        parts.append(tmp_path / f"{seconds}.ts")
        clips.ffmpeg(*picture, *form, *("-c:v", "libx264", "-qp", "2", "-bf", "0", "-color_range", "tv"), parts[-1])
    source = tmp_path / "both.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    blind = Finder(miss_first=10**6)
    outcome = mask(source, by=blind, damaged="salvage", hide=replace(SETTINGS.hide, crf=2))
    assert outcome.output, outcome.reason
    assert any("frames of another form" in note for note in outcome.notes)
    before, after = _rgb(parts[1])[0], _rgb(outcome.output)
    assert max(float(np.median(np.abs(picture - before).max(-1))) for picture in after) < 8  # but for edges of chroma


def _rgb(path: Path) -> list[Any]:
    """Of every frame, (H, W, 3) of 0..255, by its matrix; limited range, chroma of the nearest sample."""
    pictures = []
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            depth = frame.format.components[0].bits
            found = images.planes(frame).planes
            luma = (found[0] / (1 << depth - 8) - 16) * 255 / 219
            times = [size // part for size, part in zip(luma.shape, found[1].shape, strict=True)]
            blue, red = (
                (np.repeat(np.repeat(plane, times[0], 0), times[1], 1) / (1 << depth - 8) - 128) * 255 / 112
                for plane in found[1:]
            )
            of_red, of_blue = {1: (0.2126, 0.0722), 6: (0.299, 0.114)}[frame.colorspace]
            r, b = luma + (1 - of_red) * red, luma + (1 - of_blue) * blue
            pictures.append(np.stack([r, (luma - of_red * r - of_blue * b) / (1 - of_red - of_blue), b], -1))
    return pictures


def test_pixels_that_change_their_shape_are_refused(mask: Mask, tmp_path: Path) -> None:
    outcome = mask(_film(tmp_path / "shape.ts", _LIMITED, {**_LIMITED, "sar": "4/3"}), damaged="salvage")
    assert outcome.status is VideoStatus.REFUSED
    assert "the shape of its pixels changes" in outcome.reason


@pytest.mark.parametrize("encoder", ENCODERS)
def test_tags_travel(clip: Library, mask: Mask, encoder: str) -> None:
    """Colour of HDR, its static metadata, and where the chroma samples lie."""
    source = clip("hdr.mp4")
    output = mask(source, hide=replace(SETTINGS.hide, encoder=encoder)).output
    assert output
    before, after = _video(source), _video(output)
    assert [after.get(name) for name in _COLOR] == [before.get(name) for name in _COLOR]
    first = [static_metadata(first_frame(path, probe(path)).image) for path in (source, output)]
    assert first[0] == first[1] and all(first[0])
    if encoder == "libx265":  # ffprobe 5 does not read it from H.264
        assert _side_data(output) == _side_data(source) != []


def _side_data(path: Path) -> list[dict[str, Any]]:
    frames = _probed(path, "-show_frames", "-read_intervals", "%+#1")["frames"]
    rows = frames[0].get("side_data_list", [])
    return sorted((one for one in rows if "metadata" in one["side_data_type"]), key=lambda one: one["side_data_type"])


def test_the_lower_field_stays_first(mask: Mask, tmp_path: Path) -> None:
    source = tmp_path / "fields.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc=size=192x112:rate=50:duration=1", "-vf", "interlace=scan=bff")
    how = ("-flags", "+ildct+ilme", "-x264-params", "bff=1", "-pix_fmt", "yuv420p")
    clips.ffmpeg(*picture, "-c:v", "libx264", *how, source)
    output = mask(source).output
    assert output
    assert (_video(source)["field_order"], _video(output)["field_order"]) == ("bb", "bb")
    assert _fields(output) == {(1, 0)}


def _fields(path: Path) -> set[tuple[int, int]]:
    """Whether frames are interlaced, and whether the upper field is first."""
    frames = _probed(path, "-show_frames")["frames"]
    return {(one["interlaced_frame"], one["top_field_first"]) for one in frames}


def test_interlaced_frames_become_progressive_where_that_is_asked_for(mask: Mask, tmp_path: Path) -> None:
    source = tmp_path / "fields.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc=size=192x112:rate=50:duration=1", "-vf", "interlace=scan=tff")
    clips.ffmpeg(*picture, "-c:v", "libx264", "-flags", "+ildct+ilme", "-pix_fmt", "yuv420p", source)
    output = mask(source, hide=replace(SETTINGS.hide, deinterlace=True)).output
    assert output
    assert {interlaced for interlaced, _ in _fields(output)} == {0}
    assert clips.contents(output).times() == pytest.approx(clips.contents(source).times(), abs=0.001)
    assert _combing(output) < _combing(source) / 2


def _combing(path: Path) -> float:
    """How much neighbouring rows differ more than rows that are two apart."""
    with av.open(str(path)) as file:
        lumas = [frame.to_ndarray()[:112].astype(int) for frame in file.decode(video=0)]
    return float(np.mean([abs(np.diff(luma, axis=0)).mean() - abs(luma[2:] - luma[:-2]).mean() / 2 for luma in lumas]))


# --- files that are hard to time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_rate_that_rises_on_the_way_keeps_the_length(mask: Mask, tmp_path: Path, ending: str) -> None:
    """From 5 to 30 frames a second, with B-frames: decode times and durations differ from frame to frame."""
    source = tmp_path / f"faster.{ending}"
    times = "settb=1/90000,setpts='if(lt(N,10),N*18000,10*18000+(N-10)*3000)'"
    picture = ("-f", "lavfi", "-i", "testsrc=size=192x112:rate=15:duration=2", "-vf", times)
    how = (
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1/90000",
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-bf",
        "2",
    )
    clips.ffmpeg(*picture, *how, source)
    outcome = mask(source)
    assert outcome.output, outcome.reason
    assert clips.contents(outcome.output).times() == pytest.approx(clips.contents(source).times(), abs=0.001)
    assert _length(outcome.output) == pytest.approx(_length(source), abs=0.02)


def test_a_time_lapse_in_matroska_with_b_frames_keeps_its_times(mask: Mask, tmp_path: Path) -> None:
    """Matroska stores no decode times: PTS that go back by seconds do not start anew."""
    source = tmp_path / "lapse.mkv"
    picture = (
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=192x112:rate=15:duration=1",
        "-frames:v",
        "6",
        "-vf",
        "setpts=N*10/TB",
    )
    clips.ffmpeg(*picture, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "2", source)
    outcome = mask(source)
    assert outcome.output, outcome.reason
    assert clips.contents(outcome.output).times() == pytest.approx([0, 10, 20, 30, 40, 50], abs=0.001)


def test_recordings_behind_each_other_keep_no_sound(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source, part = tmp_path / "both.ts", tmp_path / "part.ts"
    clips.ffmpeg("-i", clip("sound.mp4"), "-c", "copy", "-f", "mpegts", part)
    source.write_bytes(part.read_bytes() * 2)
    outcome = mask(source, audio=Keep.KEEP, damaged="salvage")
    assert outcome.status is VideoStatus.REFUSED and "mask it with --audio drop" in outcome.reason
    outcome = mask(source, damaged="salvage")
    assert outcome.output and outcome.record
    frames = outcome.record["frames"]
    assert frames["in"] == frames["out"] + len(frames["lost_at"]) == 72
    assert clips.contents(outcome.output).times()[-1] > 2.3


def test_an_flv_behind_another_is_not_passed_over(clip: Library, mask: Mask, tmp_path: Path) -> None:
    source, part = tmp_path / "both.flv", tmp_path / "part.flv"
    clips.ffmpeg("-i", clip("30.mp4"), "-c", "copy", part)
    source.write_bytes(part.read_bytes() * 2)
    outcome = mask(source)
    assert outcome.status is VideoStatus.FAILED and "hold no frame that can be read" in outcome.reason
