"""Encoded parts become one stream, and that stream plus what was chosen of the source becomes the finished file.

Streams are an allow list: each is named one by one, nothing is mapped by position, and metadata starts from nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg

from dashredact.errors import MediaError
from dashredact.media.encode import open_mp4, timescale
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, ffmpeg_version, local, raise_full, run
from dashredact.media.info import Stream, StreamKind, VideoInfo
from dashredact.media.packets import demux
from dashredact.settings import Keep, Settings

_SAME_CONTAINER = {"mp4", "mov", "mkv", "ts"}
_MUXERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "ts": "mpegts"}
_MP4_AUDIO = {"aac", "mp3", "ac3", "eac3", "opus", "alac"}
_COPYABLE = {
    "mp4": _MP4_AUDIO,
    "mov": {*_MP4_AUDIO, "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_mulaw", "pcm_alaw", "amr_nb"},
    "mkv": None,
    "ts": {"aac", "mp3", "mp2", "ac3", "eac3"},
}
"""Sound that a container carries as it is (None: any); other sound is encoded to AAC."""

_TELEMETRY = {"gpmd"}
"""Tags of data streams that hold positions and that MP4 carries."""

_PARAMETER_SETS = (32, 33, 34)  # types of NAL units in HEVC: video, sequence, picture
_COPY_BYTES_PER_SECOND = 2_000_000  # a slow network disk; only bounds a re-mux that hangs


@dataclass(frozen=True)
class StreamSelection:
    """What leaves the source: each stream that is kept besides the video, and each that is not."""

    container: str
    kept: tuple[Stream, ...]
    dropped: tuple[Stream, ...]

    def transcodes(self, stream: Stream) -> bool:
        allowed = _COPYABLE[self.container]
        return stream.kind is StreamKind.AUDIO and allowed is not None and stream.codec not in allowed


def select_streams(facts: VideoInfo, settings: Settings) -> StreamSelection:
    container = facts.container if facts.container in _SAME_CONTAINER else "mp4"
    others = [stream for stream in facts.streams if stream.index != facts.video.index]
    kept = [stream for stream in others if _wanted(stream, container, settings)]
    return StreamSelection(container, tuple(kept), tuple(stream for stream in others if stream not in kept))


def _wanted(stream: Stream, container: str, settings: Settings) -> bool:
    if stream.kind is StreamKind.AUDIO:
        return settings.audio is Keep.KEEP and stream.codec != "unknown"
    position = stream.kind is StreamKind.DATA and stream.tag in _TELEMETRY
    return position and settings.gps is Keep.KEEP and container in ("mp4", "mov")


def concatenate(parts: Sequence[Path], target: Path, time_base: Fraction) -> None:
    """Put the parts behind each other in an MP4 that holds nothing else. Every packet keeps its PTS."""
    try:
        _assemble(parts, target, time_base)
    except av.FFmpegError as error:
        raise_full(error)
        raise MediaError(f"The encoded parts do not join ({error.strerror}); run again, it starts anew.") from error


def _assemble(parts: Sequence[Path], target: Path, time_base: Fraction) -> None:
    times = [_ticks(packet, time_base) for part in parts for packet in _packets(part)]
    decoded_at = iter(decode_times(times))
    with open_mp4(target, time_base) as output:
        stream = None
        headers: bytes | None = None
        for part in parts:
            with av.open(str(part)) as container:
                template = container.streams.video[0]
                own = _parameters(template.codec_context.name, template.codec_context.extradata or b"")
                if stream is None:
                    stream = output.add_stream_from_template(template)
                    stream.time_base = time_base
                    headers = own
                if own != headers:
                    raise MediaError("The parts were encoded differently and do not join; run again, it starts anew.")
                for packet in demux(container, template.index):
                    packet.pts, packet.dts = _ticks(packet, time_base), next(decoded_at)
                    packet.time_base, packet.stream = time_base, stream
                    output.mux(packet)


def _parameters(codec: str, header: bytes) -> bytes:
    """What a decoder has to know beforehand. Of HEVC the parameter sets: what an encoder says of itself does not count.

    An `hvcC` holds arrays of NAL units from byte 23 on; one that came out of a transport stream lost some, and may have
    zeros behind a unit.
    """
    if codec != "hevc" or header[:1] != b"\x01":
        return header
    place, found = 23, b""
    for _ in range(header[22]):
        kind, units = header[place] & 63, int.from_bytes(header[place + 1 : place + 3])
        place += 3
        for _ in range(units):
            end = place + 2 + int.from_bytes(header[place : place + 2])
            found += b"|" + header[place + 2 : end].rstrip(b"\0") if kind in _PARAMETER_SETS else b""
            place = end
    return found


def _packets(part: Path) -> "list[av.Packet[Any]]":
    with av.open(str(part)) as container:
        return list(demux(container, container.streams.video[0].index))


def _ticks(packet: "av.Packet[Any]", time_base: Fraction) -> int:
    """The packet's PTS in the source's time base; the part may have stored it in a finer one."""
    assert packet.pts is not None and packet.time_base is not None
    ticks = packet.pts * packet.time_base / time_base
    if ticks.denominator != 1:
        raise MediaError("An encoded frame lost its exact time.")
    return int(ticks)


def decode_times(times: list[int]) -> list[int]:
    """A DTS for each packet, given the PTS in decoding order: rising, and never later than the PTS.

    Encoders count each part from anew; over a whole video of uneven rate their own DTS would run backwards.
    """
    ranked = sorted(times)
    rank = {pts: place for place, pts in enumerate(ranked)}
    delay = max((place - rank[pts] for place, pts in enumerate(times)), default=0)
    lead = [ranked[0] - ahead for ahead in range(delay, 0, -1)] if ranked else []
    return lead + ranked[: len(ranked) - delay]


def remux(assembled: Path, source: Path, target: Path, facts: VideoInfo, choice: StreamSelection) -> None:
    """Write the finished file: the masked video, and the kept streams at their own times."""
    target.unlink(missing_ok=True)  # a re-mux that outlived a killed run may still be writing to the old file
    argv = ffmpeg.compile(
        _command(assembled, source, target, facts, choice), cmd=["ffmpeg", *_QUIETLY], overwrite_output=True
    )
    run(argv, timeout=60 + facts.size / _COPY_BYTES_PER_SECOND)


_QUIETLY = ["-hide_banner", "-nostdin", "-loglevel", "error"]


def _command(
    assembled: Path, source: Path, target: Path, facts: VideoInfo, choice: StreamSelection
) -> "ffmpeg.nodes.OutputStream":
    safe = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}
    streams = [ffmpeg.input(local(assembled), **safe)["v:0"]]
    if choice.kept:
        original = ffmpeg.input(local(source), **safe)
        streams += [original[str(stream.index)] for stream in choice.kept]
    options: dict[str, object] = {
        "format": _MUXERS[choice.container],
        "c": "copy",
        "map_metadata": -1,
        "map_chapters": -1,
        "copyts": None,
        "fflags": "+bitexact",
        **_muxer_options(facts, choice.container),
        **_stream_options(choice),
    }
    if facts.video.codec == "hevc" and choice.container in ("mp4", "mov"):
        options["tag:v"] = "hvc1"  # players of one large maker show nothing under the other tag
    return ffmpeg.output(*streams, local(target), **options)


def _muxer_options(facts: VideoInfo, container: str) -> dict[str, object]:
    if container == "ts":
        return {"mpegts_copyts": 1, "muxdelay": 0, "muxpreload": 0}
    if container == "mkv":
        return {"avoid_negative_ts": "disabled"}  # the lead-in of Opus would shift every stream by 7 ms
    exact = {"movie_timescale": timescale(facts.video.time_base)} if ffmpeg_version() >= (5, 0) else {}
    return {"movflags": "+faststart", **exact}


def _stream_options(choice: StreamSelection) -> dict[str, object]:
    options: dict[str, object] = {}
    for kind, letter in ((StreamKind.AUDIO, "a"), (StreamKind.DATA, "d")):
        for place, stream in enumerate(stream for stream in choice.kept if stream.kind is kind):
            if choice.transcodes(stream):
                options |= {f"c:{letter}:{place}": "aac", f"b:{letter}:{place}": "192k"}
            if stream.language:
                options[f"metadata:s:{letter}:{place}"] = f"language={stream.language}"
            if kind is StreamKind.DATA:
                options[f"tag:{letter}:{place}"] = stream.tag
    return options
