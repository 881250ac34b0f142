"""The export of a period: its lines, and all that is needed to check them elsewhere, without a network."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

from dashredact.errors import LedgerError, UsageError
from dashredact.pure import heads, ledger
from dashredact.pure.acts import Wanted
from dashredact.store import audit, files, keys, proof, schemas

README = "README.md"


def write(log: Path, wanted: Wanted, folder: Path, public_keys: Sequence[Path] = ()) -> int:
    """Lines of the period, and those between them whatever their time; how many there are comes back.

    Signed with the configured key. UsageError where no line is of that period, the folder is not empty, or a signed
    log has no key. LedgerError where the log is broken: what cannot be proven is not handed on.
    """
    audit.ready(log)
    lines = _checked(log, public_keys)
    first, end = _range(lines, wanted)
    signer = keys.configured()
    before = heads.head_of(lines[:first], heads.NOTHING, signer)
    part = lines[first:end]
    _empty(folder)
    texts = {
        audit.NAME: "".join(line + "\n" for line in part),
        proof.BEFORE: heads.encode(before),
        audit.HEAD: heads.encode(heads.head_of(part, before, signer)),
        proof.WHOLE: heads.encode(heads.head_of(lines, heads.NOTHING, signer)),
        README: schemas.text("export.md").replace("@FIRST@", str(first + 1)).replace("@LAST@", str(end)),
        **{schemas.file_name(number): schemas.text(schemas.file_name(number)) for number in schemas.VERSIONS},
    }
    for name, text in texts.items():
        files.write(folder / name, text.encode())
    for number, key in zip(count(1), public_keys):
        files.write(folder / f"key-{number}.pub", key.read_bytes())
    return len(part)


def _checked(log: Path, public_keys: Sequence[Path]) -> Sequence[str]:
    found = proof.check(log, proof.Asked(public_keys=public_keys))
    if found.faults:
        line, reason = found.faults[0]
        raise LedgerError(f"The audit log {log} is broken: line {line} {reason}; nothing was exported.")
    return found.lines


def _range(lines: Sequence[str], wanted: Wanted) -> tuple[int, int]:
    """From the first wanted line to behind the last one: a chain has no gaps."""
    places = [place for place, line in enumerate(lines) if wanted.in_period(ledger.told(line))]
    if not places:
        raise UsageError("The log has no line of that period; give other days with --since and --until.")
    return places[0], places[-1] + 1


def _empty(folder: Path) -> None:
    if next(files.private_folder(folder).iterdir(), None):
        raise UsageError(f"{folder} is not empty; choose a new folder with -o.")
