"""Sparse boxes become one a frame, and boxes become tracks: nothing given is lost, nothing is made up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashredact.kinds import Kind
from dashredact.tracking import keyframes
from dashredact.tracking.keyframes import KeyframedBoxes
from dashredact.values import ORIGINS, Array, Origin

_MANUAL = ORIGINS.index(Origin.MANUAL)


def _keys(*frames: int) -> KeyframedBoxes:
    boxes = [[frame, 2 * frame, frame + 10, 2 * frame + 10] for frame in frames]
    return KeyframedBoxes.manual(1, Kind.FACE, frames, boxes)


def _dense(keys: KeyframedBoxes, away: list[int], end: int) -> KeyframedBoxes:
    return keyframes.interpolated(keys, np.isin(keys.frames, away), end)


def test_between_keys_the_box_moves_on_a_straight_line() -> None:
    dense = _dense(_keys(2, 6), [], 7)
    assert dense.frames.tolist() == [2, 3, 4, 5, 6]
    assert dense.boxes.tolist() == [[f, 2 * f, f + 10, 2 * f + 10] for f in range(2, 7)]


def test_the_last_box_is_held_to_the_end() -> None:
    dense = _dense(_keys(2, 4), [], 8)
    assert dense.frames.tolist() == [2, 3, 4, 5, 6, 7]
    assert dense.boxes[2:].tolist() == [[4, 8, 14, 18]] * 4


def test_nothing_from_an_outside_key_to_the_next() -> None:
    dense = _dense(_keys(0, 4, 6, 8), [4, 8], 20)
    assert dense.frames.tolist() == [0, 1, 2, 3, 6, 7]
    assert dense.boxes[3].tolist() == [3, 6, 13, 16]  # on the way to where the outside key says


def test_an_object_that_is_never_inside_has_no_box() -> None:
    assert len(_dense(_keys(3), [3], 9).frames) == 0


def test_a_frame_between_keys_is_by_hand_and_has_no_score() -> None:
    one = KeyframedBoxes(
        1, Kind.FACE, np.array([0, 2]), np.zeros((2, 4)), np.zeros(2, np.int8), np.array([0.5, 0.75], np.float32)
    )
    dense = _dense(one, [], 4)
    assert [ORIGINS[n] for n in dense.origins] == [Origin.DETECTED, Origin.MANUAL, Origin.DETECTED, Origin.MANUAL]
    assert dense.scores.tolist() == [0.5, 0, 0.75, 0]


_frames = st.sets(st.integers(0, 40), min_size=1).map(sorted)


@given(_frames, st.integers(0, 50))
def test_every_key_keeps_its_box_and_no_frame_is_left_out(frames: list[int], end: int) -> None:
    keys = _keys(*frames)
    dense = _dense(keys, [], end)
    assert dense.frames.tolist() == list(range(frames[0], max(end, frames[-1] + 1)))
    assert np.array_equal(dense.boxes[np.array(frames) - frames[0]], keys.boxes)


@given(_frames)
def test_tracks_hold_every_given_box_at_its_frame_and_no_other(frames: list[int]) -> None:
    given_boxes = _keys(*frames)
    tracks = keyframes.tracks([given_boxes], 1000, 1000)
    held: dict[int, Array] = {t.first + n: box for t in tracks for n, box in enumerate(t.boxes)}
    assert sorted(held) == frames
    assert all(np.array_equal(held[f], box) for f, box in zip(frames, given_boxes.boxes, strict=True))
    assert sum(len(track.boxes) for track in tracks) == len(frames)
    assert all((track.origins == _MANUAL).all() and not track.scores.any() for track in tracks)


def test_boxes_are_cut_to_the_picture() -> None:
    (track,) = keyframes.tracks([KeyframedBoxes.manual(1, Kind.FACE, [0], [[-5, 2, 30, 40]])], 20, 10)
    assert track.boxes.tolist() == [[0, 2, 20, 10]]


def test_numbers_stay_where_they_can_and_are_never_shared() -> None:
    objects = [_keys(0, 1, 5), KeyframedBoxes.manual(7, Kind.PLATE, [2], [[0, 0, 1, 1]])]
    nameless = [
        KeyframedBoxes.manual(0, Kind.FACE, [3], [[0, 0, 1, 1]]),
        KeyframedBoxes.manual(7, Kind.ZONE, [9], [[0, 0, 1, 1]]),
    ]
    tracks = keyframes.tracks([*objects, *nameless], 100, 100)
    assert [(t.id, t.kind, t.first, t.end) for t in tracks] == [
        (7, Kind.ZONE, 9, 10),
        (1, Kind.FACE, 0, 2),
        (8, Kind.PLATE, 2, 3),
        (9, Kind.FACE, 3, 4),
        (10, Kind.FACE, 5, 6),
    ]
