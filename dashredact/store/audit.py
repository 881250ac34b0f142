"""The audit log on disk: lines are only ever appended, each synced before anybody relies on it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dashredact.errors import LedgerError
from dashredact.pure import ledger

NAME = "audit.jsonl"


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Put one record behind the others. LedgerError if the log is no text; `records` checks the chain."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        record = _mend(file.fileno(), content, whole, record)
        tip = ledger.START
        for line in _decode(content[:whole], path):
            tip = ledger.advance(line, tip)
        os.pwrite(file.fileno(), (ledger.seal(record, tip) + "\n").encode(), whole)
        os.fsync(file.fileno())


def _mend(descriptor: int, content: bytes, whole: int, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A crash while appending leaves half a line, which nobody was told of: cut it off, and say so in the next."""
    if whole == len(content):
        return record
    os.ftruncate(descriptor, whole)
    return {**record, "mended": f"{len(content) - whole} bytes of an unfinished line were cut off before this one"}


def lines(path: Path) -> list[str]:
    """The finished lines. LedgerError where the file is missing or is no text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LedgerError(f"The audit log {path} cannot be read ({error.strerror}).") from None
    found = _decode(content[: content.rfind(b"\n") + 1], path)
    if content and not content.endswith(b"\n"):
        found.append(content[content.rfind(b"\n") + 1 :].decode(errors="replace"))
    return found


def _decode(content: bytes, path: Path) -> list[str]:
    try:
        return content.decode().split("\n")[:-1]
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LedgerError(f"The audit log {path} is broken: line {line} is not text.") from None


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Every record, oldest first; none where there is no log yet. LedgerError names the first line that is broken."""
    if not path.exists():
        return
    content = path.read_bytes()
    found = _decode(content[: content.rfind(b"\n") + 1], path)
    fault = next(ledger.verify(found), None)
    if fault is not None:
        raise LedgerError(
            f"The audit log {path} is broken: line {fault.line} {fault.reason}. Keep it for whoever investigates,"
            " and choose another output folder."
        )
    yield from (json.loads(line) for line in found)
