"""Atomic writes, digests and safe names. A file appears under its final name whole or not at all, mode 0600."""

import hashlib
import os
from pathlib import Path, PurePosixPath

from dashredact.errors import MachineError, UsageError

_MAX_NAME = 255  # bytes, on all common file systems
_MAX_PATH = 4000  # bytes


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_digest(path: Path, digest: str) -> bool:
    """Whether the file exists and has that sha256."""
    return path.is_file() and sha256(path) == digest


def within(folder: Path, name: str) -> Path | None:
    """The path of a regular file inside the folder; None if it is missing, or is or lies behind a symbolic link."""
    path = folder / name
    try:
        return path if path.is_file() and path.resolve() == folder.resolve() / name else None
    except (OSError, ValueError):
        return None


def inside(folder: Path, name: str) -> Path | None:
    """The path of whatever has that name inside the folder; None if the name leads out, also by a symbolic link."""
    pure = PurePosixPath(name)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in name:
        return None
    if len(os.fsencode(name)) > _MAX_PATH or any(len(os.fsencode(part)) > _MAX_NAME for part in pure.parts):
        return None
    try:
        path = folder / pure
        return path if path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # too long, or a loop of links
        return None


def private_folder(path: Path) -> Path:
    """Create the folder and its parents, new ones 0700. MachineError if that fails."""
    try:
        for folder in [*reversed(path.parents), path]:
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise MachineError(f"The folder {path} cannot be created ({error.strerror}); choose another.") from None
    return path


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file atomically and durably: a power cut leaves the old content or the new."""
    temporary = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.tmp")
    temporary.unlink(missing_ok=True)  # of a crash, or a link that somebody planted to have its target overwritten
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    publish(temporary, path, mode)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that a person named, and its folders. UsageError if the name is taken or cannot be written."""
    try:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} already exists; give another name with -o, or remove it first.")
        write(private_folder(path.parent) / path.name, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); give another name.") from None


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


def bounded_name(stem: str, suffix: str) -> str:
    """`stem + suffix`; a stem that is too long for the file system is cut and gets a hash, so names stay distinct."""
    if len(os.fsencode(stem + suffix)) <= _MAX_NAME:
        return stem + suffix
    tag = "~" + hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    space = _MAX_NAME - len(os.fsencode(tag + suffix))
    return os.fsencode(stem)[:space].decode(errors="ignore") + tag + suffix
