"""What a person should look at first."""

import numpy as np
import pytest

from dashredact.kinds import Kind
from dashredact.review import queue
from dashredact.review.queue import FlaggedTrack
from dashredact.values import Track

_SIZE, _TIMES = (1000, 600), np.arange(100) / 25
_THRESHOLDS = {"face": 0.5, "plate": 0.5}


def _track(number: int, first: int, end: int, score: float, side: float, x: float = 400) -> Track:
    boxes = np.tile([x, 200, x + side, 200 + side], (end - first, 1)).astype(float)
    return Track(
        number, Kind.FACE, first, boxes, np.zeros(end - first, np.int8), np.full(end - first, score, np.float32)
    )


def _places(*tracks: Track) -> list[FlaggedTrack]:
    return queue.rank_tracks(tracks, _TIMES, _SIZE, _THRESHOLDS)


def test_large_object_lost_in_mid_picture_comes_before_one_that_got_small() -> None:
    small, large = _track(1, 0, 50, 0.9, 40), _track(2, 0, 50, 0.9, 120)
    assert [place.track.id for place in _places(small, large)] == [2, 1]
    assert _places(large)[0].weight >= queue.REVIEW_WEIGHT > _places(small)[0].weight


def test_nearer_to_the_threshold_is_more_pressing() -> None:
    weights = [_places(_track(1, 0, 100, score, 60))[0].weight for score in (0.5, 0.55, 0.59)]
    assert weights == sorted(weights, reverse=True) and weights[0] == pytest.approx(3.0)


def test_track_to_the_last_frame_with_a_good_score_is_not_listed() -> None:
    assert _places(_track(1, 0, 100, 0.9, 60)) == []


def test_driving_out_of_the_picture_does_not_count() -> None:
    (place,) = _places(_track(1, 0, 50, 0.9, 60, x=940))
    assert place.weight == 0


def test_only_pressing_tracks_make_a_video_urgent() -> None:
    pressing, other = _track(1, 0, 50, 0.5, 60), _track(2, 0, 50, 0.9, 40)
    found = queue.priority_of(_places(pressing, other), 2, 0, 120.0)
    assert found.risk == round(_places(pressing)[0].weight, 1)
    assert set(found.reasons) == {"low score", "ends inside the picture"}
    assert queue.priority_of(_places(other), 1, 0, 120.0).risk == 0


def test_night_second_look_and_missing_tracks_count() -> None:
    places = _places(_track(1, 0, 50, 0.5, 60))
    day, night = (queue.priority_of(places, 1, 0, luma) for luma in (120.0, 20.0))
    assert night.risk > day.risk and "night" in night.reasons
    looked = queue.priority_of(places, 1, 3, None)
    assert looked.risk == day.risk + 15 and looked.reasons["second look"] == 3
    blind, empty = queue.priority_of(None, 0, 0, None), queue.priority_of([], 0, 0, None)
    assert blind.risk > empty.risk > 0
    doubted = queue.priority_of(places, 1, 0, None, doubted=True)
    assert doubted.risk > day.risk and "needs review" in doubted.reasons
    assert (list(blind.reasons), list(empty.reasons)) == (["no tracks file to believe"], ["nothing found"])
