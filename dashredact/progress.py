"""Facts become a bar on a terminal, and a line now and then elsewhere. The only file that knows tqdm."""

import sys
import time
from types import TracebackType

from tqdm import tqdm

from dashredact.values import Fact

_FIRST_LINE_SECONDS = 16.0  # then at 32, 64, ...: a log of an hour has nine lines


class Progress:
    """Shows the facts of one video after another on stderr. A pass counts half a frame."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._bar: tqdm[None] | None = None
        self._video = ""
        self._began = self._next_line = 0.0
        self._done = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, fact: Fact) -> None:
        if self._quiet:
            return
        if fact.video != self._video or fact.done < self._done:  # folders may hold videos of one name
            self._begin(fact)
        self._done = fact.done
        if self._bar is not None:
            self._bar.set_description(f"{fact.video} {fact.stage}", refresh=False)
            self._bar.update(fact.done / 2 - self._bar.n)
        elif time.monotonic() >= self._next_line:
            self._line(fact)

    def _begin(self, fact: Fact) -> None:
        self._end()
        self._video, self._began = fact.video, time.monotonic()
        self._next_line = self._began + _FIRST_LINE_SECONDS
        if self._terminal:
            layout = "{desc} {percentage:3.0f}%|{bar}| {rate_fmt} {remaining} left"
            self._bar = tqdm(total=fact.total / 2, unit=" frames", bar_format=layout, leave=False, dynamic_ncols=True)

    def _line(self, fact: Fact) -> None:
        past = time.monotonic() - self._began
        rate = fact.done / 2 / past
        left = (fact.total - fact.done) / 2 / rate if rate else 0.0
        percent = 100 * fact.done // max(fact.total, 1)
        text = f"{fact.video}: {fact.stage}, {percent} %, {rate:.1f} frames/s, {left:.0f} s left"
        print(text, file=sys.stderr, flush=True)
        self._next_line = self._began + 2 * past

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar, self._video = None, ""
