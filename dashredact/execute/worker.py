"""A worker process: takes steps from its parent, one at a time, and answers with progress and a result.

It lives in a session of its own and dies with its parent. Its memory is limited, and where the machine runs out of it
the kernel is asked to end a worker first. Signals that are meant for the run are left to the parent.
"""

import ctypes
import os
import pickle
import resource
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dashredact.errors import MediaError
from dashredact.execute.messages import Answer, Failed, Heartbeat, Stop, Stopped, Task

_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = "800"  # of 1000, for the kernel's out-of-memory killer


def main(descriptor: int) -> None:
    """descriptor: of the socket that the parent holds the other end of."""
    _die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    with Connection(descriptor) as parent:
        memory: int | None = parent.recv()
        if memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        while True:
            try:
                content = parent.recv_bytes()
            except EOFError:
                return
            parent.send_bytes(_done(content, parent))


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


def _done(content: bytes, parent: Connection) -> bytes:
    """The answer to an order, ready to be sent."""
    answer: Answer | Failed | Stopped
    try:
        order = pickle.loads(content)
        if isinstance(order, Stop):
            return pickle.dumps(Stopped())
        assert isinstance(order, Task)
        answer = Answer(order.step(*order.args, _Wire(parent)))
    except _StoppedHere:
        answer = Stopped()
    except Exception as error:
        answer = Failed(_portable(error), traceback.format_exc())
    return pickle.dumps(answer)


def _portable(error: Exception) -> Exception:
    """An error that the parent can read and judge."""
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return MediaError("It needs more memory than a worker may take; raise --memory-limit if it is to be trusted.")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class _StoppedHere(Exception):
    """The parent wants the step to end; everything up to here is saved."""


class _Wire:
    """Progress for the parent; between two segments the parent's wish to stop is heard."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def __call__(self, stage: str, frames: int) -> None:
        self._parent.send(Heartbeat(stage, frames))
        if stage == "saved" and self._parent.poll():
            wish: Any = self._parent.recv()
            if isinstance(wish, Stop):
                raise _StoppedHere
