"""A pool of worker processes under a watchdog, in the shape of `concurrent.futures`.

If a worker crashes, its stage is run once more by another one and fails after that. A worker that sends no heartbeat or
exceeds its time is killed, and its stage fails at once. Nothing here accesses the disk.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, TypeVar

from dashredact.errors import MachineError, MediaError, OutOfTimeError
from dashredact.execute.process import PendingTask, WorkerProcess
from dashredact.execute.worker import Heartbeat, StageFailed, StageResult, StageStopped
from dashredact.values import StageProgress

T = TypeVar("T")

_MAX_ATTEMPTS = 2
_WATCHDOG_INTERVAL = 1.0  # seconds


@dataclass(frozen=True)
class Limits:
    """What one video may cost."""

    memory: int | None = 4 << 30
    """bytes of data per worker; None: no limit, since what CUDA maps is counted too"""
    stall: float = 120.0
    """seconds without a heartbeat"""
    stage: float = 6 * 3600.0
    """seconds of one stage of a video"""


class WorkerPool:
    """At most `jobs` worker processes, started when needed. `close` kills them whatever they are doing."""

    def __init__(self, jobs: int, limits: Limits, *, show_stderr: bool = False) -> None:
        """show_stderr: whether to show what libraries print in the workers."""
        self.jobs = jobs
        self._limits, self._show_stderr = limits, show_stderr
        self._waiting: deque[PendingTask] = deque()
        self._workers: dict[Connection, WorkerProcess] = {}
        self._lock = threading.Lock()
        self._wake, self._woken = Pipe()
        self._stopping = self._closed = False
        self._thread: threading.Thread | None = None

    def submit(
        self, stage: Callable[..., T], *args: Any, advance: StageProgress, extra_timeout: float = 0
    ) -> "Future[T]":
        """Call `stage(*args, progress)` in a worker. extra_timeout: seconds without a heartbeat beyond the limit.

        The future raises what the stage raised; MediaError if its worker crashed, hung or took too long; OutOfTimeError
        after `stop`.
        """
        future: Future[T] = Future()
        deadline = time.monotonic() + self._limits.stage + extra_timeout
        with self._lock:
            if self._stopping:
                future.set_exception(OutOfTimeError())
                return future
            self._waiting.append(PendingTask(stage, args, advance, extra_timeout, deadline, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._supervise, name="pool", daemon=True)
                self._thread.start()
        self._wake.send(None)
        return future

    def stop(self) -> None:
        """Let every worker finish its present segment, and start nothing more."""
        with self._lock:
            self._stopping = True
            dropped, self._waiting = self._waiting, deque()
        for task in dropped:
            task.future.set_exception(OutOfTimeError())
        for worker in list(self._workers.values()):
            worker.request_stop()

    def close(self) -> None:
        """Kill all workers now. Futures that are still pending stay so: the program is about to end."""
        self._closed = True
        if self._thread is not None:
            self._wake.send(None)
            self._thread.join()

    def _supervise(self) -> None:
        """The thread that owns the workers: they are set to die with the thread that started them."""
        try:
            self._loop()
        except Exception as error:  # otherwise the futures would wait forever
            self._fail_all(error)
        for worker in self._workers.values():
            worker.kill()

    def _fail_all(self, error: Exception) -> None:
        with self._lock:
            self._stopping = True
            tasks = [*self._waiting, *(worker.task for worker in self._workers.values() if worker.task)]
        for task in tasks:
            task.future.set_exception(error)

    def _loop(self) -> None:
        while not self._closed:
            self._dispatch()
            for ready in wait([self._woken, *self._workers], _WATCHDOG_INTERVAL):
                if ready is self._woken:
                    self._woken.recv()
                elif isinstance(ready, Connection):
                    self._receive(self._workers[ready])
            for worker in list(self._workers.values()):
                self._check_limits(worker)

    def _dispatch(self) -> None:
        """Start waiting tasks as long as there are idle workers or new ones may be started."""
        while self._waiting:
            worker = next((worker for worker in self._workers.values() if worker.task is None), None)
            if worker is None and len(self._workers) == self.jobs:
                return
            with self._lock:
                task = self._waiting.popleft() if self._waiting else None
            if task is None or not (task.attempts or task.future.set_running_or_notify_cancel()):
                continue
            try:
                self._start(worker or self._spawn(), task)
            except OSError as error:
                task.future.set_exception(
                    MachineError(f"No worker process can be started ({error.strerror}); free memory or lower --jobs.")
                )

    def _spawn(self) -> WorkerProcess:
        used = {worker.number for worker in self._workers.values()}
        number = next(number for number in range(self.jobs) if number not in used)
        worker = WorkerProcess(number, self.jobs, self._limits.memory, show_stderr=self._show_stderr)
        self._workers[worker.connection] = worker
        return worker

    def _start(self, worker: WorkerProcess, task: PendingTask) -> None:
        task.attempts += 1
        try:
            worker.start(task)
        except OSError:
            self._handle_crash(worker)
        except Exception as error:  # the task cannot be pickled
            worker.task = None
            task.future.set_exception(error)

    def _receive(self, worker: WorkerProcess) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._handle_crash(worker)
            return
        worker.last_heartbeat = time.monotonic()
        task = worker.task
        if task is None:
            return
        if isinstance(message, Heartbeat):
            with suppress(Exception):  # an error in a progress display must not stop the work
                task.advance(message.stage, message.frames)
            return
        worker.task = None
        self._complete(task, message)

    def _complete(self, task: PendingTask, message: object) -> None:
        if isinstance(message, StageResult):
            task.future.set_result(message.value)
        elif isinstance(message, StageStopped):
            task.future.set_exception(OutOfTimeError())
        elif isinstance(message, StageFailed):
            message.error.add_note(message.traceback)
            task.future.set_exception(message.error)

    def _handle_crash(self, worker: WorkerProcess) -> None:
        """Run its task once more, before all others."""
        del self._workers[worker.connection]
        code = worker.kill()
        task = worker.task
        if task is None:
            return
        if task.attempts < _MAX_ATTEMPTS:
            with self._lock:
                self._waiting.appendleft(task)
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        cause = "; the machine may be out of memory" if code == -9 else ""
        task.future.set_exception(MediaError(f"The worker process crashed {_MAX_ATTEMPTS} times ({how}{cause})."))

    def _check_limits(self, worker: WorkerProcess) -> None:
        task, now = worker.task, time.monotonic()
        if task is None:
            return
        stall = self._limits.stall + task.extra_timeout
        if now - worker.last_heartbeat > stall:
            reason = f"The worker process made no progress for {stall:.0f} s and was killed; see --stall-limit."
        elif now > task.deadline:
            hours = self._limits.stage / 3600
            reason = f"A stage did not finish within {hours:g} h and its process was killed; see --video-limit."
        else:
            return
        del self._workers[worker.connection]
        worker.kill()
        task.future.set_exception(MediaError(reason))
