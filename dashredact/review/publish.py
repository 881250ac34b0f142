"""A corrected file takes the place of the one before, in an order that a crash cannot spoil.

Everything that is published, and the line about it, is in the work folder before the first name changes hands: tracks
file, masked video, audit line, work folder. Whoever writes next finishes what a crash has cut short.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.workspace import locks
from dashredact.workspace.index import Index
from dashredact.workspace.work_folder import WorkFolder

_LINE, _TRACKS = "correction.json", "tracks.json"


def publish(out: Path, index: Index, job: WorkFolder, record: Mapping[str, Any], tracks: bytes) -> None:
    """record: the line, with the names that the job's finished file and the tracks file get."""
    files.write(job.folder / _TRACKS, tracks)
    files.write(job.folder / _LINE, json.dumps(record).encode())
    _complete(out, index, job.folder)


def complete_all(out: Path, index: Index) -> bool:
    """Finish what a crash has cut short; whether there was anything."""
    begun = cut_short(out)
    for folder in begun:
        _complete(out, index, folder)
    return bool(begun)


def cut_short(out: Path) -> list[Path]:
    """Work folders of corrections that are half published."""
    return sorted(path.parent for path in (out / locks.STATE_FOLDER).glob(f"*/{_LINE}"))


def _complete(out: Path, index: Index, folder: Path) -> None:
    """Each step may have been done before. Where the video was masked anew meanwhile, that counts."""
    record = json.loads((folder / _LINE).read_bytes())
    finished = folder / WorkFolder.FINISHED
    result = index.result(record["source"]["name"])
    if result and result.output_sha256 == record["replaces"]:
        if files.has_digest(finished, record["output"]["sha256"]):
            files.write(out / record["tracks_file"]["name"], (folder / _TRACKS).read_bytes())
            files.publish(finished, out / record["output"]["name"])
        if files.has_digest(out / record["output"]["name"], record["output"]["sha256"]):
            index.append(record)
    shutil.rmtree(folder)
