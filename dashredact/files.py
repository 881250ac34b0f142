"""Atomic writes, digests, safe names and locks. A file appears under its final name whole or not at all, mode 0600."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from dashredact.errors import LockedError, MachineError, UsageError

WORK_FOLDER = ".dashredact"
_MAX_NAME = 255  # bytes, on all common file systems
_MASKING_LOCK, _DECISION_LOCK = "lock", "desk"
_LOCK_TIMEOUT, _POLL_INTERVAL = 10.0, 0.05  # seconds; an inbox scan, like most decisions, takes less


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


def readable_by_others(folder: Path) -> list[str]:
    """Names of the files under it that users other than the owner can read or write; lock files, being empty, aside."""
    locks = [folder / WORK_FOLDER / name for name in (_MASKING_LOCK, _DECISION_LOCK)]
    regular = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [
        path.relative_to(folder).as_posix() for path in regular if path not in locks and path.stat().st_mode & 0o077
    ]


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
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
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


@dataclass(frozen=True)
class MaskingLock:
    """A held lock on the output folder."""

    _file: TextIOWrapper

    def release_for(self, seconds: float) -> None:
        """Release it for that long, and longer if another process still holds it then."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        time.sleep(seconds)
        fcntl.flock(self._file, fcntl.LOCK_EX)


@contextmanager
def masking_lock(folder: Path, timeout: float = 0.0) -> Iterator[MaskingLock]:
    """Keep other runs out of the output folder. The kernel releases the lock when the process ends, however it ends.

    timeout: seconds to wait for it. LockedError after that.
    """
    with _locked(folder, _MASKING_LOCK, timeout, f"Another run is writing to {folder}; wait for it to end.") as file:
        yield MaskingLock(file)


@contextmanager
def decision_lock(folder: Path) -> Iterator[None]:
    """Keep other reviewers out; masking may go on meanwhile. LockedError if another reviewer keeps it for 10 s."""
    message = f"Somebody else is reviewing {folder}; wait for them to finish."
    with _locked(folder, _DECISION_LOCK, _LOCK_TIMEOUT, message):
        yield


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Hold both locks: for deleting or replacing files that a run or a reviewer may be using."""
    with masking_lock(folder, _LOCK_TIMEOUT), decision_lock(folder):
        yield


@contextmanager
def _locked(folder: Path, name: str, timeout: float, message: str) -> Iterator[TextIOWrapper]:
    path = private_folder(private_folder(folder) / WORK_FOLDER) / name
    deadline = time.monotonic() + timeout
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "a") as file:
        while not _try_lock(file):
            if time.monotonic() >= deadline:
                raise LockedError(message)
            time.sleep(_POLL_INTERVAL)
        yield file


def _try_lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def bounded_name(stem: str, suffix: str) -> str:
    """`stem + suffix`; a stem that is too long for the file system is cut and gets a hash, so names stay distinct."""
    if len(os.fsencode(stem + suffix)) <= _MAX_NAME:
        return stem + suffix
    tag = "~" + hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    space = _MAX_NAME - len(os.fsencode(tag + suffix))
    return os.fsencode(stem)[:space].decode(errors="ignore") + tag + suffix
