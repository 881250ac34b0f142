"""Tracks files that hypothesis makes up."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from dashredact.formats.tracks_json import TracksFile
from dashredact.kinds import Kind
from dashredact.values import ORIGINS, ModelIdentity, Track

WIDTH, HEIGHT, FRAMES = 1921, 1079, 12


@st.composite
def _track(draw: st.DrawFn, number: int, frames: int) -> Track:
    first = draw(st.integers(0, frames - 1))
    count = draw(st.integers(1, frames - first))
    xs = draw(st.lists(st.tuples(*[st.integers(0, WIDTH * 10)] * 2), min_size=count, max_size=count))
    ys = draw(st.lists(st.tuples(*[st.integers(0, HEIGHT * 10)] * 2), min_size=count, max_size=count))
    boxes = [[min(x), min(y), max(x), max(y)] for x, y in zip(xs, ys, strict=True)]
    origins = draw(st.lists(st.integers(0, len(ORIGINS) - 1), min_size=count, max_size=count))
    scores = draw(st.lists(st.integers(0, 1000), min_size=count, max_size=count))
    return Track(
        number,
        draw(st.sampled_from(Kind)),
        first,
        np.array(boxes) / 10,
        np.array(origins, np.int8),
        np.array(scores, np.float32) / np.float32(1000),
    )


@st.composite
def files(draw: st.DrawFn) -> TracksFile:
    frames = draw(st.integers(1, FRAMES))
    tracks = [draw(_track(number, frames)) for number in range(1, draw(st.integers(0, 4)) + 1)]
    steps = draw(st.lists(st.integers(1, 10_000), min_size=frames, max_size=frames))
    name = draw(st.sampled_from(["trip.mp4", "a \"b\" <c> & 'd'\n.mp4", "ドラレコ.ts", "--x\x01.mp4", "\udc80.mp4"]))
    return TracksFile(
        name,
        "0" * 64,
        ModelIdentity("made", "1" * 64),
        (WIDTH, HEIGHT),
        Fraction(1, draw(st.sampled_from([1, 90_000, 30_000]))),
        np.cumsum(steps) - 5_000,
        tuple(sorted(tracks, key=lambda track: (track.kind is not Kind.ZONE, track.first))),
    )


def comparable(track: Track, *, origins: bool = True) -> tuple[object, ...]:
    """All of a track in a format that can be compared."""
    evidence = (track.origins.tolist(), np.round(track.scores, 3).tolist()) if origins else ()
    return track.id, track.kind, track.first, track.boxes.tolist(), *evidence
