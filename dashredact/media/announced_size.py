"""How long a file says that it is, in the containers that do: what is missing of that was cut off."""

import struct
from pathlib import Path
from typing import BinaryIO

_HEAD = 4096  # bytes within which most of them say so
_MAX_BOXES = 1_000_000  # a fragment a second makes 172,800 a day; a hostile file may hold one every eight bytes
_EBML_SEGMENT = b"\x18\x53\x80\x67"
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def missing_bytes(path: Path, container: str) -> int:
    """0 for a file that is whole, or does not say how long it is. container: as in `VideoInfo`."""
    sizes = {"mp4": _boxes, "mov": _boxes, "mkv": _matroska, "webm": _matroska, "avi": _riff, "wmv": _asf}
    with path.open("rb") as file:
        announced = sizes[container](file) if container in sizes else 0
    return max(announced - path.stat().st_size, 0)


def _boxes(file: BinaryIO) -> int:
    """Each box of the outermost level says how long it is, or with 0 that it is the last."""
    position = 0
    for _ in range(_MAX_BOXES):
        head = file.read(16)
        if len(head) < 16:
            break
        (size,) = struct.unpack_from(">I", head)
        (size,) = struct.unpack_from(">Q", head, 8) if size == 1 else (size,)
        if size < 8:
            break
        position += size
        file.seek(position)
    return position


def _matroska(file: BinaryIO) -> int:
    """Its one segment says how long it is, but for a live recording."""
    head = file.read(_HEAD)
    position = head.find(_EBML_SEGMENT)
    if not 0 <= position < len(head) - len(_EBML_SEGMENT) - 8:  # what follows is its size, of at most 8 bytes
        return 0
    position += len(_EBML_SEGMENT)
    width = 9 - head[position].bit_length()  # leading zeros of the first byte say how many bytes the size has
    size = int.from_bytes(head[position : position + width]) & ((1 << 7 * width) - 1)
    return 0 if size == (1 << 7 * width) - 1 else position + width + size


def _riff(file: BinaryIO) -> int:
    """Of the first gigabyte; a recorder that lost its power has left 0."""
    (size,) = struct.unpack_from("<I", file.read(8), 4)
    return int(size) + 8 if size else 0


def _asf(file: BinaryIO) -> int:
    head = file.read(_HEAD)
    position = head.find(_ASF_FILE_PROPERTIES)  # GUID, size, GUID of the file, size of the file
    if not 0 <= position <= len(head) - 48:
        return 0
    (size,) = struct.unpack_from("<Q", head, position + 40)
    return int(size)
