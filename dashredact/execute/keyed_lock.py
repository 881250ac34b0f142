"""A lock for each of any number of keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class KeyedLock:
    """Threads that hold the same key run one after the other; different keys do not affect each other."""

    def __init__(self) -> None:
        self._released = Condition()
        self._keys: set[str] = set()

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        with self._released:
            self._released.wait_for(lambda: key not in self._keys)
            self._keys.add(key)
        try:
            yield
        finally:
            with self._released:
                self._keys.discard(key)
                self._released.notify_all()
