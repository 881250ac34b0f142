"""Thumbnails: evenly spread, upright, small, and never of a file that is not the one named."""

from pathlib import Path

import clips
import cv2
import numpy as np
import pytest
from clips import Library

from dashredact import files
from dashredact.errors import MediaError
from dashredact.media.thumbnails import Thumbnail, filmstrip


def picture(one: Thumbnail) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(one.jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize("name", ["30.mp4", "late.mp4", "hole.mp4", "irregular.mkv", "transport.ts", "h264 10 bit.mp4"])
def test_each_picture_is_the_frame_of_its_time(name: str, clip: Library) -> None:
    found = filmstrip(clip(name), files.sha256(clip(name)), 6)
    assert found is not None and len(found) == (3 if name == "hole.mp4" else 6)
    times = clips.contents(clip(name)).times()
    for one in found:
        number = clips.number_on(picture(one))
        assert float(one.time) == pytest.approx(times[number], abs=0.01)


def test_a_picture_shows_what_is_on_the_file(clip: Library) -> None:
    """Where nothing is masked the secret is seen: only then does its absence in other tests say anything."""
    found = filmstrip(clip("30.mp4"), files.sha256(clip("30.mp4")), 4) or []
    assert [clips.secret_pixels(picture(one)).any() for one in found] == [True] * 4


def test_a_large_picture_is_made_small_and_flat_pixels_square(clip: Library, tmp_path: Path) -> None:
    large = clips.Film(size=(640, 400), frames=4).shoot(tmp_path / "large.mp4")
    for path, size in ((large, (320, 200)), (clip("flat pixels.mp4"), (256, 112))):
        (one, *_) = filmstrip(path, files.sha256(path), 2) or []
        assert (one.width, one.height) == size == picture(one).shape[1::-1]


def test_a_turned_recording_stands_upright(clip: Library) -> None:
    path = clip("turned 90.mp4")
    (one, *_) = filmstrip(path, files.sha256(path), 2) or []
    assert (one.width, one.height) == clips.SIZE


def test_another_file_gives_no_picture(clip: Library) -> None:
    assert filmstrip(clip("30.mp4"), files.sha256(clip("late.mp4")), 3) is None


def test_what_is_no_video_is_an_error(clip: Library) -> None:
    path = clip("words.mp4")
    with pytest.raises(MediaError, match=r"words\.mp4"):
        filmstrip(path, files.sha256(path), 3)


def test_a_playlist_is_not_followed(clip: Library) -> None:
    path = clip("playlist.mp4")
    with pytest.raises(MediaError):
        filmstrip(path, files.sha256(path), 3)
