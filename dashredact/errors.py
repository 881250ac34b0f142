"""Everything that may go wrong on purpose.

DashredactError              exit  what the caller should do next
├── UsageError                 2   change the command line
├── VideoError                 3   look at that one video; the others go on
│   ├── UnreadableError            no frame can be had from it
│   ├── DamagedError               some frames cannot; --damaged salvage masks the rest
│   ├── RefusedError               it could be read, and masking it would not be right
│   ├── ChangedError               somebody writes to it; run again when it is complete
│   ├── MediaError                 ffmpeg, a codec or the disk failed on it
│   └── UnverifiedError            the finished file is not what it must be
├── MachineError               4   make the machine ready (ffmpeg, weights, device, disk)
├── LockedError                6   wait: another run or person holds the output folder
├── LedgerError                7   the audit log is broken: find out who changed it
├── PolicyError                8   the policy is not complete, or does not allow it: change what it names
├── OutOfTimeError             0   nothing: the next run goes on where this one was told to end
└── StoppedError           128+N   run the same command again, it goes on where it was

A message is one sentence that names what, where, and what to do. Anything else that escapes is a bug (exit 1).
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """The promise of DESIGN: a number tells a script what to do next."""

    OK = 0
    BUG = 1
    USAGE = 2
    SOME_FAILED = 3
    NOT_READY = 4
    NEEDS_REVIEW = 5
    LOCKED = 6
    LEDGER_BROKEN = 7
    REFUSED_BY_POLICY = 8
    SIGNAL = 128


class DashredactError(Exception):
    """Base of every error that carries an exit code and its own cure."""

    exit_code: int = ExitCode.BUG


class UsageError(DashredactError):
    exit_code = ExitCode.USAGE


class VideoError(DashredactError):
    """One video ends here; nothing of it appears under a final name."""

    exit_code = ExitCode.SOME_FAILED


class UnreadableError(VideoError):
    pass


class DamagedError(VideoError):
    pass


class RefusedError(VideoError):
    pass


class ChangedError(VideoError):
    pass


class MediaError(VideoError):
    pass


class UnverifiedError(VideoError):
    pass


class MachineError(DashredactError):
    exit_code = ExitCode.NOT_READY


class LockedError(DashredactError):
    exit_code = ExitCode.LOCKED


class LedgerError(DashredactError):
    exit_code = ExitCode.LEDGER_BROKEN


class OutOfTimeError(DashredactError):
    """A video was left between two segments because the run's time is over."""

    exit_code = ExitCode.OK

    def __init__(self, message: str = "The time of this run is over; the next one goes on here.") -> None:
        super().__init__(message)


class PolicyError(DashredactError):
    """Holds one sentence for each thing that the policy lacks or does not allow."""

    exit_code = ExitCode.REFUSED_BY_POLICY

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean trip.mp4?`, or nothing where no name is like it."""
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else ""


class StoppedError(DashredactError):
    """A signal asked us to end; scratch stays so that the next run resumes."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"Stopped by signal {signal_number}; run the same command again to go on.")
        self.exit_code = ExitCode.SIGNAL + signal_number
