"""The second look: crops show what they should, and scores change by what it says."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from clips import Finder
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashredact.detect.second_opinion.crops import CONTEXT, DETAIL, SIDE, crop
from dashredact.detect.second_opinion.detector import SecondOpinionDetector
from dashredact.kinds import Kind
from dashredact.values import Detections, Picture


def _picture(width: int = 320, height: int = 240) -> Picture:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack((x * 255 / width, y * 255 / height, 0 * x), -1).astype(np.uint8)


@given(st.floats(40, 250), st.floats(40, 180), st.floats(4, 200), st.floats(4, 200))
def test_a_crop_shows_the_middle_of_its_box(x: float, y: float, width: float, height: float) -> None:
    picture = _picture()
    box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    shown = crop(picture, box)
    assert shown.shape == (SIDE, SIDE, 3)
    middle = shown[SIDE // 2 - 1 : SIDE // 2 + 1, SIDE // 2 - 1 : SIDE // 2 + 1].reshape(-1, 3).mean(0)
    pixel = max(width, height) * CONTEXT / SIDE  # of the picture, that one of the crop shows
    assert middle[:2] == pytest.approx([x * 255 / 320, y * 255 / 240], abs=2 + pixel)


def test_a_crop_shows_so_much_around_the_box() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[80:120, 80:120] = 255
    shown = crop(picture, np.array([80.0, 80, 120, 120]))
    assert shown.mean() / 255 == pytest.approx(1 / CONTEXT**2, rel=0.05)


def test_beyond_the_picture_its_edge_goes_on() -> None:
    picture = np.full((100, 100, 3), 90, np.uint8)
    assert (crop(picture, np.array([-40.0, -40, 20, 20])) == 90).all()
    assert crop(picture, np.array([-40.0, -40, -20, -20])).shape == (SIDE, SIDE, 3)


@dataclass
class Colours:
    """Takes what is red for a face."""

    kinds: tuple[Kind, ...] = (Kind.FACE, Kind.PLATE)
    seen: list[NDArray[np.uint8]] = field(default_factory=list)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen.append(crops)
        red = crops[:, SIDE // 2, SIDE // 2, 0] / 255
        return np.stack((1 - red, red, 0 * red), -1).astype(np.float32)


@dataclass
class Boxes(Finder):
    """Finds faces in three places, always."""

    scores: tuple[float, ...] = (0.9, 0.8, 0.12)

    def __call__(self, pictures: list[Picture]) -> list[Detections]:
        self.shapes = [picture.shape for picture in pictures]
        boxes = np.array([[10, 10, 30, 30], [50, 10, 70, 30], [10, 50, 30, 70]], np.float32)
        none = np.zeros(3, np.int32)
        return [Detections(none, none.astype(np.int8), boxes, np.array(self.scores, np.float32)) for _ in pictures]


def _coloured() -> Picture:
    """Red at the first place, dark red at the second."""
    picture = np.zeros((80, 100, 3), np.uint8)
    picture[10:30, 10:30, 0], picture[10:30, 50:70, 0] = 255, 64
    return picture


def test_scores_become_less_where_the_second_look_doubts() -> None:
    detector = SecondOpinionDetector(Boxes(long_side=100), Colours())
    (found,) = detector([_coloured()])
    assert found.scores.tolist() == pytest.approx([0.9, 0.8 * np.sqrt(64 / 255), 0.12], abs=0.01)
    assert found.boxes[:, :2].tolist() == [[10, 10], [50, 10], [10, 50]]


def test_what_falls_below_the_lowest_score_is_gone() -> None:
    detector = SecondOpinionDetector(Boxes(long_side=100), Colours(), lowest_score=0.5)
    assert [round(float(score), 2) for score in detector([_coloured()])[0].scores] == [0.9]


def test_what_makes_no_mask_is_not_looked_at() -> None:
    colours = Colours()
    SecondOpinionDetector(Boxes(long_side=100), colours)([_coloured()] * 2)
    assert [len(crops) for crops in colours.seen] == [4]


def test_crops_are_of_the_large_picture_and_boxes_in_its_pixels() -> None:
    large = np.asarray(cv2.resize(_coloured(), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST), np.uint8)
    inner, colours = Boxes(long_side=100), Colours()
    detector = SecondOpinionDetector(inner, colours)
    assert detector.detail == DETAIL * 100
    (found,) = detector([large])
    assert inner.shapes == [(80, 100, 3)]
    assert found.boxes[0].tolist() == [20, 20, 60, 60]
    assert found.scores[0] == pytest.approx(0.9, abs=0.01)
