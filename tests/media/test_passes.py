"""The passes end their threads on every way out: a reader that closes under a decoding thread crashes the process."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from clips import Finder, Library

from dashredact.errors import StoppedError
from dashredact.kinds import SHIPPED_KINDS
from dashredact.pipeline.video import VideoPipeline
from dashredact.settings import Settings, TrackSettings
from dashredact.values import Detections, Picture, ProgressEvent
from dashredact.workspace.work_folder import WorkFolder

SETTINGS = Settings(link=TrackSettings(dict.fromkeys(SHIPPED_KINDS, 0.5)))


class Stopped(Finder):
    """As if a signal came in the middle of the work."""

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        if self.calls:
            raise StoppedError(15)
        return super().__call__(pictures)


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]


def test_a_stop_while_looking_leaves_no_thread(clip: Library, tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as caught:
        VideoPipeline(
            clip("30.mp4"), WorkFolder(tmp_path, "x", "key"), Stopped(batch_size=1), SETTINGS, lambda fact: None
        ).mask()
    assert caught.value.exit_code == 143
    assert not _threads()


def test_a_stop_while_hiding_leaves_no_thread(clip: Library, tmp_path: Path) -> None:
    def stop(fact: ProgressEvent) -> None:
        if fact.stage == "join" or (fact.stage == "render" and fact.done > fact.total * 0.6):
            raise StoppedError(15)

    with pytest.raises(StoppedError):
        VideoPipeline(clip("30.mp4"), WorkFolder(tmp_path, "x", "key"), Finder(), SETTINGS, stop).mask()
    assert not _threads()
