"""Finds: what lies under masks is none, and neither is what one frame alone thinks it saw."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from dashredact.kinds import KINDS, Kind
from dashredact.pipeline.recheck import ResidualDetection, outside_masks, residual_detections
from dashredact.settings import RecheckSettings
from dashredact.values import Detections

HOW = RecheckSettings(every=5)
OWN = dict.fromkeys(KINDS, 0.4)
BOX = (100.0, 50.0, 140.0, 70.0)


def seen(*rows: tuple[int, float, ArrayLike], kind: Kind = Kind.PLATE) -> Detections:
    """(frame, score, box)"""
    frames, scores, boxes = zip(*rows, strict=True) if rows else ((), (), ())
    return Detections(
        np.array(frames, np.int32),
        np.full(len(frames), KINDS.index(kind), np.int8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
    )


def found(detections: Detections, frames: int = 12, how: RecheckSettings = HOW) -> list[ResidualDetection]:
    at = np.arange(0, 5 * frames, 5)
    return residual_detections(detections, at, at / 30, OWN, how, "m")


@pytest.mark.parametrize(
    ("masks", "left"),
    [
        ([], 1),
        ([[100, 50, 119, 70]], 1),
        ([[100, 50, 121, 70]], 0),
        ([[100, 50, 111, 70], [129, 50, 140, 70]], 0),
        ([[100, 50, 111, 70], [100, 50, 111, 70]], 1),
        ([[0, 0, 640, 360]], 0),
    ],
    ids=["no mask", "just less than half", "just more", "two masks together", "one mask twice", "all"],
)
def test_half_under_masks_is_covered(masks: list[list[float]], left: int) -> None:
    on = {1: np.array(masks, float).reshape(-1, 4)}
    rest = outside_masks(seen((1, 0.9, BOX)), lambda frame: on[frame])
    assert len(rest) == left


def test_masks_of_another_frame_do_not_count() -> None:
    masks = {0: np.array([BOX]), 1: np.empty((0, 4))}
    rest = outside_masks(seen((0, 0.9, BOX), (1, 0.8, BOX)), lambda frame: masks[frame])
    assert rest.frames.tolist() == [1]
    assert len(outside_masks(Detections.empty(), lambda frame: masks[frame])) == 0


def test_nothing_seen_nothing_found() -> None:
    assert found(seen()) == []


@pytest.mark.parametrize(
    ("scores", "count"),
    [([0.51, 0.51, 0.51], 0), ([0.53, 0.53], 1), ([0.55], 0), ([0.57], 1), ([0.53, 0.1, 0.53], 1)],
    ids=["too weak", "two agree", "one alone", "one that is sure", "a gap between"],
)
def test_two_sights_or_a_sure_one_make_a_find(scores: list[float], count: int) -> None:
    rows = [(number + 3, score, BOX) for number, score in enumerate(scores)]
    assert len(found(seen(*rows))) == count


def test_a_find_says_where_it_was_seen_best() -> None:
    (find,) = found(seen((2, 0.6, BOX), (3, 0.8, (102, 50, 142, 70)), (4, 0.7, (104, 50, 144, 70))))
    assert (find.kind, find.frame, find.first, find.last, find.sights) == (Kind.PLATE, 15, 10, 20, 3)
    assert (find.time, find.score, find.box) == (0.5, pytest.approx(0.8), (102.0, 50.0, 142.0, 70.0))
    assert str(find) == "plate at 0.50 s (frame 15, score 0.80)"


def test_two_things_far_apart_are_two_finds() -> None:
    other = (400, 200, 440, 220)
    assert len(found(seen(*[(frame, 0.6, box) for frame in (1, 2) for box in (BOX, other)]))) == 2


def test_a_video_of_one_frame_has_no_second_sight_to_wait_for() -> None:
    assert len(found(seen((0, 0.53, BOX)), frames=1)) == 1


def test_lower_scores_find_more() -> None:
    rows = [(frame, 0.3, BOX) for frame in range(3)]
    assert len(found(seen(*rows))) == 0
    assert len(found(seen(*rows), how=RecheckSettings(lowest=0.7))) == 1
