"""How a video ended, and what an error says about it."""

import errno
import logging
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashredact.audit.events import Tried
from dashredact.errors import DashredactError, MachineError, OutOfTimeError, PolicyError, RefusedError, VideoError

_log = logging.getLogger("dashredact")


class VideoStatus(StrEnum):
    """How a video ended."""

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
    verdict: VideoStatus
    reason: str = ""
    output: Path | None = None
    event: Tried | None = None
    """what the audit log says of it; None for what was skipped, or waits"""

    @property
    def record(self) -> dict[str, Any] | None:
        """The event as JSON has it."""
        return {**self.event.to_record(), "outcome": str(self.verdict)} if self.event else None


def classify_error(name: str, out: Path, error: Exception) -> tuple[VideoStatus, str]:
    """What happens to one video ends that video; what happens to the machine, or a signal, ends the run."""
    if isinstance(error, OutOfTimeError):
        return VideoStatus.WAITING, f"{name}: {error}"
    if isinstance(error, VideoError):
        words = str(error)
        known = next((own for own in (name, Path(name).name) if words.startswith(f"{own}:")), "")
        reason = f"{name}: {words.removeprefix(f'{known}:').lstrip()}" if known or name not in words else words
        return VideoStatus.REFUSED if isinstance(error, RefusedError) else VideoStatus.FAILED, reason
    if isinstance(error, PolicyError):
        return VideoStatus.REFUSED_BY_POLICY, f"{name}: {error}"
    if isinstance(error, DashredactError):
        raise error
    if isinstance(error, MemoryError):
        raise MachineError("There is not enough memory; close other programs or use a larger machine.") from error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MachineError(f"The disk of {out} is full; make room and run again.") from error
        return VideoStatus.FAILED, f"{name}: cannot be read or written ({error.strerror})."
    _log.debug("%s", name, exc_info=error)
    return VideoStatus.BUG, f"{name}: this tool has a fault ({type(error).__name__}: {error}); please report it."
