"""A video file described for people and for programs."""

from dataclasses import asdict
from fractions import Fraction
from typing import Any

from dashredact.media.info import VideoInfo


def as_dict(info: VideoInfo) -> dict[str, Any]:
    """For JSON. Fractions, also of seconds, are text such as `30000/1001`."""
    video = info.video
    return {
        "name": info.name,
        "bytes": info.size,
        "container": info.container,
        "video": {
            **{name: _json_value(value) for name, value in asdict(video).items()},
            "variable_rate": info.variable_rate,
            "true_start": _json_value(info.start),
            "counted_frames": len(info.packets),
            "shown_frames": len(info.packets.shown_pts),
            "key_frames": sum(info.packets.keys),
        },
        "streams": [{name: _json_value(value) for name, value in asdict(stream).items()} for stream in info.streams],
        "chapters": info.chapters,
        "claimed_duration": _json_value(info.duration),
        "notes": list(info.notes),
        "damages": list(info.damages),
    }


def _json_value(value: Any) -> Any:
    return str(value) if isinstance(value, Fraction) else value


def as_text(info: VideoInfo) -> str:
    """Several lines for a terminal."""
    video = info.video
    lines = [
        f"{info.name}: {info.container}, {info.size:,} bytes",
        f"  picture   {video.codec} {video.width}x{video.height} {video.pixel_format}{_rotation_text(video.rotation)}",
        f"  frames    {len(info.packets)} (header: {video.claimed_frames or 'unknown'}), {_rate_text(info)}",
        f"  time      starts at {_seconds(info.start)}, lasts {_seconds(_duration(info))}"
        f" (header: {_seconds(info.duration)})",
        f"  streams   {', '.join(map(str, info.streams))}",
    ]
    lines += [f"  note      {note}" for note in info.notes]
    lines += [f"  damage    {damage}" for damage in info.damages]
    return "\n".join(lines)


def _rotation_text(rotation: int) -> str:
    return f", rotated by {rotation}°" if rotation else ""


def _rate_text(info: VideoInfo) -> str:
    if info.variable_rate and info.frame_intervals:
        shortest, longest = map(float, info.frame_intervals)
        return f"variable rate, {shortest:.3f} to {longest:.3f} s apart"
    return f"{info.video.rate} per second"


def _duration(info: VideoInfo) -> Fraction | None:
    """From the first to the last frame."""
    pts = info.packets.shown_pts
    return (pts[-1] - pts[0]) * info.video.time_base if pts else None


def _seconds(time: Fraction | None) -> str:
    return "unknown" if time is None else f"{float(time):.3f} s"
