"""Sources where they lie, found by their content: names and folders may have changed since they were masked."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dashredact import files
from dashredact.audit.events import SourceEntry
from dashredact.errors import UsageError
from dashredact.workspace.inbox import MASKED, SUFFIXES, walk


def find(folders: Sequence[Path], sha256: str | None, size: int | None) -> list[Path]:
    """Every file below the folders with that content. size: bytes, so that few files have to be hashed."""
    if not sha256 or size is None:
        return []
    return [path for path in _files(folders) if path.stat().st_size == size and files.has_digest(path, sha256)]


def locate(source: SourceEntry, path: Path | None, inbox: Path | None) -> Path:
    """The original of a video: the file at `path`, or the one below `inbox` that has its content.

    UsageError where neither is it, or nobody said where to look.
    """
    if path is not None:
        if not source.sha256 or not path.is_file() or not files.has_digest(path, source.sha256):
            raise UsageError(f"{path} is not the original of {source.name}: its content is another; name that file.")
        return path
    if inbox is None:
        raise UsageError(f"Name the original of {source.name} with --source, or a folder that holds it with --inbox.")
    candidates = find([inbox], source.sha256, source.bytes)
    if not candidates:
        raise UsageError(f"{inbox} holds no video with the content of {source.name}; name it with --source.")
    return candidates[0]


def entry(name: str, path: Path) -> SourceEntry:
    """What the log says of a source that was never tried."""
    return SourceEntry(name=name, sha256=files.sha256(path), bytes=path.stat().st_size)


def videos(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Every video below the folders, and its name relative to its folder. Our own results are left out."""
    for folder in folders:
        for path in _files([folder]):
            if path.suffix.lower() in SUFFIXES and Path(path.stem).suffix != MASKED:
                name = path.relative_to(folder).as_posix()
                yield name.encode("utf-8", "backslashreplace").decode(), path


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in walk(folder) if path.is_file() and not path.is_symlink())
