"""The shipped weights on the shipped sample: every object that could be recognised is masked.

The truth file says where the drawn faces and plates are. Plates under 26 px (3 px a character) and faces under 12 px
show nothing to read or to recognise; they are left out.
"""

import json
import subprocess
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
MIN_WIDTH = {"face": 12, "plate": 26}
COVERED = 0.95
GOP = 60  # frames from one key frame of the clip to the next
RATE = 30000 / 1001


@pytest.mark.parametrize(
    ("first", "end", "objects"),
    [
        pytest.param(GOP, 2 * GOP, 5, id="two seconds"),
        pytest.param(0, 330, 11, id="all", marks=pytest.mark.slow),
    ],
)
def test_every_recognisable_object_is_masked_on_every_frame(first: int, end: int, objects: int, tmp_path: Path) -> None:
    """objects: how many of that size are in view."""
    tracks = _mask(_cut(first, end, tmp_path / "street.mp4"), tmp_path / "out", end - first)
    truth = json.loads((SAMPLES / "street.truth.json").read_bytes())
    checked, uncovered = set(), []
    for labelled in truth["objects"]:
        for number, box in labelled["boxes"].items():
            frame = int(number) - first
            if 0 <= frame < end - first and box[2] - box[0] >= MIN_WIDTH[labelled["kind"]]:
                checked.add(labelled["id"])
                if _share_covered(box, frame, tracks) < COVERED:
                    uncovered.append((labelled["id"], int(number)))
    assert not uncovered
    assert len(checked) == objects


def _cut(first: int, end: int, path: Path) -> Path:
    """Frames of the clip as they are, from one key frame to another."""
    source = ["-ss", f"{first / RATE:.3f}", "-i", SAMPLES / "street.mp4", "-map", "0:v"]
    span = ["-frames:v", str(end - first), "-c", "copy", path]
    subprocess.run(["ffmpeg", "-v", "error", *source, *span], check=True)
    return path


def _mask(clip: Path, out: Path, frames: int) -> list[dict[str, Any]]:
    """The tracks, on that many frames."""
    detector = torch_engine.TorchDetector(weights.read(default_folder()), torch_engine.device_named("cpu"))
    settings = Settings(link=TrackSettings(detector.thresholds))
    (outcome,) = Batch(OutputFolder(out), detector, settings, _silent).run(inbox.plan([clip], out))
    assert outcome.status is VideoStatus.MASKED, outcome.reason
    made = json.loads((out / "street.tracks.json").read_bytes())
    assert len(made["pts"]) == frames
    tracks: list[dict[str, Any]] = made["tracks"]
    return tracks


def _silent(_fact: ProgressEvent) -> None:
    pass


def _share_covered(box: list[float], frame: int, tracks: list[dict[str, Any]]) -> float:
    """Share of a box that lies under the masks of a frame, counted on a grid of its points."""
    x, y = (np.linspace(near, far, 20) for near, far in ((box[0], box[2]), (box[1], box[3])))
    under = np.zeros((20, 20), bool)
    for track in tracks:
        if track["first"] <= frame < track["end"]:
            x0, y0, x1, y1 = track["boxes"][frame - track["first"]]
            under |= ((y >= y0) & (y <= y1))[:, None] & ((x >= x0) & (x <= x1))
    return float(under.mean())
