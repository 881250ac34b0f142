"""A tracks file can be read back, and what is no tracks file is told."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clips import Library
from conftest import Mask

from dashredact.store import tracks
from dashredact.values import ORIGINS


@pytest.fixture
def written(clip: Library, mask: Mask, tmp_path: Path) -> bytes:
    mask(clip("late.mp4"))
    return (tmp_path / "out" / "late.tracks.json").read_bytes()


def test_what_was_written_is_read_back(written: bytes) -> None:
    told, read = json.loads(written), tracks.decode(written)
    assert read.size == (192, 112) and read.time_base == Fraction(told["time_base"])
    assert read.pts.tolist() == told["pts"] and read.times[0] == 0 and read.times[1] == pytest.approx(1 / 30)
    for track, fields in zip(read.tracks, told["tracks"], strict=True):
        assert (track.id, track.kind, track.first, track.end) == tuple(
            fields[k] for k in ("id", "kind", "first", "end")
        )
        assert track.boxes.tolist() == fields["boxes"] and track.scores.tolist() == pytest.approx(fields["scores"])
        runs = [str(ORIGINS[number]) for number in track.origins]
        assert runs == [origin for origin, length in fields["origins"] for _ in range(length)]


def _changed(key: str, value: Any) -> Any:
    def change(told: dict[str, Any]) -> None:
        place = told["tracks"][0] if key in told["tracks"][0] else told
        place[key] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _changed("schema", "dashredact/tracks/9"),
        _changed("end", 10**6),
        _changed("first", -1),
        _changed("kind", "dog"),
        _changed("boxes", []),
        _changed("scores", [1.0]),
        _changed("origins", [["guessed", 3]]),
        _changed("origins", [["detected", 1]]),
        _changed("time_base", "1/0"),
        _changed("pts", []),
        _changed("pts", [3, 2, 1]),
        _changed("width", 0),
        lambda told: told.pop("tracks"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_told(change: Any, written: bytes) -> None:
    told = json.loads(written)
    change(told)
    with pytest.raises(ValueError, match="no tracks file"):
        tracks.decode(json.dumps(told).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"nonsense", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_tracks_file_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match="no tracks file"):
        tracks.decode(content)
