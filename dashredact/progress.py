"""Progress events become a bar on a terminal and an occasional line elsewhere. The only module that imports tqdm."""

import sys
import time
from collections.abc import Mapping
from threading import Lock
from types import TracebackType

from tqdm import tqdm

from dashredact.values import ProgressEvent

_FIRST_LINE_SECONDS = 16.0  # then at 32, 64, ...: nine lines in the log of an hour


class ProgressDisplay:
    """Progress of a run on stderr, over all its videos. May be called from several threads.

    Videos are weighted by their size in bytes: the number of frames is unknown until a video is opened.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._bar: tqdm[None] | None = None
        self._lock = Lock()
        self.start({})

    def __enter__(self) -> "ProgressDisplay":
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def start(self, sizes: Mapping[str, int]) -> None:
        """Start a run. sizes: bytes of each of its videos, by name."""
        self._sizes = sizes
        self._events: dict[str, ProgressEvent] = {}
        self._videos_done = self._frames_done = self._bytes_done = 0
        self._started = time.monotonic()
        self._next_line = self._started + _FIRST_LINE_SECONDS

    def video_done(self, video: str) -> None:
        """Count a video as done, whether it was masked, failed or was skipped."""
        with self._lock:
            event = self._events.pop(video, None)
            self._videos_done += 1
            self._bytes_done += self._sizes.get(video, 0)
            self._frames_done += event.done if event else 0
        self._show(None)

    def __call__(self, event: ProgressEvent) -> None:
        with self._lock:
            self._events[event.video] = event
        self._show(event)

    def _show(self, event: ProgressEvent | None) -> None:
        if self._quiet:
            return
        with self._lock:
            if self._terminal:
                self._draw(event)
            elif event and time.monotonic() >= self._next_line:
                print(self._line(event), file=sys.stderr, flush=True)
                self._next_line = self._started + 2 * (time.monotonic() - self._started)

    def _draw(self, event: ProgressEvent | None) -> None:
        if self._bar is None:
            layout = "{desc} {percentage:3.0f}%|{bar}| {postfix}"
            self._bar = tqdm(total=1.0, bar_format=layout, leave=False, dynamic_ncols=True)
        if event:
            self._bar.set_description(f"{self._title(event)} {event.stage}", refresh=False)
        self._bar.set_postfix_str(self._rate_and_time_left(), refresh=False)
        self._bar.update(self._fraction_done() - self._bar.n)

    def _line(self, event: ProgressEvent) -> str:
        return f"{self._title(event)}: {event.stage}, {100 * self._fraction_done():.0f} %, {self._rate_and_time_left()}"

    def _title(self, event: ProgressEvent) -> str:
        videos = len(self._sizes)
        return f"{self._videos_done + 1}/{videos} {event.video}" if videos > 1 else event.video

    def _fraction_done(self) -> float:
        """0..1, of the bytes of the run."""
        total_bytes = sum(self._sizes.values())
        running = {video: event.done / max(event.total, 1) for video, event in self._events.items()}
        if not total_bytes:
            return sum(running.values()) / max(len(running), 1)
        return (
            self._bytes_done + sum(self._sizes.get(video, 0) * fraction for video, fraction in running.items())
        ) / total_bytes

    def _rate_and_time_left(self) -> str:
        elapsed = max(time.monotonic() - self._started, 1e-3)
        frames = (self._frames_done + sum(event.done for event in self._events.values())) / 2
        fraction = self._fraction_done()
        left = f"{elapsed * (1 - fraction) / fraction:.0f} s left" if fraction else "time left unknown"
        return f"{frames / elapsed:.1f} frames/s, {left}"
