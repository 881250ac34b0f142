"""One worker process as its parent sees it."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

from dashredact.execute.messages import Stop, Task
from dashredact.values import StageProgress

_BOOT = (
    "import json, os, sys\n"
    "if len(sys.argv[3]): os.sched_setaffinity(0, json.loads(sys.argv[3]))\n"
    "sys.path += [path for path in json.loads(sys.argv[2]) if path not in sys.path]\n"
    "from dashredact.execute import worker\n"
    "worker.main(int(sys.argv[1]))\n"
)
"""Run with -P: the folder that the program was started in may be one that strangers can write to."""


@dataclass
class PendingTask:
    """A step on its way, and who waits for it."""

    step: Callable[..., Any]
    args: tuple[Any, ...]
    advance: StageProgress
    patience: float
    """seconds without a sign of life that this step may take beyond the usual"""
    deadline: float
    """by the monotonic clock"""
    future: "Future[Any]"
    tries: int = 0


class Worker:
    """Its `connection` becomes readable when it has something to say, or has died."""

    def __init__(self, number: int, jobs: int, memory: int | None, *, loud: bool) -> None:
        """number: of this worker among `jobs`. memory: bytes of data it may hold."""
        self.connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno()), _paths(), _cores(number, jobs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if loud else subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_gpu(number)},
                start_new_session=True,
            )
        self.number = number
        self.connection.send(memory)
        self.task: PendingTask | None = None
        self.beat = time.monotonic()

    def give(self, task: PendingTask) -> None:
        """OSError where the worker has died meanwhile, and what pickle raises where the step cannot be sent."""
        content = pickle.dumps(Task(task.step, task.args))
        self.task, self.beat = task, time.monotonic()
        self.connection.send_bytes(content)

    def ask_to_stop(self) -> None:
        with suppress(OSError):
            self.connection.send(Stop())

    def kill(self) -> int:
        """End it and the children it started. Its return code comes back."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.connection.close()
        return self._process.wait()


def _paths() -> str:
    return json.dumps([path for path in sys.path if path])


def _cores(number: int, jobs: int) -> str:
    """The cores of a worker, so that N of them on N cores do not fight; every library asks for these."""
    cores = sorted(os.sched_getaffinity(0))
    return json.dumps(cores[number % len(cores) :: jobs]) if jobs > 1 else ""


def _gpu(number: int) -> dict[str, str]:
    """Workers take the graphics cards in turn."""
    asked = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = asked.split(",") if asked else [str(i) for i, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]
    return {"CUDA_VISIBLE_DEVICES": there[number % len(there)]} if len(there) > 1 else {}
