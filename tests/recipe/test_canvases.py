"""Training canvases: boxes stay on what they mark, and what is not labelled teaches nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

data = pytest.importorskip("weights.recipe.data", reason="runs from the root of the repository only")
import torch  # noqa: E402 - the same

from dashredact.detect.dashnet.network import points  # noqa: E402
from weights.recipe import augment, drawn, loss  # noqa: E402

_SEEDS = st.integers(0, 10_000)
_FACE, _PLATE = 0, 1
_RED = (230, 0, 0)


def _picture(box: tuple[int, int, int, int] = (300, 200, 420, 230), labelled: tuple[bool, bool] = (True, True)):
    """A grey picture with one plate, painted red."""
    pixels = np.full((480, 640, 3), 90, np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = _RED
    objects = data.Objects(np.array([box], np.float32), np.array([_PLATE]), np.array([0], np.int8))
    return data.Picture("drawn", "images/0.png", pixels, objects, labelled, labelled)


@given(_SEEDS, st.integers(1, 6))
def test_tiles_cut_the_canvas_without_gap_or_overlap(seed: int, count: int) -> None:
    height, width = augment.CANVAS
    times = np.zeros((height, width), int)
    for x, y, w, h in augment.tiles(count, np.random.default_rng(seed)):
        times[y : y + h, x : x + w] += 1
    assert (times == 1).all()


@given(_SEEDS)
def test_a_box_follows_its_pixels(seed: int) -> None:
    rng, picture = np.random.default_rng(seed), _picture()
    matrix = augment._around_one(picture, picture.objects.boxes, (40.0, 200.0), (320, 240), rng)
    crop, objects = augment.warp(picture.pixels, matrix, 320, 240), augment.place(picture, matrix, 320, 240)
    rows, columns = np.nonzero(crop[..., 0].astype(int) - crop[..., 1] > 120)
    (box,) = objects.boxes
    assert objects.roles.tolist() == [data.Role.OBJECT]
    assert box == pytest.approx([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], abs=2)


def test_a_class_without_labels_is_silenced_everywhere() -> None:
    matrix = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    objects = augment.place(_picture(labelled=(False, True)), matrix, 640, 480)
    whole = objects.of(data.Role.IGNORED)
    assert whole.labels.tolist() == [_FACE] and whole.boxes.tolist() == [[0, 0, 640, 480]]


def test_a_set_marked_in_part_silences_all_but_its_marks_and_its_clutter() -> None:
    clutter = data.Objects(np.array([[10, 10, 60, 30]], np.float32), np.array([_PLATE]), np.array([2], np.int8))
    whole = _picture()
    picture = replace(whole, objects=data.join([whole.objects, clutter]), complete=(True, False))
    objects = augment.place(picture, np.array([[1, 0, 0], [0, 1, 0]], np.float32), 640, 480)
    truth = loss.Truth(*map(torch.from_numpy, (objects.boxes, objects.labels, objects.roles)))
    silent = loss._silent(points(480, 640, torch.device("cpu")), truth, 2)
    assert not silent[:, _FACE].any()
    heard = points(480, 640, torch.device("cpu")).centres[~silent[:, _PLATE]]
    assert len(heard) and ((heard > 10) & (heard < torch.tensor([60, 30]))).all()


@given(_SEEDS)
def test_a_drawn_plate_lies_where_its_box_says(seed: int) -> None:
    rng, picture = np.random.default_rng(seed), _picture()
    pixels, objects = drawn.repaint(picture.pixels, picture.objects, rng)
    (box,) = np.rint(objects.boxes).astype(int)
    changed = (pixels != picture.pixels).any(2)
    assert 0 <= box[0] < box[2] <= 640 and 0 <= box[1] < box[3] <= 480
    changed[box[1] : box[3], box[0] : box[2]] = False
    changed[200:230, 300:420] = False  # the plate that was there
    assert not changed.any()


def test_what_the_edge_cuts_to_less_than_half_is_ignored_and_what_is_gone_is_gone() -> None:
    def placed(left: float) -> data.Objects:
        return augment.place(_picture(), np.array([[1, 0, -left], [0, 1, 0]], np.float32), 320, 480)

    assert placed(350).roles.tolist() == [data.Role.OBJECT]  # 70 of 120 pixels are left
    assert placed(370).roles.tolist() == [data.Role.IGNORED]
    assert len(placed(430).boxes) == 0
