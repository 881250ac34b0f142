"""Made videos with a secret, a detector that finds it, and eyes of our own that read a file back.

The secret is a checkerboard of magenta and green: both colours are gone from whatever is averaged over it, so one
pixel near either of them in an output is a leak. Every frame carries its number as a row of black and white blocks
along the bottom edge, so that a frame in the wrong place is found.
"""

import fcntl
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.values import Detections, ModelIdentity, Picture

SIZE = (192, 112)
SECRET = (36, 24)  # width and height
SQUARE = 4  # pixels of the checkerboard
FIRST_SEEN = 4  # frame on which the secret comes up
STRIP = 16  # pixels at the bottom that hold the frame's number
BLOCKS = 8
MAGENTA, GREEN = (255, 0, 255), (0, 255, 0)
MARKER = b"Lindenstrasse"  # stands in titles and comments; nothing of it may get out
POSITION = b"52.516301 13.377702"
LOCATION = "+52.5163+013.3777/"


# --- what is on the pictures -----------------------------------------------------------------------------------


def secret_box(number: int, size: tuple[int, int] = SIZE) -> tuple[int, int, int, int] | None:
    """Where the secret is on a frame: it runs to and fro two pixels a frame, on even places."""
    if number < FIRST_SEEN:
        return None
    room = (size[0] - SECRET[0] - 16) // 2
    place = (number - FIRST_SEEN) % (2 * room)
    x = 8 + 2 * min(place, 2 * room - place)
    y = 24 + 2 * (number // 4 % 4)
    return x, y, x + SECRET[0], y + SECRET[1]


def scene(number: int, size: tuple[int, int] = SIZE) -> Picture:
    """The upright picture of a frame."""
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = 120 + 30 * np.sin((x + 1.5 * number) / 11) + 20 * np.cos((y - number) / 7)
    picture = np.stack((waves, waves * 0.9 + 8, waves * 0.8 + 20), -1).clip(0, 255).astype(np.uint8)
    box = secret_box(number, size)
    if box is not None:
        x0, y0, x1, y1 = box
        rows, columns = np.indices((y1 - y0, x1 - x0)) // SQUARE
        picture[y0:y1, x0:x1] = np.where(((rows + columns) % 2 == 0)[..., None], MAGENTA, GREEN)
    block = width // BLOCKS
    for bit in range(BLOCKS):
        picture[-STRIP:, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 20
    return picture


def number_on(picture: Picture) -> int:
    """The number that a frame carries."""
    block = picture.shape[1] // BLOCKS
    inner = [picture[-STRIP + 4 : -4, bit * block + 4 : (bit + 1) * block - 4].mean() for bit in range(BLOCKS)]
    return sum((mean > 128) << bit for bit, mean in enumerate(inner))


def secret_pixels(picture: Picture) -> np.ndarray:
    """(height, width) True where a pixel is near pure magenta or pure green."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    magenta = (np.minimum(red, blue) - green) > 110
    greenish = (green - np.maximum(red, blue)) > 110
    return magenta | greenish


# --- the detector that finds the secret ------------------------------------------------------------------------


@dataclass
class Finder:
    """Finds the secret in RGB pictures; may blink. Counts calls and pictures."""

    miss_every: int = 0
    """every so many frames nothing is seen"""
    miss_first: int = 0
    """nothing is seen on so many frames after the secret comes up"""
    weak_every: int = 0
    """every so many frames the score is under the threshold"""
    kind: Kind = Kind.FACE
    long_side: int = SIZE[0]
    batch_size: int = 4
    identity: ModelIdentity = field(default=ModelIdentity("finder", "f" * 64))
    thresholds: dict[Kind, float] = field(default_factory=lambda: dict.fromkeys(SHIPPED_KINDS, 0.5))
    calls: int = 0
    pictures: int = 0
    sights: int = 0
    """pictures on which the secret was"""

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        self.calls += 1
        return [self._find(picture) for picture in pictures]

    def _find(self, picture: Picture) -> Detections:
        self.pictures += 1
        rows, columns = np.nonzero(secret_pixels(picture))
        if len(rows) < 20:
            return Detections.empty()
        self.sights += 1
        if self.sights <= self.miss_first or (self.miss_every and self.sights % self.miss_every == 0):
            return Detections.empty()
        score = 0.2 if self.weak_every and self.sights % self.weak_every == 0 else 0.9
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(
            np.zeros(1, np.int32),
            np.array([KINDS.index(self.kind)], np.int8),
            np.array([box], np.float32),
            np.array([score], np.float32),
        )


# --- filming -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Film:
    """How a video is encoded. Times are in ticks of the time base."""

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    size: tuple[int, int] = SIZE
    """upright"""
    frames: int = 36
    time_base: Fraction = Fraction(1, 30)
    pts: tuple[int, ...] = ()
    """one a frame; empty: 0, 1, 2, ..."""
    turn: int = 0
    """quarter turns counter-clockwise by which the stored picture differs from the upright one"""
    sample_aspect_ratio: Fraction = Fraction(1)
    full_range: bool = False
    options: tuple[tuple[str, str], ...] = ()
    interlaced: bool = False

    def shoot(self, path: Path) -> Path:
        how = {"g": "15", **_FAST.get(self.codec, {}), **dict(self.options)}
        exact = {"movie_timescale": "90000"} if path.suffix in (".mp4", ".mov") else {}
        with av.open(str(path), "w", options=exact) as file:
            stream = file.add_stream(self.codec, rate=max(round(1 / self.time_base), 1) if not self.pts else 30)
            assert isinstance(stream, av.VideoStream)
            context = stream.codec_context
            context.options = how
            context.time_base = stream.time_base = self.time_base
            context.pix_fmt = self.pixel_format
            context.sample_aspect_ratio = self.sample_aspect_ratio
            context.color_range, context.colorspace = 2 if self.full_range else 1, 1
            context.color_primaries, context.color_trc = 1, 1
            context.width, context.height = self.size[:: -1 if self.turn % 2 else 1]
            if self.interlaced:
                context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
            reformatter = VideoReformatter()
            for number in range(self.frames):
                stored = np.ascontiguousarray(np.rot90(scene(number, self.size), self.turn))
                frame = reformatter.reformat(
                    VideoFrame.from_ndarray(stored, "rgb24"),
                    format=self.pixel_format,
                    dst_colorspace=1,
                    dst_color_range=2 if self.full_range else 1,
                )
                frame.pts, frame.time_base = (self.pts or range(self.frames))[number], self.time_base
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        return path


_FAST = {
    "libx264": {"preset": "veryfast", "crf": "8"},
    "libx265": {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "0"},
    "mpeg4": {"qscale": "2", "flags": "+qscale", "global_quality": "236"},
}


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg over the arguments; the last is written over."""
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True, timeout=60
    )


# --- the videos, by name -----------------------------------------------------------------------------------------

MILLI = Fraction(1, 1000)
_IRREGULAR = tuple(int(t) for t in np.cumsum([0] + [33, 21, 58, 40, 33, 90, 17] * 6)[:36])
_HOLE = tuple(range(0, 18)) + tuple(range(108, 126))

_FILMS = {
    "30.mp4": Film(),
    "29.97.mp4": Film(time_base=Fraction(1001, 30000)),
    "25.mov": Film(time_base=Fraction(1, 25)),
    "10.mp4": Film(time_base=Fraction(1, 10), frames=24),
    "600 ticks.mp4": Film(time_base=Fraction(1, 600), pts=tuple(range(0, 36 * 20, 20))),
    "irregular.mp4": Film(time_base=MILLI, pts=_IRREGULAR),
    "irregular.mkv": Film(time_base=MILLI, pts=_IRREGULAR),
    "hole.mp4": Film(pts=_HOLE),
    "late.mp4": Film(time_base=Fraction(1, 90000), pts=tuple(72000 + 3000 * n for n in range(36))),
    "open gop.mp4": Film(frames=48, options=(("x264-params", "open-gop=1:bframes=3:keyint=15:b-adapt=0"),)),
    "open gop.mkv": Film(frames=48, options=(("x264-params", "open-gop=1:bframes=3:keyint=15:b-adapt=0"),)),
    "pyramid.mp4": Film(options=(("x264-params", "bframes=5:b-pyramid=normal:b-adapt=0:keyint=15"),)),
    "intra refresh.mkv": Film(frames=60, options=(("x264-params", "intra-refresh=1:keyint=15:bframes=0"),)),
    "one key frame.mp4": Film(options=(("g", "999"),)),
    "hevc.mp4": Film(codec="libx265"),
    "hevc 10 bit.mkv": Film(codec="libx265", pixel_format="yuv420p10le"),
    "h264 10 bit.mp4": Film(pixel_format="yuv420p10le"),
    "4-2-2.mp4": Film(pixel_format="yuv422p"),
    "4-2-2 10 bit.mov": Film(pixel_format="yuv422p10le"),
    "4-4-4.mp4": Film(pixel_format="yuv444p"),
    "full range.mp4": Film(full_range=True),
    "odd.webm": Film(
        codec="libvpx-vp9", size=(161, 121), time_base=MILLI, pts=tuple(n * 1000 // 30 for n in range(36))
    ),
    "flat pixels.mp4": Film(sample_aspect_ratio=Fraction(4, 3)),
    "interlaced.mp4": Film(interlaced=True, options=(("x264-params", "tff=1"),)),
    "mpeg4.avi": Film(codec="mpeg4"),
}


def _turned(degrees: int, **how: object) -> Callable[[Path], Path]:
    """Stored lying, shown upright."""

    def make(path: Path) -> Path:
        plain = Film(turn=degrees // 90, **how).shoot(path.with_name("lying " + path.name))  # type: ignore[arg-type]
        ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", f"rotate={360 - degrees}", path)
        plain.unlink()
        return path

    return make


def _with(*arguments: str | Path, film: Film = Film()) -> Callable[[Path], Path]:
    """A film re-muxed by ffmpeg. `{folder}` in an argument is where helper files stand."""

    def make(path: Path) -> Path:
        plain = film.shoot(path.with_name(f"plain {path.stem}.mp4"))
        ffmpeg("-i", plain, *(str(argument).format(folder=path.parent) for argument in arguments), path)
        plain.unlink()
        return path

    return make


_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1.2")
_DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
_HDR = (
    *("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_range", "tv"),
    *("-x265-params", f"log-level=error:hdr10=1:master-display={_DISPLAY}:max-cll=1000,400:chromaloc=2"),
)
_AAC = ("-c:v", "copy", "-c:a", "aac")

_REMUXED: dict[str, Callable[[Path], Path]] = {
    "turned 90.mp4": _turned(90),
    "turned 180.mp4": _turned(180),
    "turned 270.mov": _turned(270),
    "turned flat.mp4": _turned(90, sample_aspect_ratio=Fraction(4, 3)),
    "turned 4-2-2.mp4": _turned(270, pixel_format="yuv422p"),
    "sound.mp4": _with(*_TONE, *_AAC),
    "two sounds.mp4": _with(
        *("-itsoffset", "0.30", *_TONE, "-itsoffset", "0.5", "-f", "lavfi", "-i", "sine=frequency=880:duration=0.5"),
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", *_AAC),
        *("-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=fra"),
    ),
    "pcm.mov": _with(*_TONE, "-c:v", "copy", "-c:a", "pcm_s16le"),
    "opus.mkv": _with(*_TONE, "-c:v", "copy", "-c:a", "libopus"),
    "mp3.avi": _with(*_TONE, "-c:a", "libmp3lame", "-c:v", "mpeg4", "-q:v", "1", "-g", "15"),
    "pcm.avi": _with(*_TONE, "-c:a", "pcm_s16le", "-c:v", "mpeg4", "-q:v", "1", "-g", "15"),
    "transport.ts": _with(*_TONE, "-c:v", "copy", "-c:a", "mp2"),
    "hevc.ts": _with("-c", "copy", film=Film(codec="libx265")),
    "fragmented.mp4": _with("-c", "copy", "-movflags", "frag_keyframe+empty_moov"),
    "motion jpeg.avi": _with("-c:v", "mjpeg", "-q:v", "1"),
    "mpeg2.ts": _with("-c:v", "mpeg2video", "-q:v", "1", "-bf", "2", "-g", "15"),
    "no edit list.mp4": _with("-c", "copy", "-use_editlist", "0"),
    "cropped.mp4": _with("-vf", "crop=190:110:0:2", "-c:v", "libx264", "-crf", "8", "-g", "15"),
    "timecode.mov": _with("-c", "copy", "-timecode", "01:02:03:04"),
    "everything.mp4": _with(
        *(*_TONE, "-i", "{folder}/words.srt", "-i", "{folder}/chapters.txt", "-i", "{folder}/cover.png"),
        *("-map", "0:v", "-map", "1:a", "-map", "2:s", "-map", "4:v", "-map_metadata", "3", "-map_chapters", "3"),
        *("-c:v:0", "copy", "-c:a", "aac", "-c:s", "mov_text", "-c:v:1", "png", "-disposition:v:1", "attached_pic"),
        *("-metadata", f"title={MARKER.decode()}", "-metadata", f"location={LOCATION}"),
        *("-metadata:s:v:0", f"handler_name={MARKER.decode()}", "-metadata:s:a:0", f"handler_name={MARKER.decode()}"),
        *("-metadata:s:a:0", "language=deu", "-metadata", f"comment={MARKER.decode()}"),
    ),
    "everything.mkv": _with(
        *(*_TONE, "-i", "{folder}/words.srt", "-i", "{folder}/chapters.txt"),
        *("-map", "0:v", "-map", "1:a", "-map", "2:s", "-map_metadata", "3", "-map_chapters", "3"),
        *("-c:v", "copy", "-c:a", "aac", "-c:s", "srt", "-attach", "{folder}/words.srt"),
        *("-metadata:s:t", "mimetype=text/plain", "-metadata", f"title={MARKER.decode()}"),
        *("-metadata:s:v:0", f"title={MARKER.decode()}", "-metadata:s:a:0", f"title={MARKER.decode()}"),
    ),
}


def _edit_list(path: Path) -> Path:
    """Cut by an edit list: the file holds frames that no player shows."""
    plain = Film(frames=48).shoot(path.with_name("uncut.mp4"))
    ffmpeg("-ss", "0.7", "-i", plain, "-c", "copy", path)
    plain.unlink()
    return path


def _mid_gop(path: Path) -> Path:
    """A transport stream whose beginning is lost: it starts between two key frames."""
    whole = _with("-c", "copy", film=Film(frames=48))(path.with_name("whole.ts"))
    content = whole.read_bytes()
    packets = len(content) // 188
    path.write_bytes(content[packets // 5 * 188 :])
    whole.unlink()
    return path


_CUT: dict[str, Callable[[Path], Path]] = {"edit list.mp4": _edit_list}

GOOD = (*_FILMS, *_REMUXED, *_CUT)


def _two_videos(path: Path) -> Path:
    one, other = Film().shoot(path.with_name("one.mp4")), Film(frames=30).shoot(path.with_name("other.mp4"))
    ffmpeg("-i", one, "-i", other, "-map", "0:v", "-map", "1:v", "-c", "copy", path)
    return path


def _cut_off(path: Path, *, index_first: bool, share: float) -> Path:
    whole = path.with_name("whole " + path.name)
    _with("-c", "copy", *(("-movflags", "+faststart") if index_first else ()), film=Film(frames=60))(whole)
    content = whole.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def spoil(path: Path, target: Path, frames: Sequence[int]) -> Path:
    """Overwrite the bytes of those packets (counted in file order), all but their first 8."""
    with av.open(str(path)) as file:
        places = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for number in frames:
        start, size = places[number]
        content[start + 8 : start + size] = b"\x55" * (size - 8)
    target.write_bytes(content)
    return target


def _spoilt(path: Path) -> Path:
    whole = Film(frames=45, options=(("bf", "0"),)).shoot(path.with_name("whole " + path.name))
    return spoil(whole, path, (20, 21))


def _renamed(path: Path) -> Path:
    return Film().shoot(path.with_suffix(".mkv")).rename(path)


def _picture(path: Path) -> Path:
    path.write_bytes(cv2.imencode(".png", scene(5))[1].tobytes())
    return path


def _written(content: bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return make


def _positions(path: Path) -> Path:
    """With a track of positions as action cameras write it. Made from a subtitle: only tag and handler differ."""
    plain = Film().shoot(path.with_name("no positions.mp4"))
    (path.parent / "positions.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{POSITION.decode()}\n")
    ffmpeg("-i", plain, "-i", path.parent / "positions.srt", *("-c:v", "copy", "-c:s", "mov_text"), path)
    content = path.read_bytes()
    for before, after in ((b"tx3g", b"gpmd"), (b"sbtl", b"meta")):
        assert before in content
        content = content.replace(before, after)
    path.write_bytes(content)
    return path


def _grows(path: Path) -> Path:
    """A transport stream whose picture changes its size on the way."""
    small, large = (
        _with("-c", "copy", film=film)(path.with_name(f"{name}.ts")).read_bytes()
        for name, film in (("small", Film()), ("large", Film(size=(256, 160))))
    )
    path.write_bytes(small + large)
    return path


def _turned_45(path: Path) -> Path:
    plain = Film(frames=6).shoot(path.with_name("not turned.mp4"))
    ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=45", path)
    return path


_OTHER: dict[str, Callable[[Path], Path]] = {
    "two videos.mp4": _two_videos,
    "no index.mp4": lambda path: _cut_off(path, index_first=False, share=0.9),
    "cut off.mp4": lambda path: _cut_off(path, index_first=True, share=0.7),
    "spoilt.mp4": _spoilt,
    "mid gop.ts": _mid_gop,
    "really mkv.mp4": _renamed,
    "positions.mp4": _positions,
    "grows.ts": _grows,
    "turned 45.mp4": _turned_45,
    "h264.avi": _with("-c", "copy"),
    "packed.avi": _with("-c:v", "libxvid", "-q:v", "1", "-bf", "2", "-g", "15"),
    "rgb.mkv": _with("-c:v", "ffv1", "-pix_fmt", "bgr0"),
    "hdr.mp4": _with("-c:v", "libx265", "-pix_fmt", "yuv420p10le", *_HDR),
    "wrapping.ts": _with("-c", "copy", "-output_ts_offset", "95442"),
    "empty.mp4": _written(b""),
    "words.mp4": _written(b"this is no video at all\n" * 100),
    "picture.mp4": _picture,
    "sound only.mp4": lambda path: (ffmpeg(*_TONE, "-c:a", "aac", path), path)[1],
    "playlist.mp4": _written(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"),
}


class Library:
    """Clips by name, each made once, also where several processes ask for them."""

    def __init__(self, folder: Path) -> None:
        """A hidden folder inside is where clips are made: a name that is there stands for a finished clip."""
        self._folder, self._studio = folder, folder / ".studio"
        self._studio.mkdir(exist_ok=True)
        with self._alone():
            self._make_props()

    def __call__(self, name: str) -> Path:
        path = self._folder / name
        with self._alone():
            if not path.exists():
                self._make(name, self._studio / name)
                (self._studio / name).rename(path)
        return path

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._studio / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_props(self) -> None:
        (self._studio / "words.srt").write_text(f"1\n00:00:00,100 --> 00:00:01,000\n{MARKER.decode()}\n")
        (self._studio / "chapters.txt").write_text(
            f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle={MARKER.decode()}\n"
        )
        _picture(self._studio / "cover.png")

    def _make(self, name: str, path: Path) -> None:
        if name in _FILMS:
            _FILMS[name].shoot(path)
        else:
            (_REMUXED | _CUT | _OTHER)[name](path)


# --- reading files back, with ffmpeg's own programs -----------------------------------------------------------


@dataclass(frozen=True)
class Contents:
    """What ffprobe says of a file."""

    streams: list[dict[str, Any]]
    chapters: int
    frames: list[dict[str, Any]]

    @property
    def kinds(self) -> list[str]:
        """Kind of every stream, in order."""
        return [stream["codec_type"] for stream in self.streams]

    def video(self, index: int | None = None) -> dict[str, Any]:
        """Header of that stream, or of the first video."""
        return next(
            stream
            for stream in self.streams
            if stream["codec_type"] == "video" and (index is None or stream["index"] == index)
        )

    def times(self, index: int | None = None) -> list[float]:
        """Seconds of every decoded frame of a video stream, sorted."""
        index = self.video(index)["index"]
        return sorted(self._frame_times(index))

    def sound_span(self, place: int) -> tuple[float, float]:
        """Seconds of the first and last frame of a sound, counted among the sounds."""
        index = [stream["index"] for stream in self.streams if stream["codec_type"] == "audio"][place]
        times = self._frame_times(index)
        return min(times), max(times)

    def _frame_times(self, index: int) -> list[float]:
        mine = [frame for frame in self.frames if frame.get("stream_index") == index]
        names = ("pts_time", "best_effort_timestamp_time", "pkt_dts_time")
        return [float(next(frame[name] for name in names if name in frame)) for frame in mine]


def contents(path: Path) -> Contents:
    return _contents(path, path.stat().st_mtime_ns)


@cache
def _contents(path: Path, _changed: int) -> Contents:
    frames = "frame=stream_index,pts_time,best_effort_timestamp_time,pkt_dts_time"
    argv = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_chapters", "-show_frames"]
    argv += ["-show_entries", f"{frames}:stream:stream_tags:stream_disposition:stream_side_data:chapter"]
    done = subprocess.run([*argv, str(path)], check=True, capture_output=True, timeout=60)
    told = json.loads(done.stdout)
    return Contents(told["streams"], len(told.get("chapters", [])), told["frames"])


def packet_hashes(path: Path, stream: str) -> list[str]:
    """sha256 of every packet of a stream, in order."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{stream}", "-c", "copy", "-f", "framehash", "-"],
        check=True,
        capture_output=True,
        timeout=60,
        text=True,
    )
    return [line.split(",")[5].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def pictures_of(path: Path, stream: str = "v:0") -> list[Picture]:
    """Every frame as a player shows it, upright, RGB."""
    return _pictures(path, stream, path.stat().st_mtime_ns)


@lru_cache(16)
def _pictures(path: Path, stream: str, _changed: int) -> list[Picture]:
    done = subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", f"0:{stream}", "-fps_mode", "passthrough"),
            *("-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return list(_split(done.stdout))


def _split(stream: bytes) -> list[Picture]:
    pictures, place = [], 0
    while header := re.compile(rb"P6\s(\d+) (\d+)\s(\d+)\s").match(stream, place):
        width, height, most = (int(value) for value in header.groups())
        assert most == 255
        end = header.end() + width * height * 3
        pictures.append(np.frombuffer(stream[header.end() : end], np.uint8).reshape(height, width, 3))
        place = end
    assert place == len(stream)
    return pictures
