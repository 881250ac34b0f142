"""A copy that broke off, or has a hole, is damaged: what it lost is not passed over."""

from pathlib import Path

import clips
import pytest

from dashredact.errors import UnreadableError
from dashredact.media.probe import probe

_FORMS = {
    "whole.avi": ("-c:v", "mpeg4", "-c:a", "mp3"),
    "whole.wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "whole.flv": ("-c:v", "flv1", "-c:a", "mp3", "-ar", "44100"),
    "whole.webm": ("-c:v", "libvpx", "-c:a", "libopus"),
    "whole.mkv": ("-c:v", "libx264", "-c:a", "aac"),
    "whole.mp4": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "+faststart"),
    "fragmented.mp4": ("-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
}

_ANNOUNCING = [name for name in _FORMS if name != "whole.flv"]
"""An FLV may end after any packet."""


@pytest.fixture
def whole(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A clip of two seconds with sound, which is not damaged."""
    path = tmp_path / request.param
    picture = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=15:duration=2")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
    clips.ffmpeg(*picture, *sound, *_FORMS[path.name], "-g", "10", "-pix_fmt", "yuv420p", path)
    assert probe(path).damages == ()
    return path


@pytest.mark.parametrize("share", [0.61, 0.93])
@pytest.mark.parametrize(
    "whole", [name for name in _FORMS if name != "whole.flv"], indirect=True
)  # which may end after any packet
def test_a_file_that_was_cut_off_is_damaged(whole: Path, share: float) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * share)])
    assert probe(whole).damages


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_an_mp4_without_its_index_says_so(tmp_path: Path, share: float) -> None:
    """In the last share of it, the index is there in part."""
    path = tmp_path / "whole.mp4"
    clips.ffmpeg("-f", "lavfi", "-i", "testsrc=size=160x120:rate=15:duration=2", "-c:v", "libx264", path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UnreadableError, match="is truncated"):
        probe(path)


@pytest.mark.parametrize("whole", ["whole.webm", "whole.mkv", "whole.flv"], indirect=True)
def test_a_hole_in_which_frames_vanish_is_damage(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    frames = len(probe(whole).packets)
    middle = len(content) // 2
    content[middle : middle + 4000] = b"\x08" * 4000
    whole.write_bytes(content)
    damaged = probe(whole)
    assert len(damaged.packets) < frames
    assert damaged.damages
