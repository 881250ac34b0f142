"""A worker process: runs stages for its parent, one at a time, and sends back progress and results.

It runs in a session of its own and dies with its parent. Its memory is limited, and if the machine runs out of memory,
the kernel is asked to kill workers first. Signals that are meant for the run are left to the parent.
"""

import ctypes
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dashredact.errors import MediaError

_PR_SET_PDEATHSIG = 1
_OOM_SCORE = "800"  # of 1000: the kernel's out-of-memory killer ends the process with the highest score


# --- messages to the worker --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """Run this stage. It is called with the arguments and then a `StageProgress`."""

    stage: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Stop:
    """End the stage after the present segment."""


# --- messages to the parent --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heartbeat:
    """Progress of the stage; the watchdog of the parent waits for it."""

    stage: str
    frames: int


@dataclass(frozen=True)
class StageResult:
    value: Any


@dataclass(frozen=True)
class StageFailed:
    error: Exception
    traceback: str


@dataclass(frozen=True)
class StageStopped:
    """The stage ended early, between two segments."""


# --- the process -------------------------------------------------------------------------------------------------


def main(descriptor: int) -> None:
    """descriptor: of the socket whose other end the parent holds."""
    _die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    with Connection(descriptor) as parent:
        memory: int | None = parent.recv()
        if memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        while True:
            try:
                message = parent.recv_bytes()
            except EOFError:
                return
            parent.send_bytes(_answer(message, parent))


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


def _answer(message: bytes, parent: Connection) -> bytes:
    """Run a task. Returns the pickled answer."""
    answer: StageResult | StageFailed | StageStopped
    try:
        task = pickle.loads(message)
        if isinstance(task, Stop):
            return pickle.dumps(StageStopped())
        assert isinstance(task, Task)
        answer = StageResult(task.stage(*task.args, _ParentProgress(parent)))
    except _StopRequested:
        answer = StageStopped()
    except Exception as error:
        answer = StageFailed(_portable(error), traceback.format_exc())
    return pickle.dumps(answer)


def _portable(error: Exception) -> Exception:
    """An error that can be unpickled in the parent."""
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return MediaError("It needs more memory than a worker may use; raise --memory-limit if you trust the file.")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class _StopRequested(Exception):
    """The parent asks the stage to end; all segments so far are saved."""


class _ParentProgress:
    """Sends progress to the parent and, after each segment, checks whether it has asked to stop."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def __call__(self, stage: str, frames: int) -> None:
        self._parent.send(Heartbeat(stage, frames))
        if stage == "saved" and self._parent.poll():
            message: Any = self._parent.recv()
            if isinstance(message, Stop):
                raise _StopRequested
