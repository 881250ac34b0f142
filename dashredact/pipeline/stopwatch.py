"""Measures how the time of a video is divided between its stages."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Stopwatch:
    """Seconds by stage. Stages may nest: time counts for the innermost one. Every thread is timed on its own."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._local = threading.local()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        stack: list[str] = self._local.__dict__.setdefault("stack", [])
        self._charge(stack)
        stack.append(stage)
        try:
            yield
        finally:
            self._charge(stack)
            stack.pop()

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The same items; the time that it takes to produce them is counted."""
        iterator = iter(items)
        while True:
            with self.timed(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    def _charge(self, stack: list[str]) -> None:
        now = time.perf_counter()
        if stack:
            self.seconds[stack[-1]] += now - self._local.since
        self._local.since = now
