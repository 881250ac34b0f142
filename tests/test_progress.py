"""Progress: sparse lines off a terminal, a bar on one, nothing when quiet."""

import io
import sys
import time

import pytest

from dashredact.progress import ProgressDisplay
from dashredact.values import ProgressEvent


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    hands = _Clock()
    monkeypatch.setattr(time, "monotonic", hands)
    return hands


def _lines(clock: _Clock, capsys: pytest.CaptureFixture[str], seconds: int, *, quiet: bool = False) -> list[int]:
    """The seconds at which a line appears, where every second a frame is looked at."""
    spoken = []
    begin = clock.now
    with ProgressDisplay(quiet=quiet) as progress:
        for second in range(seconds + 1):
            clock.now = begin + second
            progress(ProgressEvent("trip.mp4", "detect", second, 2 * seconds))
            out, err = capsys.readouterr()
            assert out == ""
            spoken += [second] if err else []
    assert capsys.readouterr() == ("", "")
    return spoken


def test_a_short_video_says_nothing(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    assert _lines(clock, capsys, 15) == []


def test_a_long_video_speaks_after_sixteen_seconds_and_then_ever_more_rarely(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _lines(clock, capsys, 600) == [16, 32, 64, 128, 256, 512]


def test_quiet_says_nothing(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    assert _lines(clock, capsys, 600, quiet=True) == []


def test_several_videos_are_counted_together(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """By their size, for nobody knows how many frames are in one that was not opened yet."""
    with ProgressDisplay() as progress:
        progress.start({"one.mp4": 100, "two.mp4": 300})
        progress(ProgressEvent("one.mp4", "render", 50, 100))
        progress(ProgressEvent("two.mp4", "detect", 30, 100))
        clock.now += 10
        progress.video_done("one.mp4")
        clock.now += 10
        assert capsys.readouterr().err == ""
        progress(ProgressEvent("two.mp4", "render", 60, 100))
    assert capsys.readouterr().err == "2/2 two.mp4: render, 70 %, 2.8 frames/s, 9 s left\n"


def test_each_look_of_a_watch_begins_anew(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay() as progress:
        for name in ("one.mp4", "two.mp4"):
            progress.start({name: 100})
            clock.now += 20
            progress(ProgressEvent(name, "render", 50, 100))
            progress.video_done(name)
            clock.now += 600
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{name}: render, 50 %, 1.2 frames/s, 20 s left" for name in ("one.mp4", "two.mp4")]


def test_a_line_before_anything_is_done_does_not_divide_by_it(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressDisplay() as progress:
        for _ in range(2):
            progress(ProgressEvent("trip.mp4", "detect", 0, 0))
            clock.now += 20
    assert capsys.readouterr().err.startswith("trip.mp4: detect, 0 %")


def _terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_a_terminal_gets_a_bar_that_is_wiped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _terminal(monkeypatch)
    with ProgressDisplay() as progress:
        progress(ProgressEvent("trip.mp4", "detect", 0, 200))
        time.sleep(0.15)  # tqdm draws ten times a second
        progress(ProgressEvent("trip.mp4", "detect", 100, 200))
        assert "trip.mp4 detect" in screen.getvalue() and " 50%" in screen.getvalue()
    assert screen.getvalue().endswith("\r")
    assert "\n" not in screen.getvalue()


def test_quiet_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _terminal(monkeypatch)
    with ProgressDisplay(quiet=True) as progress:
        progress(ProgressEvent("trip.mp4", "detect", 100, 200))
    assert screen.getvalue() == ""
