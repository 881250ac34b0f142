"""Masks on the planes of a frame, in its own bit depth. Pixels outside the boxes are never written.

The strength of a mask is in its construction: a masked box is a function of a few cell means per plane, at most 4x4
(`KindRow.cells`), the cells fixed to the box, so what the mean took away no filter brings back.
Fixed-pixel blurs do not have this property: at 64 px plate height they give characters back.
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
    """A frame as planar YUV (or Y alone) without a copy."""

    planes: Sequence[Plane]
    step_x: int
    """luma pixels per chroma pixel"""
    step_y: int
    depth: int
    """bits of a sample"""

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])


class Mask(NamedTuple):
    """What was painted, kept to prove it again on the finished file."""

    box: PixelBox
    cells: tuple[Plane, ...]
    """(rows, columns) cell means of each plane"""


def paint(frame: Planes, boxes: Sequence[tuple[Kind, PixelBox]], style: Style) -> list[Mask]:
    """Mask the boxes in place: zones first, then the largest first. Zones are filled, whatever the style.

    A box over another one takes its means from what is already painted, so an overlap gives nothing more away.
    The sides of a box lie on multiples of the chroma step (`boxes.outward`).
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
    """Cell means to the nearest of that many levels; neutral chroma stays neutral."""
    step = (1 << depth) // levels
    nearest = (cells.astype(np.int32) + step // 2) // step * step
    return np.minimum(nearest, (1 << depth) - 1).astype(cells.dtype)


def render(cells: Plane, height: int, width: int, style: Style) -> Plane:
    """(height, width) picture made of nothing but the cells: smooth for blur, hard for mosaic and fill."""
    smooth = style is Style.BLUR
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST)


def region(frame: Planes, number: int, box: PixelBox) -> Plane:
    """The part of a plane that a box covers, a view."""
    step_x, step_y = (frame.step_x, frame.step_y) if number else (1, 1)
    return frame.planes[number][
        box.y0 // step_y : -(-box.y1 // step_y),
        box.x0 // step_x : -(-box.x1 // step_x),
    ]


def _area(box: PixelBox) -> int:
    return max(box.x1 - box.x0, 0) * max(box.y1 - box.y0, 0)
