"""A quick memory of what the audit log says and of files that were hashed before.

It holds nothing that cannot be had again: where it is missing, broken, or older than the log, it is made anew.
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
from dashredact.audit import log as audit_log
from dashredact.audit.events import NO_POLICY, EventType
from dashredact.audit.records import event_type, policy_mark
from dashredact.errors import MachineError

T = TypeVar("T")

_NAME, _FORM = "index.sqlite", 3
_PATIENCE = 60.0  # seconds that another process may take to write
_TABLES = """
create table if not exists log (state text not null);
create table if not exists results (
    name text primary key, source text not null, place text, fingerprint text not null, outcome text not null,
    output text not null, output_sha256 text not null, tracks text not null, tracks_sha256 text not null
) without rowid;
create index if not exists results_by_source on results (source, fingerprint);
create index if not exists results_by_output on results (output);
create index if not exists results_by_tracks on results (tracks);
create table if not exists kept (file text primary key, name text not null, sha256 text not null) without rowid;
create table if not exists failures (
    name text primary key, source text, fingerprint text not null, policy text not null, outcome text not null,
    tries integer not null, last real not null, reason text not null, quarantined text
) without rowid;
create table if not exists erased (source text primary key, request integer not null) without rowid;
create table if not exists digests (path blob primary key, state text not null, sha256 text not null) without rowid;
"""
_SUCCESS = {"masked", "needs review", "duplicate", "corrected"}
_FAILURE = {"failed", "refused", "refused by policy", "bug"}


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
    """What the log says of a source that was tried in vain since it last succeeded, changed or was called back."""

    name: str
    source_sha256: str | None
    fingerprint: str
    policy: str
    """see `policy_mark`"""
    outcome: str
    tries: int
    last: float
    """seconds since 1970"""
    reason: str
    quarantined: str | None
    """where it lies now, relative to the inbox"""


class Index:
    """Of one output folder. May be used by several threads, and by several processes."""

    def __init__(self, out: Path) -> None:
        """LedgerError where the audit log is broken."""
        self._log = out / audit_log.NAME
        audit_log.ready(self._log)
        self._path = files.private_folder(files.private_folder(out) / files.WORK_FOLDER) / _NAME
        self._lock = RLock()
        try:
            self._open()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        with _disk(self._path):
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._data = sqlite3.connect(self._path, timeout=_PATIENCE, check_same_thread=False)
        with _disk(self._path), self._data:
            if self._data.execute("pragma user_version").fetchone() != (_FORM,):
                for (table,) in self._data.execute("select name from sqlite_master where type = 'table'").fetchall():
                    self._data.execute(f'drop table "{table}"')
            self._data.executescript(f"pragma user_version = {_FORM}; pragma synchronous = normal; {_TABLES}")
        self.refresh()

    def refresh(self) -> None:
        """Take in what others have written into the log."""
        with self._change():
            pass

    @contextmanager
    def _change(self) -> Iterator[None]:
        """A change that begins with all that the log says; those of other processes come before or after it."""
        with self._lock, _disk(self._path), self._data:
            self._data.execute("begin immediate")
            if self._data.execute("select state from log").fetchone() != (_state(self._log),):
                self._rebuild()
            yield

    def _rebuild(self) -> None:
        """From the log, every line of which is checked."""
        self._data.execute("delete from results")
        self._data.execute("delete from kept")
        self._data.execute("delete from failures")
        self._data.execute("delete from erased")
        for record in audit_log.records(self._log):
            self._apply(record)
        self._remember_log()

    def append(self, record: Mapping[str, Any]) -> None:
        """Put a record behind the others in the log, and remember what it says."""
        with self._change():
            audit_log.append(self._log, record)
            self._apply(record)
            self._remember_log()

    def result(self, name: str) -> Result | None:
        return self._one(Result, "results where name = ?", name)

    def owner(self, name: str) -> Result | None:
        """Whose result has that name, of a masked video, a tracks file or kept detections."""
        named = "(output = ?1 or tracks = ?1 or name in (select name from kept where file = ?1))"
        return self._one(Result, f"results where outcome != 'duplicate' and {named}", name)

    def kept(self, file: str) -> str | None:
        """sha256 of kept detections by their name under the output folder."""
        row = self._row("select sha256 from kept where file = ?", file)
        return str(row[0]) if row else None

    def erased(self, source_sha256: str) -> int | None:
        """The request for which that content was erased."""
        row = self._row("select request from erased where source = ?", source_sha256)
        return int(row[0]) if row else None

    def twins(self, source_sha256: str, fingerprint: str) -> list[Result]:
        """Results of the same content under the same settings."""
        found = "results where outcome != 'duplicate' and source = ? and fingerprint = ?"
        return self._all(Result, found, source_sha256, fingerprint)

    def failures(self, name: str) -> FailureHistory | None:
        return self._one(FailureHistory, "failures where name = ?", name)

    def quarantined(self) -> list[FailureHistory]:
        return self._all(FailureHistory, "failures where quarantined is not null order by name")

    def digest(self, path: Path, *, afresh: bool = False) -> str:
        """sha256 of a file, from memory where size, times and inode are what they were."""
        state = _state(path)
        if not afresh:
            row = self._row("select sha256 from digests where path = ? and state = ?", os.fsencode(path), state)
            if row:
                return str(row[0])
        digest = files.sha256(path)
        with self._lock, _disk(self._path), self._data:
            self._data.execute("insert or replace into digests values (?, ?, ?)", (os.fsencode(path), state, digest))
        return digest

    def known(self, path: Path, *, afresh: bool = False) -> str | None:
        """The same; None where the file cannot be read."""
        try:
            return self.digest(path, afresh=afresh)
        except OSError:
            return None

    def _apply(self, record: Mapping[str, Any]) -> None:
        if event_type(record) == EventType.PURGED and "request" in record:
            self._erase(record)
        if "fingerprint" not in record:
            return  # it tells of something else than masking
        outcome, source = event_type(record), record["source"]
        name, digest = source["name"], source["sha256"]
        if outcome in _SUCCESS and record.get("output"):
            output, tracks = record["output"], record["tracks_file"]
            made = (output["name"], output["sha256"], tracks["name"], tracks["sha256"])
            row = (name, digest, source["place"], record["fingerprint"], outcome, *made)
            self._data.execute("insert or replace into results values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            for file in record.get("files", ()):
                self._data.execute("insert or replace into kept values (?, ?, ?)", (file["name"], name, file["sha256"]))
        if outcome in _SUCCESS or outcome == "retried":
            self._data.execute("delete from failures where name = ?", (name,))
        elif outcome in _FAILURE:
            before = self.failures(name)
            tried = (name, digest, record["fingerprint"], policy_mark(record.get("policy", NO_POLICY)))
            count = before.tries + 1 if before and before[:4] == tried else 1
            when = datetime.fromisoformat(record["time"]).timestamp()
            row = (*tried, outcome, count, when, record["reason"], None)
            self._data.execute("insert or replace into failures values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        elif outcome == "quarantined":
            self._data.execute("update failures set quarantined = ? where name = ?", (record["moved_to"], name))

    def _erase(self, record: Mapping[str, Any]) -> None:
        """Its content is not wanted again."""
        if source := record.get("erased"):
            self._data.execute("insert or replace into erased values (?, ?)", (source, record["request"]["id"]))

    def _remember_log(self) -> None:
        self._data.execute("delete from log")
        self._data.execute("insert into log values (?)", (_state(self._log),))

    def _one(self, form: Callable[..., T], found: str, *values: str) -> T | None:
        row = self._row(f"select * from {found}", *values)
        return form(*row) if row else None

    def _all(self, form: Callable[..., T], found: str, *values: str) -> list[T]:
        with self._lock, _disk(self._path):
            return [form(*row) for row in self._data.execute(f"select * from {found}", values).fetchall()]

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
