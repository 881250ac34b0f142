"""Runs the stages of one video on an executor, and adds up the time and the frames of each."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from pathlib import Path
from typing import Any, TypeVar

from dashredact.errors import OutOfTimeError
from dashredact.execute.protocol import Executor
from dashredact.media.info import VideoInfo
from dashredact.values import ProgressCallback, ProgressEvent

T = TypeVar("T")

_SLOW_BYTES_PER_SECOND = 2_000_000  # of a network disk; a stage that reads a whole file reports nothing meanwhile
_SLOW_START = 60.0  # seconds in which a worker loads the detector


class StageRunner:
    def __init__(self, source: Path, executor: Executor, progress: ProgressCallback) -> None:
        self._source, self._executor, self._progress = source, executor, progress
        self._extra_timeout = _SLOW_START + source.stat().st_size / _SLOW_BYTES_PER_SECOND
        self._done = self._total = 0
        self.seconds: Counter[str] = Counter()
        """by stage"""

    def expect(self, info: VideoInfo, passes: float = 2) -> None:
        """Progress is counted in frames times passes from now on."""
        self._total = round(passes * len(info.packets.shown_pts))

    def one(self, stage: Callable[..., tuple[T, Counter[str]]], *args: Any) -> T:
        """Run a stage once."""
        (result,) = self.all(stage, [args])
        return result

    def all(self, stage: Callable[..., tuple[T, Counter[str]]], calls: Sequence[tuple[Any, ...]]) -> list[T]:
        """Run a stage with each of the arguments, at the same time if the executor can; the results in order.

        The first error cancels the calls that have not started. After OutOfTimeError the others finish their segments.
        """
        futures = [
            self._executor.submit(stage, *args, advance=self._advance, extra_timeout=self._extra_timeout)
            for args in calls
        ]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            results = [future.result() for future in futures if future.done()]
        except OutOfTimeError:
            wait(futures)
            raise
        finally:
            for future in futures:
                future.cancel()
        for _, seconds in results:
            self.seconds.update(seconds)
        return [result for result, _ in results]

    def _advance(self, stage: str, frames: int) -> None:
        self._done += frames
        if self._total and stage != "saved":
            self._progress(ProgressEvent(self._source.name, stage, self._done, self._total))
