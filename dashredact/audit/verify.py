"""Checking an audit log, or the export of a period: chain, heads, signatures and the files it names. Only reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashredact import files
from dashredact.audit import chain, records, signatures, signing
from dashredact.audit import head as heads
from dashredact.audit import log as audit_log
from dashredact.audit.chain import Fault
from dashredact.audit.head import Head
from dashredact.audit.signatures import Checkers

BEFORE = "audit.before.json"
"""In an export: names the line before its first one."""
WHOLE = "log.head.json"
"""In an export: the head of the whole log when the export was made."""


@dataclass(frozen=True)
class VerifyOptions:
    """What is checked besides the chain and the head beside the log."""

    head: Path | None = None
    """a copy of a head that was kept elsewhere"""
    public_keys: Sequence[Path] = ()
    results: bool = False


@dataclass(frozen=True)
class VerifyReport:
    path: Path
    """of the log"""
    lines: Sequence[str]
    faults: Sequence[Fault]
    """by line"""
    notes: Sequence[str]
    """sentences on what is no fault"""


class _Log:
    """A log, or a part of one, and what is known of where it begins and ends."""

    def __init__(self, place: Path) -> None:
        """place: the log, or a folder that holds it. LedgerError where it is missing or no text."""
        self.path = place / audit_log.NAME if place.is_dir() else place
        log = audit_log.read(self.path)
        before = audit_log.read_head(self.path.with_name(BEFORE)) if place.is_dir() else None
        self.part = before is not None
        self.start = before or heads.EMPTY_HEAD
        self.lines, self.torn = log.lines, log.torn
        self.head = log.head

    @property
    def end(self) -> int:
        return self.start.seq + len(self.lines)


def verify(place: Path, asked: VerifyOptions) -> VerifyReport:
    """LedgerError where there is nothing that could be checked, MachineError where a key is none."""
    log, trusted = _Log(place), signing.checkers(asked.public_keys)
    copies = {path: _copy(path) for path in _copies(log, asked)}
    faults = [*chain.verify(log.lines, log.start.tip), *_torn(log), *_own_head(log)]
    for copy in copies.values():
        faults += heads.faults(copy, log.lines, log.start) if not log.part or copy.seq <= log.end else ()
    if asked.public_keys:
        faults += _signatures(log, [copy for copy in copies.values() if copy.signature], trusted)
    if asked.results:
        faults += _results(log)
    return VerifyReport(log.path, log.lines, sorted(set(faults)), [*_notes(log, copies, asked)])


def _copies(log: _Log, asked: VerifyOptions) -> list[Path]:
    whole = log.path.with_name(WHOLE)
    return [*([asked.head] if asked.head else []), *([whole] if log.part and whole.exists() else [])]


def _copy(path: Path) -> Head:
    head = audit_log.read_head(path)
    assert head is not None, "its path was checked"
    return head


def _torn(log: _Log) -> Iterator[Fault]:
    if log.torn:
        yield Fault(log.end + 1, "is unfinished, as a crash leaves it; whatever writes next cuts it off and says so")


def _own_head(log: _Log) -> Iterator[Fault]:
    if log.head is not None:
        yield from heads.faults(log.head, log.lines, log.start)
        yield from heads.stale(log.head, log.lines, log.start)
    elif log.part:
        yield Fault(log.end, "was exported with a head file beside it, which is gone: the tail may be cut off")
    else:
        yield from heads.missing(log.lines)


def _signatures(log: _Log, copies: Sequence[Head], trusted: Checkers) -> Iterator[Fault]:
    yield from signatures.faults(log.lines, trusted, log.start.seq + 1)
    for head in [*([log.head] if log.head else []), *copies]:
        yield from signatures.head_faults(head, trusted)


def _results(log: _Log) -> Iterator[Fault]:
    for result in _named(log):
        path = log.path.parent / result.name
        if not result.inside:
            yield Fault(result.line, f"names {result.name}, which is outside the folder of the log")
        elif not path.is_file():
            yield Fault(result.line, f"names {result.name}, which is missing")
        elif not files.has_digest(path, result.sha256):
            yield Fault(
                result.line, f"names {result.name}, which is another file now: its content was changed or swapped"
            )


def _named(log: _Log) -> list[records.ResultFile]:
    return records.results([chain.parse_line(line) for line in log.lines], log.start.seq + 1)


def _notes(log: _Log, copies: dict[Path, Head], asked: VerifyOptions) -> Iterator[str]:
    if log.head is None and not log.part:
        yield "There is no head file beside it: a tail cut off would not be noticed."
    elif log.head and (late := len(heads.behind(log.head, log.lines, log.start))):
        yield f"The head names line {log.head.seq}; {late} came after it, as a crash may leave it."
    for path, head in copies.items():
        yield f"{path} names line {head.seq}; the log at hand goes from {log.start.seq + 1} to {log.end}."
    if asked.public_keys:
        first = log.start.seq + signatures.unsigned(log.lines) + 1
        yield f"Signatures were checked from line {first} on, which holds those before it by their hashes."
    if asked.results:
        yield f"Files were checked: {len(_named(log))}."
    for number, line in enumerate(log.lines, log.start.seq + 1):
        if mended := chain.parse_line(line).get("mended"):
            yield f"Line {number} says: {mended}."
