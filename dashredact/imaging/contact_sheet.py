"""A contact sheet: what lies around marked objects, side by side."""

from collections.abc import Sequence

import cv2
import numpy as np

from dashredact.values import Array, Picture

TILE = 192
"""pixels of a tile's side"""
MOST = 96
"""tiles of a sheet"""
_COLUMNS = 8
_AROUND = 3.0  # sides of the object that a tile shows
_LEAST = 48  # pixels of the picture that a tile shows at least
_LINE = (255, 255, 0)


def tile(picture: Picture, box: Array, words: str) -> Picture:
    """(TILE, TILE, 3): the object (4,) in its surroundings, outlined, with some words; black outside the picture."""
    side = max(_AROUND * float((box[2:] - box[:2]).max()), _LEAST)
    zoom = TILE / side
    corner = (box[:2] + box[2:]) / 2 - side / 2
    place = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])
    shown = cv2.warpAffine(picture, place, (TILE, TILE), flags=cv2.INTER_LINEAR)
    low, high = (np.rint(zoom * (point - corner)).astype(int).tolist() for point in (box[:2], box[2:]))
    cv2.rectangle(shown, (low[0] - 2, low[1] - 2), (high[0] + 1, high[1] + 1), _LINE)
    cv2.putText(shown, words, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(shown, words, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(shown, np.uint8)


def sheet(tiles: Sequence[Picture]) -> Picture:
    """The tiles in rows; one black tile where there is none."""
    columns = max(min(len(tiles), _COLUMNS), 1)
    rows = max(-(-len(tiles) // columns), 1)
    whole = np.zeros((rows * TILE, columns * TILE, 3), np.uint8)
    for number, one in enumerate(tiles):
        y, x = divmod(number, columns)
        whole[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE] = one
    return whole
