"""Which tracks ask for a look: each reason alone, and what never is one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashredact.kinds import Kind
from dashredact.review import flags
from dashredact.review.flags import FlaggedTrack, Reason
from dashredact.values import ORIGINS, Origin, Track

SIZE = (640, 480)
THRESHOLDS = {"face": 0.4, "plate": 0.45}
D, B, E, M = (ORIGINS.index(origin) for origin in (Origin.DETECTED, Origin.BRIDGED, Origin.EXTENDED, Origin.MANUAL))
CALM = (100.0, 100.0, 200.0, 180.0)


def track(origins: list[int], *, best: float = 0.9, box: tuple[float, ...] = CALM, first: int = 0) -> Track:
    numbers = np.array(origins, np.int8)
    scores = np.where(numbers == D, best, 0).astype(np.float32)
    return Track(1, Kind.FACE, first, np.tile(np.array(box), (len(origins), 1)), numbers, scores)


def times(frames: int, rate: float = 10.0) -> np.ndarray:
    return np.arange(frames) / rate


def reasons(one: Track, frames: int | None = None, **changed: object) -> list[Reason]:
    frames = one.end if frames is None else frames
    given = {"thresholds": THRESHOLDS, **changed}
    return [found.reason for found in flags.flags(one, times(frames), *SIZE, **given)]  # type: ignore[arg-type]


def test_a_track_seen_well_until_the_video_ends_has_no_reason() -> None:
    assert reasons(track([D] * 10)) == []


@pytest.mark.parametrize(("best", "low"), [(0.41, True), (0.49, True), (0.51, False), (0.9, False)])
def test_a_best_score_near_the_threshold_of_its_kind_is_low(best: float, low: bool) -> None:
    assert (Reason.LOW_SCORE in reasons(track([D] * 10, best=best))) is low


def test_only_the_best_score_of_a_track_counts() -> None:
    one = track([D] * 10, best=0.41)
    one.scores[4] = 0.8
    assert reasons(one) == []


def test_without_a_threshold_no_score_is_low() -> None:
    assert reasons(track([D] * 10, best=0.1), thresholds={}) == []


def test_one_sight_is_a_single_sighting_and_says_where() -> None:
    (found,) = [
        one for one in flags.flags(track([E, E, D, E, E], first=3), times(8), *SIZE, THRESHOLDS)
        if one.reason is Reason.SINGLE_SIGHTING
    ]  # fmt: skip
    assert (found.first, found.end) == (5, 6)


def test_a_track_ends_inside_where_the_video_goes_on() -> None:
    assert reasons(track([D] * 10), frames=11) == [Reason.ENDS_INSIDE]


@pytest.mark.parametrize(
    "box", [(0, 100, 90, 180), (550, 100, 640, 180), (100, 0, 200, 80), (100, 400, 200, 480), (100, 400, 200, 479.2)]
)
def test_a_track_at_the_border_touches_it_and_does_not_end_inside(box: tuple[float, ...]) -> None:
    assert reasons(track([D] * 10, box=box), frames=20) == [Reason.TOUCHES_BORDER]


def test_a_track_is_small_where_it_never_grows() -> None:
    small = track([D] * 10, box=(100, 100, 120, 125))
    assert reasons(small) == [Reason.SMALL]
    small.boxes[3] = CALM
    assert reasons(small) == []


def test_a_mask_over_much_of_the_picture_is_large_where_it_is() -> None:
    one = track([D] * 10)
    assert Reason.LARGE not in reasons(one)
    one.boxes[4:6] = (100.0, 100.0, 300.0, 240.0)
    (flag,) = flags.flags(one, times(10), *SIZE, THRESHOLDS)
    assert (flag.reason, flag.first, flag.end) == (Reason.LARGE, 4, 6)
    assert flag.figure == pytest.approx(200 * 140 / (640 * 480))
    assert flags.rank_tracks([one], times(10), SIZE, THRESHOLDS)[0].worth_a_look


def test_a_threshold_that_no_detector_has_makes_no_score_low() -> None:
    assert reasons(track([D] * 10, best=0.95), thresholds={"face": 1.0}) == []


def test_a_long_hole_is_a_reason_and_a_short_one_is_not() -> None:
    assert reasons(track([D, D, D, B, D, D, D])) == []
    assert reasons(track([D, D, D, B, B, D, D, D])) == [Reason.BRIDGED]


def test_a_track_that_was_longer_extended_than_seen_is_told() -> None:
    assert reasons(track([D] * 5 + [E] * 5)) == []
    assert reasons(track([D] * 5 + [E] * 6)) == [Reason.LONG_EXTENDED]


@pytest.mark.parametrize(
    ("origins", "short"), [([D, D, D, E], True), ([D, B, B, D], False), ([D] * 4, False), ([M], False)]
)
def test_a_track_is_short_by_its_sights_and_not_by_its_mask(origins: list[int], short: bool) -> None:
    assert flags.is_short(track(origins), times(4)) is short


def test_boxes_by_hand_are_no_guess() -> None:
    assert reasons(track([M] * 10)) == []


def test_a_zone_has_no_reason() -> None:
    zone = Track(1, Kind.ZONE, 0, np.array([[0.0, 0, 5, 5]]), np.array([M], np.int8), np.zeros(1, np.float32))
    assert reasons(zone, frames=9) == []


def test_every_hole_is_told_with_its_time_between_sights() -> None:
    found = flags.holes(track([E, D, B, B, D, B, D], first=2), times(12))
    assert [(hole.first, hole.end, round(hole.seconds, 6)) for hole in found] == [(4, 6, 0.3), (7, 8, 0.2)]


@given(st.lists(st.sampled_from([D, B, E]), min_size=1, max_size=40), st.integers(0, 5), st.integers(0, 5))
def test_reasons_lie_on_the_frames_of_their_track(origins: list[int], first: int, after: int) -> None:
    one = track(origins, first=first, best=0.42)
    for found in flags.flags(one, times(one.end + after), *SIZE, THRESHOLDS):
        assert one.first <= found.first < found.end <= one.end


@given(st.lists(st.sampled_from([D, B, E]), min_size=1, max_size=40))
def test_holes_hold_each_bridged_frame_once(origins: list[int]) -> None:
    one = track(origins)
    frames = [frame for hole in flags.holes(one, times(len(origins))) for frame in range(hole.first, hole.end)]
    assert frames == [frame for frame, origin in enumerate(origins) if origin == B]


# --- weights ----------------------------------------------------------------------------------------------------------

_WIDE, _TIMES = (1000, 600), np.arange(100) / 25
_THRESHOLDS = {"face": 0.5, "plate": 0.5}


def _track(number: int, first: int, end: int, score: float, side: float, x: float = 400) -> Track:
    boxes = np.tile([x, 200, x + side, 200 + side], (end - first, 1)).astype(float)
    return Track(
        number, Kind.FACE, first, boxes, np.zeros(end - first, np.int8), np.full(end - first, score, np.float32)
    )


def _flagged(*tracks: Track) -> list[FlaggedTrack]:
    return flags.rank_tracks(tracks, _TIMES, _WIDE, _THRESHOLDS)


def test_large_object_lost_in_mid_picture_comes_before_one_that_got_small() -> None:
    small, large = _track(1, 0, 50, 0.9, 40), _track(2, 0, 50, 0.9, 120)
    assert [one.track.id for one in _flagged(small, large)] == [2, 1]
    assert _flagged(large)[0].weight >= flags.REVIEW_WEIGHT > _flagged(small)[0].weight


def test_nearer_to_the_threshold_is_more_pressing() -> None:
    weights = [_flagged(_track(1, 0, 100, score, 60))[0].weight for score in (0.5, 0.55, 0.59)]
    assert weights == sorted(weights, reverse=True) and weights[0] == pytest.approx(3.0)


def test_track_to_the_last_frame_with_a_good_score_is_not_listed() -> None:
    assert _flagged(_track(1, 0, 100, 0.9, 60)) == []


def test_driving_out_of_the_picture_does_not_count() -> None:
    (one,) = _flagged(_track(1, 0, 50, 0.9, 60, x=940))
    assert one.weight == 0


def test_only_pressing_tracks_make_a_video_urgent() -> None:
    pressing, other = _track(1, 0, 50, 0.5, 60), _track(2, 0, 50, 0.9, 40)
    priority = flags.priority(_flagged(pressing, other), 2, 0, 120.0)
    assert priority.risk == round(_flagged(pressing)[0].weight, 1)
    assert set(priority.reasons) == {"low score", "ends inside the picture"}
    assert flags.priority(_flagged(other), 1, 0, 120.0).risk == 0


def test_night_second_look_and_missing_tracks_count() -> None:
    flagged = _flagged(_track(1, 0, 50, 0.5, 60))
    day, night = (flags.priority(flagged, 1, 0, luma) for luma in (120.0, 20.0))
    assert night.risk > day.risk and "night" in night.reasons
    looked = flags.priority(flagged, 1, 3, None)
    assert looked.risk == day.risk + 15 and looked.reasons["second look"] == 3
    blind, empty = flags.priority(None, 0, 0, None), flags.priority([], 0, 0, None)
    assert blind.risk > empty.risk > 0
    doubted = flags.priority(flagged, 1, 0, None, doubted=True)
    assert doubted.risk > day.risk and "needs review" in doubted.reasons
    assert (list(blind.reasons), list(empty.reasons)) == (["tracks file missing or changed"], ["nothing found"])
