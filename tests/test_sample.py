"""The shipped weights on the shipped sample: every object that could be recognised is masked.

The truth file says where the drawn faces and plates are. Plates under 26 px (3 px a character) and faces under 12 px
show nothing to read or to recognise; they are left out.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashredact.batch.batch import Batch
from dashredact.detect.dashnet import weights
from dashredact.detect.dashnet.engines import torch as torch_engine
from dashredact.detect.dashnet.manifest import default_folder
from dashredact.pipeline.outcome import VideoStatus
from dashredact.settings import Settings, TrackSettings
from dashredact.values import ProgressEvent
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

SAMPLES = Path(__file__).parents[1] / "samples"
LEAST_WIDTH = {"face": 12, "plate": 26}
COVERED = 0.95


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("sample")
    detector = torch_engine.TorchDetector(weights.read(default_folder()), torch_engine.device_named("cpu"))
    settings = Settings(link=TrackSettings(detector.thresholds))
    run = Batch(OutputFolder(out), detector, settings, _silent)
    (outcome,) = run.run(inbox.plan([SAMPLES / "street.mp4"], out))
    assert outcome.status is VideoStatus.MASKED, outcome.reason
    return json.loads((out / "street.tracks.json").read_bytes())["tracks"]


def _silent(_fact: ProgressEvent) -> None:
    pass


def _objects() -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = json.loads((SAMPLES / "street.truth.json").read_bytes())["objects"]
    return objects


def _share_covered(box: list[float], frame: int, tracks: list[dict[str, Any]]) -> float:
    """Share of a box that lies under the masks of a frame, counted on a grid of its points."""
    x, y = (np.linspace(near, far, 20) for near, far in ((box[0], box[2]), (box[1], box[3])))
    under = np.zeros((20, 20), bool)
    for track in tracks:
        if track["first"] <= frame < track["end"]:
            x0, y0, x1, y1 = track["boxes"][frame - track["first"]]
            under |= ((y >= y0) & (y <= y1))[:, None] & ((x >= x0) & (x <= x1))
    return float(under.mean())


@pytest.mark.parametrize("labelled", _objects(), ids=lambda labelled: labelled["id"])
def test_every_recognisable_object_is_masked_on_every_frame(
    labelled: dict[str, Any], tracks: list[dict[str, Any]]
) -> None:
    uncovered = [
        int(frame)
        for frame, box in labelled["boxes"].items()
        if box[2] - box[0] >= LEAST_WIDTH[labelled["kind"]] and _share_covered(box, int(frame), tracks) < COVERED
    ]
    assert not uncovered
