"""What a crash must not leave half done: each change is written down before its first file moves.

An entry says which files get which names, or which files go, and what the audit log will say of it. Entries that
belong together are one file in `.dashredact/journal`. They are carried out in an order in which every step may be
repeated, and whoever opens the folder for writing next, by whichever command, settles those that a crash has left.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit.events import Event, Produced, Purged, Sealed, files_of, parse
from dashredact.audit.legal_holds import active_holds, find_hold
from dashredact.errors import ChangedError, MachineError

FOLDER = "journal"
_EARLIER = ("purge.json", "erasing.json")
"""Notes of the same kind that development versions wrote beside the journal."""
_State = tuple[int, ...]
"""Size, modification time and inode of a file."""
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
    name: str = ""
    """by which the line lists it; empty where it does not"""


@dataclass(frozen=True)
class SealedCopy:
    """The encrypted copy that stands for a file that goes."""

    temporary: str
    final: str
    sha256: str


@dataclass(frozen=True)
class Removal:
    """Files go, and a line of the log says so.

    A crash before the only target has gone takes the removal back: whether it still holds is for the next command to
    decide. One that `must_finish` may have several targets. It is finished whatever comes, unless its source is held by
    then: what is left stays, and the line names only what has gone.
    """

    targets: tuple[Target, ...]
    record: Mapping[str, Any]
    """`deletion` in it is its own"""
    sealed: SealedCopy | None = None
    must_finish: bool = False
    source: str = ""
    """name of the source whose hold counts"""
    source_sha256: str | None = None


Entry = Publication | Removal


class Journal:
    """Of one output folder. Whoever uses it holds the lock for masking."""

    def __init__(self, folder: Path, state_folder: Path, events: Callable[[], Sequence[Event]]) -> None:
        """folder: the output folder. events: reads the audit log."""
        self._folder, self._state_folder, self._events = folder, state_folder, events
        self._entries = state_folder / FOLDER

    def pending(self) -> list[Path]:
        """What is not done; temporary names, as a crash leaves them, do not count.

        MachineError where a version that kept no journal was stopped while it deleted something.
        """
        for name in _EARLIER:
            if (self._state_folder / name).exists():
                raise MachineError(
                    f"{self._state_folder / name} was left by an earlier version that was stopped while deleting;"
                    " move it away, and give the same `purge` or `request erase` again."
                )
        return sorted(self._entries.glob("[0-9a-f]*.json"))

    def carry_out(self, entries: Sequence[Entry], append: Callable[[Mapping[str, Any]], None]) -> None:
        """Write the entries down, do what they say, and remove them. append: adds a line to the audit log.

        After a crash that left them written, all of them are settled. ChangedError where a file that should go is
        another one by now; OSError where the disk refuses for a moment and the entry could be taken back. Then nothing
        has gone. MachineError where it goes on refusing: the entry stays for the next command.
        """
        states = [_identified(entry) for entry in entries]
        path = self._write(entries)
        for entry, state in zip(entries, states, strict=True):
            try:
                self._publish(entry) if isinstance(entry, Publication) else self._remove(entry, state)
            except ChangedError:
                self._close(path, entries)
                raise
            except OSError:
                if not self._settle(path, append):
                    raise
                return
            append(entry.record)
        self._close(path, entries)

    def settle(self, append: Callable[[Mapping[str, Any]], None]) -> bool:
        """Complete what a crash has cut short; whether there was anything. MachineError where that is not possible."""
        pending = self.pending()
        for path in pending:
            self._settle(path, append)
        for unfinished in self._entries.glob(".*.tmp"):  # its change had not begun
            unfinished.unlink()
        return bool(pending)

    def _settle(self, path: Path, append: Callable[[Mapping[str, Any]], None]) -> bool:
        """Whether all that it says has happened; what has not was taken back, or overtaken."""
        entries = self._read(path)
        try:
            happened = [
                self._settle_publication(entry, append)
                if isinstance(entry, Publication)
                else self._settle_removal(entry, append)
                for entry in entries
            ]
            self._close(path, entries)
        except OSError as error:
            raise MachineError(
                f"What was begun in {self._folder} can be neither finished nor taken back ({error}); mend that, and"
                " run any command that writes there."
            ) from None
        return all(happened)

    def _write(self, entries: Sequence[Entry]) -> Path:
        files.private_folder(self._entries)
        path = self._entries / f"{secrets.token_hex(8)}.json"
        files.write(path, json.dumps([{"kind": type(entry).__name__, **asdict(entry)} for entry in entries]).encode())
        return path

    def _close(self, path: Path, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Publication):
                shutil.rmtree(self._folder / entry.work_folder, ignore_errors=True)
        path.unlink()

    def _read(self, path: Path) -> list[Entry]:
        try:
            if self._entries.is_symlink() or path.is_symlink():
                raise ValueError("it is a link")
            return [self._entry(fields) for fields in json.loads(path.read_bytes())]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise MachineError(
                f"The journal entry {path} cannot be read ({error}); move it away, and check the folder with"
                " `dashredact audit verify --files`."
            ) from None

    def _entry(self, fields: dict[str, Any]) -> Entry:
        """ValueError, KeyError, TypeError or AttributeError where it is none that this program writes."""
        kind, event = fields.pop("kind"), parse(fields["record"])
        if kind == Publication.__name__ and isinstance(event, Produced):
            publication = Publication(**{**fields, "moves": tuple(Move(**move) for move in fields["moves"])})
            self._check_names(publication)
            return publication
        if kind == Removal.__name__ and isinstance(event, Purged | Sealed) and event.deletion:
            sealed = SealedCopy(**fields["sealed"]) if fields["sealed"] else None
            targets = tuple(Target(**target) for target in fields["targets"])
            paths = [target.path for target in targets]
            if not paths or not all(Path(path).is_absolute() and "\0" not in path for path in paths):
                raise ValueError("it does not say by absolute paths what goes")
            return Removal(**{**fields, "targets": targets, "sealed": sealed})
        raise ValueError(f"its kind, {kind}, and its line, {event.type}, do not fit")

    def _check_names(self, entry: Publication) -> None:
        for name in (entry.work_folder, *(name for move in entry.moves for name in (move.source, move.target))):
            if files.inside(self._folder, name) is None:
                raise ValueError(f"{name!r} leads out of the output folder")
        if not entry.moves or (self._folder / entry.work_folder).parent != self._state_folder:
            raise ValueError("it moves nothing out of a work folder")

    # --- publications ---

    def _publish(self, entry: Publication) -> None:
        """Each move may have been made before."""
        for move in entry.moves:
            source = self._folder / entry.work_folder / move.source
            if source.exists():
                target = self._folder / move.target
                files.private_folder(target.parent)
                files.publish(source, target)

    def _settle_publication(self, entry: Publication, append: Callable[[Mapping[str, Any]], None]) -> bool:
        line = parse(entry.record)
        newest = self._newest_about(entry.moves[-1].target)
        if isinstance(newest, Produced) and isinstance(line, Produced) and _same_result(newest, line):
            return True  # the line was written
        if entry.replaces and self._current(entry) != entry.replaces:
            return False  # masked anew meanwhile
        if not all(self._is_whole(entry, move) for move in entry.moves):
            return False
        self._publish(entry)
        append(entry.record)
        return True

    def _newest_about(self, name: str) -> Event | None:
        """The last line that made or deleted the file of that name; the same content may come, go and come again."""
        events = (event for event in reversed(self._events()) if isinstance(event, Produced | Purged))
        return next((event for event in events if any(file.name == name for file in files_of(event))), None)

    def _current(self, entry: Publication) -> str:
        """sha256 of the masked video that the log knows under that name; empty where it knows none."""
        outputs = (event.output for event in reversed(self._events()) if isinstance(event, Produced) and event.output)
        return next((output.sha256 for output in outputs if output.name == entry.moves[-1].target), "")

    def _is_whole(self, entry: Publication, move: Move) -> bool:
        paths = (self._folder / entry.work_folder / move.source, self._folder / move.target)
        return any(files.has_digest(path, move.sha256) for path in paths)

    # --- removals ---

    def _remove(self, entry: Removal, state: _State | None) -> None:
        """state: of the target, when it was the one that is meant."""
        if entry.must_finish:
            self._finish(entry)
            return
        path = Path(entry.targets[0].path)
        if entry.sealed:
            files.publish(Path(entry.sealed.temporary), Path(entry.sealed.final))
        if _state_of(path) != state:
            _discard(entry.sealed)
            raise ChangedError(f"{path.name}: changed while it was read; run again.")
        _delete(path)

    def _finish(self, entry: Removal) -> None:
        """Delete what is still there and is what was meant. MachineError where that is not possible."""
        for target in entry.targets:
            try:
                state = _state(target)
                if state is not None and _state_of(Path(target.path)) == state:
                    _delete(Path(target.path))
            except OSError as error:
                raise MachineError(
                    f"{target.path} cannot be deleted ({error.strerror}); make that possible and run again."
                ) from None

    def _settle_removal(self, entry: Removal, append: Callable[[Mapping[str, Any]], None]) -> bool:
        """Finish it, or take it back; the line follows where one is due and was not written."""
        record: Mapping[str, Any] | None = entry.record
        if entry.must_finish and self._is_held(entry):
            record = _of_what_has_gone(entry)
        elif entry.must_finish:
            self._finish(entry)
        elif _state(entry.targets[0]) is not None or not _is_sealed(entry.sealed):
            _discard(entry.sealed)
            record = None
        if record and not self._is_recorded(record):
            append({**record, "reason": f"{record.get('reason', '')} {_LATE}".strip()})
        return record is not None

    def _is_held(self, entry: Removal) -> bool:
        holds = active_holds(self._events()).values()
        return find_hold(holds, [entry.source], [entry.source_sha256], date.today()) is not None

    def _is_recorded(self, record: Mapping[str, Any]) -> bool:
        return any(
            isinstance(event, Purged | Sealed) and event.deletion == record["deletion"] for event in self._events()
        )


def _identified(entry: Entry) -> _State | None:
    """State of the one target of a removal, before anything is written down: later, what is missing has gone.

    ChangedError where it is not the file that is meant.
    """
    if isinstance(entry, Publication) or entry.must_finish:
        return None
    (target,) = entry.targets
    state = _state(target)
    if state is None:
        raise ChangedError(f"{Path(target.path).name} is not the file that the audit log names.")
    return state


def _of_what_has_gone(entry: Removal) -> Mapping[str, Any] | None:
    """The line without the files that are left; None where nothing that it names has gone."""
    left = {target.name for target in entry.targets if target.name and _state(target) is not None}
    if "files" not in entry.record:
        return None if left else entry.record
    gone = [file for file in entry.record["files"] if file["name"] not in left]
    return {**entry.record, "files": gone} if gone else None


def _is_sealed(copy: SealedCopy | None) -> bool:
    """Whether the copy has its name; where there is none to be, nothing is missing."""
    return copy is None or files.has_digest(Path(copy.final), copy.sha256)


def _discard(copy: SealedCopy | None) -> None:
    """The file that it was to stand for is still there."""
    if copy:
        Path(copy.temporary).unlink(missing_ok=True)
        if _is_sealed(copy):
            Path(copy.final).unlink()


def _same_result(one: Produced, other: Produced) -> bool:
    parts = [(line.type, line.source, line.output, line.tracks_file, line.fingerprint) for line in (one, other)]
    return parts[0] == parts[1]


def _state(target: Target) -> _State | None:
    """Of the file while it is the one that is meant; None where it is another, or gone."""
    path = Path(target.path)
    state = _state_of(path)
    if state is None or (target.sha256 and (path.is_symlink() or not files.has_digest(path, target.sha256))):
        return None
    return state


def _state_of(path: Path) -> _State | None:
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
