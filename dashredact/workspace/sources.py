"""The identity of a source: its content, its folder, and whether it has changed since."""

import hashlib
import os
from pathlib import Path

from dashredact.audit.events import SourceEntry
from dashredact.errors import ChangedError, RefusedError, UnreadableError
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import Index


def unopened(item: Item) -> SourceEntry:
    """What the log says of a source before it is opened."""
    return SourceEntry(name=item.name)


class Source:
    """A source as it was when it was identified."""

    def __init__(self, item: Item, index: Index, *, force_hash: bool) -> None:
        """RefusedError or UnreadableError where it cannot be masked, whatever its content.

        force_hash: hash it even where size, times and inode are unchanged.
        """
        if item.fault:
            raise RefusedError(item.fault)
        _check_location(item)
        self._item, self._state = item, _state(item.source)
        self.sha256 = index.digest(item.source, force=force_hash)
        self.check_unchanged()

    @property
    def entry(self) -> SourceEntry:
        """What the log says of it."""
        return SourceEntry(name=self._item.name, sha256=self.sha256, bytes=self._state[0], place=self.place)

    @property
    def place(self) -> str:
        """Digest of its path: tells sources of one name in different folders apart without disclosing the folders."""
        return hashlib.sha256(os.fsencode(self._item.source.absolute())).hexdigest()[:16]

    def check_unchanged(self) -> None:
        """ChangedError if it was written to since."""
        try:
            _check_location(self._item)
            same = _state(self._item.source) == self._state
        except (OSError, UnreadableError):
            same = False
        if not same:
            raise ChangedError(f"{self._item.name}: changed while it was read; run again when it is complete.")


def _check_location(item: Item) -> None:
    """A regular file, and in an inbox, which strangers may write to, one that really lies there and is not a link."""
    path, inbox = item.source, item.within
    if inbox and (path.is_symlink() or not path.resolve().is_relative_to(inbox.resolve())):
        raise RefusedError(f"{item.name}: is a link; links in the inbox are not followed.")
    if not path.is_file():
        raise UnreadableError(f"{item.name}: is not a file; name a video file or a folder of them.")


def _state(path: Path) -> tuple[int, ...]:
    now = path.stat()
    return now.st_size, now.st_mtime_ns, now.st_ino
