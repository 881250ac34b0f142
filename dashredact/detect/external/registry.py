"""The list of models: those that this tool knows, and those in the user's `models.json`."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.formats import ModelFormat
from dashredact.errors import MachineError
from dashredact.kinds import KINDS, Kind

_SHIPPED = Path(__file__).parent / "known.json"
_OWN = "models.json"


@dataclass(frozen=True)
class Entry:
    name: str
    path: Path
    """where the file is, or will be once it is fetched"""
    sha256: str
    bytes: int
    class_kinds: ClassKinds
    format: ModelFormat | None
    """None: recognised by the content of the file"""
    address: str
    """https, or empty if the file must be downloaded by hand"""
    licence: str
    source: str
    note: str
    long_side: int | None
    """of the pictures that it takes, in pixels; None: as the file says"""
    thresholds: dict[Kind, float]


def folder() -> Path:
    """The folder of models that are not shipped with this tool."""
    if own := os.environ.get("DASHREDACT_MODELS"):
        return Path(own)
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    try:
        return (data if data.is_absolute() else Path.home() / ".local" / "share") / "dashredact" / "models"
    except RuntimeError:
        raise MachineError("This user has no home folder; set DASHREDACT_MODELS to the folder of the models.") from None


def read() -> dict[str, Entry]:
    """By name. MachineError if a list is invalid."""
    own = folder() / _OWN
    return _read(_SHIPPED) | (_read(own) if own.exists() else {})


def _read(path: Path) -> dict[str, Entry]:
    try:
        content = json.loads(path.read_bytes())
        if content["schema"] != 1:
            raise ValueError(f"its schema is {content['schema']} instead of 1")
        entries = [_entry(item) for item in content["models"]]
    except OSError as error:
        raise MachineError(f"{path} cannot be read ({error.strerror}); correct its permissions.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MachineError(
            f"{path} is not a valid list of models ({type(error).__name__}: {error}); correct it."
        ) from None
    return {entry.name: entry for entry in entries}


def _entry(item: dict[str, Any]) -> Entry:
    file, digest, address = item["file"], item["sha256"], item.get("address", "")
    if PurePath(file).name != file or file in ("", "..", _OWN):
        raise ValueError(f"{file} is not the name of a file in the folder")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{digest} is not a sha256")
    if address and not address.startswith("https://"):
        raise ValueError(f"{address} is not an https address")
    return Entry(
        name=str(item["name"]),
        path=folder() / file,
        sha256=digest,
        bytes=int(item["bytes"]),
        class_kinds=tuple(None if kind == "-" else _kind(kind) for kind in item["finds"]),
        format=ModelFormat(item["form"]) if item.get("form") else None,
        address=address,
        licence=str(item.get("licence", "")),
        source=str(item.get("source", "")),
        note=str(item.get("note", "")),
        long_side=int(item["long_side"]) if item.get("long_side") else None,
        thresholds={_kind(kind): float(score) for kind, score in item.get("thresholds", {}).items()},
    )


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise ValueError(f"{name} is no kind; use {', '.join(KINDS)}, or - for a class that is not masked")
    return Kind(name)
