"""The recipe of the sample clip still draws what lies in the repository."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

make = pytest.importorskip("samples.recipe.make", reason="runs from the root of the repository only")
from samples.recipe.canary import draw_canary  # noqa: E402 - the same
from samples.recipe.truth import GroundTruth  # noqa: E402 - the same

_ROOT = Path(__file__).parents[2]
_FRAME = 250  # four cars and two people are in view


def test_canary_is_the_one_beside_the_weights() -> None:
    picture, objects = draw_canary()
    assert objects == json.loads((_ROOT / "weights/canary.json").read_bytes())["objects"]
    committed = cv2.imread(str(_ROOT / "weights/canary.png"))
    assert np.abs(picture[..., ::-1].astype(int) - committed).mean() < 0.5  # other versions of OpenCV round otherwise


def test_objects_of_a_frame_are_those_of_the_truth_file() -> None:
    committed = json.loads((_ROOT / "samples/street.truth.json").read_bytes())
    texts = {driver.name: driver.car.plate.text for driver in make.story.CARS}
    truth = GroundTruth(texts)
    picture = make.frame_at(_FRAME, truth)
    assert picture.shape == (committed["height"], committed["width"], 3)
    frame = str(_FRAME)
    expected = {thing["id"]: thing["boxes"][frame] for thing in committed["objects"] if frame in thing["boxes"]}
    drawn = {thing["id"]: thing["boxes"][frame] for thing in truth.to_json("street.mp4", 1)["objects"]}
    assert drawn == expected and len(drawn) > 2


def test_a_box_that_is_mostly_outside_the_picture_is_no_truth() -> None:
    truth = GroundTruth({"car": "TE 1"})
    truth.add("car", "plate", 0, np.array([-30.0, 10, 10, 20]))
    truth.add("car", "plate", 1, np.array([-10.0, 10, 30, 20]))
    (thing,) = truth.to_json("clip.mp4", 2)["objects"]
    assert thing == {"id": "car-plate", "kind": "plate", "boxes": {"1": [0.0, 10.0, 30.0, 20.0]}, "text": "TE 1"}
