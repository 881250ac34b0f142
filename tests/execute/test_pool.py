"""Worker processes: what they answer, and what happens when they die, hang, grow or are told to stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashredact.errors import MediaError, OutOfTimeError, RefusedError
from dashredact.execute.map_concurrently import map_concurrently
from dashredact.execute.pool import Limits, WorkerPool
from dashredact.values import StageProgress

TESTS = Path(__file__).parents[1]


# --- steps, done in a worker -------------------------------------------------------------------------------------


def double(number: int, advance: StageProgress) -> int:
    advance("detect", number)
    return 2 * number


def process_id(_advance: StageProgress) -> int:
    return os.getpid()


def refuse(_advance: StageProgress) -> None:
    raise RefusedError("trip.mp4: holds two videos; choose one.")


class Unsendable(Exception):
    def __init__(self, _one: int, _other: int) -> None:
        super().__init__("what cannot travel")


def break_oddly(_advance: StageProgress) -> None:
    raise Unsendable(1, 2)


def die(path: Path, times: int, _advance: StageProgress) -> str:
    """The worker dies the first so many times that it comes here."""
    tries = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (tries + 1))
    if tries < times:
        os.kill(os.getpid(), signal.SIGSEGV)
    return "done"


def hang(_advance: StageProgress) -> None:
    time.sleep(60)


def crawl(advance: StageProgress) -> None:
    while True:
        time.sleep(0.05)
        advance("detect", 1)


def eat(_advance: StageProgress) -> int:
    return len([np.ones(1 << 24) for _ in range(40)])  # 5 GiB


def segments(path: Path, advance: StageProgress) -> None:
    """Saves a segment every 0.1 s."""
    for number in range(100):
        time.sleep(0.1)
        path.write_text(str(number))
        advance("saved", 0)


def threads(_advance: StageProgress) -> tuple[int, int]:
    return len(os.sched_getaffinity(0)), os.getppid()


# --- the tests ---------------------------------------------------------------------------------------------------


@pytest.fixture
def make_pool() -> Iterator[Callable[..., WorkerPool]]:
    pools: list[WorkerPool] = []

    def make(jobs: int = 1, **limits: Any) -> WorkerPool:
        pools.append(WorkerPool(jobs, Limits(**limits)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def _ask(pool: WorkerPool, step: Callable[..., Any], *args: Any) -> "Future[Any]":
    return pool.submit(step, *args, advance=lambda _stage, _frames: None)


def test_an_answer_and_the_progress_come_back(make_pool: Callable[..., WorkerPool]) -> None:
    moved: list[tuple[str, int]] = []
    future = make_pool().submit(double, 21, advance=lambda stage, frames: moved.append((stage, frames)))
    assert future.result(30) == 42
    assert moved == [("detect", 21)]


def test_steps_are_done_in_another_process_that_is_kept(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool()
    numbers = {_ask(pool, process_id).result(30) for _ in range(3)}
    assert len(numbers) == 1
    assert os.getpid() not in numbers


def test_many_steps_are_done_by_as_many_workers_as_were_asked_for(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool(2)
    answers = [_ask(pool, double, number) for number in range(20)]
    assert [answer.result(30) for answer in answers] == [2 * number for number in range(20)]
    assert 1 <= len(pool._workers) <= 2


def test_what_a_step_raises_is_raised_here(make_pool: Callable[..., WorkerPool]) -> None:
    with pytest.raises(RefusedError, match="holds two videos"):
        _ask(make_pool(), refuse).result(30)


def test_an_error_that_cannot_travel_is_told_in_words(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool()
    with pytest.raises(RuntimeError, match="Unsendable: what cannot travel"):
        _ask(pool, break_oddly).result(30)
    assert _ask(pool, double, 1).result(30) == 2


def test_a_step_that_cannot_be_sent_fails_alone(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool()
    with pytest.raises(Exception, match="pickle"):
        _ask(pool, lambda advance: advance).result(30)
    assert _ask(pool, double, 1).result(30) == 2


def test_a_worker_that_dies_is_replaced_and_its_step_done_again(
    make_pool: Callable[..., WorkerPool], tmp_path: Path
) -> None:
    assert _ask(make_pool(), die, tmp_path / "tries", 1).result(30) == "done"
    assert (tmp_path / "tries").read_text() == "xx"


def test_a_step_that_kills_two_workers_fails_and_the_others_go_on(
    make_pool: Callable[..., WorkerPool], tmp_path: Path
) -> None:
    pool = make_pool()
    bad, good = _ask(pool, die, tmp_path / "tries", 9), _ask(pool, double, 4)
    with pytest.raises(MediaError, match=r"crashed 2 times \(signal 11"):
        bad.result(30)
    assert good.result(30) == 8
    assert (tmp_path / "tries").read_text() == "xx"


def test_a_step_that_hangs_is_ended(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool(stall=6.0)
    with pytest.raises(MediaError, match="no progress for 6 s"):
        _ask(pool, hang).result(30)
    assert _ask(pool, double, 4).result(30) == 8


def test_a_step_that_moves_but_never_ends_is_ended(make_pool: Callable[..., WorkerPool]) -> None:
    with pytest.raises(MediaError, match="did not finish within"):
        _ask(make_pool(stage=2.0), crawl).result(30)


def test_a_step_that_eats_memory_fails_within_its_limit(make_pool: Callable[..., WorkerPool]) -> None:
    pool = make_pool(memory=2 << 30)
    with pytest.raises(MediaError, match="more memory than a worker may use"):
        _ask(pool, eat).result(60)
    assert _ask(pool, double, 4).result(30) == 8


def test_a_fault_of_the_watch_itself_leaves_nobody_waiting(
    make_pool: Callable[..., WorkerPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(WorkerPool, "_check_limits", fail)
    pool = make_pool()
    for future in (_ask(pool, hang), _ask(pool, double, 1)):
        with pytest.raises(ZeroDivisionError):
            future.result(30)


def test_stop_ends_a_step_between_two_segments(make_pool: Callable[..., WorkerPool], tmp_path: Path) -> None:
    pool = make_pool()
    running, queued = _ask(pool, segments, tmp_path / "last"), _ask(pool, double, 1)
    while not (tmp_path / "last").exists():
        time.sleep(0.05)
    pool.stop()
    for future in (running, queued, _ask(pool, double, 2)):
        with pytest.raises(OutOfTimeError):
            future.result(30)
    assert int((tmp_path / "last").read_text()) < 90


def test_workers_share_the_cores(make_pool: Callable[..., WorkerPool]) -> None:
    cores = len(os.sched_getaffinity(0))
    assert _ask(make_pool(1), threads).result(30)[0] == cores
    assert _ask(make_pool(2), threads).result(30)[0] == max(cores // 2, 1)


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    """Also with one that is killed: nobody else would end them, and they would write beside the next run."""
    program = (
        "import os, signal, sys, time; from pathlib import Path; from execute import test_pool\n"
        "from dashredact.execute.pool import Limits, WorkerPool\n"
        "pool = WorkerPool(1, Limits())\n"
        "pid = pool.submit(test_pool.process_id, advance=print).result(30)\n"
        "Path(sys.argv[1]).write_text(str(pid))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "pid"], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    status = Path("/proc", (tmp_path / "pid").read_text(), "stat")
    for _ in range(100):
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the worker lives on")


def test_threads_do_several_things_at_a_time() -> None:
    gate = threading.Barrier(3, timeout=20)
    assert sorted(map_concurrently(lambda number: gate.wait() * 0 + number, range(3), 3)) == [0, 1, 2]


def test_a_count_of_one_starts_no_thread() -> None:
    assert set(map_concurrently(lambda _: threading.current_thread(), range(3), 1)) == {threading.current_thread()}


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_a_thread_is_raised(count: int) -> None:
    with pytest.raises(KeyError):
        list(map_concurrently(lambda number: {}[number], range(3), count))
