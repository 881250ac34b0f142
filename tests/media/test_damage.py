"""Whatever is spoilt: a frame that comes out is, bit for bit, the one that was filmed."""

import random
from pathlib import Path

import clips
import numpy as np
import pytest
from clips import Library

from dashredact.media.frames import Reader
from dashredact.media.probe import probe
from dashredact.pure.cuts import cut

_NAMES = ["30.mp4", "pyramid.mp4", "open gop.mp4", "hevc 10 bit.mkv", "one key frame.mp4", "interlaced.mp4"]


def _read(path: Path, seconds: float) -> tuple[dict[int, np.ndarray], list[int]]:
    """Frames by PTS, and those that are lost."""
    facts = probe(path)
    found, lost = {}, []
    with Reader(path, facts) as reader:
        for segment in cut(facts.packets, facts.video.time_base, seconds):
            found |= {frame.pts: frame.image.to_ndarray() for frame in reader.frames(segment)}
            lost += reader.lost
    return found, lost


@pytest.mark.parametrize("name", [*_NAMES, "intra refresh.mkv"])
def test_nothing_that_comes_out_was_predicted_from_wreckage(name: str, clip: Library, tmp_path: Path) -> None:
    whole, none = _read(clip(name), 9)
    assert not none
    chance = random.Random(name)  # noqa: S311 - which packets
    for number in chance.sample(range(1, len(whole) - 1), 8):
        path = clips.spoil(clip(name), tmp_path / name, [number])
        found, lost = _read(path, 9)
        assert sorted([*found, *lost]) == sorted(whole)
        assert all(np.array_equal(found[pts], whole[pts]) for pts in found), (number, len(lost))


@pytest.mark.parametrize("name", _NAMES)
def test_segments_that_are_sought_lose_the_same_frames(name: str, clip: Library, tmp_path: Path) -> None:
    path = clips.spoil(clip(name), tmp_path / name, [7, 20])
    facts = probe(path)
    _, through = _read(path, 0.3)
    sought: list[int] = []
    for segment in cut(facts.packets, facts.video.time_base, 0.3):
        with Reader(path, facts) as reader:
            list(reader.frames(segment))
        sought += reader.lost
    assert sought == through
