"""Where detections go on: along their paths, and from one that is met to the next."""

import numpy as np

from dashredact.tracking.continuation import Continuations
from dashredact.values import Detections, Paths


def _box(x: float) -> list[float]:
    return [x, 0, x + 10, 10]


def _detections(*places: tuple[int, float]) -> Detections:
    """Faces on frames, at x."""
    frames = np.array([frame for frame, _ in places], np.int32)
    boxes = np.array([_box(x) for _, x in places], np.float32).reshape(-1, 4)
    return Detections(frames, np.zeros(len(places), np.int8), boxes, np.full(len(places), 0.5, np.float32))


def _paths(*ways: tuple[int, int, list[float]]) -> Paths:
    return Paths(
        np.array([row for row, _, _ in ways], np.int32),
        np.array([step for _, step, _ in ways], np.int8),
        np.array([len(xs) for _, _, xs in ways], np.int32),
        np.array([_box(x) for _, _, xs in ways for x in xs], np.float32).reshape(-1, 4),
    )


def _x(continuations: Continuations, row: int, step: int, most: int) -> list[float]:
    return [float(box[0]) for box in continuations.boxes(row, step, most)]


def test_a_path_is_followed_as_far_as_it_goes() -> None:
    one = Continuations(_detections((2, 0)), _paths((0, 1, [1, 2, 3]), (0, -1, [5, 6])), 10)
    assert _x(one, 0, 1, 9) == [1, 2, 3]
    assert _x(one, 0, 1, 2) == [1, 2]
    assert _x(one, 0, -1, 9) == [5, 6]


def test_from_a_detection_that_is_met_it_goes_on_along_the_path_of_that() -> None:
    one = Continuations(_detections((0, 0), (3, 4)), _paths((0, 1, [1, 2, 3]), (1, 1, [5, 6])), 10)
    assert _x(one, 0, 1, 9) == [1, 2, 4, 5, 6]


def test_neighbours_on_the_next_frame_need_no_path() -> None:
    one = Continuations(_detections((0, 0), (1, 2), (2, 4)), _paths((2, 1, [5])), 10)
    assert _x(one, 0, 1, 9) == [2, 4, 5]
    assert _x(one, 2, -1, 9) == [2, 0]


def test_one_without_path_or_neighbour_does_not_go_on() -> None:
    one = Continuations(_detections((0, 0), (1, 100)), Paths.empty(), 10)
    assert _x(one, 0, 1, 9) == []
    assert _x(one, 0, -1, 9) == []
