"""Deleting a clip in all its stages: the intention is written first, then the files go, then the audit log says so.

A crash leaves the intention, and whoever erases next finishes it: records and disk agree again. A file is deleted
only while it is the one that was meant.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.events import EventType
from dashredact.audit.records import OUTCOMES, Clip, event_type
from dashredact.errors import MachineError
from dashredact.governance.disclosure.delivery import place
from dashredact.report.page_names import page_names, page_paths
from dashredact.workspace import locks, originals, quarantine, work_folder

_INTENTION = "erasing.json"
_REASON = "reason"  # beside a quarantined source, why it is there: the log holds that already
UNMASKED = ("captured", "sealed")
"""Stages of which the log says that the source is gone."""


@dataclass(frozen=True)
class Target:
    """A file that is to go."""

    path: str
    name: str
    """as the log calls it"""
    stage: str
    """captured, sealed, reason, masked, tracks, detections or report"""
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Erasure:
    """One clip in all its stages."""

    clip: str
    targets: Sequence[Target]
    line: Mapping[str, Any]
    """what the log will say, but for the files"""


def plan(
    out: Path, clip: Clip, records: Sequence[Mapping[str, Any]], inboxes: Sequence[Path], line: Mapping[str, Any]
) -> Erasure:
    """What there is of a clip. inboxes: folders in which its source may lie."""
    source = clip.record["source"]
    contents = [("captured", source), *(("sealed", one["sealed"]) for one in records if _sealed(one, clip))]
    found = [
        (path, clip.name, stage)
        for stage, told in contents
        for path in originals.find(inboxes, told.get("sha256"), told.get("bytes"))
    ]
    found += [(quarantine.reason_of(path), clip.name, _REASON) for path, _, stage in found if stage == "captured"]
    found += [(place(out, name), name, stage) for name, stage in _made(clip, records)]
    found += [
        (path, f"{path.parent.name}/{path.name}", "report")
        for path in page_paths(out, page_names(audit_log.events(out / audit_log.NAME)), [clip.name])
    ]
    there = [one for one in dict.fromkeys(found) if one[0].is_file() and not one[0].is_symlink()]
    return Erasure(clip.name, [_target(*one) for one in there], {**line, "source": source})


def _sealed(record: Mapping[str, Any], clip: Clip) -> bool:
    """Whether the line tells of an encrypted copy of the source."""
    return isinstance(record.get("sealed"), Mapping) and record["source"].get("sha256") == clip.source_sha256


def _made(clip: Clip, records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Every name that the log ever gave to something made of it, and its stage."""
    stages = ("output", "masked"), ("tracks_file", "tracks")
    mine = [one for one in records if (one.get("source") or {}).get("name") == clip.name]
    named = [(one[key]["name"], stage) for one in mine for key, stage in stages if isinstance(one.get(key), Mapping)]
    kept = [
        (file["name"], "detections") for one in mine if event_type(one) in OUTCOMES for file in one.get("files") or ()
    ]
    return [*named, *kept]


def _target(path: Path, name: str, stage: str) -> Target:
    return Target(str(path.absolute()), name, stage, files.sha256(path), path.stat().st_size)


def erase(out: Path, erasures: Sequence[Erasure]) -> None:
    """Delete and record; `out` is locked. MachineError where a file cannot be deleted: the next call goes on there."""
    audit_log.ready(out / audit_log.NAME)
    finish(out)
    _intend(out, [asdict(one) for one in erasures])
    finish(out)


def finish(out: Path) -> None:
    """Do what was intended and not done yet."""
    path = _intention(out)
    intended = json.loads(path.read_text()) if path.exists() else []
    while intended:
        _erase(out, intended[0])
        intended = intended[1:]
        _intend(out, intended)


def _intention(out: Path) -> Path:
    return files.private_folder(out / locks.STATE_FOLDER) / _INTENTION


def _intend(out: Path, erasures: Sequence[Mapping[str, Any]]) -> None:
    if erasures:
        files.write(_intention(out), json.dumps(erasures).encode())
    else:
        _intention(out).unlink(missing_ok=True)


def _erase(out: Path, erasure: Mapping[str, Any]) -> None:
    for target in erasure["targets"]:
        _delete(Path(target["path"]), target["sha256"])
    work_folder.forget(out, erasure["clip"])
    for line in _lines(erasure):
        audit_log.append(out / audit_log.NAME, {"act": EventType.PURGED, **line})


def _lines(erasure: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One for the source, one for what was made of it: so other commands tell them apart. One if nothing was there."""
    told, made = dict(erasure["line"]), []
    source = told.pop("source")
    told |= {"erased": source["sha256"]} if source.get("sha256") else {}
    for target in erasure["targets"]:
        if target["stage"] not in (*UNMASKED, _REASON) and target["bytes"]:
            made.append({key: target[key] for key in ("name", "sha256", "bytes", "stage")})
    unmasked = any(target["stage"] in UNMASKED for target in erasure["targets"])
    if unmasked:
        yield {**told, "source": source}
    if made or not unmasked:
        yield {**told, "files": made}


def _delete(path: Path, sha256: str) -> None:
    try:
        if files.has_digest(path, sha256):
            path.unlink()
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    except OSError as error:
        raise MachineError(f"{path} cannot be deleted ({error.strerror}); make that possible and run again.") from None
