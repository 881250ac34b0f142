"""Whatever is spoilt: a frame that comes out is, bit for bit, the one that was filmed."""

import random
from pathlib import Path

import clips
import numpy as np
import pytest
from clips import Library
from conftest import Mask

from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.media.segmentation import split
from dashredact.settings import Damaged

_NAMES = ["30.mp4", "pyramid.mp4", "open gop.mp4", "hevc 10 bit.mkv", "one key frame.mp4", "interlaced.mp4"]
_NAMES += ["intra refresh.mkv"]


def _read(path: Path, seconds: float) -> tuple[dict[int, np.ndarray], list[int]]:
    """Frames by PTS, and those that are lost."""
    info = probe(path)
    found, lost = {}, []
    with Reader(path, info) as reader:
        for segment in split(info.packets, info.video.time_base, seconds):
            found |= {frame.pts: frame.image.to_ndarray() for frame in reader.frames(segment)}
            lost += reader.lost
    return found, lost


@pytest.mark.parametrize("name", [*_NAMES, "edit list.mp4"])
def test_nothing_that_comes_out_was_predicted_from_wreckage(name: str, clip: Library, tmp_path: Path) -> None:
    whole, none = _read(clip(name), 9)
    assert not none
    chance = random.Random(name)
    for number in chance.sample(range(len(probe(clip(name)).packets) - 1), 8):
        path = clips.spoil(clip(name), tmp_path / name, [number])
        found, lost = _read(path, 9)
        assert sorted([*found, *lost]) == sorted(whole)
        assert all(np.array_equal(found[pts], whole[pts]) for pts in found), (number, len(lost))


@pytest.mark.parametrize("name", ["transport.ts", "hevc.ts", "mpeg2.ts"])
def test_what_a_transport_stream_lost_is_told_and_nothing_comes_of_it(name: str, clip: Library, tmp_path: Path) -> None:
    whole, _ = _read(clip(name), 9)
    content, video = clip(name).read_bytes(), 0x100
    places = [at for at in range(0, len(content), 188) if int.from_bytes(content[at + 1 : at + 3]) & 0x1FFF == video]
    chance = random.Random(name)
    for at in chance.sample(places[5:-5], 8):
        path = tmp_path / name
        path.write_bytes(content[:at] + content[at + 188 :])
        found, lost = _read(path, 9)
        assert lost and (at < places[30] or "incomplete" in probe(path).damages[0])
        assert all(np.array_equal(found[pts], whole[pts]) for pts in found), (at, len(found))
        assert len(found) < len(whole)


@pytest.mark.parametrize("name", ["mpeg4.avi"])
def test_what_has_no_times_is_not_salvaged(name: str, clip: Library, tmp_path: Path, mask: Mask) -> None:
    path = clips.spoil(clip(name), tmp_path / name, [7])
    outcome = mask(path, damaged=Damaged.SALVAGE)
    assert outcome.output is None and "does not say which" in outcome.reason


@pytest.mark.parametrize("name", _NAMES)
def test_segments_that_are_sought_lose_the_same_frames(name: str, clip: Library, tmp_path: Path) -> None:
    path = clips.spoil(clip(name), tmp_path / name, [7, 20])
    info = probe(path)
    _, through = _read(path, 0.3)
    sought: list[int] = []
    for segment in split(info.packets, info.video.time_base, 0.3):
        with Reader(path, info) as reader:
            list(reader.frames(segment))
        sought += reader.lost
    assert sought == through
