"""What is in an inbox: complete videos, and uploads that may still be written to.

A file counts as complete when it has not changed for a while. The change time (ctime) decides, not the modification
time: copying tools set the latter back to what it was at the source.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISLNK

from dashredact.errors import UsageError
from dashredact.workspace import inbox
from dashredact.workspace.inbox import Item

QUARANTINE = "quarantine"
_INCOMPLETE = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".upload")
"""Suffixes that upload and download tools give to incomplete files."""


@dataclass(frozen=True)
class Upload:
    item: Item
    size: int
    """bytes"""
    arrived: float
    """last change, seconds since 1970"""
    complete_at: float | None = None
    """when it counts as complete if nothing about it changes, seconds since 1970; None while its upload tool says that
    it is not"""


@dataclass(frozen=True)
class InboxContents:
    complete: Sequence[Upload]
    """oldest first"""
    incomplete: Sequence[Upload]
    links: int
    """symbolic links, which are not followed"""
    passed_over: Mapping[str, int]
    """other files that are no video by their ending, by that ending"""


class InboxWatcher:
    """Scans an inbox repeatedly, and remembers since when each file is unchanged."""

    def __init__(self, folder: Path, out: Path, settle: float) -> None:
        """settle: seconds without a change after which a file is complete."""
        self._folder, self._out, self._settle = folder, out, settle
        self._since: dict[str, tuple[tuple[int, ...], float]] = {}

    def scan(self) -> InboxContents:
        """UsageError where a folder cannot be read: its videos would be skipped silently."""
        complete: list[Upload] = []
        incomplete: list[Upload] = []
        links, passed_over = 0, Counter[str]()
        since: dict[str, tuple[tuple[int, ...], float]] = {}
        taken: dict[Path, str] = {}
        present = [(path, name, now) for path, name in _files(self._folder, self._out) if (now := _state(path))]
        for path, name, now in sorted(present, key=lambda file: file[2].st_ctime):  # the first to come gets the name
            links += S_ISLNK(now.st_mode)
            if S_ISLNK(now.st_mode) or not _is_video(name):
                passed_over[inbox.ending(path)] += not S_ISLNK(now.st_mode) and not path.name.startswith(".")
                continue
            state = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
            before = self._since.get(name)
            since[name] = before if before and before[0] == state else (state, time.monotonic())
            item = replace(inbox.claim(path, name, taken), within=self._folder)
            complete_at = None if _is_marked_incomplete(path) else self._complete_at(now.st_ctime, since[name][1])
            upload = Upload(item, now.st_size, now.st_ctime, complete_at)
            (incomplete if complete_at is None or time.time() < complete_at else complete).append(upload)
        self._since = since
        return InboxContents(complete, incomplete, links, +passed_over)

    def _complete_at(self, changed: float, since: float) -> float:
        """When it counts as complete, seconds since 1970.

        changed: wall-clock time of the last change, by a clock that may be ahead of ours. since: monotonic time of the
        first scan with this state.
        """
        now = time.time()
        seen = now - (time.monotonic() - since) + max(self._settle, 1)
        return min(changed + self._settle, seen) if changed <= now else seen


def _state(path: Path) -> os.stat_result | None:
    """None where it is gone."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _files(folder: Path, out: Path) -> Iterator[tuple[Path, str]]:
    """Every file below the folder, by name, without hidden folders, the output folder and the quarantine."""
    if not folder.is_dir():
        raise UsageError(f"The inbox {folder} is not a folder; name the folder of the uploads.")
    excluded = {out.resolve(), (folder / QUARANTINE).resolve()}
    for path in inbox.walk(folder, skip=lambda path: path.name.startswith(".") or path.resolve() in excluded):
        yield path, path.relative_to(folder).as_posix()


def _is_video(name: str) -> bool:
    path = Path(name)
    if path.name.startswith(".") or Path(path.stem).suffix == inbox.MASKED:
        return False
    return path.suffix.lower() in inbox.SUFFIXES or (
        path.suffix.lower() in _INCOMPLETE and Path(path.stem).suffix.lower() in inbox.SUFFIXES
    )


def _is_marked_incomplete(path: Path) -> bool:
    """By a suffix of its own name, or by a file beside it with such a suffix."""
    if {suffix.lower() for suffix in path.suffixes[-2:]}.intersection(_INCOMPLETE):
        return True
    return any(_exists(path.with_name(path.name + suffix)) for suffix in _INCOMPLETE)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long for any file
        return False
