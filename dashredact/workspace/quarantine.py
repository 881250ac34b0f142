"""The folder of the inbox for uploads that failed too often, with the reason in a file beside each."""

from pathlib import Path

from dashredact import files
from dashredact.errors import MachineError, UsageError
from dashredact.workspace.uploads import QUARANTINE

_REASON = ".reason.txt"


def put(inbox: Path, source: Path, reason: str) -> str:
    """Move a source; returns its new path relative to the inbox. OSError where it cannot be moved."""
    target = _free(inbox / QUARANTINE / source.relative_to(inbox))
    if not target.resolve().is_relative_to(inbox.resolve()):  # who uploads may have made it, as a link
        raise OSError(f"{inbox / QUARANTINE} leads out of the inbox")
    try:
        files.private_folder(target.parent)
    except MachineError as error:  # one upload that cannot be moved is no reason to end the run
        raise OSError(str(error)) from None
    files.write(reason_of(target), f"{reason}\n".encode())
    try:
        source.rename(target)
    except OSError:
        reason_of(target).unlink()
        raise
    return target.relative_to(inbox).as_posix()


def restore(inbox: Path, moved_to: str, name: str) -> Path:
    """Move it back. UsageError where another file has its name, or it is gone."""
    source, target = inbox / moved_to, inbox / name
    if not source.is_file():
        raise UsageError(f"{source} does not exist any more; put the file back into {inbox} yourself.")
    if target.exists():
        raise UsageError(f"{target} exists already; move it first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    reason_of(source).unlink(missing_ok=True)
    return target


def reason_of(path: Path) -> Path:
    """Path of the reason of a file that was moved."""
    return path.with_name(files.bounded_name(path.name, _REASON))


def _free(path: Path) -> Path:
    """The path, or where it exists one with a number."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(files.bounded_name(path.stem, f"~{number}{path.suffix}"))
    return free
