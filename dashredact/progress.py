"""Facts become a bar on a terminal, and a line now and then elsewhere. The only file that knows tqdm."""

import sys
import time
from collections.abc import Mapping
from threading import Lock
from types import TracebackType

from tqdm import tqdm

from dashredact.values import ProgressEvent

_FIRST_LINE_SECONDS = 16.0  # then at 32, 64, ...: a log of an hour has nine lines


class ProgressDisplay:
    """How far a run is, on stderr: over all its videos, several of which may be on their way. A pass is half a frame.

    Videos count by their size, because nobody knows how many frames are in one that was not opened yet.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._bar: tqdm[None] | None = None
        self._lock = Lock()
        self.expect({})

    def __enter__(self) -> "ProgressDisplay":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def expect(self, sizes: Mapping[str, int]) -> None:
        """A run begins: its videos and their sizes in bytes."""
        self._sizes = sizes
        self._facts: dict[str, ProgressEvent] = {}
        self._ended = self._ended_frames = self._ended_bytes = 0
        self._began = time.monotonic()
        self._next_line = self._began + _FIRST_LINE_SECONDS

    def end(self, video: str) -> None:
        """A video came to its end, whatever that was."""
        with self._lock:
            fact = self._facts.pop(video, None)
            self._ended += 1
            self._ended_bytes += self._sizes.get(video, 0)
            self._ended_frames += fact.done if fact else 0
        self._show(None)

    def __call__(self, fact: ProgressEvent) -> None:
        with self._lock:
            self._facts[fact.video] = fact
        self._show(fact)

    def _show(self, fact: ProgressEvent | None) -> None:
        if self._quiet:
            return
        with self._lock:
            if self._terminal:
                self._draw(fact)
            elif fact and time.monotonic() >= self._next_line:
                print(self._words(fact), file=sys.stderr, flush=True)
                self._next_line = self._began + 2 * (time.monotonic() - self._began)

    def _draw(self, fact: ProgressEvent | None) -> None:
        if self._bar is None:
            layout = "{desc} {percentage:3.0f}%|{bar}| {postfix}"
            self._bar = tqdm(total=1.0, bar_format=layout, leave=False, dynamic_ncols=True)
        if fact:
            self._bar.set_description(f"{self._count(fact)} {fact.stage}", refresh=False)
        self._bar.set_postfix_str(self._speed(), refresh=False)
        self._bar.update(self._share() - self._bar.n)

    def _words(self, fact: ProgressEvent) -> str:
        return f"{self._count(fact)}: {fact.stage}, {100 * self._share():.0f} %, {self._speed()}"

    def _count(self, fact: ProgressEvent) -> str:
        many = len(self._sizes)
        return f"{self._ended + 1}/{many} {fact.video}" if many > 1 else fact.video

    def _share(self) -> float:
        """Of the run's bytes."""
        whole = sum(self._sizes.values())
        under_way = {video: fact.done / max(fact.total, 1) for video, fact in self._facts.items()}
        if not whole:
            return sum(under_way.values()) / max(len(under_way), 1)
        return (self._ended_bytes + sum(self._sizes.get(video, 0) * part for video, part in under_way.items())) / whole

    def _speed(self) -> str:
        past = max(time.monotonic() - self._began, 1e-3)
        frames = (self._ended_frames + sum(fact.done for fact in self._facts.values())) / 2
        share = self._share()
        left = f"{past * (1 - share) / share:.0f} s left" if share else "time left unknown"
        return f"{frames / past:.1f} frames/s, {left}"
