"""Runs ffmpeg and ffprobe: without a shell, without input, with a time limit. No other module of this package does."""

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
"""Containers that may be opened: playlists, image sequences and network formats can make ffmpeg read other files."""

_DISK_FULL = "The disk is full; make room and run again."
_ADDRESS = re.compile(r"\[([\w,#:/ ]+?) @ 0x[0-9a-f]+\] ?")  # [mpegts @ 0x55d394cf7500]
_MAX_MESSAGE = 400  # characters of a tool's error output that are passed on


class ToolTimeoutError(MediaError):
    """A tool did not finish within its time limit."""


def local(path: Path) -> str:
    """A path for ffmpeg's command line that cannot be read as an option or as another protocol."""
    return f"file:{path.absolute()}"


def require(name: str) -> str:
    """The path of an installed tool. MachineError if it is missing."""
    path = shutil.which(name)
    if path is None:
        raise MachineError(f"{name} is not installed; install the ffmpeg package of your system (apt install ffmpeg).")
    return path


def run(argv: Sequence[str], *, timeout: float) -> str:
    """The tool's stdout. timeout: seconds.

    MediaError with the tool's last lines if it fails, ToolTimeoutError if it takes too long, MachineError if the disk
    is full.
    """
    tool = Path(argv[0]).name
    try:
        done = subprocess.run(
            [require(argv[0]), *argv[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolTimeoutError(f"{tool} did not finish within {timeout:.0f} s and was killed.") from None
    if done.returncode and b"No space left on device" in done.stderr:
        raise MachineError(_DISK_FULL)
    if done.returncode:
        raise MediaError(f"{tool} failed with code {done.returncode}: {_last_lines(done.stderr)}")
    return done.stdout.decode(errors="replace")


def raise_if_disk_full(error: Exception) -> None:
    """Raise MachineError instead if the error means a full disk: then the other videos would fail too."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        raise MachineError(_DISK_FULL) from error


def _last_lines(stderr: bytes) -> str:
    lines = stderr[-8000:].decode(errors="replace").replace("\r", "\n").strip().splitlines()
    plain = [_ADDRESS.sub(r"\1: ", line).strip() for line in lines[-3:]]
    return " / ".join(plain)[-_MAX_MESSAGE:] or "no message"


def version_text(tool: str = "ffmpeg") -> str:
    """As the tool gives it, such as `5.1.6-0+deb12u1`."""
    words = run([tool, "-hide_banner", "-version"], timeout=20).split()
    return words[words.index("version") + 1] if "version" in words[:-1] else "of an unknown version"


@cache
def ffmpeg_version() -> tuple[int, int]:
    """Major and minor version; (0, 0) for builds without a release number."""
    output = run(["ffmpeg", "-hide_banner", "-version"], timeout=20)
    number = re.search(r"version n?(\d+)\.(\d+)", output)
    return (int(number[1]), int(number[2])) if number else (0, 0)
