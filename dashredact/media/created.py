"""When a container says that it was recorded."""

import json
from pathlib import Path

from dashredact.errors import MediaError
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, local, run

_SECONDS = 20


def created(path: Path) -> tuple[str, float | None]:
    """ISO 8601, and the seconds that it lasts; empty and None where it does not say, or cannot be read."""
    asked = ["-show_entries", "format=duration:format_tags=creation_time", "-of", "json"]
    safe = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    try:
        told = json.loads(run(["ffprobe", "-v", "error", *safe, *asked, "-i", local(path)], timeout=_SECONDS))
        format_ = told.get("format", {})
        length = format_.get("duration")
        return str(format_.get("tags", {}).get("creation_time", "")), float(length) if length else None
    except (MediaError, ValueError, AttributeError):
        return "", None
