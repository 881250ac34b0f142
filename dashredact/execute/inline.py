"""A crew of one: every step is done at once, in this process. For tests and for callers that guard themselves."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from dashredact.values import StageProgress

T = TypeVar("T")


class InlineExecutor:
    """The shape of `pool.Pool` without its processes, limits and second tries."""

    jobs = 1

    def submit(self, step: Callable[..., T], *args: Any, advance: StageProgress, patience: float = 0) -> Future[T]:  # noqa: ARG002 - nobody watches
        done: Future[T] = Future()
        done.set_result(step(*args, advance))
        return done


INLINE = InlineExecutor()
