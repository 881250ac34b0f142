"""Which tracks of a video are masked for the same reason as another: a thing that goes with the camera, or comes again.

Told from boxes alone: the same kind, about as large, at about the same place of the picture. A sticker on the
windscreen, a lamp of the dashboard, a sign that the car stands before.
"""

from collections.abc import Sequence

import numpy as np

from dashredact.imaging import boxes as geometry
from dashredact.values import Array, Track

_SIZE = 1.5  # factor by which sizes may differ
_PLACE = 1.0  # sides of the larger box by which centres may lie apart


def alike(tracks: Sequence[Track], chosen: Sequence[Track]) -> list[Track]:
    """The tracks that are like one of the chosen, which are left out themselves, in their order."""
    numbers = {track.id for track in chosen}
    return [track for track in tracks if track.id not in numbers and any(_are_alike(track, other) for other in chosen)]


def _are_alike(track: Track, other: Track) -> bool:
    if track.kind is not other.kind:
        return False
    one, two = _typical(track), _typical(other)
    sides = np.sqrt(geometry.area(np.stack((one, two))))
    apart = float(np.linalg.norm(geometry.centres(one) - geometry.centres(two)))
    return bool(sides.max() <= _SIZE * sides.min() and apart <= _PLACE * sides.max())


def _typical(track: Track) -> Array:
    """(4,) its box in the middle of all."""
    return np.asarray(np.median(track.boxes, axis=0))
