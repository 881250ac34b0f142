"""Zones: rectangles of the picture that are always masked, or in which detections are ignored."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.settings import CameraZones, Zone, Zones
from dashredact.values import ORIGINS, Array, Detections, Origin, Track

_INSIDE = 0.9  # least fraction of a detection that lies in an ignored zone; one that is half inside is masked


class _NamedByPattern(Protocol):
    @property
    def files(self) -> str:
        """Shell pattern of file names."""
        ...


_Camera = TypeVar("_Camera", bound=_NamedByPattern)


def camera_of(cameras: Sequence[_Camera], name: str) -> _Camera | None:
    """The first camera whose pattern matches the file name, case-sensitively. name: with or without folders."""
    file = name.rpartition("/")[2]
    return next((camera for camera in cameras if fnmatchcase(file, camera.files)), None)


def zones_of(cameras: Sequence[CameraZones], name: str) -> Zones:
    """The zones of the camera that the file name matches; no zones if it matches none."""
    camera = camera_of(cameras, name)
    return camera.zones if camera else Zones()


def outside(detections: Detections, ignored: Sequence[Zone], width: int, height: int) -> NDArray[np.bool_]:
    """Which detections lie with less than 90 % in any of the zones. width, height: of the frame in pixels."""
    inside = geometry.ioa(detections.boxes.astype(np.float64), _pixels(ignored, width, height)).max(1, initial=0.0)
    return np.asarray(inside < _INSIDE)


def tracks(masked: Sequence[Zone], frames: int, width: int, height: int) -> list[Track]:
    """One track a zone over all frames, numbered from 1; boxes on whole pixels, never smaller than the zone."""
    if not frames:
        return []
    origins, scores = np.full(frames, ORIGINS.index(Origin.MANUAL), np.int8), np.zeros(frames, np.float32)
    boxes = [np.array(geometry.round_outward(box, width, height), np.float64) for box in _pixels(masked, width, height)]
    return [
        Track(number, Kind.ZONE, 0, np.tile(box, (frames, 1)), origins, scores) for number, box in enumerate(boxes, 1)
    ]


def _pixels(zones: Sequence[Zone], width: int, height: int) -> Array:
    """(N, 4)"""
    return geometry.scale(np.array([zone.box for zone in zones]).reshape(-1, 4), width, height)
