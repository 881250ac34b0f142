"""How a video ended, and which errors end the video and which the run."""

import errno
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashredact.audit.events import Tried
from dashredact.errors import DashredactError, MachineError, OutOfTimeError, PolicyError, RefusedError, VideoError

_log = logging.getLogger("dashredact")


class VideoStatus(StrEnum):
    """How a video ended. Values are written into the audit log and into `--json`."""

    MASKED = "masked"
    NEEDS_REVIEW = "needs review"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    REFUSED_BY_POLICY = "refused by policy"
    FAILED = "failed"
    SKIPPED = "skipped"
    WAITING = "waiting"
    REHEARSED = "rehearsed"
    BUG = "bug"


@dataclass(frozen=True)
class Outcome:
    name: str
    status: VideoStatus
    reason: str = ""
    output: Path | None = None
    event: Tried | None = None
    """of the audit log; None for videos that were skipped or that wait"""

    @property
    def notes(self) -> Sequence[str]:
        """Irregularities of the source of a masked video, for people."""
        return (self.event.notes or ()) if self.event else ()

    @property
    def record(self) -> dict[str, Any] | None:
        """The event as JSON."""
        return {**self.event.to_record(), "outcome": str(self.status)} if self.event else None


def classify_error(name: str, out: Path, error: Exception) -> tuple[VideoStatus, str]:
    """The status and the reason of a video that ended in this error; an error that ends the run is raised again.

    out: the output folder.
    """
    if isinstance(error, OutOfTimeError):
        return VideoStatus.WAITING, f"{name}: {error}"
    if isinstance(error, VideoError):
        message = str(error)
        prefix = next((f"{own}:" for own in (name, Path(name).name) if message.startswith(f"{own}:")), "")
        reason = f"{name}: {message.removeprefix(prefix).lstrip()}" if prefix or name not in message else message
        return VideoStatus.REFUSED if isinstance(error, RefusedError) else VideoStatus.FAILED, reason
    if isinstance(error, PolicyError):
        return VideoStatus.REFUSED_BY_POLICY, f"{name}: {error}"
    if isinstance(error, DashredactError):
        raise error
    if isinstance(error, MemoryError):
        raise MachineError("The machine is out of memory; close other programs or use a larger machine.") from error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(f"The disk of {out} is full; make room and run again.") from error
        return VideoStatus.FAILED, f"{name}: cannot be read or written ({error.strerror})."
    _log.debug("%s", name, exc_info=error)
    return VideoStatus.BUG, f"{name}: this is a bug ({type(error).__name__}: {error}); please report it."
