"""YOLO: v5 and v8 as ultralytics export them, and models that suppress double boxes themselves (v9, v10)."""

from collections.abc import Mapping

import numpy as np

from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.postprocess import Candidates, of_classes, of_score_table, require
from dashredact.values import Array


def decode_v5(outputs: Mapping[str, Array], _: tuple[int, int], finds: ClassKinds, lowest: float) -> list[Candidates]:
    """outputs: (N, P, 5 + classes) centre x y, width, height, objectness, class scores."""
    answer = _only(outputs, 3)
    _check_classes(answer.shape, answer.shape[2] - 5, finds)
    return [of_score_table(_corners(one), one[:, 5:] * one[:, 4:5], finds, lowest) for one in answer]


def decode_v8(outputs: Mapping[str, Array], _: tuple[int, int], finds: ClassKinds, lowest: float) -> list[Candidates]:
    """outputs: (N, 4 + classes, P) centre x y, width, height, class scores."""
    answer = _only(outputs, 3).transpose(0, 2, 1)
    _check_classes(answer.shape, answer.shape[2] - 4, finds)
    return [of_score_table(_corners(one), one[:, 4:], finds, lowest) for one in answer]


def decode_v9(outputs: Mapping[str, Array], _: tuple[int, int], finds: ClassKinds, lowest: float) -> list[Candidates]:
    """outputs: (P, 7) picture, x0 y0 x1 y1, class, score. Of one picture: how many there were, nobody knows."""
    answer = _only(outputs, 2)
    require(answer.shape[1] == 7, f"{answer.shape}")
    require(bool((answer[:, 0] == 0).all()), "boxes of pictures that it was not given")
    return [of_classes(answer[:, 1:5], answer[:, 6], answer[:, 5], finds, lowest)]


def decode_v10(outputs: Mapping[str, Array], _: tuple[int, int], finds: ClassKinds, lowest: float) -> list[Candidates]:
    """outputs: (N, P, 6) x0 y0 x1 y1, score, class."""
    answer = _only(outputs, 3)
    require(answer.shape[2] == 6, f"{answer.shape}")
    return [of_classes(one[:, :4], one[:, 4], one[:, 5], finds, lowest) for one in answer]


def _only(outputs: Mapping[str, Array], rank: int) -> Array:
    """The first output; YOLOv5 may give its raw maps behind it."""
    answer = next(iter(outputs.values()))
    require(answer.ndim == rank, f"{answer.shape}")
    return answer


def _check_classes(shape: tuple[int, ...], classes: int, finds: ClassKinds) -> None:
    require(shape[1] > shape[2], f"{shape}, fewer candidates than numbers for each")
    require(classes >= 1 and len(finds) in (1, classes), f"{shape}, which is not {len(finds)} classes")


def _corners(rows: Array) -> Array:
    """(P, 4) from centre and size to x0 y0 x1 y1."""
    half = rows[:, 2:4] / 2
    return np.concatenate((rows[:, :2] - half, rows[:, :2] + half), 1)
