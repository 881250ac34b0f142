"""Videos from real cameras and editors, where they lie beside the project: each ends masked or with a reason."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from clips import Finder
from conftest import SETTINGS

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.pipeline.outcome import VideoStatus
from dashredact.settings import Damaged, Keep
from dashredact.values import Detections, Picture
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

FOLDER = Path(os.environ.get("DASHREDACT_TEST_MEDIA") or Path(__file__).resolve().parents[2] / "shared" / "media")
FILES = sorted(path for part in ("driving", "street", "odd") for path in (FOLDER / part).glob("*") if path.is_file())

pytestmark = [
    pytest.mark.real_media,
    pytest.mark.skipif(not FILES, reason=f"there is no folder of real videos at {FOLDER}"),
]

REFUSED = {
    "dci_viofo_coldstart.mp4",
    "decord_corrupted.mp4",
    "media3_invalid-bitstream.webm",
    "mediaarea_Empty.mov",
    "mediaarea_Junk.mov",
    "mediaarea_mdatZeroed_2Tracks2Video.mov",
    "sajad_dumy.mp4",
    "streamio_broken.mp4",
    "torchcodec_nasa_13013.mp4",
}
"""What cannot, or must not, be masked without being asked."""


@dataclass
class FixedBox(Finder):
    """Sees a face in the middle of every picture."""

    long_side: int = 160
    batch_size: int = 16
    share: float = field(default=0.25)

    def _find(self, picture: Picture) -> Detections:
        height, width = picture.shape[:2]
        box = np.array([[width, height, width, height]]) * [0.5 - self.share / 2] * 2
        box[:, 2:] += np.array([width, height]) * self.share
        return Detections(
            np.zeros(1, np.int32), np.zeros(1, np.int8), box.astype(np.float32), np.full(1, 0.9, np.float32)
        )


def _run(source: Path, out: Path, **changed: Any) -> Any:
    settings = replace(SETTINGS, segment_seconds=2.0, **changed)
    (outcome,) = Batch(OutputFolder(out), FixedBox(), settings, lambda _: None).run(inbox.plan([source], out))
    return outcome


def _times(path: Path, index: int) -> list[float]:
    return clips.contents(path).times(index)


_LARGE = 1_000_000  # bytes of an odd file that takes long


def _source(path: Path) -> Any:
    """Most odd files are small, and each is odd in its own way; of the ordinary ones a few do for every day."""
    ordinary = [one for one in FILES if one.parent.name != "odd"]
    slow = path.stat().st_size > _LARGE if path.parent.name == "odd" else path not in ordinary[::3]
    return pytest.param(path, id=path.name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("source", [_source(path) for path in FILES])
def test_real_video_ends_masked_or_with_a_reason(source: Path, tmp_path: Path) -> None:
    digest = files.sha256(source)
    outcome = _run(source, tmp_path, audio=Keep.KEEP)
    assert outcome.status is not VideoStatus.BUG, outcome.reason
    if source.name in REFUSED:
        assert outcome.status in (VideoStatus.FAILED, VideoStatus.REFUSED)
        assert source.name in outcome.reason
        assert not list(tmp_path.glob("*.masked.*"))
    else:
        assert outcome.status is VideoStatus.MASKED, outcome.reason
        index = int(outcome.record["streams"]["kept"][0].split()[0].removeprefix("#"))
        before, after = _times(source, index), clips.contents(outcome.output).times()
        assert len(before) == len(after)
        assert np.abs(np.array(before) - after).max() <= 0.001
    assert list(chain.verify(audit_log.read(tmp_path / audit_log.NAME).lines)) == []
    assert files.sha256(source) == digest


@pytest.mark.parametrize("name", ["odd/decord_corrupted.mp4"])
def test_damaged_real_video_can_be_salvaged(name: str, tmp_path: Path) -> None:
    source = FOLDER / name
    if not source.exists():
        pytest.skip(f"{name} is not there")
    outcome = _run(source, tmp_path, damaged=Damaged.SALVAGE)
    assert outcome.status is VideoStatus.NEEDS_REVIEW, outcome.reason
    assert outcome.record["frames"]["lost_at"]
    assert len(clips.contents(outcome.output).times()) == outcome.record["frames"]["out"] >= 30


def test_packets_that_hold_a_field_each_lose_none_in_another_container(tmp_path: Path) -> None:
    """An MP4 states how many fields there are a second, and not in which order they are shown."""
    original, source = FOLDER / "odd" / "mdx_field_packets.mts", tmp_path / "fields.mp4"
    if not original.exists():
        pytest.skip("mdx_field_packets.mts is not there")
    clips.ffmpeg("-i", original, "-map", "0:v", "-c", "copy", source)
    outcome = _run(source, tmp_path)
    assert outcome.status is VideoStatus.MASKED, outcome.reason
    assert outcome.record["frames"]["out"] == len(_times(source, 0))


def test_one_of_two_real_videos_can_be_chosen(tmp_path: Path) -> None:
    source = FOLDER / "odd" / "torchcodec_nasa_13013.mp4"
    if not source.exists():
        pytest.skip("torchcodec_nasa_13013.mp4 is not there")
    index = [stream["index"] for stream in clips.contents(source).streams if stream["codec_type"] == "video"][1]
    outcome = _run(source, tmp_path, video_stream=index)
    assert outcome.status is VideoStatus.MASKED, outcome.reason
    before, after = _times(source, index), clips.contents(outcome.output).times()
    assert np.abs(np.array(before) - after).max() <= 0.001
