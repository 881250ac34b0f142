"""Reads the header of a file with ffprobe: its container, streams and tags, as the file claims them."""

import json
from pathlib import Path
from typing import Any

from dashredact.errors import MediaError, UnreadableError
from dashredact.media.announced_size import missing_bytes
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, ToolTimeoutError, local, run

_PROBE_SECONDS = 60
_SIGNATURES = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"ID3", "an audio file"),
    (b"#EXTM3U", "a playlist"),
)
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def read_header(path: Path) -> dict[str, Any]:
    """ffprobe's JSON with `format`, `streams` and `chapters`. UnreadableError if the file is not a video."""
    shown = ["-show_format", "-show_streams", "-show_chapters", "-of", "json"]
    safe = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    try:
        output = run(["ffprobe", "-v", "error", *safe, *shown, "-i", local(path)], timeout=_PROBE_SECONDS)
        header = json.loads(output)
        if not isinstance(header, dict) or "format" not in header:
            raise ValueError("ffprobe did not describe it")
    except ToolTimeoutError as error:
        raise UnreadableError(f"{path.name}: could not be read: {error}") from None
    except (MediaError, ValueError) as error:
        raise UnreadableError(f"{path.name}: {_explanation(path, str(error))}") from None
    return header


def _explanation(path: Path, ffprobe_error: str) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return f"is {name}, not a video, despite its name."
    if head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"WAVE"):
        return f"is a {head[8:12].decode()} file, not a video, despite its name."
    if head[4:8] in _MP4_BOXES and ("moov atom not found" in ffprobe_error or missing_bytes(path, "mp4")):
        return "is truncated: the index at the end of an MP4 file is missing; copy the file again from the camera."
    return "is not a video, or its beginning is damaged; copy it again from the camera."
