"""Files under their final names appear whole or not at all, and for their owner's eyes only."""

import hashlib
import os
from pathlib import Path

from dashredact.errors import MachineError, UsageError

_CHUNK = 1 << 20
_LONGEST_NAME = 255  # bytes, on every file system we know


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_digest(path: Path, digest: str) -> bool:
    """Whether the file is there and has that sha256."""
    return path.is_file() and sha256(path) == digest


def within(folder: Path, name: str) -> Path | None:
    """The file of that name that really lies in the folder; None where it is missing, a link, or behind one."""
    path = folder / name
    try:
        return path if path.is_file() and path.resolve() == folder.resolve() / name else None
    except (OSError, ValueError):
        return None


def private_folder(path: Path) -> Path:
    """Make the folder and those above it, 0700 where they are new. MachineError where that is not possible."""
    try:
        for folder in [*reversed(path.parents), path]:
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise MachineError(f"The folder {path} cannot be made ({error.strerror}); choose another.") from None
    return path


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put the content under that name in one step that survives a power cut."""
    beside = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    publish(beside, path, mode)


def write_new(path: Path, content: bytes) -> None:
    """The same for a name that a person gave, and its folders. UsageError where it is taken or cannot be written."""
    try:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already; give another name with -o, or remove it first.")
        write(private_folder(path.parent) / path.name, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}).") from None


def publish(finished: Path, path: Path, mode: int = 0o600) -> None:
    """Give a finished file its final name: fsync, chmod, rename, fsync the folder."""
    with finished.open("rb") as file:
        os.fsync(file.fileno())
    finished.chmod(mode)
    finished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def bounded_name(stem: str, ending: str) -> str:
    """`stem + ending`, the stem shortened where the file system would not take it; still one name for one stem."""
    if len(os.fsencode(stem + ending)) <= _LONGEST_NAME:
        return stem + ending
    mark = "~" + hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    room = _LONGEST_NAME - len(os.fsencode(mark + ending))
    return os.fsencode(stem)[:room].decode(errors="ignore") + mark + ending
