"""Worker processes under watch, in the shape of `concurrent.futures`: a step goes in, a Future comes out.

A worker that dies loses the segment it was at; its step is given out once more, and fails after that. One that gives
no sign of life, or takes too long, is ended, and its step fails at once. Nothing here touches the disk.
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
from dashredact.execute.messages import Answer, Failed, Heartbeat, Stopped
from dashredact.execute.process import PendingTask, Worker
from dashredact.values import StageProgress

T = TypeVar("T")

_TRIES = 2
_LOOK_UP_SECONDS = 1.0  # how often the watchdog looks


@dataclass(frozen=True)
class Limits:
    """What one video may cost."""

    memory: int | None = 4 << 30
    """bytes of data a worker may hold; None: no limit, for what CUDA maps counts too"""
    stall: float = 120.0
    """seconds without a sign of life"""
    step: float = 6 * 3600.0
    """seconds that one step of a video may take"""


class WorkerPool:
    """At most `jobs` workers, started when they are needed. `close` ends them wherever they are."""

    def __init__(self, jobs: int, limits: Limits, *, loud: bool = False) -> None:
        """loud: whether what libraries print in a worker is shown."""
        self.jobs = jobs
        self._limits, self._loud = limits, loud
        self._waiting: deque[PendingTask] = deque()
        self._workers: dict[Connection, Worker] = {}
        self._lock = threading.Lock()
        self._bell, self._ear = Pipe()
        self._stopping = self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, step: Callable[..., T], *args: Any, advance: StageProgress, patience: float = 0) -> "Future[T]":
        """Call `step(*args, progress)` in a worker. patience: seconds of silence allowed beyond the limit.

        The future raises what the step raised; MediaError where its worker died, hung or took too long; OutOfTimeError
        after `stop`.
        """
        future: Future[T] = Future()
        deadline = time.monotonic() + self._limits.step + patience
        with self._lock:
            if self._stopping:
                future.set_exception(OutOfTimeError())
                return future
            self._waiting.append(PendingTask(step, args, advance, patience, deadline, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="pool", daemon=True)
                self._thread.start()
        self._bell.send(None)
        return future

    def stop(self) -> None:
        """Let every worker finish the segment it is at, and no further."""
        with self._lock:
            self._stopping = True
            dropped, self._waiting = self._waiting, deque()
        for task in dropped:
            task.future.set_exception(OutOfTimeError())
        for worker in list(self._workers.values()):
            worker.ask_to_stop()

    def close(self) -> None:
        """End all workers now. Whoever still waits for a step is not told: the program is about to end."""
        self._closed = True
        if self._thread is not None:
            self._bell.send(None)
            self._thread.join()

    def _watch(self) -> None:
        """The thread that owns the workers. They die with it, as they are told to die with their creator."""
        try:
            self._turn_by_turn()
        except Exception as error:  # nobody would answer those who wait
            self._give_up(error)
        for worker in self._workers.values():
            worker.kill()

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            self._stopping = True
            tasks = [*self._waiting, *(worker.task for worker in self._workers.values() if worker.task)]
        for task in tasks:
            task.future.set_exception(error)

    def _turn_by_turn(self) -> None:
        while not self._closed:
            self._give_out()
            for ready in wait([self._ear, *self._workers], _LOOK_UP_SECONDS):
                if ready is self._ear:
                    self._ear.recv()
                elif isinstance(ready, Connection):
                    self._hear(self._workers[ready])
            for worker in list(self._workers.values()):
                self._check(worker)

    def _give_out(self) -> None:
        while self._waiting:
            worker = next((worker for worker in self._workers.values() if worker.task is None), None)
            if worker is None and len(self._workers) == self.jobs:
                return
            with self._lock:
                task = self._waiting.popleft() if self._waiting else None
            if task is None or not (task.tries or task.future.set_running_or_notify_cancel()):
                continue
            try:
                self._start(worker or self._hire(), task)
            except OSError as error:
                task.future.set_exception(MachineError(f"No worker process can be started ({error.strerror})."))

    def _hire(self) -> Worker:
        taken = {worker.number for worker in self._workers.values()}
        number = next(number for number in range(self.jobs) if number not in taken)
        worker = Worker(number, self.jobs, self._limits.memory, loud=self._loud)
        self._workers[worker.connection] = worker
        return worker

    def _start(self, worker: Worker, task: PendingTask) -> None:
        task.tries += 1
        try:
            worker.give(task)
        except OSError:
            self._lost(worker)
        except Exception as error:  # the step cannot be pickled
            worker.task = None
            task.future.set_exception(error)

    def _hear(self, worker: Worker) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._lost(worker)
            return
        worker.beat = time.monotonic()
        task = worker.task
        if task is None:
            return
        if isinstance(message, Heartbeat):
            with suppress(Exception):  # a progress bar that fails must not stop the work
                task.advance(message.stage, message.frames)
            return
        worker.task = None
        self._settle(task, message)

    def _settle(self, task: PendingTask, message: object) -> None:
        if isinstance(message, Answer):
            task.future.set_result(message.value)
        elif isinstance(message, Stopped):
            task.future.set_exception(OutOfTimeError())
        elif isinstance(message, Failed):
            message.error.add_note(message.trace)
            task.future.set_exception(message.error)

    def _lost(self, worker: Worker) -> None:
        """The worker died. Its step is given out once more, before all others."""
        del self._workers[worker.connection]
        code = worker.kill()
        task = worker.task
        if task is None:
            return
        if task.tries < _TRIES:
            with self._lock:
                self._waiting.appendleft(task)
            return
        how = f"signal {-code}" if code < 0 else f"code {code}"
        cause = "; was the memory used up?" if code == -9 else ""
        task.future.set_exception(MediaError(f"Its worker crashed {_TRIES} times ({how}{cause})."))

    def _check(self, worker: Worker) -> None:
        """The watchdog."""
        task, now = worker.task, time.monotonic()
        if task is None:
            return
        silence = self._limits.stall + task.patience
        if now - worker.beat > silence:
            reason = f"Nothing moved for {silence:.0f} s, so it was stopped."
        elif now > task.deadline:
            reason = f"It was not done after {self._limits.step / 3600:g} h, so it was stopped."
        else:
            return
        del self._workers[worker.connection]
        worker.kill()
        task.future.set_exception(MediaError(reason))
