"""Selected streams of the source come along, each by its index."""

from pathlib import Path

import clips
from clips import Library

from dashredact.media.form import Color
from dashredact.media.probe import probe
from dashredact.media.remux import remux
from dashredact.media.streams import StreamSelection


def test_kept_sound_of_the_source_is_named_one_by_one(clip: Library, tmp_path: Path) -> None:
    """The second of two sounds alone, by its index."""
    info = probe(clip("two sounds.mp4"))
    selection = StreamSelection("mp4", (info.streams[2],), (info.streams[1],))
    target = tmp_path / "finished.mp4"
    remux(clip("30.mp4"), clip("two sounds.mp4"), target, info, selection, Color(0, 2, 2, 2))
    assert clips.packet_hashes(target, "a:0") == clips.packet_hashes(clip("two sounds.mp4"), "a:1")
    assert clips.contents(target).kinds == ["video", "audio"]
