"""A folder that is handed to somebody: it has its name only when all of it is there, checked and written down."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from dashredact import files
from dashredact.audit.events import FileEntry
from dashredact.errors import MachineError, RefusedError, UsageError
from dashredact.workspace.output_folder import OutputFolder

TERMS, MANIFEST = "TERMS.txt", "manifest.json"
SCHEMA = "dashredact/delivery/1"


@dataclass(frozen=True)
class Content:
    """What is handed over."""

    videos: Sequence[FileEntry]
    """masked files of the output folder"""
    terms: str
    """text of TERMS.txt"""
    manifest: Mapping[str, Any]
    """what manifest.json says besides its files"""


def check_target(target: Path, folder: OutputFolder) -> None:
    """UsageError where it cannot become the folder to hand over."""
    if folder.contains(target):
        raise UsageError(f"{target} lies in {folder}; name a folder outside of it with -o.")
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise UsageError(f"{target} is there already; name a new folder with -o.")


def write(target: Path, folder: OutputFolder, content: Content, record: Callable[[], None]) -> None:
    """Copy the masked files, add TERMS.txt and manifest.json, and call `record` right before the target gets its name.

    A crash after `record` leaves a line about a folder that never appeared, never a folder without a line.

    RefusedError where a file is not the one that the log names; MachineError where the disk refuses.
    """
    temporary = target.absolute().parent / f".dashredact-{uuid4().hex}"
    try:
        files.private_folder(temporary)
        rows = [_copy(folder, video, temporary) for video in content.videos]
        files.write(temporary / TERMS, content.terms.encode())
        manifest = {"schema": SCHEMA, **content.manifest, "files": [*rows, _row(temporary / TERMS)]}
        files.write(temporary / MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
        record()
        temporary.replace(target)
    except OSError as error:
        raise MachineError(
            f"{target} cannot be written ({error.strerror}); make room or name another folder."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _row(path: Path) -> dict[str, Any]:
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": files.sha256(path)}


def _copy(folder: OutputFolder, video: FileEntry, temporary: Path) -> dict[str, Any]:
    """Row of the manifest. The copy is checked, not the file, which may change while it is copied."""
    name = f"videos/{video.name}"
    target = temporary / name
    files.private_folder(target.parent)
    unfinished = target.with_name(".copy")
    shutil.copyfile(folder.resolve(video.name), unfinished)
    if not files.has_digest(unfinished, video.sha256):
        raise RefusedError(f"{video.name}: changed while it was copied; run again.")
    files.publish(unfinished, target)
    return {"name": name, "bytes": target.stat().st_size, "sha256": video.sha256}
