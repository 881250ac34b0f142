"""YuNet (libfacedetection.train, OpenCV zoo): faces, three strides, no anchors."""

from collections.abc import Mapping

import numpy as np

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.postprocess import ScoredBoxes, of_classes, require
from dashredact.values import Array

STRIDES = (8, 16, 32)


def decode(
    outputs: Mapping[str, Array], size: tuple[int, int], class_kinds: ClassKinds, min_score: float
) -> list[ScoredBoxes]:
    """outputs: cls_S, obj_S (N, P, 1) and bbox_S (N, P, 4) for each stride S; P cells row by row."""
    levels = [_level(outputs, stride, size) for stride in STRIDES]
    boxes, scores = (np.concatenate(parts, 1) for parts in zip(*levels, strict=True))
    return [of_classes(b, s, np.zeros(len(s)), class_kinds, min_score) for b, s in zip(boxes, scores, strict=True)]


def _level(outputs: Mapping[str, Array], stride: int, size: tuple[int, int]) -> tuple[Array, Array]:
    """Boxes (N, P, 4) in input pixels and scores (N, P)."""
    rows, columns = size[1] // stride, size[0] // stride
    names = [f"{part}_{stride}" for part in ("cls", "obj", "bbox")]
    require(set(names) <= outputs.keys(), f"no output {' or '.join(names)}")
    parts = [outputs[name] for name in names]
    for part, width in zip(parts, (1, 1, 4), strict=True):
        fits = part.shape[1:] == (rows * columns, width)
        require(fits, f"an output of shape {part.shape} at stride {stride} for {size[0]}x{size[1]} px")
    classes, objects, sides = parts
    row, column = np.divmod(np.arange(rows * columns), columns)
    centre = (sides[..., :2] + np.stack((column, row), -1)) * stride
    with np.errstate(over="ignore"):  # infinite sides are an error later, if their score is high enough
        half = np.exp(sides[..., 2:]) * stride / 2
    scores = np.sqrt(np.clip(classes[..., 0], 0, 1) * np.clip(objects[..., 0], 0, 1))
    return np.concatenate((centre - half, centre + half), -1), scores
