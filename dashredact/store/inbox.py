"""Which videos there are, and what the results of each will be called."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dashredact.errors import UsageError

SUFFIXES = {
    *(".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts"),
    *(".m4v", ".mpg", ".mpeg", ".3gp", ".flv", ".wmv"),
}
"""What is taken from a folder. A file that is named one by one is taken whatever it is called."""

MASKED = ".masked"
TRACKS = ".tracks.json"


@dataclass(frozen=True)
class Item:
    """A video and the place its results go to."""

    source: Path
    name: str
    """relative to the folder it was found in; how the audit log calls it"""
    clash: str = ""
    """name of an earlier video that claims the same results"""

    @property
    def stem(self) -> Path:
        """The results' common path under the output folder, without their endings."""
        return Path(self.name).with_suffix("")


def plan(sources: Sequence[Path], out: Path) -> list[Item]:
    """Every video of the sources, folders searched, in order of name. UsageError where there is none."""
    items: list[Item] = []
    taken: dict[Path, str] = {}
    for source in sources:
        found = _search(source, out) if source.is_dir() else [Item(source, source.name)]
        if not found:
            raise UsageError(f"{source} holds no video file.")
        for item in found:
            if not _encodable(item.name):
                raise UsageError(f"{item.name!r} is not valid UTF-8; rename it.")
            items.append(Item(item.source, item.name, taken.get(item.stem, "")))
            taken.setdefault(item.stem, item.name)
    return items


def _encodable(name: str) -> bool:
    """Names are written into the audit log; a name of stray bytes could not be read back."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _search(folder: Path, out: Path) -> list[Item]:
    """Videos below the folder. Links are not followed, and neither hidden folders nor our own results are read."""
    found = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (here / name).resolve() != out.resolve()
        )
        for name in sorted(names):
            path = here / name
            ours = Path(path.stem).suffix == MASKED
            if path.suffix.lower() in SUFFIXES and not path.is_symlink() and not ours:
                found.append(Item(path, path.relative_to(folder).as_posix()))
    return found
