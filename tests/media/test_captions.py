"""Closed captions ride on the frames themselves and show up in no list of streams; they stay behind all the same."""

import re
from pathlib import Path

import av
import clips
import pytest
from clips import Library

from dashredact.media import encode as encoders
from dashredact.media.form import form_of
from dashredact.media.images import paintable
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.media.segmentation import split
from dashredact.settings import RenderSettings

_CAPTION = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\xc8\xe9\xff"  # ATSC A/53, one pair of characters
_SEI = b"\0\0\0\x01\x06\x04" + bytes([len(_CAPTION)]) + _CAPTION + b"\x80"
_FIRST_SLICE = re.compile(rb"(?:\0\0\0\x01|(?<!\0)\0\0\x01)[\x01\x21\x41\x61\x05\x25\x45\x65][\x80-\xff]")


def _captioned(path: Path) -> int:
    """Frames that carry captions."""
    with av.open(str(path)) as container:
        return sum(any("A53" in str(key) for key in frame.side_data) for frame in container.decode(video=0))


@pytest.mark.parametrize("encoder", encoders.ENCODERS)
def test_captions_do_not_leave(clip: Library, tmp_path: Path, encoder: str) -> None:
    plain, source, part = tmp_path / "plain.h264", tmp_path / "captioned.mp4", tmp_path / "part.mp4"
    clips.ffmpeg("-i", clip("30.mp4"), "-an", "-c:v", "libx264", "-bf", "0", plain)
    spoken = tmp_path / "spoken.h264"
    spoken.write_bytes(_FIRST_SLICE.sub(lambda slice_: _SEI + slice_[0], plain.read_bytes()))
    clips.ffmpeg("-r", "30", "-i", spoken, "-c", "copy", source)
    assert _captioned(source) > 30

    info = probe(source)
    with Reader(source, info) as reader:
        (segment,) = split(info.packets, info.video.time_base, 100)
        images = [frame.image for frame in reader.frames(segment)]
    how = encoders.encoder_settings(info, images[0], RenderSettings(encoder=encoder), form_of(images[0]))
    assert encoders.encode(part, (paintable(image, how.pixel_format)[0] for image in images), how) == len(images)
    assert _captioned(part) == 0
