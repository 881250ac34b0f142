"""Parts of the picture about which it is settled beforehand that they are ignored or masked."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np

from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.settings import Camera, Zone, Zones
from dashredact.values import ORIGINS, Array, Detections, Origin, Track

_INSIDE = 0.9  # share of a detection that lies in an ignored zone: what is half in it is still masked


def camera_of(cameras: Sequence[Camera], name: str) -> Camera | None:
    """The first whose pattern fits the file name, capitals and all. name: may stand behind its folders."""
    file = name.rpartition("/")[2]
    return next((camera for camera in cameras if fnmatchcase(file, camera.files)), None)


def zones_of(cameras: Sequence[Camera], name: str) -> Zones:
    """None at all where no camera fits."""
    camera = camera_of(cameras, name)
    return camera.zones if camera else Zones()


def outside(found: Detections, ignored: Sequence[Zone], width: int, height: int) -> Detections:
    """Without the detections of which at least 90 % lies in one of the zones. width, height: of the frame in pixels."""
    if not ignored or not len(found):
        return found
    within = geometry.shared(found.boxes.astype(np.float64), _pixels(ignored, width, height)).max(1)
    keep = within < _INSIDE
    return Detections(found.frames[keep], found.kinds[keep], found.boxes[keep], found.scores[keep])


def tracks(masked: Sequence[Zone], frames: int, width: int, height: int) -> list[Track]:
    """One a zone over all frames, numbered from 1, on whole pixels, never smaller than the zone."""
    if not frames:
        return []
    origins, scores = np.full(frames, ORIGINS.index(Origin.MANUAL), np.int8), np.zeros(frames, np.float32)
    boxes = [np.array(geometry.outward(box, width, height), np.float64) for box in _pixels(masked, width, height)]
    return [
        Track(number, Kind.ZONE, 0, np.tile(box, (frames, 1)), origins, scores) for number, box in enumerate(boxes, 1)
    ]


def _pixels(zones: Sequence[Zone], width: int, height: int) -> Array:
    """(N, 4)"""
    return geometry.scale(np.array([zone.box for zone in zones]).reshape(-1, 4), width, height)
