"""What concerns the same thing is done one after the other, whoever does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class KeyedLock:
    """Of threads."""

    def __init__(self) -> None:
        self._turn = Condition()
        self._busy: set[str] = set()

    @contextmanager
    def held(self, thing: str) -> Iterator[None]:
        """Wait until nobody else is at it, and keep others away meanwhile."""
        with self._turn:
            self._turn.wait_for(lambda: thing not in self._busy)
            self._busy.add(thing)
        try:
            yield
        finally:
            with self._turn:
                self._busy.discard(thing)
                self._turn.notify_all()
