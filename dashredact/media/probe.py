"""Describes a file without decoding it, from its header (ffprobe) and from a scan of its packets."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.announced_size import missing_bytes
from dashredact.media.header import read_header
from dashredact.media.info import PacketIndex, Stream, StreamKind, VideoInfo, VideoStream
from dashredact.media.packets import scan
from dashredact.text import plural

_MAX_UNREAD = 0.2  # of an FLV, behind its last frame
_MAX_AUDIO_OVERHANG = 5  # seconds by which the audio of an intact file may outlast its picture
_MAX_PIXELS = 8192 * 8192  # a header may claim a picture that would fill the memory
_CONTAINERS = {"mp4": "mp4", "matroska": "mkv", "mpegts": "ts", "avi": "avi", "mpeg": "mpg", "flv": "flv", "asf": "wmv"}
_SUFFIXES = {
    "mp4": {".mp4", ".m4v", ".3gp", ".3g2", ".mov", ".lrv", ".insv", ".360"},
    "mov": {".mov", ".mp4", ".qt"},
    "mkv": {".mkv", ".webm"},
    "webm": {".webm", ".mkv"},
    "ts": {".ts", ".mts", ".m2ts", ".m2t"},
    "avi": {".avi"},
}


def probe(path: Path, *, video_stream: int | None = None) -> VideoInfo:
    """video_stream: index of the stream to mask, for files that have several.

    UnreadableError for files that are not videos, RefusedError for videos that cannot be masked as a whole. The result
    lists less serious irregularities as `notes` and damage as `damages`.
    """
    size = _size(path)
    header = read_header(path)
    streams = tuple(_stream(entry) for entry in header.get("streams", []))
    video = _select_video(path.name, streams, video_stream)
    packets = scan(path, video.index, video.rate, video.delay)
    container = _container(header, video)
    duration = _fraction(header.get("format", {}).get("duration"))
    return VideoInfo(
        name=path.name,
        size=size,
        container=container,
        video=video,
        streams=streams,
        chapters=len(header.get("chapters", [])),
        duration=duration,
        packets=packets,
        frame_intervals=_frame_intervals(packets, video.time_base),
        tags=_tags(header),
        notes=tuple(_notes(path, container, video, packets, duration)),
        damages=tuple(_damages(path, container, video, packets)) or _unexplained(packets),
    )


def _size(path: Path) -> int:
    if not path.is_file():
        raise UnreadableError(f"{path.name}: is not a file; name a video file or a folder of video files.")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableError(f"{path.name}: is empty (0 bytes); was the upload cut off?")
    return size


def _stream(entry: dict[str, Any]) -> Stream:
    kind = _kind(entry)
    tags = entry.get("tags", {})
    common: dict[str, Any] = {
        "index": int(entry["index"]),
        "kind": kind,
        "codec": entry.get("codec_name", "unknown"),
        "tag": entry.get("codec_tag_string", "").strip("\0"),
        "language": tags.get("language", ""),
        "start": _fraction(entry.get("start_time")),
        "duration": _fraction(entry.get("duration")),
    }
    if kind not in (StreamKind.VIDEO, StreamKind.THUMBNAIL):
        return Stream(**common)
    return VideoStream(
        **common,
        width=int(entry.get("width", 0)),
        height=int(entry.get("height", 0)),
        pixel_format=entry.get("pix_fmt", ""),
        rate=_fraction(entry.get("avg_frame_rate")) or _fraction(entry.get("r_frame_rate")),
        delay=int(entry.get("has_b_frames", 0)),
        time_base=_fraction(entry.get("time_base")) or Fraction(1, 1000),
        sample_aspect_ratio=_fraction(entry.get("sample_aspect_ratio", "").replace(":", "/")) or Fraction(1),
        rotation=_rotation(entry),
        field_order=entry.get("field_order", "progressive"),
        color_range=entry.get("color_range", ""),
        color_space=entry.get("color_space", ""),
        color_transfer=entry.get("color_transfer", ""),
        color_primaries=entry.get("color_primaries", ""),
        chroma_location=entry.get("chroma_location", ""),
        claimed_frames=int(entry["nb_frames"]) if entry.get("nb_frames", "").isdigit() else None,
    )


def _kind(entry: dict[str, Any]) -> StreamKind:
    codec_type = entry.get("codec_type", "")
    if codec_type == "video" and _is_thumbnail(entry):
        return StreamKind.THUMBNAIL
    return StreamKind(codec_type) if codec_type in list(StreamKind) else StreamKind.UNKNOWN


def _is_thumbnail(entry: dict[str, Any]) -> bool:
    disposition = entry.get("disposition", {})
    return bool(
        disposition.get("attached_pic") or disposition.get("timed_thumbnails") or disposition.get("still_image")
    )


def _rotation(entry: dict[str, Any]) -> int:
    rotations = [side.get("rotation", 0) for side in entry.get("side_data_list", [])]
    return int(next((rotation for rotation in rotations if rotation), 0))


def _tags(header: dict[str, Any]) -> frozenset[str]:
    parts = [header.get("format", {}), *header.get("streams", [])]
    return frozenset(name.lower() for part in parts for name in part.get("tags", {}))


def _select_video(name: str, streams: tuple[Stream, ...], wanted: int | None) -> VideoStream:
    """The video stream to mask: the only one, or the one with the requested index."""
    videos = [stream for stream in streams if isinstance(stream, VideoStream) and stream.kind is StreamKind.VIDEO]
    selected = [stream for stream in videos if wanted is None or stream.index == wanted]
    if not videos:
        raise UnreadableError(f"{name}: has no video stream ({_list_streams(streams) or 'no streams at all'}).")
    if not selected:
        raise RefusedError(f"{name}: has no video stream #{wanted}; it has {_list_streams(videos)}.")
    if len(selected) > 1:
        raise RefusedError(
            f"{name}: has {len(selected)} video streams ({_list_streams(videos)}), of which only one can be masked;"
            f" choose it, as in --video-stream {videos[0].index}, and the others are dropped."
        )
    video = selected[0]
    if not video.width or not video.height or not video.pixel_format:
        raise UnreadableError(f"{name}: its video stream ({video.codec}) has no readable picture.")
    if video.width * video.height > _MAX_PIXELS:
        raise RefusedError(
            f"{name}: claims a picture of {video.width}x{video.height}, more than this tool accepts; check the file."
        )
    return video


def _list_streams(streams: tuple[Stream, ...] | list[VideoStream]) -> str:
    return ", ".join(str(stream) for stream in streams)


def _container(header: dict[str, Any], video: VideoStream) -> str:
    names = header.get("format", {}).get("format_name", "").split(",")
    if "mov" in names:
        brand = header["format"].get("tags", {}).get("major_brand", "")
        return "mov" if brand.strip() in ("qt", "") and video.codec != "av1" else "mp4"
    if "webm" in names and video.codec in ("vp8", "vp9", "av1"):
        return "webm"
    return next((_CONTAINERS[name] for name in names if name in _CONTAINERS), names[0])


def _notes(
    path: Path, container: str, video: VideoStream, packets: PacketIndex, duration: Fraction | None
) -> Iterator[str]:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES.get(container, {suffix}):
        yield f"its name {f'ends in {suffix}' if suffix else 'has no extension'}, but its content is {container}"
    if video.claimed_frames is not None and video.claimed_frames != len(packets):
        yield f"the header claims {video.claimed_frames} frames, but the file contains {len(packets)}"
    pts = packets.shown_pts
    # Some containers count the duration from the first frame, others from 0.
    span = (pts[-1] - min(pts[0], 0)) * video.time_base if pts else Fraction(0)
    if duration is not None and duration > 2 * span + _MAX_AUDIO_OVERHANG:
        yield f"the header claims {float(duration):.1f} s, but the last frame is at {float(span):.1f} s"
    yield from packets.irregularities
    hidden = len(packets) - sum(packets.shown)
    if hidden:
        yield f"an edit list hides {hidden} of {len(packets)} frames"


def _damages(path: Path, container: str, video: VideoStream, packets: PacketIndex) -> Iterator[str]:
    # In other containers the count is an estimate: an AVI also counts frames that the camera skipped.
    if container in ("mp4", "mov") and video.claimed_frames and len(packets) < video.claimed_frames:
        missing = video.claimed_frames - len(packets)
        yield f"it is truncated: {missing} of the {video.claimed_frames} frames in its index are missing"
    elif missing := missing_bytes(path, container):
        yield f"it is truncated: {missing} of the bytes that it announces are missing"
    unread = path.stat().st_size - packets.read_until
    if container == "flv" and unread > _MAX_UNREAD * path.stat().st_size:
        yield f"its last {unread} bytes hold no frame that can be read, as if another recording were put behind it"
    if packets.corrupt:
        first = float(packets.pts[packets.corrupt[0]] * video.time_base)
        count = plural(len(packets.corrupt), "incomplete packet")
        yield f"parts of it are missing: {count}, the first at {first:.2f} s"


def _unexplained(packets: PacketIndex) -> tuple[str, ...]:
    return ("it is damaged or truncated: parts of it cannot be read",) if packets.unreadable else ()


def _frame_intervals(packets: PacketIndex, time_base: Fraction) -> tuple[Fraction, Fraction] | None:
    pts = packets.shown_pts
    intervals = [after - before for before, after in pairwise(pts)]
    return (min(intervals) * time_base, max(intervals) * time_base) if intervals else None


def _fraction(text: str | None) -> Fraction | None:
    """Parses `30000/1001` or `1.5`; None for text that is missing, N/A or divides by zero."""
    try:
        return Fraction(text) if text else None
    except (ValueError, ZeroDivisionError):
        return None
