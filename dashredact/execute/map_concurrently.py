"""Processes several videos at a time, in threads that mostly wait for the executor."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


class _ThreadEnd:
    """A thread has no more items, or met an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def map_concurrently(function: Callable[[S], T], items: Iterable[S], count: int) -> Iterator[T]:
    """The result for each item, in order of completion; up to `count` at a time. With count 1: in order, no threads.

    The first error is raised here. The other threads are daemons and are not waited for: the program is about to end.
    """
    if count == 1:
        yield from map(function, items)
        return
    source, lock = iter(items), threading.Lock()
    results: queue.SimpleQueue[T | _ThreadEnd] = queue.SimpleQueue()

    def run() -> None:
        try:
            while True:
                with lock:
                    item = next(source)
                results.put(function(item))
        except StopIteration:
            results.put(_ThreadEnd())
        except BaseException as error:
            results.put(_ThreadEnd(error))

    for number in range(count):
        threading.Thread(target=run, name=f"video-{number}", daemon=True).start()
    running = count
    while running:
        result = results.get()
        if not isinstance(result, _ThreadEnd):
            yield result
            continue
        if result.error is not None:
            raise result.error
        running -= 1
