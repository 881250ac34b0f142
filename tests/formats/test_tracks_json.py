"""The tracks file is read back whole, covers what was masked, and is refused where it is not what it says."""

import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracks_made import comparable, files

from dashredact.errors import UsageError
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import Kind
from dashredact.values import ModelIdentity, Track

_SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "tracks-1.json").read_text())


def _file(boxes: list[list[float]]) -> TracksFile:
    track = Track(3, Kind.PLATE, 1, np.array(boxes), np.full(len(boxes), 1, np.int8), np.zeros(len(boxes), np.float32))
    model, pts = ModelIdentity("made", "b" * 64), np.array([-5, 0, 7, 2**40])
    return TracksFile("trip.mp4", "a" * 64, model, (200, 100), Fraction(1, 30000), pts, (track,))


@given(files())
def test_all_that_was_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, file: TracksFile) -> None:
    path = tmp_path_factory.mktemp("tracks") / "trip.tracks.json"
    path.write_bytes(tracks_json.encode_file(file))
    jsonschema.validate(json.loads(path.read_bytes()), _SCHEMA)
    read = tracks_json.read(path)
    assert [comparable(track) for track in read.tracks] == [comparable(track) for track in file.tracks]
    assert (read.name, read.sha256, read.model, read.size) == (file.name, file.sha256, file.model, file.size)
    assert (read.time_base, read.pts.tolist()) == (file.time_base, file.pts.tolist())


_side = st.floats(0, 100, allow_nan=False)


@given(st.tuples(_side, _side), st.tuples(_side, _side))
def test_the_file_covers_the_same_whole_pixels_as_the_mask(x: tuple[float, float], y: tuple[float, float]) -> None:
    box = [round(side, 4) for side in (min(x), min(y), max(x), max(y))]
    (written,) = json.loads(tracks_json.encode_file(_file([box])))["tracks"][0]["boxes"]
    assert [math.floor(side) for side in written[:2]] == [math.floor(side) for side in box[:2]]
    assert [math.ceil(side) for side in written[2:]] == [math.ceil(side) for side in box[2:]]


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    content = json.loads(tracks_json.encode_file(_file([[1, 2, 3, 4], [1, 2, 3, 4]])))
    change(content)
    return json.dumps(content)


def _track(**changed: Any) -> str:
    return _changed(lambda content: content["tracks"][0].update(changed))


def _head(**changed: Any) -> str:
    return _changed(lambda content: content.update(changed))


HOSTILE = {
    "empty": ("", "is not JSON"),
    "words": ("hello", "is not JSON"),
    "deep": ("[" * 100_000, "is not JSON"),
    "list": ("[]", "is not a tracks file"),
    "newer": (_head(schema="dashredact/tracks/2"), "different format from dashredact/tracks/1"),
    "no source": (_head(source=None), '"source"'),
    "bad digest": (_head(model={"name": "x", "sha256": "zz"}), 'no valid "sha256" of "model"'),
    "no width": (_head(width=0), '"width"'),
    "huge width": (_head(width=10**30), '"width"'),
    "time base": (_head(time_base="1e-999999999"), '"time_base"'),
    "time base zero": (_head(time_base="1/0"), '"time_base"'),
    "pts falling": (_head(pts=[3, 2, 1, 0]), "do not increase"),
    "pts float": (_head(pts=[0.5, 1, 2, 3]), '"pts"'),
    "pts huge": (_head(pts=[0, 1, 2, 10**30]), '"pts"'),
    "no tracks": (_head(tracks={}), '"tracks"'),
    "track no object": (_head(tracks=[3]), "tracks[0]"),
    "twice": (_changed(lambda content: content["tracks"].append(content["tracks"][0])), "two tracks"),
    "kind": (_track(kind="cat"), '"kind" of tracks[0]'),
    "first": (_track(first=-1), '"first" of tracks[0]'),
    "end": (_track(end=5), '"end" of tracks[0]'),
    "end infinite": (_track(end=math.inf), '"end" of tracks[0]'),
    "few boxes": (_track(boxes=[[1, 2, 3, 4]]), '"boxes" of tracks[0]'),
    "ragged": (_track(boxes=[[1, 2, 3, 4], [1]]), '"boxes" of tracks[0]'),
    "nan": (_track(boxes=[[1, 2, 3, 4], [1, math.nan, 3, 4]]), '"boxes" of tracks[0]'),
    "text": (_track(boxes=[[1, 2, 3, 4], [1, "2", 3, 4]]), '"boxes" of tracks[0]'),
    "inside out": (_track(boxes=[[1, 2, 3, 4], [5, 2, 3, 4]]), "boxes[1] of tracks[0]"),
    "outside": (_track(boxes=[[1, 2, 3, 4], [1, 2, 3, 101]]), "boxes[1] of tracks[0]"),
    "negative": (_track(boxes=[[-1, 2, 3, 4], [1, 2, 3, 4]]), "boxes[0] of tracks[0]"),
    "score": (_track(scores=[0, 1.5]), '"scores" of tracks[0]'),
    "origin": (_track(origins=[["guessed", 2]]), '"origins" of tracks[0]'),
    "origin bomb": (_track(origins=[["manual", 10**12]]), '"origins" of tracks[0]'),
    "origins short": (_track(origins=[["manual", 1]]), "for 1 frame instead of 2"),
    "origins odd": (_track(origins=[1, 2]), '"origins" of tracks[0]'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_wrong_is_named_in_one_sentence(tmp_path: Path, name: str) -> None:
    content, wanted = HOSTILE[name]
    path = tmp_path / "trip.tracks.json"
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        tracks_json.read(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and wanted in message
    assert message.endswith(".") and "\n" not in message


def test_what_is_not_a_file_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        tracks_json.read(tmp_path)
    with pytest.raises(UsageError, match="is not a file"):
        tracks_json.read(tmp_path / "missing.json")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    with pytest.raises(UsageError, match="larger than 512 MiB"):
        tracks_json.read(tmp_path / "large.json")
