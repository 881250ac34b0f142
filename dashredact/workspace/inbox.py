"""Which videos there are, and the names of their results."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dashredact.errors import UsageError

SUFFIXES = {
    *(".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts"),
    *(".m4v", ".mpg", ".mpeg", ".3gp", ".flv", ".wmv", ".asf", ".vob", ".m2t", ".lrv", ".insv", ".360"),
    *(".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".mxf", ".ogv", ".qt", ".3g2"),
}
"""Of videos in a folder. A file that is named itself is taken whatever its suffix."""

MASKED = ".masked"
TRACKS = ".tracks.json"


@dataclass(frozen=True)
class Item:
    """A video and the name of its results."""

    source: Path
    name: str
    """relative to the folder that was searched; its name in the audit log"""
    fault: str = ""
    """why it cannot be masked, whatever its content"""
    within: Path | None = None
    """the inbox that it must lie in, links followed; None: anywhere"""

    @property
    def stem(self) -> Path:
        """The results' common path under the output folder, without their suffixes."""
        return Path(self.name).with_suffix("")


def plan(sources: Sequence[Path], out: Path) -> list[Item]:
    """Every video of the sources, folders searched, in order of name. UsageError where there is none."""
    items: list[Item] = []
    taken: dict[Path, str] = {}
    seen: set[Path] = set()
    for source in sources:
        videos = _search(source, out) if source.is_dir() else [(source, source.name)]
        if not videos:
            raise UsageError(f"{source} holds no video file.")
        for path, name in videos:
            if path.absolute() in seen:
                continue
            seen.add(path.absolute())
            items.append(claim(path, name, taken))
    return items


def ending(path: Path) -> str:
    return path.suffix.lower() or "without an ending"


def passed_over(sources: Sequence[Path], out: Path) -> Counter[str]:
    """How many files of the folders are no video by their ending, by that ending; hidden files do not count."""
    return Counter(
        ending(path)
        for source in sources
        if source.is_dir()
        for path in _visible(source, out)
        if path.suffix.lower() not in SUFFIXES and not path.is_symlink() and not path.name.startswith(".")
    )


def check_apart(sources: Sequence[Path], out: Path) -> None:
    """UsageError where a folder of unmasked videos is the output folder, holds it, or lies in it."""
    results = out.resolve()
    for folder in (source for source in sources if source.is_dir()):
        originals = folder.resolve()
        if originals == results or originals in results.parents or results in originals.parents:
            raise UsageError(
                f"{folder} and the output folder {out} are the same or nested; keep masked and unmasked videos apart."
            )


def claim(path: Path, name: str, taken: dict[Path, str]) -> Item:
    """The item of a file. taken: names of earlier items by their stem; a later one with the same stem gets a fault."""
    item = Item(path, _readable(name))
    fault = "" if item.name == name else f"{item.name}: its name is not valid UTF-8; rename it."
    if item.stem in taken:
        fault = f"{item.name}: its results would have the names of those of {taken[item.stem]}; rename one of them."
    taken.setdefault(item.stem, name)
    return replace(item, fault=fault)


def _readable(name: str) -> str:
    """Names are written into the audit log, and stray bytes could not be read back."""
    return name.encode("utf-8", "backslashreplace").decode()


def _search(folder: Path, out: Path) -> list[tuple[Path, str]]:
    """Videos below the folder. Links are not followed; hidden files and masked videos are left out."""
    return [(path, path.relative_to(folder).as_posix()) for path in _visible(folder, out) if _is_video(path)]


def _visible(folder: Path, out: Path) -> Iterator[Path]:
    return walk(folder, skip=lambda path: path.name.startswith(".") or path.resolve() == out.resolve())


def _is_video(path: Path) -> bool:
    excluded = path.name.startswith(".") or Path(path.stem).suffix == MASKED
    return path.suffix.lower() in SUFFIXES and not path.is_symlink() and not excluded


def walk(folder: Path, skip: Callable[[Path], bool] = lambda path: False) -> Iterator[Path]:
    """Every file below the folder, in order of names. skip: whether a folder is left out.

    Links to folders are not followed. UsageError where a folder cannot be read: its files would be skipped silently.
    """
    for parent, folders, names in os.walk(folder, onerror=_unreadable):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not skip(here / name))
        yield from (here / name for name in sorted(names))


def _unreadable(error: OSError) -> None:
    raise UsageError(f"The folder {error.filename} cannot be read ({error.strerror}).")
