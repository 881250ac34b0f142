"""The audit log on disk: lines are only ever appended, each synced before anybody relies on it.

Beside `audit.jsonl` lies `audit.head.json`, which names the last line. Both change under one lock, which readers share.
Adding a line reads the head, the line it names and what came after it, however long the log is.

A crash leaves one of these states, which the next append repairs and notes in its line: neither head nor line; a head
that names no line, and no line; half a line; a line that the head does not name yet.
"""

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dashredact import files
from dashredact.audit import chain, heads, provenance, signing
from dashredact.audit.chain import Fault, Signer
from dashredact.audit.events import Event, parse
from dashredact.audit.heads import Head
from dashredact.errors import LedgerError, UsageError
from dashredact.text import plural

NAME = "audit.jsonl"
HEAD = "audit.head.json"
"""Beside a log of that name."""
_BLOCK = 4096
_CURE = "Keep it for whoever investigates, and choose another output folder."


class Log(NamedTuple):
    lines: list[str]
    """finished ones"""
    torn: str
    """what a crash left of one"""
    head: Head | None


class _End(NamedTuple):
    """Where a log ends, as far as somebody who appends needs it."""

    head: Head
    """of the log as it is"""
    size: int
    """bytes of whole lines"""
    mended: str


def head_path(path: Path) -> Path:
    return path.with_name(path.stem + ".head.json")


def append(path: Path, event: Event | Mapping[str, Any]) -> None:
    """Add one line, signed where a key is configured; `time`, `tool` and `by` may be left out.

    LedgerError if the log's end is not what its head says; `records` checks the whole chain. UsageError if the log is
    signed and no key is configured. OSError if the disk is full; the line counts as not written then.
    """
    with _locked(path, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as descriptor:
        signer = signing.configured()
        end = _end(descriptor, path, signer)
        record = event.to_record() if isinstance(event, Event) else event
        line = chain.chain_line(_complete(record, end.mended), end.head.tip, signer)
        _put(descriptor, (line + "\n").encode(), end.size)
        _save(path, heads.head_of([line], end.head, signer))


def create(path: Path) -> None:
    """Make an empty log where there is none, so that whoever asks finds that nothing was done yet."""
    if not path.exists() and not head_path(path).exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def ready(path: Path) -> None:
    """Raise what `append` would raise, before work is done that it could not write down. Changes nothing."""
    if path.exists() or head_path(path).exists():
        signer = signing.configured()
        with _locked(path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
            _read_end(descriptor, path, signer)


def _complete(record: Mapping[str, Any], mended: str) -> dict[str, Any]:
    """What every line says, whoever writes it; what the record says itself counts."""
    act = {"act": record["outcome"]} if "outcome" in record else {}
    return {**provenance.provenance(), **act, **record, **({"mended": mended} if mended else {})}


def _put(descriptor: int, content: bytes, offset: int) -> None:
    os.ftruncate(descriptor, offset)
    if os.pwrite(descriptor, content, offset) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)


def _save(path: Path, head: Head) -> None:
    files.write(head_path(path), heads.encode(head).encode())


def _end(descriptor: int, path: Path, signer: Signer | None) -> _End:
    """The head is brought up to date first, so that no crash leaves it more than one line behind."""
    head, start, lines, torn = _read_end(descriptor, path, signer)
    now = heads.head_of(lines, start, signer)
    late = len(heads.behind(head, lines, start)) if head else 0
    if head is None or late or head.key != now.key:
        _save(path, now)
    notes = [
        f"{torn} bytes of an unfinished line were cut off before this one" if torn else "",
        f"{plural(late, 'line')} before this one had no head yet" if late else "",
    ]
    return _End(now, now.bytes, "; ".join(filter(None, notes)))


def _read_end(descriptor: int, path: Path, signer: Signer | None) -> tuple[Head | None, Head, list[str], int]:
    """The head, the one before the line it names, that line and all after it, bytes of half a line behind them."""
    head = read_head(head_path(path))
    offset = _line_start(descriptor, head.bytes, path) if head else 0
    content = _content(descriptor, offset)
    whole = content.rfind(b"\n") + 1
    first = head.seq if head and head.seq else 1
    lines = _decode(content[:whole], path, first)
    start = (
        Head(first - 1, str(chain.parse_line(lines[0]).get("prev")), offset)
        if first > 1 and lines
        else heads.EMPTY_HEAD
    )
    _raise_first(path, _faults(lines, head, start))
    if signer is None and lines and "signature" in chain.parse_line(lines[-1]):
        raise UsageError(f"The audit log {path} is signed; name its private key with --key or {signing.VARIABLE}.")
    return head, start, lines, len(content) - whole


def _line_start(descriptor: int, end: int, path: Path) -> int:
    """Where the line starts that ends, with its newline, at `end`. LedgerError where the log does not go so far."""
    length = os.fstat(descriptor).st_size
    if length < end:
        cut = f"it has {length} bytes and its head says {end}, so its tail was cut off"
        raise LedgerError(f"The audit log {path} is broken: {cut}. {_CURE}")
    offset = end - 1
    while offset > 0:
        block = min(_BLOCK, offset)
        newline = os.pread(descriptor, block, offset - block).rfind(b"\n")
        if newline >= 0:
            return offset - block + newline + 1
        offset -= block
    return 0


def _faults(lines: list[str], head: Head | None, start: Head = heads.EMPTY_HEAD) -> Iterator[Fault]:
    """In the chain, or between it and the head."""
    yield from chain.verify(lines, start.tip)
    if head is None:
        yield from heads.missing(lines)
    else:
        yield from heads.faults(head, lines, start)
        yield from heads.stale(head, lines, start)


def _raise_first(path: Path, faults: Iterator[Fault]) -> None:
    fault = next(faults, None)
    if fault:
        raise LedgerError(f"The audit log {path} is broken: line {fault.line} {fault.reason}. {_CURE}")


def read(path: Path) -> Log:
    """All of it, unchecked. LedgerError where it is missing or not text."""
    with _locked(path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
        content = _content(descriptor)
        head = read_head(head_path(path))
    whole = content.rfind(b"\n") + 1
    return Log(_decode(content[:whole], path), content[whole:].decode(errors="replace"), head)


def read_head(path: Path) -> Head | None:
    """None where there is none. LedgerError where it cannot be read as one."""
    try:
        return heads.decode(path.read_bytes().decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"The head file {path} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError, RecursionError):
        raise LedgerError(f"The head file {path} is broken: it is not as this tool writes it. {_CURE}") from None


def events(path: Path) -> list[Event]:
    """Every event, oldest first; none where there is no log yet. LedgerError names the first line that is broken."""
    return [event for event, _ in entries(path)]


def entries(path: Path) -> list[tuple[Event, dict[str, Any]]]:
    """The same, each with its line as JSON has it, with all that only other versions know. LedgerError as above."""
    parsed = []
    for number, record in enumerate(records(path), 1):
        try:
            parsed.append((parse({**record, "seq": number}), record))
        except ValueError as error:
            raise LedgerError(f"The audit log {path} is broken: line {number} {error}. {_CURE}") from None
    return parsed


def appended(path: Path, offset: int) -> tuple[list[Event], int]:
    """What was appended behind so many bytes, and how many bytes the log has now; unchecked, and so quick.

    LedgerError where a line is no event.
    """
    if not path.exists():
        return [], 0
    with _locked(path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
        content = _content(descriptor, offset)
    whole = content.rfind(b"\n") + 1
    try:
        return [parse(chain.parse_line(line)) for line in _decode(content[:whole], path)], offset + whole
    except ValueError as error:
        raise LedgerError(f"The audit log {path} is broken: a new line {error}. {_CURE}") from None


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Every record, oldest first; none where there is no log yet. LedgerError names the first line that is broken."""
    if not path.exists() and not head_path(path).exists():
        return
    log = read(path)
    _raise_first(path, _faults(log.lines, log.head))
    yield from (chain.parse_line(line) for line in log.lines)


def _content(descriptor: int, offset: int = 0) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        file.seek(offset)
        return file.read()


def _decode(content: bytes, path: Path, first: int = 1) -> list[str]:
    try:
        return content.decode().split("\n")[:-1]
    except UnicodeDecodeError as error:
        line = first + content[: error.start].count(b"\n")
        raise LedgerError(f"The audit log {path} is broken: line {line} is not text.") from None


@contextmanager
def _locked(path: Path, mode: int, kind: int) -> Iterator[int]:
    """Its descriptor. LedgerError where it cannot be opened for reading."""
    try:
        descriptor = os.open(path, mode, 0o600)
    except OSError as error:
        if mode != os.O_RDONLY:
            raise
        raise LedgerError(f"The audit log {path} cannot be read ({error.strerror}).") from None
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)
