"""What lies in an inbox: videos that are complete, uploads that may still grow, and what is none of ours.

A file counts as complete when nothing about it has changed for a while. The change time decides, not the modification
time: copying tools set the latter back to what it was at the source.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISLNK

from dashredact.errors import UsageError
from dashredact.workspace import inbox
from dashredact.workspace.inbox import Item

QUARANTINE = "quarantine"
_OPEN = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".upload")
"""Endings that upload and download tools give to what is not complete."""


@dataclass(frozen=True)
class Upload:
    item: Item
    size: int
    """bytes"""
    arrived: float
    """last change, seconds since 1970"""


@dataclass(frozen=True)
class InboxContents:
    complete: Sequence[Upload]
    """oldest first"""
    growing: Sequence[Upload]
    links: int
    """symbolic links, which are not followed"""


class InboxWatcher:
    """Looks into an inbox now and then, and remembers how long a file has been what it is."""

    def __init__(self, folder: Path, out: Path, settle: float) -> None:
        """settle: seconds without a change after which a file is complete."""
        self._folder, self._out, self._settle = folder, out, settle
        self._seen: dict[str, tuple[tuple[int, ...], float]] = {}

    def look(self) -> InboxContents:
        """UsageError where a folder cannot be read: its videos would be passed over in silence."""
        complete: list[Upload] = []
        growing: list[Upload] = []
        links = 0
        seen: dict[str, tuple[tuple[int, ...], float]] = {}
        taken: dict[Path, str] = {}
        found = [(path, name, now) for path, name in _files(self._folder, self._out) if (now := _state(path))]
        for path, name, now in sorted(found, key=lambda file: file[2].st_ctime):  # who came first has the name
            links += S_ISLNK(now.st_mode)
            if S_ISLNK(now.st_mode) or not _is_video(name):
                continue
            state = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
            before = self._seen.get(name)
            seen[name] = before if before and before[0] == state else (state, time.monotonic())
            item = replace(inbox.claim(path, name, taken), within=self._folder)
            arrival = Upload(item, now.st_size, now.st_ctime)
            settled = self._settled(now.st_ctime, seen[name][1]) and not _open(path)
            (complete if settled else growing).append(arrival)
        self._seen = seen
        return InboxContents(complete, growing, links)

    def _settled(self, changed: float, since: float) -> bool:
        """changed: by the file's clock. since: when it was first seen so, by ours."""
        return 0 <= self._settle <= time.time() - changed or time.monotonic() - since >= max(self._settle, 1)


def _state(path: Path) -> os.stat_result | None:
    """None where it is gone by now."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _files(folder: Path, out: Path) -> Iterator[tuple[Path, str]]:
    """Everything but folders below the folder, by name. Hidden folders, output folder and quarantine are left out."""
    if not folder.is_dir():
        raise UsageError(f"The inbox {folder} is not a folder.")
    apart = {out.resolve(), (folder / QUARANTINE).resolve()}
    for path in inbox.walk(folder, skip=lambda path: path.name.startswith(".") or path.resolve() in apart):
        yield path, path.relative_to(folder).as_posix()


def _is_video(name: str) -> bool:
    path = Path(name)
    if path.name.startswith(".") or Path(path.stem).suffix == inbox.MASKED:
        return False
    return path.suffix.lower() in inbox.SUFFIXES or (
        path.suffix.lower() in _OPEN and Path(path.stem).suffix.lower() in inbox.SUFFIXES
    )


def _open(path: Path) -> bool:
    """An upload that says of itself, or by a file beside it, that it is not complete."""
    endings = {suffix.lower() for suffix in path.suffixes[-2:]}
    return bool(endings.intersection(_OPEN)) or any(_exists(path.with_name(path.name + ending)) for ending in _OPEN)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long for any file
        return False
