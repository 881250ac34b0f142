"""The output folder: masked videos, their tracks files, the audit log that accounts for them, and who may change it.

Everything that reads or writes an output folder goes through here: names that the log holds become paths in one place,
and a change that a crash has cut short is settled before anything else is written, whichever command comes next.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.events import Event, FileEntry
from dashredact.errors import LockedError, RefusedError, UsageError
from dashredact.workspace import locks
from dashredact.workspace.journal import Entry, Journal
from dashredact.workspace.locks import MaskingLock


class FileState(StrEnum):
    """What lies on the disk under a name of the log."""

    AS_LOGGED = "as logged"
    CHANGED = "changed"
    MISSING = "missing"
    OUTSIDE = "outside"
    """the name leads out of the folder; nothing there was opened"""


_FAULTS = {
    FileState.OUTSIDE: "is outside the folder of the log",
    FileState.MISSING: "is missing",
    FileState.CHANGED: "is another file now: its content was changed or swapped",
}


class OutputFolder:
    """One output folder, which need not exist before something is written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / audit_log.NAME
        self.state_folder = path / locks.STATE_FOLDER
        self._journal = Journal(path, self.state_folder, self.events)

    @classmethod
    def existing(cls, path: Path) -> "OutputFolder":
        """The folder of a log, named by itself or by its `audit.jsonl`. UsageError where it holds no log.

        A head without its log passes: whoever reads that log is told that it is broken.
        """
        folder = cls(path.parent if path.is_file() and path.name == audit_log.NAME else path)
        if not folder.log.is_file() and not audit_log.head_path(folder.log).exists():
            raise UsageError(f"{path} holds no {audit_log.NAME}; name the folder that `redact` or `batch` wrote to.")
        return folder

    def __str__(self) -> str:
        return str(self.path)

    # --- names -------------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> Path:
        """The path of a name that the log holds. RefusedError where it leads out of the folder."""
        path = files.inside(self.path, name)
        if path is None:
            raise RefusedError(f"The audit log names {name!r}, which leads out of {self}; it was not opened.")
        return path

    def name_of(self, path: Path) -> str:
        """The name by which the log calls a file in the folder."""
        return path.relative_to(self.path).as_posix()

    def entry(self, path: Path, *, sha256: str = "", final: Path | None = None) -> FileEntry:
        """What the log says of a file. sha256: where it is known. final: the path that it will have."""
        digest = sha256 or files.sha256(path)
        return FileEntry(name=self.name_of(final or path), sha256=digest, bytes=path.stat().st_size)

    def state(self, entry: FileEntry) -> FileState:
        """Whether the file is the one that the log names; it is read in full."""
        path = files.inside(self.path, entry.name)
        if path is None:
            return FileState.OUTSIDE
        if not path.is_file():
            return FileState.MISSING
        return FileState.AS_LOGGED if files.has_digest(path, entry.sha256) else FileState.CHANGED

    def fault(self, entry: FileEntry) -> str:
        """What is wrong with a file that the log names, as half a sentence; empty where it is as logged."""
        return _FAULTS.get(self.state(entry), "")

    def file(self, entry: FileEntry) -> Path:
        """The path of a file that the log names. RefusedError where it is missing, or not that file."""
        path = self.resolve(entry.name)
        if not files.has_digest(path, entry.sha256):
            state = "is not the file that the audit log names" if path.exists() else "is missing"
            raise RefusedError(f"{entry.name} {state}; run `dashredact audit verify {self} --files`.")
        return path

    def regular_file(self, name: str) -> Path | None:
        """The path of a file that really lies here; None where it is missing or a link, or its name leads out."""
        path = files.inside(self.path, name)
        return path if path and path.is_file() and not path.is_symlink() else None

    def contains(self, path: Path) -> bool:
        """Whether a path, links followed, lies in the folder."""
        return path.resolve().is_relative_to(self.path.resolve())

    def readable_by_others(self) -> list[str]:
        """Names of files that others than their owner can read or write; the locks hold nothing."""
        empty = [self.state_folder / name for name in (locks.MASKING, locks.DECISION)]
        paths = (path for path in sorted(self.path.rglob("*")) if path.is_file() and not path.is_symlink())
        return [self.name_of(path) for path in paths if path not in empty and path.stat().st_mode & 0o077]

    # --- the audit log ---------------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """Everything that the log tells, oldest first. LedgerError where it is broken."""
        return audit_log.events(self.log)

    def entries(self) -> list[tuple[Event, dict[str, Any]]]:
        """The same, each with its line as JSON has it. LedgerError where it is broken."""
        return audit_log.entries(self.log)

    def records(self) -> list[dict[str, Any]]:
        """The same as JSON has it, for export and for programs."""
        return list(audit_log.records(self.log))

    def appended(self, offset: int) -> tuple[list[Event], int]:
        """What was appended to the log behind so many bytes, unchecked, and how many bytes it has now."""
        return audit_log.appended(self.log, offset)

    def create_log(self) -> None:
        """An empty one where there is none: then every command about the folder can be asked about it."""
        audit_log.create(self.log)

    def check_log(self) -> None:
        """Raise what `append` would raise, before work is done that it could not write down."""
        audit_log.ready(self.log)

    def append(self, event: Event | Mapping[str, Any]) -> None:
        """Add a line to the log, synced."""
        audit_log.append(self.log, event)

    # --- who may change it -----------------------------------------------------------------------------------------

    @contextmanager
    def masking(self, wait: float = 0.0) -> Iterator[MaskingLock]:
        """For a run that masks. LockedError where another one is under way."""
        with locks.masking_lock(self.path, wait) as lock:
            self.settle_locked()
            yield lock

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """For what a person decides; runs may go on masking meanwhile."""
        with locks.decision_lock(self.path):
            self.settle()
            yield

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """For what removes or replaces files."""
        with locks.exclusive_lock(self.path):
            self.settle_locked()
            yield

    def settle(self) -> None:
        """Finish what a crash has cut short, unless another command is at work here, which has done so."""
        if self.interrupted:
            with suppress(LockedError), locks.masking_lock(self.path):
                self.settle_locked()

    @property
    def interrupted(self) -> bool:
        """Whether a crash has left something half done."""
        return bool(self._journal.pending())

    def settle_locked(self) -> None:
        """The same, by whoever holds the lock for masking."""
        self._journal.settle(self.append)

    def carry_out(self, *entries: Entry, append: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        """Make a change that a crash must not leave half done. The lock for masking is held.

        append: adds the line to the log, where somebody who remembers what the log says wants to do that.

        ChangedError where a file that should go is not the one meant; OSError where the disk refuses; MachineError
        where it refuses what must be finished.
        """
        self._journal.carry_out(entries, append or self.append)
