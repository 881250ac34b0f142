"""A contact sheet: pictures of objects in their surroundings, side by side."""

from collections.abc import Sequence

import cv2
import numpy as np

from dashredact.values import Array, Picture

TILE = 192
"""side of a tile in pixels"""
MAX_TILES = 96
"""most tiles of one sheet"""
_COLUMNS = 8
_SHOWN_SIDES = 3.0  # width of what a tile shows, relative to the longer side of the object ...
_MIN_SHOWN = 48  # ... and at least so many pixels of the picture
_OUTLINE = (255, 255, 0)


def tile(picture: Picture, box: Array, caption: str) -> Picture:
    """(TILE, TILE, 3) the surroundings of a box (4,), which is outlined, with a caption; black outside the picture."""
    side = max(_SHOWN_SIDES * float((box[2:] - box[:2]).max()), _MIN_SHOWN)
    zoom = TILE / side
    corner = (box[:2] + box[2:]) / 2 - side / 2
    transform = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])
    shown = cv2.warpAffine(picture, transform, (TILE, TILE), flags=cv2.INTER_LINEAR)
    low, high = (np.rint(zoom * (point - corner)).astype(int).tolist() for point in (box[:2], box[2:]))
    cv2.rectangle(shown, (low[0] - 2, low[1] - 2), (high[0] + 1, high[1] + 1), _OUTLINE)
    cv2.putText(shown, caption, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(shown, caption, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(shown, np.uint8)


def sheet(tiles: Sequence[Picture]) -> Picture:
    """The tiles in rows of eight; a single black tile if there are none."""
    columns = max(min(len(tiles), _COLUMNS), 1)
    rows = max(-(-len(tiles) // columns), 1)
    picture = np.zeros((rows * TILE, columns * TILE, 3), np.uint8)
    for number, content in enumerate(tiles):
        y, x = divmod(number, columns)
        picture[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE] = content
    return picture
