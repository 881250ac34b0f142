"""What ffprobe says of a file: container, streams and their tags, as claimed by its header."""

import json
from pathlib import Path
from typing import Any

from dashredact.errors import MediaError, UnreadableError
from dashredact.media.ffmpeg import FORMATS, PROTOCOLS, local, run

_PROBE_SECONDS = 60
_SIGNATURES = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"ID3", "a sound file"),
    (b"#EXTM3U", "a playlist"),
)
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def read_header(path: Path) -> dict[str, Any]:
    """ffprobe's JSON with `format`, `streams` and `chapters`. Raises UnreadableError where the file is no video."""
    shown = ["-show_format", "-show_streams", "-show_chapters", "-of", "json"]
    safe = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    try:
        answer = run(["ffprobe", "-v", "error", *safe, *shown, "-i", local(path)], timeout=_PROBE_SECONDS)
        header = json.loads(answer)
        if not isinstance(header, dict) or "format" not in header:
            raise ValueError("ffprobe said nothing about it")
    except (MediaError, ValueError) as error:
        raise UnreadableError(f"{path.name}: {_what_instead(path, str(error))}") from None
    return header


def _what_instead(path: Path, complaint: str) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return f"is {name}, not a video, whatever its name says."
    if head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"WAVE"):
        return f"is a {head[8:12].decode()} file, not a video, whatever its name says."
    if "moov atom not found" in complaint and head[4:8] in _MP4_BOXES:
        return "is cut off: the index of an MP4 stands at its end and is missing; copy the file again from the camera."
    if "made no end" in complaint:
        return f"could not be read: {complaint}"
    return "is not a video, or is damaged from its first bytes on; copy it again from the camera."
