"""Writes the finished file: the masked video and the selected streams of the source, each mapped by its index.

No metadata, chapters or other streams are copied.
"""

from pathlib import Path

import ffmpeg

from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, ffmpeg_version, local, run
from dashredact.media.info import StreamKind, VideoInfo
from dashredact.media.packets import timescale
from dashredact.media.streams import StreamSelection

_MUXERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "ts": "mpegts"}
_QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]
_MIN_BYTES_PER_SECOND = 2_000_000  # of a slow network disk; bounds the time of a re-mux that hangs


def remux(assembled: Path, source: Path, target: Path, info: VideoInfo, selection: StreamSelection) -> None:
    """Write the masked video and the kept streams, with their times unchanged, to `target`."""
    target.unlink(missing_ok=True)  # ffmpeg of a killed run may still be writing to the old file
    argv = ffmpeg.compile(
        _command(assembled, source, target, info, selection), cmd=["ffmpeg", *_QUIET], overwrite_output=True
    )
    run(argv, timeout=60 + info.size / _MIN_BYTES_PER_SECOND)


def _command(
    assembled: Path, source: Path, target: Path, info: VideoInfo, selection: StreamSelection
) -> "ffmpeg.nodes.OutputStream":
    safe = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}
    streams = [ffmpeg.input(local(assembled), **safe)["v:0"]]
    if selection.kept:
        original = ffmpeg.input(local(source), **safe)
        streams += [original[str(stream.index)] for stream in selection.kept]
    options: dict[str, object] = {
        "format": _MUXERS[selection.container],
        "c": "copy",
        "map_metadata": -1,
        "map_chapters": -1,
        "copyts": None,
        "fflags": "+bitexact",
        **_muxer_options(info, selection.container),
        **_stream_options(selection),
    }
    if info.video.codec == "hevc" and selection.container in ("mp4", "mov"):
        options["tag:v"] = "hvc1"  # Apple's players do not play the default, hev1
    return ffmpeg.output(*streams, local(target), **options)


def _muxer_options(info: VideoInfo, container: str) -> dict[str, object]:
    if container == "ts":
        return {"mpegts_copyts": 1, "muxdelay": 0, "muxpreload": 0}
    if container == "mkv":
        return {"avoid_negative_ts": "disabled"}  # the pre-skip of Opus would shift all streams by 7 ms
    exact = {"movie_timescale": timescale(info.video.time_base)} if ffmpeg_version() >= (5, 0) else {}
    return {"movflags": "+faststart", **exact}


def _stream_options(selection: StreamSelection) -> dict[str, object]:
    options: dict[str, object] = {}
    for kind, letter in ((StreamKind.AUDIO, "a"), (StreamKind.DATA, "d")):
        for number, stream in enumerate(stream for stream in selection.kept if stream.kind is kind):
            if selection.transcodes(stream):
                options |= {f"c:{letter}:{number}": "aac", f"b:{letter}:{number}": "192k"}
            if stream.language:
                options[f"metadata:s:{letter}:{number}"] = f"language={stream.language}"
            if kind is StreamKind.DATA:
                options[f"tag:{letter}:{number}"] = stream.tag
    return options
