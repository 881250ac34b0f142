"""Sources where they lie, found by their content: names and folders may have changed since they were masked."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dashredact import files
from dashredact.audit.events import SourceEntry
from dashredact.workspace.inbox import MASKED, SUFFIXES, unreadable


def find(folders: Sequence[Path], sha256: str | None, size: int | None) -> list[Path]:
    """Every file below the folders with that content. size: bytes, so that few files have to be hashed."""
    if not sha256 or size is None:
        return []
    return [path for path in _walk(folders) if path.stat().st_size == size and files.has_digest(path, sha256)]


def entry(name: str, path: Path) -> SourceEntry:
    """What the log says of a source that was never tried."""
    return SourceEntry(name=name, sha256=files.sha256(path), bytes=path.stat().st_size)


def videos(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Every video below the folders, and its name relative to its folder. Our own results are none."""
    for folder in folders:
        for path in _walk([folder]):
            if path.suffix.lower() in SUFFIXES and Path(path.stem).suffix != MASKED:
                name = path.relative_to(folder).as_posix()
                yield name.encode("utf-8", "backslashreplace").decode(), path


def _walk(folders: Sequence[Path]) -> Iterator[Path]:
    """Links are not followed. UsageError where a folder cannot be read: its files would be passed over in silence."""
    for folder in folders:
        for parent, inner, names in os.walk(folder, onerror=unreadable):
            inner.sort()
            found = (Path(parent) / name for name in sorted(names))
            yield from (path for path in found if path.is_file() and not path.is_symlink())
