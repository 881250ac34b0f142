"""Files deleted so that the audit log and the disk agree, whenever a run may be stopped.

What is to go is written down first, then it goes, then the log says so, and then the first note goes. `settle` brings
to an end what a stopped run left: if the file is still there the note goes, if not the log gets its line.
"""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.errors import ChangedError
from dashredact.workspace import locks
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder

_NOTE = "purge.json"
_LATE = "The run that deleted it was stopped; this line was written by the next one."
NOT_THE_FILE = "{} is not the file that the audit log names"


@dataclass(frozen=True)
class DeletionIntent:
    """What is to go, and what the log will say of it."""

    path: Path
    record: Mapping[str, Any]
    """`deletion` in it tells it from all others"""
    sha256: str | None
    """of the file; None for a folder"""
    sealed: tuple[Path, Path, str] | None = None
    """where its encrypted copy is, the name it gets, and its sha256"""


class Deletions:
    """From and around one output folder, whose lock is held."""

    def __init__(self, out: Path) -> None:
        """LedgerError where the audit log is broken."""
        self._index, self._log = Index(OutputFolder(out)), out / audit_log.NAME
        self._note = out / locks.STATE_FOLDER / _NOTE

    def carry_out(self, wish: DeletionIntent) -> None:
        """ChangedError where the file is not the one meant; OSError where it cannot be deleted. It is there then."""
        state = _identified(wish)
        self._begin(wish)
        try:
            if wish.sealed:
                files.publish(*wish.sealed[:2])
            if wish.sha256 and _state(wish.path) != state:
                raise ChangedError(f"{wish.path.name}: changed while it was read; run again.")
            _remove(wish.path)
        except (OSError, ChangedError):
            self.settle()
            raise
        self._index.append(wish.record)
        self._note.unlink()

    def settle(self) -> None:
        """Bring what a stopped run left to an end."""
        try:
            told = json.loads(self._note.read_bytes())
        except FileNotFoundError:
            return
        path, sealed = Path(told["path"]), told["sealed"]
        if os.path.lexists(path):
            if sealed and files.has_digest(Path(sealed[1]), sealed[2]):
                Path(sealed[1]).unlink()
        elif not self._is_recorded(told["record"]):
            reason = f"{told['record']['reason']} {_LATE}"
            self._index.append({**told["record"], "reason": reason})
        self._note.unlink()

    def _begin(self, wish: DeletionIntent) -> None:
        sealed = [*map(str, wish.sealed)] if wish.sealed else None
        told = {"path": str(wish.path.absolute()), "record": dict(wish.record), "sealed": sealed}
        files.write(self._note, json.dumps(told).encode())

    def _is_recorded(self, wanted: Mapping[str, Any]) -> bool:
        return any(record.get("deletion") == wanted["deletion"] for record in audit_log.records(self._log))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    with suppress(OSError):  # network folders may not know it
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _identified(wish: DeletionIntent) -> tuple[int, ...]:
    """The state in which it is the file meant."""
    state = _state(wish.path)
    if wish.sha256 and (wish.path.is_symlink() or not files.has_digest(wish.path, wish.sha256)):
        raise ChangedError(f"{NOT_THE_FILE.format(wish.path.name)}.")
    return state


def _state(path: Path) -> tuple[int, ...]:
    now = path.lstat()
    return now.st_size, now.st_mtime_ns, now.st_ino
