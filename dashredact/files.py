"""Files under their final names appear whole or not at all, and for their owner's eyes only."""

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

_CHUNK = 1 << 20
_LONGEST_NAME = 255  # bytes, on every file system we know
WORK_FOLDER = ".dashredact"
_LOCK, _DESK = "lock", "desk"
_PATIENCE, _BETWEEN = 10.0, 0.05  # seconds: a look at an inbox, and most of what people decide, takes less


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


def readable_by_others(folder: Path) -> list[str]:
    """Names of files under it that others than their owner can read or write; the locks hold nothing."""
    locks = [folder / WORK_FOLDER / name for name in (_LOCK, _DESK)]
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path.relative_to(folder).as_posix() for path in found if path not in locks and path.stat().st_mode & 0o077]


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


@dataclass(frozen=True)
class MaskingLock:
    """What its holder may do with it."""

    _file: TextIOWrapper

    def rest(self, seconds: float) -> None:
        """Let others have it for that long, or until they are done."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        time.sleep(seconds)
        fcntl.flock(self._file, fcntl.LOCK_EX)


@contextmanager
def masking_lock(folder: Path, patience: float = 0.0) -> Iterator[MaskingLock]:
    """Hold the output folder against other runs. The kernel lets go when the process ends, however it ends.

    patience: seconds to wait for it.
    """
    with _locked(folder, _LOCK, patience, f"Another run is writing to {folder}; wait for it to end.") as file:
        yield MaskingLock(file)


@contextmanager
def decision_lock(folder: Path) -> Iterator[None]:
    """Hold what people decide about the output folder. Runs may go on masking meanwhile; waits for other people."""
    with _locked(folder, _DESK, _PATIENCE, f"Somebody else is deciding about {folder}; wait for them to end."):
        yield


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Hold both: for what takes files away or replaces them while somebody may be looking at them."""
    with masking_lock(folder, _PATIENCE), decision_lock(folder):
        yield


@contextmanager
def _locked(folder: Path, name: str, patience: float, otherwise: str) -> Iterator[TextIOWrapper]:
    path = private_folder(private_folder(folder) / WORK_FOLDER) / name
    until = time.monotonic() + patience
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "a") as file:
        while not _taken(file):
            if time.monotonic() >= until:
                raise LockedError(otherwise)
            time.sleep(_BETWEEN)
        yield file


def _taken(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def bounded_name(stem: str, ending: str) -> str:
    """`stem + ending`, the stem shortened where the file system would not take it; still one name for one stem."""
    if len(os.fsencode(stem + ending)) <= _LONGEST_NAME:
        return stem + ending
    mark = "~" + hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    room = _LONGEST_NAME - len(os.fsencode(mark + ending))
    return os.fsencode(stem)[:room].decode(errors="ignore") + mark + ending
