"""What tells one source from another, and from itself at another time."""

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
        """RefusedError or UnreadableError where it cannot be masked, whatever is in it.

        force_hash: hash it even where nothing about it has changed.
        """
        if item.fault:
            raise RefusedError(item.fault)
        _check_place(item)
        self._item, self._state = item, _state(item.source)
        self.sha256 = index.digest(item.source, force=force_hash)
        self.check_unchanged()

    @property
    def entry(self) -> SourceEntry:
        """What the log says of it."""
        return SourceEntry(name=self._item.name, sha256=self.sha256, bytes=self._state[0], place=self.place)

    @property
    def place(self) -> str:
        """Tells the folders of two sources of one name apart without writing down where they are."""
        return hashlib.sha256(os.fsencode(self._item.source.absolute())).hexdigest()[:16]

    def check_unchanged(self) -> None:
        """ChangedError if somebody wrote to it since."""
        try:
            _check_place(self._item)
            same = _state(self._item.source) == self._state
        except (OSError, UnreadableError):
            same = False
        if not same:
            raise ChangedError(f"{self._item.name}: changed while it was read; run again when it is complete.")


def _check_place(item: Item) -> None:
    """A file, and in an inbox that strangers write to, one that lies there and is not linked to from there."""
    path, inbox = item.source, item.within
    if inbox and (path.is_symlink() or not path.resolve().is_relative_to(inbox.resolve())):
        raise RefusedError(f"{item.name}: is a link; links are not followed out of the inbox.")
    if not path.is_file():
        raise UnreadableError(f"{item.name}: is not a file; name a video file or a folder of them.")


def _state(path: Path) -> tuple[int, ...]:
    now = path.stat()
    return now.st_size, now.st_mtime_ns, now.st_ino
