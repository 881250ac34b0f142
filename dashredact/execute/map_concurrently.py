"""Several videos at a time: threads that mostly wait for the crew."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


class _LaneEnd:
    """A lane has nothing more to do, or met an error that ends the run."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def map_concurrently(act: Callable[[S], T], items: Iterable[S], count: int) -> Iterator[T]:
    """What `act` makes of each item, as it comes; up to `count` at a time. One: no thread, in order.

    The first error is raised here; the other lanes are left alone, for the program is about to end.
    """
    if count == 1:
        yield from map(act, items)
        return
    source, lock = iter(items), threading.Lock()
    done: queue.SimpleQueue[T | _LaneEnd] = queue.SimpleQueue()

    def work() -> None:
        try:
            while True:
                with lock:
                    item = next(source)
                done.put(act(item))
        except StopIteration:
            done.put(_LaneEnd())
        except BaseException as error:
            done.put(_LaneEnd(error))

    for number in range(count):
        threading.Thread(target=work, name=f"lane-{number}", daemon=True).start()
    open_lanes = count
    while open_lanes:
        answer = done.get()
        if not isinstance(answer, _LaneEnd):
            yield answer
            continue
        if answer.error is not None:
            raise answer.error
        open_lanes -= 1
