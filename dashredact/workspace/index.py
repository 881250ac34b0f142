"""An SQLite cache of what the audit log says, and of the digests of files.

It holds nothing that cannot be rebuilt: where it is missing, broken, or older than the log, it is rebuilt.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, TypeVar

from dashredact import files
from dashredact.audit import provenance
from dashredact.audit.events import (
    Duplicate,
    Event,
    NotMasked,
    Produced,
    Purged,
    Quarantined,
    Retried,
    RunEvent,
    parse,
)
from dashredact.errors import MachineError
from dashredact.workspace.output_folder import OutputFolder

T = TypeVar("T")

_NAME, _SCHEMA_VERSION = "index.sqlite", 5
_TIMEOUT = 60.0  # seconds that another process may take to write
_TABLES = """
create table if not exists log (state text not null);
create table if not exists results (
    name text primary key, source text not null, place text, fingerprint text not null, outcome text not null,
    output text not null, output_sha256 text not null, tracks text not null, tracks_sha256 text not null
) without rowid;
create index if not exists results_by_source on results (source, fingerprint);
create index if not exists results_by_output on results (output);
create index if not exists results_by_tracks on results (tracks);
create table if not exists detections (file text primary key, name text not null, sha256 text not null) without rowid;
create table if not exists failures (
    name text primary key, source text, fingerprint text not null, policy text not null, outcome text not null,
    tries integer not null, last real not null, reason text not null, quarantined text
) without rowid;
create table if not exists erased (source text primary key, request integer not null) without rowid;
create table if not exists digests (path blob primary key, state text not null, sha256 text not null) without rowid;
"""


class Result(NamedTuple):
    """The newest line of the log that gave a source an output."""

    name: str
    source_sha256: str
    place: str | None
    fingerprint: str
    outcome: str
    output: str
    """name under the output folder"""
    output_sha256: str
    tracks: str
    tracks_sha256: str


class FailureHistory(NamedTuple):
    """What the log says of the failed tries of a source since it last succeeded, changed or was retried."""

    name: str
    source_sha256: str | None
    fingerprint: str
    policy: str
    """see `events.policy_key`"""
    outcome: str
    tries: int
    last: float
    """seconds since 1970"""
    reason: str
    quarantined: str | None
    """path now, relative to the inbox"""


class Index:
    """Of one output folder. May be used by several threads, and by several processes."""

    def __init__(self, folder: OutputFolder, *, appends: bool = True) -> None:
        """LedgerError where the audit log is broken. appends: whether lines will be added, which may need a key."""
        self._folder, self._log = folder, folder.log
        if appends:
            folder.check_log()
        self._path = files.private_folder(folder.state_folder) / _NAME
        self._lock = RLock()
        try:
            self._open()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        with _disk(self._path):
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._data = sqlite3.connect(self._path, timeout=_TIMEOUT, check_same_thread=False)
        with _disk(self._path), self._data:
            if self._data.execute("pragma user_version").fetchone() != (_SCHEMA_VERSION,):
                for (table,) in self._data.execute("select name from sqlite_master where type = 'table'").fetchall():
                    self._data.execute(f'drop table "{table}"')
            self._data.executescript(f"pragma user_version = {_SCHEMA_VERSION}; pragma synchronous = normal; {_TABLES}")
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have appended to the log."""
        with self._change():
            pass

    @contextmanager
    def _change(self) -> Iterator[None]:
        """A transaction that begins up to date with the log; those of other processes come before or after it."""
        with self._lock, _disk(self._path), self._data:
            self._data.execute("begin immediate")
            if self._data.execute("select state from log").fetchone() != (_state(self._log),):
                self._rebuild()
            yield

    def _rebuild(self) -> None:
        """From the log, every line of which is checked."""
        self._data.execute("delete from results")
        self._data.execute("delete from detections")
        self._data.execute("delete from failures")
        self._data.execute("delete from erased")
        for event in self._folder.events():
            self._apply(event)
        self._save_log_state()

    def append(self, event: Event | Mapping[str, Any]) -> None:
        """Append a line to the log, and index it."""
        record = event.to_record() if isinstance(event, Event) else event
        with self._change():
            self._folder.append(record)
            self._apply(parse({**provenance.provenance(), **record}))
            self._save_log_state()

    def result(self, name: str) -> Result | None:
        return self._one(Result, "results where name = ?", name)

    def owner(self, name: str) -> Result | None:
        """The result that the file of that name belongs to: a masked video, a tracks file or saved detections."""
        named = "(output = ?1 or tracks = ?1 or name in (select name from detections where file = ?1))"
        return self._one(Result, f"results where outcome != 'duplicate' and {named}", name)

    def detections_digest(self, file: str) -> str | None:
        """sha256 of saved detections by their name under the output folder."""
        row = self._row("select sha256 from detections where file = ?", file)
        return str(row[0]) if row else None

    def erased(self, source_sha256: str) -> int | None:
        """The request for which that content was erased."""
        row = self._row("select request from erased where source = ?", source_sha256)
        return int(row[0]) if row else None

    def duplicates(self, source_sha256: str, fingerprint: str) -> list[Result]:
        """Results of the same content under the same settings."""
        same = "results where outcome != 'duplicate' and source = ? and fingerprint = ?"
        return self._all(Result, same, source_sha256, fingerprint)

    def failures(self, name: str) -> FailureHistory | None:
        return self._one(FailureHistory, "failures where name = ?", name)

    def all_failures(self) -> list[FailureHistory]:
        return self._all(FailureHistory, "failures order by name")

    def quarantined(self) -> list[FailureHistory]:
        return self._all(FailureHistory, "failures where quarantined is not null order by name")

    def digest(self, path: Path, *, force: bool = False) -> str:
        """sha256 of a file, from the cache where size, times and inode are unchanged. force: hash it in any case."""
        state = _state(path)
        if not force:
            row = self._row("select sha256 from digests where path = ? and state = ?", os.fsencode(path), state)
            if row:
                return str(row[0])
        digest = files.sha256(path)
        with self._lock, _disk(self._path), self._data:
            self._data.execute("insert or replace into digests values (?, ?, ?)", (os.fsencode(path), state, digest))
        return digest

    def digest_or_none(self, path: Path, *, force: bool = False) -> str | None:
        """The same; None where the file cannot be read."""
        try:
            return self.digest(path, force=force)
        except OSError:
            return None

    def _apply(self, event: Event) -> None:
        if isinstance(event, Purged) and event.request and event.erased:
            self._data.execute("insert or replace into erased values (?, ?)", (event.erased, event.request.id))
        if isinstance(event, Purged) and event.name and not event.files and not event.output:  # the source has gone
            self._data.execute("delete from failures where name = ?", (event.name,))
        if not isinstance(event, RunEvent) or event.source is None:
            return  # it is not about masking
        name, digest = event.source.name, event.source.sha256
        if isinstance(event, Produced | Duplicate) and digest and event.output and event.tracks_file:
            files_made = (event.output.name, event.output.sha256, event.tracks_file.name, event.tracks_file.sha256)
            row = (name, digest, event.source.place, event.fingerprint, str(event.type), *files_made)
            self._data.execute("insert or replace into results values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            for file in event.files:
                self._data.execute("insert or replace into detections values (?, ?, ?)", (file.name, name, file.sha256))
        if isinstance(event, Produced | Duplicate | Retried):
            self._data.execute("delete from failures where name = ?", (name,))
        elif isinstance(event, NotMasked):
            self._count_failure(event, name, digest)
        elif isinstance(event, Quarantined):
            self._data.execute("update failures set quarantined = ? where name = ?", (event.moved_to, name))

    def _count_failure(self, event: NotMasked, name: str, digest: str | None) -> None:
        before = self.failures(name)
        tried = (name, digest, event.fingerprint, event.policy_key)
        count = before.tries + 1 if before and before[:4] == tried else 1
        when = datetime.fromisoformat(event.time).timestamp()
        row = (*tried, str(event.type), count, when, event.reason, None)
        self._data.execute("insert or replace into failures values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _save_log_state(self) -> None:
        self._data.execute("delete from log")
        self._data.execute("insert into log values (?)", (_state(self._log),))

    def _one(self, row_type: Callable[..., T], query: str, *values: str) -> T | None:
        row = self._row(f"select * from {query}", *values)
        return row_type(*row) if row else None

    def _all(self, row_type: Callable[..., T], query: str, *values: str) -> list[T]:
        with self._lock, _disk(self._path):
            return [row_type(*row) for row in self._data.execute(f"select * from {query}", values).fetchall()]

    def _row(self, query: str, *values: Any) -> Any:
        with self._lock, _disk(self._path):
            return self._data.execute(query, values).fetchone()


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise MachineError(f"{path} cannot be written ({error}); make room on its disk and run again.") from error
    except OSError as error:
        raise MachineError(f"{path.parent} cannot be written ({error.strerror}); make room and run again.") from error


def _state(path: Path) -> str:
    """What changes when a file is written to."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return "missing"
    return f"{now.st_size} {now.st_mtime_ns} {now.st_ctime_ns} {now.st_ino}"
