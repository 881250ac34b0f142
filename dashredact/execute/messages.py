"""What a worker and its parent say to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """To the worker: do this step. The step is called with the arguments, and last with a `Progress`."""

    step: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Stop:
    """To the worker: end the step after the segment at hand."""


@dataclass(frozen=True)
class Heartbeat:
    """To the parent: something was done; also the sign of life that its watchdog waits for."""

    stage: str
    frames: int


@dataclass(frozen=True)
class Answer:
    value: Any


@dataclass(frozen=True)
class Failed:
    error: Exception
    trace: str


@dataclass(frozen=True)
class Stopped:
    """To the parent: the step ended early, between two segments."""
