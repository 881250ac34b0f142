"""Facts of a file as people and programs read them."""

from dataclasses import asdict
from fractions import Fraction
from typing import Any

from dashredact.media.info import VideoInfo


def as_dict(facts: VideoInfo) -> dict[str, Any]:
    """For JSON: fractions as `30000/1001`, times in seconds as text with three digits behind the point."""
    video = facts.video
    return {
        "name": facts.name,
        "bytes": facts.size,
        "container": facts.container,
        "video": {
            **{name: _plain(value) for name, value in asdict(video).items()},
            "variable_rate": facts.variable_rate,
            "true_start": _plain(facts.start),
            "counted_frames": len(facts.packets),
            "shown_frames": len(facts.packets.shown_pts),
            "key_frames": sum(facts.packets.keys),
        },
        "streams": [{name: _plain(value) for name, value in asdict(stream).items()} for stream in facts.streams],
        "chapters": facts.chapters,
        "claimed_duration": _plain(facts.duration),
        "notes": list(facts.notes),
        "damages": list(facts.damages),
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Fraction) else value


def in_words(facts: VideoInfo) -> str:
    """A few lines for a terminal."""
    video = facts.video
    lines = [
        f"{facts.name}: {facts.container}, {facts.size:,} bytes",
        f"  picture   {video.codec} {video.width}x{video.height} {video.pixel_format}{_turned(video.rotation)}",
        f"  frames    {len(facts.packets)} counted, {video.claimed_frames or 'none'} claimed, {_rate(facts)}",
        f"  time      from {_seconds(facts.start)} on, lasts {_seconds(_length(facts))},"
        f" {_seconds(facts.duration)} claimed",
        f"  streams   {', '.join(map(str, facts.streams))}",
    ]
    lines += [f"  note      {note}" for note in facts.notes]
    lines += [f"  damaged   {damage}" for damage in facts.damages]
    return "\n".join(lines)


def _turned(rotation: int) -> str:
    return f", shown turned by {rotation}°" if rotation else ""


def _rate(facts: VideoInfo) -> str:
    if facts.variable_rate and facts.step:
        return f"variable rate, {float(facts.step[0]):.3f} to {float(facts.step[1]):.3f} s apart"
    return f"{facts.video.rate} a second"


def _length(facts: VideoInfo) -> Fraction | None:
    """From the first to the last frame."""
    pts = facts.packets.shown_pts
    return (pts[-1] - pts[0]) * facts.video.time_base if pts else None


def _seconds(time: Fraction | None) -> str:
    return "unknown" if time is None else f"{float(time):.3f} s"
