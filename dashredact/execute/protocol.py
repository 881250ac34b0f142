"""What the pipeline expects of whoever runs its stages, in the shape of `concurrent.futures`."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from dashredact.values import StageProgress

T = TypeVar("T")


class Executor(Protocol):
    jobs: int
    """number of stages that run at the same time"""

    def submit(
        self, stage: Callable[..., T], *args: Any, advance: StageProgress, extra_timeout: float = 0
    ) -> "Future[T]":
        """Call `stage(*args, progress)`; its progress arrives at `advance`.

        extra_timeout: seconds for which the stage may report nothing, in addition to the usual limit.
        """
        ...
