"""YOLO: v5 and v8 as exported by ultralytics, and models that include non-maximum suppression (v9, v10)."""

from collections.abc import Mapping

import numpy as np

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.postprocess import ScoredBoxes, of_classes, of_score_table, require
from dashredact.values import Array


def decode_v5(
    outputs: Mapping[str, Array], _: tuple[int, int], class_kinds: ClassKinds, min_score: float
) -> list[ScoredBoxes]:
    """outputs: (N, P, 5 + classes) centre x y, width, height, objectness, class scores."""
    output = _first_output(outputs, 3)
    _check_classes(output.shape, output.shape[2] - 5, class_kinds)
    return [of_score_table(_corners(rows), rows[:, 5:] * rows[:, 4:5], class_kinds, min_score) for rows in output]


def decode_v8(
    outputs: Mapping[str, Array], _: tuple[int, int], class_kinds: ClassKinds, min_score: float
) -> list[ScoredBoxes]:
    """outputs: (N, 4 + classes, P) centre x y, width, height, class scores."""
    output = _first_output(outputs, 3).transpose(0, 2, 1)
    _check_classes(output.shape, output.shape[2] - 4, class_kinds)
    return [of_score_table(_corners(rows), rows[:, 4:], class_kinds, min_score) for rows in output]


def decode_v9(
    outputs: Mapping[str, Array], _: tuple[int, int], class_kinds: ClassKinds, min_score: float
) -> list[ScoredBoxes]:
    """outputs: (P, 7) picture, x0 y0 x1 y1, class, score. Of a batch of one: the number of pictures is not in it."""
    rows = _first_output(outputs, 2)
    require(rows.shape[1] == 7, f"an output of shape {rows.shape}")
    require(bool((rows[:, 0] == 0).all()), "boxes on pictures that are not in the batch")
    return [of_classes(rows[:, 1:5], rows[:, 6], rows[:, 5], class_kinds, min_score)]


def decode_v10(
    outputs: Mapping[str, Array], _: tuple[int, int], class_kinds: ClassKinds, min_score: float
) -> list[ScoredBoxes]:
    """outputs: (N, P, 6) x0 y0 x1 y1, score, class."""
    output = _first_output(outputs, 3)
    require(output.shape[2] == 6, f"an output of shape {output.shape}")
    return [of_classes(rows[:, :4], rows[:, 4], rows[:, 5], class_kinds, min_score) for rows in output]


def _first_output(outputs: Mapping[str, Array], dimensions: int) -> Array:
    """Others may follow: YOLOv5 also returns its feature maps."""
    output = next(iter(outputs.values()))
    require(output.ndim == dimensions, f"an output of shape {output.shape}")
    return output


def _check_classes(shape: tuple[int, ...], classes: int, class_kinds: ClassKinds) -> None:
    require(shape[1] > shape[2], f"an output of shape {shape}, with fewer candidates than values for each")
    fits = classes >= 1 and len(class_kinds) in (1, classes)
    require(fits, f"an output of shape {shape}, which does not fit {len(class_kinds)} classes")


def _corners(rows: Array) -> Array:
    """(P, 4) x0 y0 x1 y1 from centre and size."""
    half = rows[:, 2:4] / 2
    return np.concatenate((rows[:, :2] - half, rows[:, :2] + half), 1)
