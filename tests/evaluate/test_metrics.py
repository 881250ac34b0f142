"""Scores: as COCO's own tool counts, with intervals as the textbooks have them."""

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from dashredact.evaluate import metrics
from dashredact.evaluate.metrics import MatchedDetections, Rate
from dashredact.kinds import Kind
from dashredact.values import Array

_NONE = np.empty((0, 4))


def _boxes(*rows: tuple[float, ...]) -> Array:
    return np.array(rows, np.float64).reshape(-1, 4)


def _matched(boxes: Array, values: list[float], objects: Array, ignored: Array = _NONE) -> MatchedDetections:
    points = np.array(values, np.float64)
    match = metrics.match(boxes, points, objects, ignored)
    return metrics.pool([metrics.counted(match, points, metrics.size(Kind.PLATE, objects))])


# --- matching ----------------------------------------------------------------------------------------------------


def test_the_best_score_has_the_first_choice_and_a_second_box_on_an_object_is_false() -> None:
    matched = _matched(_boxes((0, 0, 10, 10), (0, 0, 10, 9)), [0.6, 0.8], _boxes((0, 0, 10, 10)))
    assert matched.scores.tolist() == [0.8, 0.6]
    assert matched.hits.tolist() == [True, False]
    assert matched.matched_scores.tolist() == [0.8]


@pytest.mark.parametrize(("shift", "hit"), [(3, True), (4, False)])
def test_half_the_union_makes_a_hit(shift: float, hit: bool) -> None:
    matched = _matched(_boxes((shift, 0, 10 + shift, 10)), [0.9], _boxes((0, 0, 10, 10)))
    assert bool(matched.hits.all()) is hit


def test_what_lies_in_an_ignored_region_is_neither_right_nor_wrong() -> None:
    region = _boxes((0, 0, 100, 100))
    inside = _boxes((10, 10, 20, 20), (40, 40, 60, 60), (96, 0, 106, 10))
    assert _matched(inside, [0.9, 0.8, 0.7], _NONE, region).scores.tolist() == [0.7]


def test_an_object_in_an_ignored_region_is_still_found() -> None:
    matched = _matched(_boxes((10, 10, 20, 20)), [0.9], _boxes((10, 10, 20, 20)), _boxes((0, 0, 100, 100)))
    assert matched.hits.tolist() == [True]


def test_average_precision_alone_looks_at_a_hundred_detections_of_a_picture() -> None:
    many = np.repeat(_boxes((50, 50, 60, 60)), 100, 0)
    matched = _matched(np.concatenate((many, _boxes((0, 0, 10, 10)))), [0.9] * 100 + [0.5], _boxes((0, 0, 10, 10)))
    assert metrics.average_precision(matched) == 0
    assert matched.matched_scores.tolist() == [0.5]


# --- average precision, against COCO's own tool ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_average_precision_is_what_coco_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    pictures = [_picture(random, many=seed % 3 == 2) for _ in range(8)]
    parts = []
    for objects, crowd, boxes, values in pictures:
        match = metrics.match(boxes, values, objects[~crowd], objects[crowd])
        parts.append(metrics.counted(match, values, metrics.size(Kind.FACE, objects[~crowd])))
    matched = metrics.pool(parts)
    precision, recall = _coco(pictures)
    assert metrics.average_precision(matched) == pytest.approx(precision, abs=1e-6)
    if matched.beyond_max_dets.any():  # COCO stops looking there, and we do not
        assert (matched.matched_scores > 0).mean() >= recall
    else:
        assert (matched.matched_scores > 0).mean() == pytest.approx(recall, abs=1e-6)


def _picture(random: np.random.Generator, *, many: bool) -> tuple[Array, Array, Array, Array]:
    """Objects, which of them are crowds, and detections near some of them, with their scores."""
    objects = _random_boxes(random, int(random.integers(1, 12)))
    near = objects[random.random(len(objects)) < 0.8]
    near = near + random.normal(0, 4, near.shape)
    boxes = np.concatenate((near, near + random.normal(0, 3, near.shape), _random_boxes(random, 150 if many else 5)))
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    return objects, random.random(len(objects)) < 0.25, boxes, np.round(random.random(len(boxes)), 2)


def _random_boxes(random: np.random.Generator, number: int) -> Array:
    corner = random.uniform(0, 200, (number, 2))
    return np.concatenate((corner, corner + random.uniform(10, 60, (number, 2))), 1)


def _coco(pictures: list[tuple[Array, Array, Array, Array]]) -> tuple[float, float]:
    """AP and AR at IoU 0.5 and 100 detections a picture."""
    marked: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image, (objects, crowd, boxes, values) in enumerate(pictures, 1):
        for box, is_crowd in zip(objects, crowd, strict=True):
            row = {"id": len(marked) + 1, "image_id": image, "category_id": 1, "bbox": _xywh(box)}
            marked.append({**row, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": int(is_crowd)})
        for box, score in zip(boxes, values, strict=True):
            found.append({"image_id": image, "category_id": 1, "bbox": _xywh(box), "score": float(score)})
    truth = COCO()
    images = [{"id": image} for image in range(1, len(pictures) + 1)]
    truth.dataset = {"images": images, "annotations": marked, "categories": [{"id": 1}], "info": {}}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(found), "bbox")
        run.params.iouThrs = np.array([0.5])
        run.evaluate()
        run.accumulate()
    return float(run.eval["precision"][0, :, 0, 0, 2].mean()), float(run.eval["recall"][0, 0, 0, 2])


def _xywh(box: Array) -> list[float]:
    x0, y0, x1, y1 = box.tolist()
    return [x0, y0, x1 - x0, y1 - y0]


# --- figures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_intervals_are_wilsons(count: int, of: int, low: float, high: float) -> None:
    assert Rate(count, of).interval == pytest.approx((low, high), abs=6e-5)


def test_nothing_marked_and_nothing_found_has_no_figures_and_no_fault() -> None:
    for matched in (metrics.pool([]), _matched(_NONE, [], _NONE)):
        figures = metrics.figures(Kind.FACE, matched, 0.5)
        assert (figures.ap50, figures.ar50, figures.recall_at_precision, figures.recall.share) == (None,) * 4
        assert (figures.objects, figures.precision) == (0, Rate(0, 0))


def test_false_boxes_on_pictures_without_objects_are_counted() -> None:
    figures = metrics.figures(Kind.FACE, _matched(_boxes((0, 0, 9, 9), (20, 0, 29, 9)), [0.9, 0.4], _NONE), 0.5)
    assert (figures.false_per_image, figures.precision, figures.ap50) == (1, Rate(0, 1), None)


def test_objects_that_nothing_found_cost_everything() -> None:
    figures = metrics.figures(Kind.FACE, _matched(_NONE, [], _boxes((0, 0, 9, 9))), 0.5)
    assert (figures.ap50, figures.ar50, figures.recall, figures.recall_at_precision) == (0, 0, Rate(0, 1), 0)


def test_recall_at_a_precision_takes_every_detection_of_the_score_in() -> None:
    hits = np.array([True, True, True, True, False, False])
    matched = MatchedDetections(
        np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.6]), hits, np.zeros(6, bool), np.full(8, 30.0), np.zeros(8)
    )
    assert metrics.at_precision(matched, 0.8) == (0.7, 3 / 8)
    assert metrics.at_precision(matched, 0.6) == (0.6, 4 / 8)
    assert metrics.at_precision(metrics.pool([]), 0.8) == (1, 0)


def test_sizes_are_a_plates_width_and_a_faces_longer_side_in_bins_that_hold_their_lower_edge() -> None:
    box = _boxes((0, 0, 20, 64))
    assert metrics.size(Kind.PLATE, box).tolist() == [20]
    assert metrics.size(Kind.FACE, box).tolist() == [64]
    found = metrics.bins(Kind.PLATE, np.array([19.9, 20, 159, 160, 500]), np.array([True, False, True, True, False]))
    assert [(one.least, one.below, one.rate.count, one.rate.of) for one in found] == [
        (0, 20, 1, 1),
        (20, 40, 0, 1),
        (40, 80, 0, 0),
        (80, 160, 1, 1),
        (160, None, 1, 2),
    ]
