"""Runs every stage at once, in this process: for tests, and for callers that need no protection from crashes."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from dashredact.values import StageProgress

T = TypeVar("T")


class InlineExecutor:
    """An `Executor` without processes, limits and second attempts."""

    jobs = 1

    def submit(
        self,
        stage: Callable[..., T],
        *args: Any,
        advance: StageProgress,
        extra_timeout: float = 0,  # noqa: ARG002 - there is no timeout
    ) -> "Future[T]":
        """Call `stage(*args, advance)` now. What it raises is raised here."""
        future: Future[T] = Future()
        future.set_result(stage(*args, advance))
        return future


INLINE = InlineExecutor()
