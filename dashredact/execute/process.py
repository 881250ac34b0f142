"""A worker process as its parent sees it."""

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

from dashredact.execute.worker import Stop, Task
from dashredact.values import StageProgress

_BOOT = (
    "import json, os, sys\n"
    "if len(sys.argv[3]): os.sched_setaffinity(0, json.loads(sys.argv[3]))\n"
    "sys.path += [path for path in json.loads(sys.argv[2]) if path not in sys.path]\n"
    "from dashredact.execute import worker\n"
    "worker.main(int(sys.argv[1]))\n"
)
"""Run with -P, which keeps the working directory out of sys.path: strangers may be able to write to it."""


@dataclass
class PendingTask:
    """A stage that was submitted and has not finished."""

    stage: Callable[..., Any]
    args: tuple[Any, ...]
    advance: StageProgress
    extra_timeout: float
    """seconds without a heartbeat that are allowed in addition to the usual limit"""
    deadline: float
    """by the monotonic clock"""
    future: "Future[Any]"
    attempts: int = 0


class WorkerProcess:
    """Its `connection` becomes readable when a message has arrived or the process has died."""

    def __init__(self, number: int, jobs: int, memory: int | None, *, show_stderr: bool) -> None:
        """number: of this worker, 0 to `jobs` - 1. memory: bytes of data that it may use; None: no limit."""
        self.connection, child_end = Pipe()
        with child_end:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, str(child_end.fileno()), _import_paths(), _cores(number, jobs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if show_stderr else subprocess.DEVNULL,
                pass_fds=[child_end.fileno()],
                env={**os.environ, **_gpu(number)},
                start_new_session=True,
            )
        self.number = number
        self.connection.send(memory)
        self.task: PendingTask | None = None
        self.last_heartbeat = time.monotonic()

    def start(self, task: PendingTask) -> None:
        """OSError if the process has died. Raises what pickle raises if the task cannot be sent."""
        content = pickle.dumps(Task(task.stage, task.args))
        self.task, self.last_heartbeat = task, time.monotonic()
        self.connection.send_bytes(content)

    def request_stop(self) -> None:
        with suppress(OSError):
            self.connection.send(Stop())

    def kill(self) -> int:
        """Kill it and the processes that it started. Returns its exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.connection.close()
        return self._process.wait()


def _import_paths() -> str:
    return json.dumps([path for path in sys.path if path])


def _cores(number: int, jobs: int) -> str:
    """The cores that a worker may use. Libraries start as many threads as that, so that workers do not compete."""
    cores = sorted(os.sched_getaffinity(0))
    return json.dumps(cores[number % len(cores) :: jobs]) if jobs > 1 else ""


def _gpu(number: int) -> dict[str, str]:
    """Workers are distributed over the GPUs."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    installed = Path("/proc/driver/nvidia/gpus").glob("*")
    gpus = visible.split(",") if visible else [str(index) for index, _ in enumerate(installed)]
    return {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if len(gpus) > 1 else {}
