"""Real model files, where there are some: YuNet answers as OpenCV's own reading of it does."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from dashredact.detect.dashnet import canary, manifest
from dashredact.detect.external import registry
from dashredact.detect.external.model_spec import parse_model_spec
from dashredact.detect.external.onnx_detector import OnnxDetector
from dashredact.imaging.boxes import iou

_FOLDER = Path(os.environ.get("DASHREDACT_TEST_MODELS", "missing"))
_YUNET = _FOLDER / "yunet_n.onnx"


@pytest.mark.skipif(not _YUNET.is_file(), reason="DASHREDACT_TEST_MODELS holds no yunet_n.onnx")
def test_yunet_answers_as_in_opencv() -> None:
    chosen = parse_model_spec(str(_YUNET), False)
    assert chosen.sha256 == registry.read()["yunet-n"].sha256
    assert _YUNET.stat().st_size == registry.read()["yunet-n"].bytes
    picture = canary.read(manifest.default_folder()).picture
    (ours,) = OnnxDetector(chosen, "cpu")([picture])
    height, width = picture.shape[:2]
    _, theirs = cv2.FaceDetectorYN.create(str(_YUNET), "", (width, height), 0.3, 0.5).detect(picture[..., ::-1].copy())
    rows = np.zeros((0, 15)) if theirs is None else np.asarray(theirs, np.float64)
    boxes = np.concatenate((rows[:, :2], rows[:, :2] + rows[:, 2:4]), 1)
    strong = ours.boxes[ours.scores >= 0.3].astype(np.float64)
    assert len(strong) == len(boxes)
    assert (iou(boxes, strong).max(1, initial=0) > 0.9).all()
