"""What a machine needs to mask videos: what is ready, what is not, and what to do about it. Changes nothing."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dashredact import files
from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.detect.dashnet import manifest
from dashredact.errors import DashredactError
from dashredact.media import encode, ffmpeg

_OLDEST_FFMPEG = (4, 3)
_LITTLE_SPACE = 10 << 30  # bytes
_OPTIONAL = {"onnxruntime": "ONNX models (--model FILE.onnx)", "onnx": "ONNX models (--model FILE.onnx)"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ready: bool
    found: str
    """what is there"""
    cure: str = ""
    """what to do where it is not ready, or could be better"""
    needed: bool = True
    """whether nothing can be masked without it"""


def check(folder: Path | None, options: DetectorOptions) -> Iterator[Check]:
    """folder: an output folder, there or not. options: of the detector that is tried on its known picture."""
    yield Check("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or newer")
    yield _trying("ffmpeg", _ffmpeg, "install the ffmpeg package of your system (apt install ffmpeg)")
    yield _trying("encoders", _encoders, "install the av package again")
    yield _trying("weights", _weights, "install dashredact again")
    yield _trying("detector", lambda: _detector(options), "see the message; --device cpu works on every machine")
    for package, use in _OPTIONAL.items():
        there = find_spec(package) is not None
        yield Check(
            package,
            there,
            "installed" if there else "not installed",
            f"pip install 'dashredact[onnx]' for {use}",
            needed=False,
        )
    if folder:
        yield from _folder(folder)


def _trying(name: str, look: Callable[[], str], cure: str) -> Check:
    try:
        return Check(name, True, look())
    except DashredactError as error:
        return Check(name, False, str(error).rstrip("."), cure)


def _ffmpeg() -> str:
    for tool in ("ffmpeg", "ffprobe"):
        ffmpeg.require(tool)
    major, minor = ffmpeg.ffmpeg_version()
    if (major, minor) != (0, 0) and (major, minor) < _OLDEST_FFMPEG:
        raise DashredactError(f"version {major}.{minor} is older than {'.'.join(map(str, _OLDEST_FFMPEG))}")
    return f"version {major}.{minor}" if major else "of an unknown version"


def _encoders() -> str:
    return ", ".join(encode.available())


def _weights() -> str:
    described = manifest.read(manifest.default_folder())
    for file in filter(None, (described.weights, described.opinion)):
        if not files.has_digest(described.folder / file.name, file.sha256):
            raise DashredactError(f"{described.folder / file.name} is missing, or not the file of its manifest")
    return f"{described.identity.name}, sha256 {described.identity.sha256[:12]}"


def _detector(options: DetectorOptions) -> str:
    """Loading it shows it its known picture: a face and a plate that it must find on this device."""
    detector = build_detector(options)
    detector([np.zeros((64, 64, 3), np.uint8)])
    return f"{detector.identity.name} finds its known face and plate on --device {options.device}"


def _folder(folder: Path) -> Iterator[Check]:
    there = folder if folder.exists() else next(parent for parent in folder.absolute().parents if parent.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    yield Check(
        "folder",
        writable,
        f"{folder} can be written" if writable else f"{there} cannot be written",
        "choose another folder, or change its owner",
    )
    mode = stat.S_IMODE(there.stat().st_mode)
    if folder.exists():
        private = not mode & 0o077
        yield Check(
            "privacy",
            private,
            f"{folder} has mode {mode:03o}",
            "chmod it to 700: others can list what is in it",
            needed=False,
        )
    free = shutil.disk_usage(there).free
    yield Check(
        "disk",
        free > _LITTLE_SPACE,
        f"{free / 2**30:.1f} GiB free",
        "make room: a video needs up to 2.5 times its size",
        needed=False,
    )
