"""A thread that produces items ahead of their consumer, so that decoding, detecting and encoding overlap."""

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.1  # how soon the thread notices that the consumer has stopped


class _End:
    """Sent after the last item, with the producer's error if there was one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def prefetch(items: Iterator[T], ahead: int) -> Generator[T, None, None]:
    """The same items, produced by a thread that keeps at most `ahead` of them waiting.

    An error of the producer is raised here. When this iterator ends or is closed, the thread has ended too.
    """
    waiting: queue.Queue[T | _End] = queue.Queue(ahead)
    stop = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, waiting, stop), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()


def _produce(items: Iterator[T], waiting: "queue.Queue[T | _End]", stop: threading.Event) -> None:
    end = _End()
    try:
        for item in items:
            if not _put(waiting, item, stop):
                return
    except BaseException as error:
        end = _End(error)
    _put(waiting, end, stop)


def _put(waiting: "queue.Queue[T | _End]", item: "T | _End", stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            waiting.put(item, timeout=_POLL_SECONDS)
        except queue.Full:
            continue
        return True
    return False
