"""Zones: what is half in an ignored one still counts, and a masked one is never smaller than it was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.kinds import Kind
from dashredact.settings import CameraZones, Zone, Zones
from dashredact.tracking.zones import camera_of, outside, tracks, zones_of
from dashredact.values import ORIGINS, Detections, Origin

_BONNET = Zone("bonnet", (0.0, 0.8, 1.0, 1.0))
_SCREEN = Zone("screen", (0.0, 0.0, 0.3, 0.1))


def _seen(*boxes: tuple[float, float, float, float]) -> Detections:
    count = len(boxes)
    return Detections(
        np.arange(count, dtype=np.int32),
        np.zeros(count, np.int8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.9, np.float32),
    )


@pytest.mark.parametrize(
    ("box", "stays"),
    [
        ((10, 85, 30, 95), False),
        ((10, 78, 30, 98), False),  # 90 % inside
        ((10, 77, 30, 97), True),  # 85 %
        ((10, 70, 30, 90), True),  # half
        ((10, 10, 30, 30), True),
        ((0, 0, 100, 100), True),  # holds the zone
    ],
)
def test_what_lies_in_an_ignored_zone_does_not_count(box: tuple[float, float, float, float], stays: bool) -> None:
    assert outside(_seen(box), [_BONNET], 100, 100).tolist() == [stays]


def test_each_detection_is_looked_at_by_itself() -> None:
    counted = outside(_seen((10, 85, 30, 95), (60, 2, 63, 4), (5, 1, 25, 8)), [_BONNET, _SCREEN], 100, 100)
    assert counted.tolist() == [False, True, False]


def test_two_zones_do_not_add_up() -> None:
    """Half in one and half in the other: in neither."""
    left, right = Zone("left", (0.0, 0.0, 0.5, 1.0)), Zone("right", (0.5, 0.0, 1.0, 1.0))
    assert outside(_seen((40, 10, 60, 30)), [left, right], 100, 100).tolist() == [True]


def test_without_zones_all_detections_count() -> None:
    assert outside(_seen((1, 2, 3, 4)), [], 100, 100).tolist() == [True]
    assert outside(Detections.empty(), [_BONNET], 100, 100).tolist() == []


_shares = st.tuples(st.integers(0, 999), st.integers(1, 1000)).filter(lambda pair: pair[0] < pair[1])
_boxes = st.builds(lambda x, y: (x[0] / 1000, y[0] / 1000, x[1] / 1000, y[1] / 1000), _shares, _shares)


@given(_boxes, st.integers(1, 4000), st.integers(1, 3000), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_masked_zone_is_a_track_over_every_frame_on_whole_pixels(
    box: tuple[float, float, float, float], width: int, height: int, frames: int
) -> None:
    (track,) = tracks([Zone("overlay", box)], frames, width, height)
    assert (track.id, track.kind, track.first, track.end) == (1, Kind.ZONE, 0, frames)
    assert set(track.origins) == {ORIGINS.index(Origin.MANUAL)}
    assert not track.scores.any()
    x0, y0, x1, y1 = track.boxes[0]
    assert (track.boxes == track.boxes[0]).all()
    assert (track.boxes == track.boxes.round()).all()
    assert 0 <= x0 <= box[0] * width < box[2] * width <= x1 + 1e-6 <= width + 1e-6
    assert 0 <= y0 <= box[1] * height < box[3] * height <= y1 + 1e-6 <= height + 1e-6
    assert x1 - x0 < (box[2] - box[0]) * width + 2.001
    assert y1 - y0 < (box[3] - box[1]) * height + 2.001


def test_zones_are_numbered_and_a_video_without_frames_has_none() -> None:
    assert [track.id for track in tracks([_BONNET, _SCREEN], 3, 100, 100)] == [1, 2]
    assert tracks([_BONNET], 0, 0, 0) == []
    assert tracks([], 3, 100, 100) == []


_FRONT, _ANY = CameraZones("front-*.mp4", Zones(mask=(_SCREEN,))), CameraZones("*.mp4", Zones(ignore=(_BONNET,)))


def test_the_first_camera_that_fits_counts() -> None:
    cameras = (_FRONT, _ANY)
    assert camera_of(cameras, "front-1.mp4") is _FRONT
    assert camera_of(cameras, "trips/front-1.mp4") is _FRONT
    assert camera_of(cameras, "front-/1.mp4") is _ANY
    assert camera_of(cameras, "Front-1.mp4") is _ANY
    assert camera_of(cameras, "front-1.mov") is None
    assert zones_of(cameras, "front-1.mp4") == _FRONT.zones
    assert zones_of(cameras, "front-1.mov") == zones_of((), "front-1.mp4") == Zones()
