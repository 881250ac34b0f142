"""The one place that starts a child process: no shell, no input, a time limit, nothing left running."""

import errno
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dashredact.errors import MachineError, MediaError

PROTOCOLS = "file"
FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,mxf,ogg,nut,h264,hevc,m4v"
"""Containers that may be opened. Playlists, image sequences and network formats can make ffmpeg read other files."""

_FULL = "The disk is full; make room and run again."
_TAIL = 400  # characters of a tool's complaint that are passed on


def local(path: Path) -> str:
    """A path as ffmpeg takes it: never an option, never another protocol, whatever the name looks like."""
    return f"file:{path.absolute()}"


def require(name: str) -> str:
    """The path of an installed tool. MachineError where it is missing."""
    found = shutil.which(name)
    if found is None:
        raise MachineError(f"{name} is not installed; install the ffmpeg package of your system (apt install ffmpeg).")
    return found


def run(argv: Sequence[str], *, timeout: float) -> str:
    """What the tool wrote to stdout. MediaError with the tool's last words if it fails or takes too long (seconds)."""
    tool = Path(argv[0]).name
    try:
        done = subprocess.run(
            [require(argv[0]), *argv[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise MediaError(f"{tool} made no end within {timeout:.0f} s and was stopped.") from None
    if done.returncode and b"No space left on device" in done.stderr:
        raise MachineError(_FULL)
    if done.returncode:
        raise MediaError(f"{tool} ended with code {done.returncode}: {_last_words(done.stderr)}")
    return done.stdout.decode(errors="replace")


def raise_full(error: Exception) -> None:
    """MachineError if that is what happened: the next video would fare no better."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        raise MachineError(_FULL) from error


def _last_words(stderr: bytes) -> str:
    lines = stderr[-8000:].decode(errors="replace").replace("\r", "\n").strip().splitlines()
    return " / ".join(line.strip() for line in lines[-3:])[-_TAIL:] or "no message"


@cache
def ffmpeg_version() -> tuple[int, int]:
    """Major and minor version; (0, 0) for a build that does not say."""
    words = run(["ffmpeg", "-hide_banner", "-version"], timeout=20)
    number = re.search(r"version n?(\d+)\.(\d+)", words)
    return (int(number[1]), int(number[2])) if number else (0, 0)
