"""The export of a period: its lines, and all that is needed to check them elsewhere, without a network."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

from dashredact import files
from dashredact.audit import heads, schemas, signing
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.audit.events import EventFilter
from dashredact.errors import LedgerError, UsageError

README = "README.md"


def write(log: Path, wanted: EventFilter, folder: Path, public_keys: Sequence[Path] = ()) -> int:
    """Lines of the period, and those between them whatever their time; how many there are comes back.

    Signed with the configured key. UsageError where no line is of that period, the folder is not empty, or a signed
    log has no key. LedgerError where the log is broken: what cannot be proven is not handed on.
    """
    audit_log.ready(log)
    lines = _checked(log, public_keys)
    first, end = _range(log, wanted)
    signer = signing.configured()
    before = heads.head_of(lines[:first], heads.EMPTY_HEAD, signer)
    part = lines[first:end]
    _empty(folder)
    texts = {
        audit_log.NAME: "".join(line + "\n" for line in part),
        audit_verify.BEFORE: heads.encode(before),
        audit_log.HEAD: heads.encode(heads.head_of(part, before, signer)),
        audit_verify.WHOLE: heads.encode(heads.head_of(lines, heads.EMPTY_HEAD, signer)),
        README: schemas.text("export.md").replace("@FIRST@", str(first + 1)).replace("@LAST@", str(end)),
        **{schemas.file_name(number): schemas.text(schemas.file_name(number)) for number in schemas.VERSIONS},
    }
    for name, text in texts.items():
        files.write(folder / name, text.encode())
    for number, key in zip(count(1), public_keys):
        files.write(folder / f"key-{number}.pub", key.read_bytes())
    return len(part)


def _checked(log: Path, public_keys: Sequence[Path]) -> Sequence[str]:
    report = audit_verify.verify(log, audit_verify.VerifyOptions(public_keys=public_keys))
    if report.faults:
        line, reason = report.faults[0]
        raise LedgerError(f"The audit log {log} is broken: line {line} {reason}; nothing was exported.")
    return report.lines


def _range(log: Path, wanted: EventFilter) -> tuple[int, int]:
    """From the first wanted line to behind the last one: a chain has no gaps. Lines count from 0."""
    numbers = [number for number, event in enumerate(audit_log.events(log)) if wanted.in_period(event)]
    if not numbers:
        raise UsageError("The log has no line of that period; give other days with --since and --until.")
    return numbers[0], numbers[-1] + 1


def _empty(folder: Path) -> None:
    if next(files.private_folder(folder).iterdir(), None):
        raise UsageError(f"{folder} is not empty; choose a new folder with -o.")
