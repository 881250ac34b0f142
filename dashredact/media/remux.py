"""Writes the finished file: the masked video and the selected streams of the source, each mapped by its index.

No metadata, chapters or other streams are copied. Packets are copied with their times; only audio that the container
cannot store is encoded again, by ffmpeg.
"""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg

from dashredact.errors import MediaError
from dashredact.media.concat import PacketTimes, packet_times, ticks
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, local, raise_if_disk_full, run
from dashredact.media.form import Color
from dashredact.media.info import Stream, VideoInfo
from dashredact.media.packets import LATE_STREAMS, demux, open_container, timescale
from dashredact.media.streams import StreamSelection

_MUXERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "ts": "mpegts"}
_QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]
_MIN_BYTES_PER_SECOND = 2_000_000  # of a slow network disk; bounds the time of an encoding that hangs
_AUDIO_BIT_RATE = "192k"
_MAX_STEP_BACK = 1  # seconds

Packets = Iterator["av.Packet[Any]"]


def remux(
    assembled: Path,
    source: Path,
    target: Path,
    info: VideoInfo,
    selection: StreamSelection,
    color: Color,
    end: int | None = None,
) -> None:
    """Write the masked video and the kept streams, with their times unchanged, to `target`.

    color: of the video. end: until when the last frame is shown, in ticks of the source's time base; None: as the
    source says. MediaError where a stream cannot be written.
    """
    target.unlink(missing_ok=True)
    encoded = _encode_audio(source, target, info, selection)
    try:
        with ExitStack() as files:
            output = files.enter_context(_open(target, info, selection.container))
            video = files.enter_context(av.open(local(assembled)))
            streams = [_video_packets(output, video, info, selection, color, end)]
            for stream in selection.kept:
                file, index = (encoded[stream.index], 0) if stream.index in encoded else (source, stream.index)
                container = files.enter_context(open_container(file))
                streams.append(_copied(output, container, index, stream, shift(info, selection.container)))
            for packet in heapq.merge(*streams, key=_written_at):
                output.mux(packet)
    except (av.FFmpegError, ValueError) as error:  # ValueError: PyAV's word for a codec that a container cannot hold
        raise_if_disk_full(error)
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"The finished file cannot be written as {selection.container} ({reason}).") from error
    finally:
        for file in encoded.values():
            file.unlink(missing_ok=True)


def shift(info: VideoInfo, container: str) -> Fraction:
    """Seconds by which all streams are later in the finished file: only a transport stream has times before 0."""
    return Fraction(0) if container == "ts" else -info.origin * info.video.time_base


def _open(target: Path, info: VideoInfo, container: str) -> "av.container.OutputContainer":
    options = {"fflags": "+bitexact", "avoid_negative_ts": "disabled"}
    if container in ("mp4", "mov"):
        options |= {"movflags": "+faststart", "movie_timescale": str(timescale(info.video.time_base))}
    if container == "ts":
        options |= {"mpegts_copyts": "1"}
    return av.open(str(target), "w", format=_MUXERS[container], options=options)


def _video_packets(
    output: "av.container.OutputContainer",
    video: "av.container.InputContainer",
    info: VideoInfo,
    selection: StreamSelection,
    color: Color,
    end: int | None,
) -> Packets:
    template, time_base = video.streams.video[0], info.video.time_base
    later = int(shift(info, selection.container) / time_base)
    stream = output.add_stream_from_template(template)
    stream.time_base = time_base
    stream.codec_context.framerate = info.average_rate  # Matroska stores it
    stream.codec_context.color_range = color.range  # the same; H.264 itself says nothing of a limited range
    if template.codec_context.name == "hevc" and selection.container in ("mp4", "mov"):
        stream.codec_context.codec_tag = "hvc1"  # Apple's players do not play the default, hev1
    with av.open(video.name) as again:
        pts = [ticks(packet, time_base) + info.origin + later for packet in demux(again, template.index)]
    times = packet_times(pts, (info.end if end is None else end) + later)
    return _timed(demux(video, template.index), stream, times, time_base)


def _timed(packets: Packets, stream: "av.VideoStream", times: Sequence[PacketTimes], time_base: Fraction) -> Packets:
    for packet, time in zip(packets, times, strict=True):
        packet.time_base, packet.stream = time_base, stream
        packet.pts, packet.dts, packet.duration = time
        yield packet


def _copied(
    output: "av.container.OutputContainer",
    container: "av.container.InputContainer",
    index: int,
    stream: Stream,
    later: Fraction,
) -> Packets:
    """stream: of the source. index: of the same in `container`. later: seconds."""
    template = container.streams[index]
    copy = output.add_stream_from_template(template)
    if stream.language:
        copy.metadata["language"] = stream.language
    return _of(demux(container, index), copy, later)


def _of(packets: Packets, stream: "av.stream.Stream", later: Fraction) -> Packets:
    """Decode times that do not rise, as fragmented files may have them, are moved by a tick, as ffmpeg does.

    MediaError where they start anew.
    """
    last: int | None = None
    for packet in packets:
        ticks_later = round(later / (packet.time_base or 1))
        packet.pts = None if packet.pts is None else packet.pts + ticks_later
        if packet.dts is not None:
            packet.dts += ticks_later
            if last is not None and packet.dts <= last:
                if (last - packet.dts) * (packet.time_base or 1) > _MAX_STEP_BACK:
                    raise MediaError("The times of its sound start anew; mask it with --audio drop.")
                packet.dts = last + 1
                packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
            last = packet.dts
        packet.stream = stream
        yield packet


def _written_at(packet: "av.Packet[Any]") -> Fraction:
    time = packet.dts if packet.dts is not None else packet.pts or 0
    return time * (packet.time_base or Fraction(1))


def _encode_audio(source: Path, target: Path, info: VideoInfo, selection: StreamSelection) -> dict[int, Path]:
    """Files, each with one audio stream as AAC, by the index of the stream in the source."""
    encoded = {}
    for stream in selection.kept:
        if selection.transcodes(stream):
            file = target.with_name(f"audio-{stream.index}.mp4")
            argv = ffmpeg.compile(_command(source, file, stream), cmd=["ffmpeg", *_QUIET], overwrite_output=True)
            run(argv, timeout=60 + info.size / _MIN_BYTES_PER_SECOND)
            encoded[stream.index] = file
    return encoded


def _command(source: Path, target: Path, stream: Stream) -> "ffmpeg.nodes.OutputStream":
    safe = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS, **LATE_STREAMS}
    original = ffmpeg.input(local(source), **safe)[str(stream.index)]
    options = {"format": "mp4", "c:a": "aac", "b:a": _AUDIO_BIT_RATE, "map_metadata": -1, "copyts": None}
    return ffmpeg.output(original, local(target), **options)
