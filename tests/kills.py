"""Processes that die at a step of their work, as by a power cut: for tests of what the next one finds."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from dashredact.audit import chain
from dashredact.audit import log as audit_log


class Step(NamedTuple):
    """A function that something is done with."""

    owner: Any
    """module or class"""
    name: str
    replacement: Callable[[Any], Callable[..., Any]]
    """makes one that dies of the function itself"""


def die(*_: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("survived")


def after(owner: Any, name: str, call: int = 1) -> Step:
    """Dies right after the call of that number."""
    return Step(owner, name, lambda act: dying(act, call, before=False))


def before(owner: Any, name: str, call: int = 1) -> Step:
    """Dies right before it."""
    return Step(owner, name, lambda act: dying(act, call, before=True))


def dying(act: Callable[..., Any], at: int, *, before: bool) -> Callable[..., Any]:
    calls = 0

    def wrapped(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == at:
            die()
        answer = act(*args, **named)
        if calls == at:
            die()
        return answer

    return wrapped


def half_a_line(path: Path, record: Any) -> None:
    """In place of `audit_log.append`: dies while the line is written."""
    log = audit_log.read(path).lines if path.exists() else []
    line = chain.chain_line(record, chain.ChainEnd(len(log), chain.digest(log[-1])) if log else chain.START)
    with path.open("a") as file:
        file.write(line[: len(line) // 2])
    die()


def kill_at(step: Step, work: Callable[[], Any]) -> None:
    """Do the work in a process of its own, which has to die at the step."""
    process = multiprocessing.get_context("fork").Process(target=_drive, args=(step, work))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, "it did not come to the step"


def _drive(step: Step, work: Callable[[], Any]) -> None:
    setattr(step.owner, step.name, step.replacement(getattr(step.owner, step.name)))
    work()
