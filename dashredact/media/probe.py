"""What a file is, before a frame of it is decoded: the header's claims, and the packets that are really there.

Raises UnreadableError for what is no video and RefusedError for what should not be opened; oddities that do not
stand in the way become notes, reasons to refuse under `--damaged refuse` become damages.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from dashredact.errors import RefusedError, UnreadableError
from dashredact.media.header import read_header
from dashredact.media.info import PacketIndex, Stream, StreamKind, VideoInfo, VideoStream
from dashredact.media.packets import scan

_LONGER_SOUND = 5  # seconds that the sound of a good file may outlast its picture
_MOST_PIXELS = 8192 * 8192  # a header may claim a picture that fills the memory
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
    """Facts of a video file. video_stream: index of the one to mask, where a file has several."""
    size = _size(path)
    header = read_header(path)
    streams = tuple(_stream(entry) for entry in header.get("streams", []))
    video = _choose(path.name, streams, video_stream)
    packets = scan(path, video.index)
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
        step=_step(packets, video.time_base),
        tags=_tags(header),
        notes=tuple(_notes(path, container, video, packets, duration)),
        damages=tuple(_damages(container, video, packets)),
    )


def _size(path: Path) -> int:
    if not path.is_file():
        raise UnreadableError(f"{path.name}: is not a file; name a video file or a folder of them.")
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
        time_base=_fraction(entry.get("time_base")) or Fraction(1, 1000),
        sample_aspect_ratio=_fraction(entry.get("sample_aspect_ratio", "").replace(":", "/")) or Fraction(1),
        rotation=_rotation(entry),
        field_order=entry.get("field_order", "progressive"),
        color_range=entry.get("color_range", ""),
        color_space=entry.get("color_space", ""),
        color_transfer=entry.get("color_transfer", ""),
        color_primaries=entry.get("color_primaries", ""),
        claimed_frames=int(entry["nb_frames"]) if entry.get("nb_frames", "").isdigit() else None,
    )


def _kind(entry: dict[str, Any]) -> StreamKind:
    named = entry.get("codec_type", "")
    if named == "video" and _is_thumbnail(entry):
        return StreamKind.THUMBNAIL
    return StreamKind(named) if named in list(StreamKind) else StreamKind.UNKNOWN


def _is_thumbnail(entry: dict[str, Any]) -> bool:
    disposition = entry.get("disposition", {})
    return bool(
        disposition.get("attached_pic") or disposition.get("timed_thumbnails") or disposition.get("still_image")
    )


def _rotation(entry: dict[str, Any]) -> int:
    turns = [side.get("rotation", 0) for side in entry.get("side_data_list", [])]
    return int(next((turn for turn in turns if turn), 0))


def _tags(header: dict[str, Any]) -> frozenset[str]:
    owners = [header.get("format", {}), *header.get("streams", [])]
    return frozenset(name.lower() for owner in owners for name in owner.get("tags", {}))


def _choose(name: str, streams: tuple[Stream, ...], wanted: int | None) -> VideoStream:
    """The stream to mask: the only one, or the one asked for."""
    videos = [stream for stream in streams if isinstance(stream, VideoStream) and stream.kind is StreamKind.VIDEO]
    chosen = [stream for stream in videos if wanted is None or stream.index == wanted]
    if not videos:
        raise UnreadableError(f"{name}: holds no video stream ({_listed(streams) or 'no stream at all'}).")
    if not chosen:
        raise RefusedError(f"{name}: has no video stream #{wanted}; it has {_listed(videos)}.")
    if len(chosen) > 1:
        raise RefusedError(
            f"{name}: has {len(chosen)} video streams ({_listed(videos)}) and a stream that is not masked may not get"
            f" out; choose one with --video-stream {videos[0].index}, the others are dropped."
        )
    video = chosen[0]
    if not video.width or not video.height or not video.pixel_format:
        raise UnreadableError(f"{name}: its video stream ({video.codec}) has no readable picture.")
    if video.width * video.height > _MOST_PIXELS:
        raise RefusedError(f"{name}: claims pictures of {video.width}x{video.height}, more than is believable.")
    return video


def _listed(streams: tuple[Stream, ...] | list[VideoStream]) -> str:
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
        yield f"its name ends in {suffix or 'nothing'}, its content is {container}"
    if video.claimed_frames is not None and video.claimed_frames != len(packets):
        yield f"the header claims {video.claimed_frames} frames, {len(packets)} are there"
    pts = packets.shown_pts
    # Some containers count a duration from the first frame, some from 0.
    span = (pts[-1] - min(pts[0], 0)) * video.time_base if pts else Fraction(0)
    if duration is not None and duration > 2 * span + _LONGER_SOUND:
        yield f"the header claims {float(duration):.1f} s, the last frame is at {float(span):.1f} s"
    hidden = len(packets) - sum(packets.shown)
    if hidden:
        yield f"an edit list hides {hidden} of {len(packets)} frames"


def _damages(container: str, video: VideoStream, packets: PacketIndex) -> Iterator[str]:
    # Other containers' counts are estimates: an AVI counts slots, the frames that a camera skipped among them.
    if container in ("mp4", "mov") and video.claimed_frames and len(packets) < video.claimed_frames:
        missing = video.claimed_frames - len(packets)
        yield f"it is cut off: {missing} of the {video.claimed_frames} frames in its index are missing"
    if packets.corrupt:
        first = float(packets.pts[packets.corrupt[0]] * video.time_base)
        yield f"parts of it are missing: {len(packets.corrupt)} incomplete packets, the first at {first:.2f} s"


def _step(packets: PacketIndex, time_base: Fraction) -> tuple[Fraction, Fraction] | None:
    pts = packets.shown_pts
    steps = [after - before for before, after in pairwise(pts)]
    return (min(steps) * time_base, max(steps) * time_base) if steps else None


def _fraction(text: str | None) -> Fraction | None:
    """`30000/1001` or `1.5`; None for what is missing, N/A or divides by zero."""
    try:
        return Fraction(text) if text else None
    except (ValueError, ZeroDivisionError):
        return None
