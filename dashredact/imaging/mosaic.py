"""Paints masks on the planes of a frame, at its own bit depth. Pixels outside the boxes are never written.

A masked box is a function of a few cell means per plane, at most 4x4 (`KindRow.cells`), with cells fixed to the box: no
filter can restore what averaging removed. A blur with a kernel of fixed size does not have this property: on plates of
64 px height it left characters readable.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.imaging.boxes import PixelBox
from dashredact.kinds import Kind
from dashredact.settings import Style

Plane = NDArray[Any]
"""uint8 or uint16 (height, width), writable."""


class Planes(NamedTuple):
    """Views of the planes of a YUV frame, or of its Y plane alone."""

    planes: Sequence[Plane]
    subsampling_x: int
    """luma pixels per chroma pixel, across"""
    subsampling_y: int
    """and down"""
    depth: int
    """bits per sample"""

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])


class Mask(NamedTuple):
    """What was painted, kept so that the finished file can be verified."""

    box: PixelBox
    cells: tuple[Plane, ...]
    """of each plane, (rows, columns) means"""


def paint(frame: Planes, boxes: Sequence[tuple[Kind, PixelBox]], style: Style) -> list[Mask]:
    """Mask the boxes in place: zones first, then from large to small. Zones are filled, whatever the style.

    A box that overlaps another one averages pixels that are already painted, so an overlap reveals nothing more.
    The sides of the boxes must be multiples of the chroma subsampling (`boxes.round_outward`).
    """
    masks = []
    for kind, box in sorted(boxes, key=lambda item: (item[0] is not Kind.ZONE, -_area(item[1]))):
        if _area(box) == 0:
            continue
        cells = tuple(_paint_plane(frame, number, kind, box, style) for number in range(len(frame.planes)))
        masks.append(Mask(box, cells))
    return masks


def _paint_plane(frame: Planes, number: int, kind: Kind, box: PixelBox, style: Style) -> Plane:
    covered, row = region(frame, number, box), kind.row
    if style is Style.FILL or row.cells is None:
        cells = np.full((1, 1), 1 << (frame.depth - 1), covered.dtype)
    else:
        rows, columns = row.cells
        size = (min(columns, covered.shape[1]), min(rows, covered.shape[0]))
        cells = cv2.resize(covered, size, interpolation=cv2.INTER_AREA)
        if row.levels:
            luma, chroma = row.levels
            cells = _coarse(cells, frame.depth, chroma if number else luma)
    covered[:] = render(cells, covered.shape[0], covered.shape[1], style)
    return cells


def _coarse(cells: Plane, depth: int, levels: int) -> Plane:
    """Round cell means to that many levels (`KindRow.levels` says why); neutral chroma stays neutral."""
    step = (1 << depth) // levels
    nearest = (cells.astype(np.int32) + step // 2) // step * step
    return np.minimum(nearest, (1 << depth) - 1).astype(cells.dtype)


def render(cells: Plane, height: int, width: int, style: Style) -> Plane:
    """(height, width) the cells enlarged: interpolated for blur, with hard edges for mosaic and fill."""
    smooth = style is Style.BLUR
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST)


def region(frame: Planes, number: int, box: PixelBox) -> Plane:
    """A view of the part of a plane that a box covers."""
    subsampling_x, subsampling_y = (frame.subsampling_x, frame.subsampling_y) if number else (1, 1)
    return frame.planes[number][
        box.y0 // subsampling_y : -(-box.y1 // subsampling_y),
        box.x0 // subsampling_x : -(-box.x1 // subsampling_x),
    ]


def _area(box: PixelBox) -> int:
    return max(box.x1 - box.x0, 0) * max(box.y1 - box.y0, 0)
