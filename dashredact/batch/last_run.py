"""What the last run over an inbox leaves for `status`. Nothing else depends on it: it may be missing."""

from contextlib import suppress
from pathlib import Path

import msgspec

from dashredact import files
from dashredact.workspace.output_folder import OutputFolder

_NAME = "last-run.json"


class LastRun(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended, and the rules by which the next one goes if nobody changes them."""

    ended: float
    """seconds since 1970"""
    inbox: str
    exit_code: int
    summary: str
    settle: float
    """seconds"""
    tries: int
    retry_after: float
    """seconds"""
    quarantine: bool


def write(folder: OutputFolder, run: LastRun) -> None:
    files.write(_path(folder), msgspec.json.encode(run))


def read(folder: OutputFolder) -> LastRun | None:
    """None where there was no run yet, or another version of this tool left something else."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(_path(folder).read_bytes(), type=LastRun)
    return None


def _path(folder: OutputFolder) -> Path:
    return folder.state_folder / _NAME
