"""What a crash must not leave half done: each change is written down before its first file moves.

An entry is one file in `.dashredact/journal`. It says which files get which names, or which files go, and what the
audit log will say of it. Entries are carried out in an order in which every step may be repeated, and whoever opens
the folder for writing next, by whichever command, settles those that a crash has left.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit.events import Event, FileEntry, Made, Purged, Sealed, SourceEvent, parse
from dashredact.errors import ChangedError, MachineError

FOLDER = "journal"
_LATE = "The run that did it was stopped; this line was written by the next one."


@dataclass(frozen=True)
class Move:
    """A finished file that gets its final name."""

    source: str
    """name in the work folder"""
    target: str
    """name under the output folder"""
    sha256: str


@dataclass(frozen=True)
class Publication:
    """The results of one video get their names, and the log says so."""

    work_folder: str
    """name under the output folder; it goes when everything else is done"""
    moves: tuple[Move, ...]
    """in the order in which they are made, the masked video last"""
    record: Mapping[str, Any]
    replaces: str = ""
    """sha256 of the masked video before, where there has to be one: if it is another by now, nothing is published"""


@dataclass(frozen=True)
class Target:
    """A file or folder that goes."""

    path: str
    """absolute"""
    sha256: str = ""
    """of the file; empty: a folder, or whatever lies there"""


@dataclass(frozen=True)
class SealedCopy:
    """The encrypted copy that stands for a file that goes."""

    temporary: str
    final: str
    sha256: str


@dataclass(frozen=True)
class Removal:
    """Files go, and the log says so.

    A crash before the first of them has gone takes the removal back, unless it `must_finish`; whether it still holds
    is for the next command to decide.
    """

    targets: tuple[Target, ...]
    records: tuple[Mapping[str, Any], ...]
    sealed: SealedCopy | None = None
    must_finish: bool = False


Entry = Publication | Removal


class Journal:
    """Of one output folder. Whoever uses it holds one of the folder's locks."""

    def __init__(self, folder: Path, state_folder: Path, events: Callable[[], Sequence[Event]]) -> None:
        """folder: the output folder. events: reads the audit log."""
        self._folder, self._entries, self._events = folder, state_folder / FOLDER, events

    def pending(self) -> list[Path]:
        """Entries that are not done; temporary names, as a crash leaves them, do not count."""
        return sorted(self._entries.glob("[0-9a-f]*.json"))

    def carry_out(self, entry: Entry, append: Callable[[Mapping[str, Any]], None]) -> None:
        """Write the entry, do what it says, and remove it. append: adds a line to the audit log.

        ChangedError where a file that should go is another one by now; OSError where the disk refuses. Then nothing
        has gone, and the entry is taken back.
        """
        path = self._write(entry)
        try:
            self._publish(entry) if isinstance(entry, Publication) else self._remove(entry)
        except (OSError, ChangedError):
            self._settle(path, append)
            raise
        for record in _records(entry):
            append(record)
        self._close(path, entry)

    def settle(self, append: Callable[[Mapping[str, Any]], None]) -> bool:
        """Complete what a crash has cut short; whether there was anything. MachineError where that is not possible."""
        pending = self.pending()
        for path in pending:
            self._settle(path, append)
        return bool(pending)

    def _write(self, entry: Entry) -> Path:
        files.private_folder(self._entries)
        path = self._entries / f"{secrets.token_hex(8)}.json"
        kind = "publication" if isinstance(entry, Publication) else "removal"
        files.write(path, json.dumps({"kind": kind, **asdict(entry)}).encode())
        return path

    def _close(self, path: Path, entry: Entry) -> None:
        if isinstance(entry, Publication):
            shutil.rmtree(self._folder / entry.work_folder, ignore_errors=True)
        path.unlink()

    # --- publications ---

    def _publish(self, entry: Publication) -> None:
        """Each move may have been made before."""
        for move in entry.moves:
            source = self._folder / entry.work_folder / move.source
            if source.exists():
                target = self._folder / move.target
                files.private_folder(target.parent)
                files.publish(source, target)

    def _settle_publication(self, entry: Publication, append: Callable[[Mapping[str, Any]], None]) -> None:
        line = parse(entry.record)
        newest = next(
            (event for event in reversed(self._events()) if isinstance(event, Made) and event.output == _output(line)),
            None,
        )
        if newest and isinstance(line, Made) and _same_result(newest, line):
            return  # the line was written
        if entry.replaces and self._current(entry) != entry.replaces:
            return  # masked anew meanwhile
        if all(self._is_whole(entry, move) for move in entry.moves):
            self._publish(entry)
            append(entry.record)

    def _current(self, entry: Publication) -> str:
        """sha256 of the masked video that the log knows under that name; empty where it knows none."""
        outputs = (event.output for event in reversed(self._events()) if isinstance(event, Made) and event.output)
        return next((output.sha256 for output in outputs if output.name == entry.moves[-1].target), "")

    def _is_whole(self, entry: Publication, move: Move) -> bool:
        places = (self._folder / entry.work_folder / move.source, self._folder / move.target)
        return any(files.has_digest(path, move.sha256) for path in places)

    # --- removals ---

    def _remove(self, entry: Removal) -> None:
        states = [_state(target) for target in entry.targets]
        if entry.sealed:
            files.publish(Path(entry.sealed.temporary), Path(entry.sealed.final))
        for target, state in zip(entry.targets, states, strict=True):
            path = Path(target.path)
            if state is None and not entry.must_finish:
                raise ChangedError(f"{path.name} is not the file that the audit log names.")
            if state is not None and _state_of(path) != state:
                raise ChangedError(f"{path.name}: changed while it was read; run again.")
            if state is not None:
                _delete(path)

    def _settle_removal(self, entry: Removal, append: Callable[[Mapping[str, Any]], None]) -> None:
        if entry.must_finish:
            self._finish_removal(entry)
        elif any(os.path.lexists(target.path) for target in entry.targets):
            if entry.sealed and files.has_digest(Path(entry.sealed.final), entry.sealed.sha256):
                Path(entry.sealed.final).unlink()
            return
        for record in entry.records:
            if not self._is_recorded(record):
                append({**record, "reason": f"{record.get('reason', '')} {_LATE}".strip()})

    def _finish_removal(self, entry: Removal) -> None:
        for target in entry.targets:
            try:
                if files.has_digest(Path(target.path), target.sha256):
                    _delete(Path(target.path))
            except OSError as error:
                raise MachineError(
                    f"{target.path} cannot be deleted ({error.strerror}); make that possible and run again."
                ) from None

    def _is_recorded(self, record: Mapping[str, Any]) -> bool:
        return any(
            isinstance(event, Purged | Sealed) and event.deletion == record["deletion"] and _subject(event, record)
            for event in self._events()
        )

    def _settle(self, path: Path, append: Callable[[Mapping[str, Any]], None]) -> None:
        entry = _read(path)
        if isinstance(entry, Publication):
            self._settle_publication(entry, append)
        else:
            self._settle_removal(entry, append)
        self._close(path, entry)


def _subject(event: SourceEvent, record: Mapping[str, Any]) -> bool:
    """Whether the line is about the same thing: an erasure writes one for the source, one for what was made of it."""
    return bool(event.source) == bool(record.get("source"))


def _output(event: Event) -> FileEntry | None:
    return event.output if isinstance(event, SourceEvent) else None


def _same_result(one: Made, other: Made) -> bool:
    return (one.type, one.source, one.tracks_file, one.fingerprint) == (
        other.type,
        other.source,
        other.tracks_file,
        other.fingerprint,
    )


def _records(entry: Entry) -> tuple[Mapping[str, Any], ...]:
    return (entry.record,) if isinstance(entry, Publication) else entry.records


def _read(path: Path) -> Entry:
    try:
        fields = json.loads(path.read_bytes())
        if fields.pop("kind") == "publication":
            parse(fields["record"])
            return Publication(**{**fields, "moves": tuple(Move(**move) for move in fields["moves"])})
        sealed = SealedCopy(**fields["sealed"]) if fields["sealed"] else None
        targets = tuple(Target(**target) for target in fields["targets"])
        return Removal(**{**fields, "targets": targets, "records": tuple(fields["records"]), "sealed": sealed})
    except (ValueError, KeyError, TypeError) as error:
        raise MachineError(
            f"The journal entry {path} cannot be read ({error}); move it away, and check the folder with"
            " `dashredact audit verify --files`."
        ) from None


def _state(target: Target) -> tuple[int, ...] | None:
    """Size, time and inode of the file while it is the one that is meant; None where it is another, or gone."""
    path = Path(target.path)
    state = _state_of(path)
    if state is None or (target.sha256 and (path.is_symlink() or not files.has_digest(path, target.sha256))):
        return None
    return state


def _state_of(path: Path) -> tuple[int, ...] | None:
    try:
        now = path.lstat()
    except FileNotFoundError:
        return None
    return now.st_size, now.st_mtime_ns, now.st_ino


def _delete(path: Path) -> None:
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
