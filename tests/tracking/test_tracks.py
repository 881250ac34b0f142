"""Tracks: an object is covered on every frame on which it was detected, or followed through the pixels."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS, Kind
from dashredact.settings import TrackSettings
from dashredact.tracking.tracks import build_tracks
from dashredact.values import ORIGINS, REACH, Array, Detections, Origin, Paths, Track

_FEW = settings(max_examples=50, deadline=None)
_WIDTH, _HEIGHT = 1280, 720
_SETTINGS = TrackSettings({Kind.FACE: 0.5, Kind.PLATE: 0.5})
_EPSILON = 1e-6
_TOLERANCE = 1e-3  # pixels; detections are float32


class _Sight(NamedTuple):
    frame: int
    box: Sequence[float] | Array
    score: float = 0.9
    kind: Kind = Kind.FACE


def _detections(sights: Sequence[_Sight]) -> Detections:
    ordered = sorted(sights, key=lambda sight: sight.frame)
    return Detections(
        np.array([sight.frame for sight in ordered], np.int32),
        np.array([KINDS.index(sight.kind) for sight in ordered], np.int8),
        np.array([sight.box for sight in ordered], np.float32).reshape(-1, 4),
        np.array([sight.score for sight in ordered], np.float32),
    )


def _link(
    sights: Sequence[_Sight],
    times: Array,
    how: TrackSettings = _SETTINGS,
    *,
    objects: Sequence[Array] = (),
    cuts: Sequence[int] = (),
) -> list[Track]:
    """objects: where each is on every frame (frames, 4); the pixels tell their way."""
    detections = _detections(sights)
    return build_tracks(detections, _paths(detections, times, objects), times, _WIDTH, _HEIGHT, how, cuts)


def _paths(detections: Detections, times: Array, objects: Sequence[Array]) -> Paths:
    """What following gives: from each detection of an object to its next one, or for as long as is followed."""
    found: list[tuple[int, int, list[Array]]] = []
    for row, (frame, box) in enumerate(zip(detections.frames.tolist(), detections.boxes, strict=True)):
        own = next((path for path in objects if geometry.iou(path[[frame]], box[None])[0, 0] > 0.5), None)
        for step in (-1, 1):
            way: list[Array] = []
            for there in range(frame + step, len(times) if step > 0 else -1, step):
                if own is None or abs(times[there] - times[frame]) > REACH + _EPSILON:
                    break
                way.append(own[there])
                here = detections.boxes[detections.frames == there].astype(np.float64)
                if (geometry.iou(own[[there]], here) > 0.3).any():
                    break
            if len(way) > 1 or (way and not (geometry.iou(way[0][None], box[None]) > 0.3).any()):
                found.append((row, step, way))
    boxes = np.array([box for _, _, way in found for box in way], np.float32).reshape(-1, 4)
    rows, steps = ([one[side] for one in found] for side in (0, 1))
    lengths = np.array([len(way) for _, _, way in found], np.int32)
    return Paths(np.array(rows, np.int32), np.array(steps, np.int8), lengths, boxes)


def _covers(track: Track, frame: int, box: Sequence[float] | Array) -> bool:
    """The part of the box that is in the picture; nothing is to be covered where there is none."""
    inside = geometry.clip(np.array([box], np.float64), _WIDTH, _HEIGHT)[0]
    if geometry.area(inside) == 0:
        return True
    if not track.first <= frame < track.end:
        return False
    cover = track.boxes[frame - track.first]
    return bool(np.all(cover[:2] <= inside[:2] + _TOLERANCE) and np.all(cover[2:] >= inside[2:] - _TOLERANCE))


def _covered(tracks: Sequence[Track], frame: int, box: Sequence[float] | Array) -> bool:
    return any(_covers(track, frame, box) for track in tracks)


def _bare(frame: int, box: Sequence[float] | Array) -> str:
    return f"frame {frame} shows {np.round(box, 1).tolist()}"


@st.composite
def _times(draw: st.DrawFn, least: int = 1) -> Array:
    """Rising seconds, late start, any rate, holes."""
    steps = draw(st.lists(st.sampled_from((0.001, 1 / 60, 1001 / 30000, 0.1, 0.4, 1.5)), min_size=least, max_size=30))
    return draw(st.sampled_from((0.0, 3.2, 86400.0))) + np.cumsum(steps)


@st.composite
def _seen(draw: st.DrawFn, frames: int) -> list[_Sight]:
    """Anything at all: several a frame, half outside the picture, every score."""
    sides = st.floats(-100, 1400, width=32, allow_nan=False), st.floats(1, 300, width=32, allow_nan=False)
    sights = []
    for _ in range(draw(st.integers(0, 25))):
        x, y, width, height = draw(sides[0]), draw(sides[0]), draw(sides[1]), draw(sides[1])
        score = draw(st.floats(0.125, 1, width=32))
        kind = draw(st.sampled_from(KINDS))
        sights.append(_Sight(draw(st.integers(0, frames - 1)), (x, y, x + width, y + height), score, kind))
    return sights


@st.composite
def _anything(draw: st.DrawFn) -> tuple[Array, list[_Sight], TrackSettings]:
    times = draw(_times())
    thresholds = {kind: draw(st.sampled_from((0.125, 0.3, 0.5, 0.9))) for kind in KINDS}
    return times, draw(_seen(len(times))), TrackSettings(thresholds)


@_FEW
@given(_anything())
def test_every_detection_from_the_threshold_up_is_covered_on_its_frame(
    case: tuple[Array, list[_Sight], TrackSettings],
) -> None:
    times, sights, how = case
    tracks = _link(sights, times, how)
    for sight in sights:
        if np.float32(sight.score) >= np.float32(how.thresholds[sight.kind]):
            own = [track for track in tracks if track.kind is sight.kind]
            assert _covered(own, sight.frame, sight.box), _bare(sight.frame, sight.box)


@_FEW
@given(_anything())
def test_tracks_are_whole_numbered_and_inside_the_picture(case: tuple[Array, list[_Sight], TrackSettings]) -> None:
    times, sights, how = case
    tracks = _link(sights, times, how)
    assert [track.id for track in tracks] == list(range(1, len(tracks) + 1))
    assert [track.first for track in tracks] == sorted(track.first for track in tracks)
    limits = np.array([_WIDTH, _HEIGHT] * 2)
    for track in tracks:
        assert 0 <= track.first < track.end <= len(times)
        assert len(track.boxes) == len(track.origins) == len(track.scores)
        assert np.all((track.boxes >= 0) & (track.boxes <= limits))
        assert np.all(track.boxes[:, :2] <= track.boxes[:, 2:])
        detected = track.origins == ORIGINS.index(Origin.DETECTED)
        assert np.array_equal(track.scores > 0, detected)


@_FEW
@given(_anything())
def test_only_as_many_tracks_as_strong_sights(case: tuple[Array, list[_Sight], TrackSettings]) -> None:
    times, sights, how = case
    for kind in KINDS:
        strong = [s for s in sights if s.kind is kind and np.float32(s.score) >= np.float32(how.thresholds[kind])]
        assert sum(track.kind is kind for track in _link(sights, times, how)) <= len(strong)


@_FEW
@given(_anything(), st.sampled_from((0.18, 1.0)))
def test_growing_only_adds_cover(case: tuple[Array, list[_Sight], TrackSettings], grow: float) -> None:
    times, sights, how = case
    plain = _link(sights, times, how)
    more = _link(sights, times, replace(how, grow=grow))
    for track in plain:
        for frame, box in enumerate(track.boxes, track.first):
            assert _covered(more, frame, box), _bare(frame, box)


@_FEW
@given(_anything())
def test_weak_sights_alone_mask_nothing(case: tuple[Array, list[_Sight], TrackSettings]) -> None:
    times, sights, _ = case
    weak = [sight._replace(score=min(sight.score, 0.49)) for sight in sights]
    assert _link(weak, times) == []


def test_kinds_have_their_own_thresholds() -> None:
    sights = [_Sight(0, (10, 10, 50, 50), 0.4, kind) for kind in KINDS]
    tracks = _link(sights, np.array([0.0]), TrackSettings({Kind.FACE: 0.5, Kind.PLATE: 0.3}))
    assert [track.kind for track in tracks] == [Kind.PLATE]


def _line(times: Array, x: float, side: float, speed: float) -> Array:
    """Boxes of an object that moves evenly; speed in pixels a second."""
    left = x + speed * (times - times[0])
    return np.stack([left, np.full_like(left, 300), left + side, np.full_like(left, 300 + side)], -1)


@_FEW
@given(st.integers(0, 29), st.floats(20, 100), st.floats(-0.9, 0.9), st.sampled_from((10.0, 29.97, 60.0)))
def test_weak_sights_before_and_after_a_strong_one_are_covered(
    strong: int, side: float, sides_a_second: float, rate: float
) -> None:
    times = np.arange(30) / rate
    path = _line(times, 600, side, sides_a_second * side)
    sights = [_Sight(frame, box, 0.9 if frame == strong else 0.2) for frame, box in enumerate(path)]
    tracks = _link(sights, times)
    assert len(tracks) == 1
    assert all(_covers(tracks[0], frame, box) for frame, box in enumerate(path))
    assert np.all(tracks[0].origins == ORIGINS.index(Origin.DETECTED))


@st.composite
def _gap(draw: st.DrawFn, least: int = 1) -> tuple[Array, int, int]:
    """Times, and two frames of them between which nothing is seen."""
    times = draw(_times(least=least + 3))
    first = draw(st.integers(0, len(times) - 1 - least))
    return times, first, draw(st.integers(first + least, len(times) - 1))


@_FEW
@given(_gap(), st.floats(-0.9, 0.9), st.floats(0, 2))
def test_a_gap_up_to_the_bridge_is_covered_along_the_straight_line(
    gap: tuple[Array, int, int], sides: float, spare: float
) -> None:
    times, first, last = gap
    bridge = float(times[last] - times[first]) + _EPSILON + spare
    start, stop = np.array([600.0, 300, 680, 380]), np.array([600 + 80 * sides, 310, 700 + 80 * sides, 400])
    tracks = _link([_Sight(first, start), _Sight(last, stop)], times, replace(_SETTINGS, bridge=bridge))
    assert len(tracks) == 1
    for frame in range(first, last + 1):
        share = (times[frame] - times[first]) / (times[last] - times[first])
        assert _covers(tracks[0], frame, start + share * (stop - start)), frame
    between = tracks[0].origins[first + 1 - tracks[0].first : last - tracks[0].first]
    assert np.all(between == ORIGINS.index(Origin.BRIDGED))


@_FEW
@given(_gap(least=3), st.floats(0.1, 0.9))
def test_a_gap_longer_than_the_bridge_and_two_frames_ends_the_track(gap: tuple[Array, int, int], share: float) -> None:
    times, first, last = gap
    how = replace(_SETTINGS, bridge=share * float(times[last] - times[first]))
    box = (600.0, 300.0, 680.0, 380.0)
    assert len(_link([_Sight(first, box), _Sight(last, box)], times, how)) == 2


def test_two_frames_are_bridged_however_far_apart() -> None:
    times, box = np.arange(7) * 5.0, (600.0, 300.0, 680.0, 380.0)
    tracks = _link([_Sight(2, box), _Sight(4, box)], times)
    assert [(track.first, track.end) for track in tracks] == [(2, 5)]


@_FEW
@given(_times(least=4), st.integers(0, 29), st.floats(-20, 20))
def test_the_mask_follows_the_pixels_before_the_first_and_after_the_last_sight(
    times: Array, frame: int, sides_a_second: float
) -> None:
    first = min(frame, len(times) - 2)
    path = _line(times, 600, 80, 80 * sides_a_second)
    tracks = _link([_Sight(f, path[f]) for f in (first, first + 1)], times, objects=[path])
    for other in range(len(times)):
        near = min(abs(times[other] - times[f]) for f in (first, first + 1))
        if near <= REACH - _EPSILON:
            assert _covered(tracks, other, path[other]), other


def test_what_cannot_be_followed_goes_on_blindly_for_a_tenth_of_a_second() -> None:
    times, box = np.arange(90) / 30, (600.0, 300.0, 680.0, 380.0)
    (track,) = _link([_Sight(frame, box) for frame in (40, 41, 45)], times)
    assert (track.first, track.end) == (40 - 3, 45 + 3 + 1)
    names = [ORIGINS[number] for number in track.origins]
    bridge = [Origin.DETECTED, Origin.DETECTED, *[Origin.BRIDGED] * 3, Origin.DETECTED]
    assert names == [Origin.EXTENDED] * 3 + bridge + [Origin.EXTENDED] * 3


@given(st.floats(-15, 15))
def test_it_moves_on_by_a_third_of_its_side_at_most_and_stays_too(sides_a_second: float) -> None:
    times = np.arange(60) / 30
    path = _line(times, 600 - 60 * sides_a_second, 60, 60 * sides_a_second)
    tracks = _link([_Sight(frame, path[frame]) for frame in range(28, 31)], times)
    for frame in (31, 32, 33):
        shift = np.clip(path[frame] - path[30], -20, 20)
        assert _covered(tracks, frame, path[30]) and _covered(tracks, frame, path[30] + shift), frame
    (box,) = (track.boxes[33 - track.first] for track in tracks if track.first <= 33 < track.end)
    assert box[2] - box[0] < 60 * (1 + 1 / 3) * (1 + 2 * Kind.FACE.row.margins.sides) + 1


def test_nothing_goes_on_over_a_cut() -> None:
    times, box = np.arange(60) / 30, np.array([600.0, 300, 680, 380])
    there = np.tile(box, (60, 1))
    sights = [_Sight(frame, box) for frame in range(20, 40) if frame not in (29, 30, 31)]
    tracks = _link(sights, times, objects=[there], cuts=[30])
    assert [(track.first, track.end) for track in tracks] == [(5, 30), (30, 55)]


def test_a_lone_weak_sight_masks_its_own_frame_only() -> None:
    times, box = np.arange(60) / 30, np.array([600.0, 300, 680, 380])
    how = replace(_SETTINGS, believed=0.9)
    tracks = _link([_Sight(20, box, 0.51)], times, how, objects=[np.tile(box, (60, 1))])
    assert [(track.first, track.end) for track in tracks] == [(20, 21)]


def test_one_object_is_one_track_though_two_are_found_on_it() -> None:
    times, outer, inner = np.arange(30) / 30, (600.0, 300.0, 700.0, 400.0), (625.0, 325.0, 675.0, 375.0)
    sights = [_Sight(frame, box) for frame in range(30) for box in (outer, inner)]
    (track,) = _link(sights, times)
    assert all(_covers(track, frame, outer) for frame in range(30))


_VARIABLE = "variable"


def _clock(rate: float | str, frames: int, draw: np.random.Generator) -> Array:
    choices = [1 / 60, 1 / 30, 1 / 15, 0.15] if rate == _VARIABLE else [1 / float(rate)]
    return np.asarray(np.cumsum(draw.choice(choices, frames)))


def _blinking(times: Array, draw: np.random.Generator, bridge: float) -> list[int]:
    """Frames on which the detector sees, never blind for longer than the bridge."""
    seen = [0]
    share = draw.choice([0.1, 0.3, 0.8])
    for frame in range(1, len(times) - 1):
        blind = times[frame + 1] - times[seen[-1]]
        if draw.random() < share or blind > bridge - _EPSILON:
            seen.append(frame)
    return [*seen, len(times) - 1]


@pytest.mark.parametrize("rate", [10.0, 29.97, 60.0, _VARIABLE])
@_FEW
@given(st.integers(0, 2**32), st.floats(-0.9, 0.9), st.floats(12, 150))
def test_a_moving_object_is_covered_on_every_frame_though_its_detections_blink(
    rate: float | str, seed: int, sides_a_second: float, side: float
) -> None:
    draw = np.random.default_rng(seed)
    times = _clock(rate, 80, draw)
    path = _line(times, 600, side, sides_a_second * side)
    tracks = _link([_Sight(frame, path[frame]) for frame in _blinking(times, draw, 1.0)], times, objects=[path])
    bare = [frame for frame, box in enumerate(path) if not _covered(tracks, frame, box)]
    assert bare == []


@pytest.mark.parametrize("rate", [10.0, 29.97, 60.0, _VARIABLE])
@_FEW
@given(st.integers(0, 2**32), st.floats(-6, 6))
def test_a_fast_object_that_was_seen_at_first_is_covered_while_the_detector_blinks(
    rate: float | str, seed: int, sides_a_second: float
) -> None:
    draw = np.random.default_rng(seed)
    times = _clock(rate, 60, draw)
    path = _line(times, 600 - 15 * sides_a_second, 20, sides_a_second * 20)
    seen = sorted({0, 1, 2, 3, 4, *_blinking(times, draw, 1.0)})
    tracks = _link([_Sight(frame, path[frame]) for frame in seen], times, objects=[path])
    bare = [frame for frame, box in enumerate(path) if not _covered(tracks, frame, box)]
    assert bare == []


@pytest.mark.parametrize("rate", [29.97, 60.0])
@pytest.mark.parametrize("turn", [-400.0, 400.0])
def test_an_object_that_turns_round_unseen_is_covered_off_the_straight_line(turn: float, rate: float) -> None:
    times = np.arange(int(1.6 * rate)) / rate
    path = _line(times, 600, 100, 0) + np.outer(turn / 2 * (times - 0.8) ** 2, [1, 0, 1, 0])
    seen = np.flatnonzero(np.abs(times - 0.8) > 0.3)
    tracks = _link([_Sight(int(frame), path[frame]) for frame in seen], times, objects=[path])
    assert len(tracks) == 1
    assert [frame for frame, box in enumerate(path) if not _covered(tracks, frame, box)] == []


@pytest.mark.parametrize("rate", [29.97, 60.0])
@_FEW
@given(st.integers(0, 2**32), st.floats(12, 40), st.floats(0, 5), st.floats(-4, 4))
def test_a_plate_that_comes_nearer_is_covered_though_its_detections_blink(
    rate: float, seed: int, metres: float, metres_a_second: float, aside: float
) -> None:
    draw = np.random.default_rng(seed)
    times = _clock(rate, int(rate), draw)
    away = metres - metres_a_second * (times - times[0])
    path = np.stack(
        [640 + 800 * (aside - 0.25) / away, 360 + 400 / away, 640 + 800 * (aside + 0.25) / away, 360 + 520 / away], -1
    )
    seen = sorted({0, 1, 2, 3, 4, *_blinking(times, draw, 0.2)})
    tracks = _link([_Sight(frame, path[frame], kind=Kind.PLATE) for frame in seen], times, objects=[path])
    bare = [frame for frame, box in enumerate(path) if not _covered(tracks, frame, box)]
    assert bare == []


@pytest.mark.parametrize("rate", [10.0, 29.97, 60.0])
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.6, 2.5), st.sampled_from((-1.0, 0.2)))
def test_two_objects_that_cross_are_both_covered_though_one_hides_the_other(
    rate: float, seed: int, sides_a_second: float, beside: float
) -> None:
    draw, side = np.random.default_rng(seed), 40.0
    times = np.arange(int(3.5 * rate)) / rate
    meeting, below = draw.uniform(1.3, 2.2), draw.uniform(0, 15)
    speeds = (sides_a_second * side, sides_a_second * side * beside)
    one, other = (_line(times, 600 - speed * meeting, side, speed) for speed in speeds)
    other = other + np.array([0, below, 0, below])
    paths = (one, other) if draw.integers(2) else (other, one)
    hidden = [geometry.iou(one[[frame]], other[[frame]])[0, 0] > 0.5 for frame in range(len(times))]
    assume(sum(hidden) / rate < 0.9 and not hidden[0] and not hidden[-1])
    sights = []
    for frame, hides in enumerate(hidden):
        shown = [paths[int(draw.integers(2))]] if hides else paths
        sights += [_Sight(frame, path[frame]) for path in shown]
    tracks = _link(sights, times, objects=paths)
    bare = [frame for path in paths for frame, box in enumerate(path) if not _covered(tracks, frame, box)]
    assert bare == []


def test_a_track_ends_where_its_object_leaves_the_picture() -> None:
    times = np.arange(60) / 30
    path = _line(times, _WIDTH - 60, 40, 120)
    (track,) = _link([_Sight(frame, path[frame]) for frame in range(30)], times)
    assert track.end < 30
    assert np.all(geometry.area(track.boxes) > 0)


def test_a_box_is_grown_by_its_share_and_by_two_pixels_at_least() -> None:
    boxes, margins = ((100, 100, 200, 150), (600, 600, 604, 604)), Kind.PLATE.row.margins
    sights = [_Sight(0, box, kind=Kind.PLATE) for box in boxes]
    large, small = _link(sights, np.array([0.0]), replace(_SETTINGS, grow=0.1))
    aside, above, below = 100 * (margins.sides + 0.1), 50 * (margins.top + 0.1), 50 * (margins.bottom + 0.1)
    np.testing.assert_allclose(large.boxes, [[100 - aside, 100 - above, 200 + aside, 150 + below]], atol=_TOLERANCE)
    np.testing.assert_allclose(small.boxes, [[598, 598, 606, 606]], atol=_TOLERANCE)


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_nothing_seen_is_no_track(frames: int) -> None:
    assert _link([], np.arange(frames) / 30) == []


def test_one_object_is_one_track_without_a_hole() -> None:
    times = np.arange(90) / 30
    path = _line(times, 300, 60, 50)
    tracks = _link([_Sight(frame, path[frame]) for frame in range(0, 90, 7)], times, objects=[path])
    assert [(track.first, track.end) for track in tracks] == [(0, 90)]
    assert all(np.all(np.abs(after - before) < 30) for before, after in pairwise(tracks[0].boxes))


def test_a_person_seen_weakly_is_covered_while_a_strong_one_stands_before_them() -> None:
    """The strong sight of the one must not take the chain of the other."""
    behind, before = [100, 100, 160, 160], [125, 90, 205, 170]
    sights = [_Sight(frame, behind, 0.9 if frame < 20 else 0.4) for frame in range(150)]
    sights += [_Sight(frame, before) for frame in range(20, 150)]
    tracks = _link(sights, np.arange(150) / 30)
    assert not [frame for frame in range(150) if not _covered(tracks, frame, behind)]


@pytest.mark.parametrize("rate", [10.0, 29.97, 60.0])
@pytest.mark.parametrize("speed", [3.0, 8.0])
def test_a_fast_object_whose_detections_blink_is_covered(speed: float, rate: float) -> None:
    """speed: sides of its box a second. Every gap is shorter than what is bridged."""
    side, count = 40, round(3 * rate)
    boxes = [np.array([0, 0, side, side]) + 50 + speed * side * frame / rate for frame in range(count)]
    shown = np.flatnonzero(np.random.default_rng(3).random(count) < 0.4)
    assert np.diff(shown).max() / rate < _SETTINGS.bridge
    there = [np.array(boxes)]
    tracks = _link([_Sight(frame, boxes[frame]) for frame in shown.tolist()], np.arange(count) / rate, objects=there)
    assert not [frame for frame in range(shown[0], shown[-1]) if not _covered(tracks, frame, boxes[frame])]


def test_weak_clutter_is_not_gathered_into_a_mask_over_the_picture() -> None:
    """A mask that hides the street is no use: weak sights may follow an object, not jump through the picture."""
    draw = np.random.default_rng(5)
    sights = [_Sight(frame, [600, 300, 640, 340]) for frame in range(0, 90, 10)]
    for frame in range(90):
        corners = draw.uniform((0, 0), (_WIDTH - 40, _HEIGHT - 40), (25, 2))
        sights += [_Sight(frame, [x, y, x + 40, y + 40], 0.3) for x, y in corners]
    tracks = _link(sights, np.arange(90) / 30)
    shares = [
        sum(geometry.area(track.boxes[frame - track.first]) for track in tracks if track.first <= frame < track.end)
        for frame in range(90)
    ]
    assert np.mean(shares) / (_WIDTH * _HEIGHT) < 0.02


def _approach(rate: float) -> tuple[Array, Array]:
    """Times and boxes of a face that comes nearer, evenly in space, until it leaves the picture at its left side."""
    times = np.arange(int(0.8 * rate)) / rate
    near = 1 / (1 + 3.0 * (times[-1] - times))
    left, top, side = 640 - 640 * near, 360 - 60 * near, 40 * near
    return times, np.stack([left, top, left + side, top + 1.2 * side], -1)


@pytest.mark.parametrize(("rate", "hole"), [(29.97, 1), (60.0, 1), (60.0, 2)])
@_FEW
@given(st.integers(0, 2**32))
def test_a_face_that_rushes_past_is_followed_by_weak_sights_with_holes(rate: float, hole: int, seed: int) -> None:
    """Its speed doubles within a few frames, and chance sights lie on its way."""
    draw = np.random.default_rng(seed)
    times, path = _approach(rate)
    frames = len(times)
    begin = frames - draw.integers(5, 8)
    missed = range(begin + 1, begin + 1 + hole)
    noisy = path + draw.normal(0, 0.02, path.shape) * (path[:, 2:3] - path[:, :1])
    sights = [_Sight(f, noisy[f], 0.9 if f < begin else 0.2) for f in range(frames) if f not in missed]
    sights.append(_Sight(begin - 2, path[begin] + [1, -4, -2, 0], 0.2))
    tracks = _link(sights, times, objects=[path])
    bare = [f for f in range(frames) if f not in missed and not _covered(tracks, f, noisy[f])]
    assert bare == []
    assert [f for f in missed if not _covered(tracks, f, path[f])] == []
