"""Working ahead: the same items, no thread left behind, never too far in front."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, islice

import pytest

from dashredact.media.prefetch import prefetch


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    yield
    assert _threads() == []


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def _until(condition: Callable[[], bool]) -> None:
    late = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < late
        time.sleep(0.005)


@pytest.mark.parametrize("ahead", [1, 3, 200])
@pytest.mark.parametrize("length", [0, 1, 100])
def test_items_come_in_order_and_the_thread_ends(length: int, ahead: int) -> None:
    assert list(prefetch(iter(range(length)), ahead)) == list(range(length))
    assert _threads() == []


def test_none_is_an_item_like_any_other() -> None:
    assert list(prefetch(iter([None, 0, None]), 2)) == [None, 0, None]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), StopAsyncIteration()])
def test_an_error_of_the_producer_arrives_behind_what_it_had_made(error: BaseException) -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise error

    taken = []
    with pytest.raises(type(error)) as caught:
        for item in prefetch(broken(), 10):
            taken.append(item)
    assert caught.value is error
    assert taken == [1, 2]
    assert _threads() == []


def test_an_error_of_the_consumer_ends_the_thread() -> None:
    def consume() -> None:
        for item in prefetch(count(), 2):
            if item == 3:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert _threads() == []


def test_closing_early_ends_the_thread_and_the_producer() -> None:
    ended = threading.Event()

    def producer() -> Iterator[int]:
        try:
            yield from count()
        finally:
            ended.set()

    items = prefetch(producer(), 2)
    assert list(islice(items, 3)) == [0, 1, 2]
    assert len(_threads()) == 1
    items.close()  # type: ignore[attr-defined]
    assert _threads() == []
    assert ended.is_set()


@pytest.mark.parametrize("ahead", [1, 4])
def test_the_producer_works_ahead_but_not_too_far(ahead: int) -> None:
    made = []

    def producer() -> Iterator[int]:
        for item in range(100):
            made.append(item)
            yield item

    items = prefetch(producer(), ahead)
    for taken in range(1, 4):
        next(items)
        # those that wait, and the one that the thread holds in its hand
        _until(lambda taken=taken: len(made) == taken + ahead + 1)  # type: ignore[misc]
        time.sleep(0.03)
        assert len(made) == taken + ahead + 1
    items.close()  # type: ignore[attr-defined]


def test_the_producer_works_while_the_consumer_does() -> None:
    met = threading.Barrier(2, timeout=5)

    def producer() -> Iterator[int]:
        yield 0
        met.wait()
        yield 1

    items = prefetch(producer(), 1)
    assert next(items) == 0
    met.wait()
    assert list(items) == [1]
