"""Detections are followed through the pixels, both ways, until they are lost, met or long gone."""

import cv2
import numpy as np
import pytest

from dashredact.pipeline.path_finder import GreyFrame, PathFinder, grey_frame
from dashredact.values import REACH, Detections, Paths, Picture

_GENERATOR = np.random.default_rng(5)
_BACK = cv2.GaussianBlur(_GENERATOR.integers(60, 180, (240, 320), np.uint8), (0, 0), 3)
_THING = cv2.resize(_GENERATOR.integers(0, 255, (8, 12), np.uint8), (48, 32), interpolation=cv2.INTER_CUBIC)
_RATE = 20
_FRAMES = 60


def _box(frame: int) -> list[int]:
    x = 40 + 3 * frame
    return [x, 90, x + 48, 122]


def _picture(frame: int) -> Picture:
    grey = _BACK.copy()
    x0, y0, x1, y1 = _box(frame)
    grey[y0:y1, x0:x1] = _THING
    return np.repeat(grey[..., None], 3, 2)


def _frame(frame: int) -> GreyFrame:
    return grey_frame(frame / _RATE, _picture(frame))


def _found(frame: int, *, seen: bool, score: float = 0.9) -> Detections:
    if not seen:
        return Detections.empty()
    box = np.array([_box(frame)], np.float32)
    return Detections(np.array([frame], np.int32), np.zeros(1, np.int8), box, np.array([score], np.float32))


def _follow(
    seen: list[int], frames: range, lead: range = range(0), tail: range = range(0), score: float = 0.9
) -> Paths:
    finder = PathFinder(_frame(frame) for frame in lead)
    for frame in frames:
        finder.add(_frame(frame), _found(frame, seen=frame in seen, score=score), 320)
    return finder.finish(_frame(frame) for frame in tail)


def _check(paths: Paths, frame: int, step: int, length: int, row: int = 0) -> None:
    """The path of a detection on a frame is so long, and lies on the object."""
    boxes = paths.by_detection()[row, step]
    assert len(boxes) == length
    for number, box in enumerate(boxes, 1):
        assert np.abs(box - _box(frame + step * number)).max() < 4, number


def test_a_lone_detection_is_followed_for_half_a_second_both_ways() -> None:
    paths = _follow([20], range(_FRAMES))
    assert len(paths) == 2
    for step in (1, -1):
        _check(paths, 20, step, round(REACH * _RATE))


def test_detections_on_neighbouring_frames_are_followed_at_their_ends_only() -> None:
    paths = _follow([20, 21, 22], range(_FRAMES))
    assert sorted(paths.by_detection()) == [(0, -1), (2, 1)]


def test_a_path_ends_where_it_meets_a_detection() -> None:
    paths = _follow([20, 25], range(_FRAMES))
    _check(paths, 20, 1, 5)
    _check(paths, 25, -1, 5, row=1)
    _check(paths, 25, 1, 10, row=1)


def test_a_path_ends_where_the_object_is_gone() -> None:
    finder = PathFinder()
    for frame in range(_FRAMES):
        hidden = grey_frame(frame / _RATE, np.repeat(_BACK[..., None], 3, 2))
        finder.add(hidden if frame > 23 else _frame(frame), _found(frame, seen=frame == 20), 320)
    _check(finder.finish(), 20, 1, 3)


def test_what_is_unsure_is_not_followed() -> None:
    assert len(_follow([20], range(_FRAMES), score=0.12)) == 0


def test_paths_reach_over_the_ends_of_their_segment() -> None:
    whole = _follow([30, 49], range(_FRAMES))
    part = _follow([30, 49], range(30, 50), lead=range(20, 30), tail=range(50, 60))
    for row in (0, 1):
        for step in (1, -1):
            own, other = part.by_detection()[row, step], whole.by_detection()[row, step]
            assert own == pytest.approx(other), (row, step)


def test_what_is_found_does_not_depend_on_frames_further_away() -> None:
    near = _follow([30, 35], range(28, 40), lead=range(18, 28), tail=range(40, 50))
    far = _follow([30, 35], range(28, 40), lead=range(28), tail=range(40, _FRAMES))
    assert near.boxes.tolist() == far.boxes.tolist()
    assert near.lengths.tolist() == far.lengths.tolist()


def test_the_last_frames_are_the_lead_of_the_next_segment() -> None:
    finder = PathFinder()
    for frame in range(40):
        finder.add(_frame(frame), _found(frame, seen=False), 320)
    assert [round(kept.time * _RATE) for kept in finder.last] == list(range(29, 40))


def test_a_hole_in_the_times_is_not_followed_over() -> None:
    finder = PathFinder()
    for frame in range(20):
        moved = GreyFrame(frame / _RATE + (3.0 if frame > 12 else 0.0), _frame(frame).picture)
        finder.add(moved, _found(frame, seen=frame in (12, 13)), 320)
    paths = finder.finish()
    assert (0, 1) not in paths.by_detection()


def test_changes_tell_a_cut() -> None:
    finder = PathFinder()
    for frame in range(10):
        picture = _picture(frame) if frame < 5 else 255 - _picture(frame) // 4
        finder.add(grey_frame(frame / _RATE, picture), Detections.empty(), 320)
    assert finder.changes[0] == 0
    assert int(np.argmax(finder.changes)) == 5
    assert finder.changes[5] > 10 * max(finder.changes[4], finder.changes[6])
