"""One run masks at a time, one person decides at a time, and what needs both gets both."""

import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashredact.errors import LockedError
from dashredact.workspace import locks

_HOLD = """
import sys, time
from pathlib import Path
from dashredact.errors import LockedError
from dashredact.workspace.locks import masking_lock
try:
    with masking_lock(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
except LockedError:
    print("locked", flush=True)
"""


def _process(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", _HOLD, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True)


def _first_word(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_another_process_is_kept_out_while_we_hold_the_folder(tmp_path: Path) -> None:
    with locks.masking_lock(tmp_path), _process(tmp_path, 0) as other:
        assert _first_word(other) == "locked"
    with _process(tmp_path, 0) as other:
        assert _first_word(other) == "held"


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    with _process(tmp_path, 60) as other:
        assert _first_word(other) == "held"
        with pytest.raises(LockedError, match=str(tmp_path)), locks.masking_lock(tmp_path):
            pass
        other.kill()
        other.wait()
        until = time.monotonic() + 5
        while True:
            try:
                with locks.masking_lock(tmp_path):
                    break
            except LockedError:
                assert time.monotonic() < until
                time.sleep(0.05)


def test_people_decide_while_a_run_goes_on_and_wait_for_each_other(tmp_path: Path) -> None:
    order = []
    with locks.masking_lock(tmp_path), ThreadPoolExecutor(1) as pool:
        with locks.decision_lock(tmp_path):
            later = pool.submit(_decide, tmp_path, order)
            time.sleep(0.3)
            order.append("first")
        later.result()
    assert order == ["first", "second"]


def _decide(folder: Path, order: list[str]) -> None:
    with locks.decision_lock(folder):
        order.append("second")


def test_an_exclusive_change_waits_for_a_short_run(tmp_path: Path) -> None:
    with _process(tmp_path, 0.5) as other:
        assert _first_word(other) == "held"
        with locks.exclusive_lock(tmp_path):
            pass


def test_an_exclusive_change_keeps_runs_and_decisions_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT", 0.1)
    with locks.exclusive_lock(tmp_path):
        for other in (locks.masking_lock, locks.decision_lock):
            with pytest.raises(LockedError), other(tmp_path):
                pass
    for other in (locks.masking_lock, locks.decision_lock):
        with other(tmp_path), pytest.raises(LockedError), locks.exclusive_lock(tmp_path):
            pass


def test_a_resting_holder_lets_others_in_and_waits_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = []

    def while_we_rest(_seconds: float) -> None:
        others.append(_process(tmp_path, 0.5))
        assert _first_word(others[0]) == "held"

    with locks.masking_lock(tmp_path) as lock:
        with monkeypatch.context() as patch:
            patch.setattr(time, "sleep", while_we_rest)
            lock.rest(1)
        with others[0], pytest.raises(LockedError), locks.masking_lock(tmp_path):
            pass


def test_an_error_under_the_lock_lets_go_of_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locks.masking_lock(tmp_path):
        raise ZeroDivisionError
    with locks.masking_lock(tmp_path):
        assert stat.S_IMODE((tmp_path / locks.STATE_FOLDER).stat().st_mode) == 0o700
