"""Checking an audit log, or the export of a period: chain, heads, signatures and the files it names. Only reads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dashredact.audit import chain, heads, signatures, signing
from dashredact.audit import log as audit_log
from dashredact.audit.chain import Fault
from dashredact.audit.events import Event, FileEntry, files_there, parse
from dashredact.audit.heads import Head
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
    file_fault: Callable[[FileEntry], str] | None = None
    """what is wrong with a file that the log names, as half a sentence; None: files are not checked"""


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

    def __init__(self, path: Path) -> None:
        """path: the log, or a folder that holds it. LedgerError where it is missing or not text."""
        self.path = path / audit_log.NAME if path.is_dir() else path
        log = audit_log.read(self.path)
        before = audit_log.read_head(self.path.with_name(BEFORE)) if path.is_dir() else None
        self.part = before is not None
        self.start = before or heads.EMPTY_HEAD
        self.lines, self.torn = log.lines, log.torn
        self.head = log.head

    @property
    def end(self) -> int:
        return self.start.seq + len(self.lines)

    @cached_property
    def events(self) -> Sequence[Event | Fault]:
        """Of each line that is one of a log the event, or why it is none."""
        numbered = ((number, chain.parse_line(line)) for number, line in enumerate(self.lines, self.start.seq + 1))
        return [_event(number, record) for number, record in numbered if record]

    @cached_property
    def files(self) -> Sequence[tuple[int, FileEntry]]:
        """What should lie beside the log, each with the number of the line that made it."""
        return files_there([event for event in self.events if isinstance(event, Event)])


def _event(number: int, record: dict[str, object]) -> Event | Fault:
    try:
        return parse({**record, "seq": number})
    except ValueError as error:
        return Fault(number, str(error))


def verify(path: Path, options: VerifyOptions) -> VerifyReport:
    """path: the log, or a folder that holds it.

    LedgerError where there is nothing that could be checked, MachineError where a key cannot be read as one.
    """
    log, trusted = _Log(path), signing.checkers(options.public_keys)
    copies = {path: _copy(path) for path in _copies(log, options)}
    faults = [*chain.verify(log.lines, log.start.tip), *_torn(log), *_own_head(log)]
    faults += [event for event in log.events if isinstance(event, Fault)]
    for copy in copies.values():
        faults += heads.faults(copy, log.lines, log.start) if not log.part or copy.seq <= log.end else ()
    if options.public_keys:
        faults += _signatures(log, [copy for copy in copies.values() if copy.signature], trusted)
    if options.file_fault:
        faults += _files(log, options.file_fault)
    return VerifyReport(log.path, log.lines, sorted(set(faults)), [*_notes(log, copies, options)])


def _copies(log: _Log, options: VerifyOptions) -> list[Path]:
    whole = log.path.with_name(WHOLE)
    return [*([options.head] if options.head else []), *([whole] if log.part and whole.exists() else [])]


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


def _files(log: _Log, fault_of: Callable[[FileEntry], str]) -> Iterator[Fault]:
    for number, file in log.files:
        if fault := fault_of(file):
            yield Fault(number, f"names {file.name}, which {fault}")


def _notes(log: _Log, copies: dict[Path, Head], options: VerifyOptions) -> Iterator[str]:
    if log.head is None and not log.part:
        yield "There is no head file beside it: a tail cut off would not be noticed."
    elif log.head and (late := len(heads.behind(log.head, log.lines, log.start))):
        yield f"The head names line {log.head.seq}; {late} came after it, as a crash may leave it."
    for path, head in copies.items():
        yield f"{path} names line {head.seq}; the log at hand goes from {log.start.seq + 1} to {log.end}."
    if options.public_keys:
        first = log.start.seq + signatures.unsigned(log.lines) + 1
        yield f"Signatures were checked from line {first} on, which holds those before it by their hashes."
    if options.file_fault:
        yield f"Files were checked: {len(log.files)}."
    for number, line in enumerate(log.lines, log.start.seq + 1):
        if mended := chain.parse_line(line).get("mended"):
            yield f"Line {number} says: {mended}."
