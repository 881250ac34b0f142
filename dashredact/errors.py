"""Expected errors, each with the exit code that tells a script what to do next.

DashredactError              exit  what the caller should do
├── UsageError                 2   correct the command line
├── VideoError                 3   look at this video; the others are unaffected
│   ├── UnreadableError            no frame of it can be decoded
│   ├── DamagedError               some frames cannot be decoded; --damaged salvage masks the rest
│   ├── RefusedError               it can be decoded, but masking it would not be right
│   ├── ChangedError               the file is still being written; run again when it is complete
│   ├── MediaError                 ffmpeg, a codec or the disk failed on it
│   └── UnverifiedError            the finished file failed verification
├── MachineError               4   prepare the machine (ffmpeg, weights, device, disk)
├── LockedError                6   wait: another run or person holds the output folder
├── LedgerError                7   the audit log is broken: find out who changed it
├── PolicyError                8   the policy is incomplete or forbids this: change what the message names
├── OutOfTimeError             0   nothing: the next run continues from here
└── StoppedError           128+N   run the same command again; it resumes

A message is one sentence that names what, where, and what to do. Any other exception that escapes is a bug (exit 1).
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """Part of the public interface: documented in the README, stable between versions."""

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
    """Base class; subclasses set the exit code, the message says what to do."""

    exit_code: int = ExitCode.BUG


class UsageError(DashredactError):
    exit_code = ExitCode.USAGE


class VideoError(DashredactError):
    """This video fails; no output of it is published."""

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
    """The time limit of the run was reached; the video stopped between two segments and can be resumed."""

    exit_code = ExitCode.OK

    def __init__(self, message: str = "The time limit of this run was reached; the next run continues here.") -> None:
        super().__init__(message)


class PolicyError(DashredactError):
    """Its arguments are sentences, one for each thing that the policy lacks or forbids."""

    exit_code = ExitCode.REFUSED_BY_POLICY

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean trip.mp4?`, or nothing where no name is like it."""
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else ""


class StoppedError(DashredactError):
    """A signal ended the run; work folders stay, so that the next run resumes."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"Stopped by signal {signal_number}; run the same command again to continue.")
        self.exit_code = ExitCode.SIGNAL + signal_number
