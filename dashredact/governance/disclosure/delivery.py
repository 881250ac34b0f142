"""A folder that is handed to somebody: it has its name only when all of it is there, checked and written down."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from dashredact import files
from dashredact.errors import MachineError, RefusedError, UsageError

TERMS, MANIFEST = "TERMS.txt", "manifest.json"
SCHEMA = "dashredact/delivery/1"


def check_folder(folder: Path, out: Path) -> None:
    """UsageError where it cannot become the folder to hand over."""
    if folder.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"{folder} lies in {out}; name a folder outside of it with -o.")
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already; name a new folder with -o.")


def place(out: Path, name: str) -> Path:
    """Where a file that the log names lies. RefusedError where the name leads out of the folder."""
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\0" in name
        or not (out / path).resolve().is_relative_to(out.resolve())
    ):
        raise RefusedError(f"{name}: leads out of {out}; find out who wrote that into the audit log.")
    return out / path


def check(out: Path, output: Mapping[str, Any]) -> None:
    """RefusedError where the file is not the one that the log names."""
    if not files.has_digest(place(out, output["name"]), output["sha256"]):
        raise RefusedError(
            f"{output['name']}: is missing, or not the file that the audit log names; run `audit verify {out} --files`."
        )


def write(
    folder: Path,
    out: Path,
    outputs: Sequence[Mapping[str, Any]],
    texts: Mapping[str, Any],
    record: Callable[[], None],
) -> None:
    """Copy masked files, add TERMS.txt and manifest.json, and call `record` right before the folder gets its name.

    outputs: name and sha256 of each. texts: `terms`, the text, and `about`, what the manifest says besides its files.
    A crash after `record` leaves a line about a folder that never appeared, never a folder without a line.
    """
    beside = folder.absolute().parent / f".dashredact-{uuid4().hex}"
    try:
        files.private_folder(beside)
        sizes = [_copy(place(out, output["name"]), beside / "videos" / output["name"], output) for output in outputs]
        rows = [
            {"name": f"videos/{one['name']}", "bytes": size, "sha256": one["sha256"]}
            for one, size in zip(outputs, sizes, strict=True)
        ]
        files.write(beside / TERMS, texts["terms"].encode())
        manifest = {"schema": SCHEMA, **texts["about"], "files": [*rows, _row(beside / TERMS)]}
        files.write(beside / MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
        record()
        beside.replace(folder)
    except OSError as error:
        raise MachineError(
            f"{folder} cannot be written ({error.strerror}); make room or name another folder."
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _row(path: Path) -> dict[str, Any]:
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": files.sha256(path)}


def _copy(source: Path, target: Path, output: Mapping[str, Any]) -> int:
    """Bytes copied. The copy is what is checked: the file may change between a look and the copy."""
    files.private_folder(target.parent)
    unfinished = target.with_name(".copy")
    shutil.copyfile(source, unfinished)
    if not files.has_digest(unfinished, output["sha256"]):
        raise RefusedError(f"{output['name']}: changed while it was copied; run again.")
    files.publish(unfinished, target)
    return target.stat().st_size
