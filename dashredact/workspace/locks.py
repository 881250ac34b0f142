"""Who may change an output folder: one run that masks, one person who decides, or one command that does both.

The locks are held by the kernel (flock) and go when the process ends, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from dashredact.errors import LockedError
from dashredact.files import private_folder

STATE_FOLDER = ".dashredact"
"""What this tool keeps for itself in an output folder."""
MASKING, DECISION = "lock", "desk"
"""Names of the lock files, which hold nothing."""
WAIT = 10.0
"""seconds: one pass over an inbox, and most of what people decide, takes less"""
_POLL = 0.05


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
def masking_lock(folder: Path, wait: float = 0.0) -> Iterator[MaskingLock]:
    """Hold the output folder against other runs. wait: seconds. LockedError where another run holds it for longer."""
    with _locked(folder, MASKING, wait, f"Another run is writing to {folder}; wait for it to end.") as file:
        yield MaskingLock(file)


@contextmanager
def decision_lock(folder: Path) -> Iterator[None]:
    """Hold what people decide about the output folder. Runs may go on masking meanwhile; waits for other people."""
    with _locked(folder, DECISION, WAIT, f"Another person is deciding about {folder}; wait for them to finish."):
        yield


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Hold both: for what removes or replaces files while somebody may be looking at them."""
    with masking_lock(folder, WAIT), decision_lock(folder):
        yield


@contextmanager
def _locked(folder: Path, name: str, wait: float, otherwise: str) -> Iterator[TextIOWrapper]:
    path = private_folder(private_folder(folder) / STATE_FOLDER) / name
    until = time.monotonic() + wait
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "a") as file:
        while not _try_lock(file):
            if time.monotonic() >= until:
                raise LockedError(otherwise)
            time.sleep(_POLL)
        yield file


def _try_lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
