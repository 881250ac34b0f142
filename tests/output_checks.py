"""What a masked video and its log line must be, whatever it was made from."""

import json
import stat
from functools import cache
from pathlib import Path
from typing import Any

import clips
import jsonschema
import numpy as np
from clips import LOCATION, MARKER
from conftest import work_left

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.pipeline.outcome import Outcome, VideoStatus

PROJECT = Path(__file__).resolve().parents[1]
WITH_SOUND = {
    "sound.mp4": 1,
    "two sounds.mp4": 2,
    "pcm.mov": 1,
    "opus.mkv": 1,
    "mp3.avi": 1,
    "transport.ts": 1,
    "everything.mp4": 1,
    "everything.mkv": 1,
}
FULL_CHROMA = {"odd.webm", "turned 4-2-2.mp4"}  # where the encoder cannot keep the layout without loss


def output_of(outcome: Outcome) -> Path:
    assert outcome.status is VideoStatus.MASKED, outcome.reason
    assert outcome.output is not None
    return outcome.output


def tracks_of(output: Path) -> dict[str, Any]:
    beside = output.with_name(output.name.split(".masked.")[0] + ".tracks.json")
    told: dict[str, Any] = json.loads(beside.read_text())
    return told


def boxes_on(told: dict[str, Any], frame: int) -> list[list[float]]:
    return [
        track["boxes"][frame - track["first"]] for track in told["tracks"] if track["first"] <= frame < track["end"]
    ]


def outside(told: dict[str, Any], frame: int, margin: int = 10) -> np.ndarray:
    """(height, width) True where no mask is near."""
    free = np.ones((told["height"], told["width"]), bool)
    for x0, y0, x1, y1 in boxes_on(told, frame):
        free[max(int(y0) - margin, 0) : int(y1) + margin + 1, max(int(x0) - margin, 0) : int(x1) + margin + 1] = False
    return free


def check_pictures(source: Path, output: Path) -> None:
    """Frame by frame: no secret, the right frame, the right way up, and the same picture outside the masks."""
    told = tracks_of(output)
    before, after = clips.pictures_of(source), clips.pictures_of(output)
    assert len(before) == len(after) == len(told["pts"])
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        assert one.shape == other.shape == (told["height"], told["width"], 3)
        assert clips.number_on(other) == clips.number_on(one), f"frame {number}"
        leaked = int(clips.secret_pixels(other).sum())
        assert not leaked, f"{leaked} pixels of the secret on frame {number}"
        free = outside(told, number)
        assert free.mean() > 0.2
        difference = np.abs(one.astype(int) - other)[free]
        assert difference.mean() < 5, f"frame {number}"
        assert np.percentile(difference, 99) < 40, f"frame {number}"


def check_cover(source: Path, output: Path) -> None:
    """The boxes of the tracks file hold every pixel of the secret."""
    told = tracks_of(output)
    for number, picture in enumerate(clips.pictures_of(source)):
        covered = ~outside(told, number, margin=0)
        assert not (clips.secret_pixels(picture) & ~covered).any(), f"frame {number}"


def check_times(source: Path, output: Path, stream: int | None = None) -> None:
    before, after = clips.contents(source).times(stream), clips.contents(output).times()
    assert len(before) == len(after)
    assert np.abs(np.array(before) - np.array(after)).max() <= 0.001


def check_form(source: Path, output: Path) -> None:
    """Shape of pixels, depth, chroma layout, colour tags; turning has been done."""
    before, after = clips.contents(source).video(), clips.contents(output).video()
    for name in ("color_range", "color_space", "color_transfer", "color_primaries"):
        assert after.get(name) == before.get(name), name
    layout = "yuv444p" if source.name in FULL_CHROMA else before["pix_fmt"].replace("yuvj", "yuv")
    assert after["pix_fmt"].replace("yuvj", "yuv") == layout
    shape = "3:4" if source.name == "turned flat.mp4" else before.get("sample_aspect_ratio", "1:1")
    assert after.get("sample_aspect_ratio", "1:1") == shape
    assert not any(side.get("rotation") for side in after.get("side_data_list", []))


def check_privacy(output: Path) -> None:
    """Nothing that stood beside the pictures got out, and only the owner may read the file."""
    content = output.read_bytes()
    assert MARKER not in content
    assert LOCATION.encode() not in content
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert clips.contents(output).chapters == 0


def check_books(source: Path, outcome: Outcome, out: Path) -> None:
    """The audit line and the tracks file tell what is there, and the work folder is empty."""
    assert list(chain.verify(audit_log.read(out / audit_log.NAME).lines)) == []
    record = list(audit_log.records(out / audit_log.NAME))[-1]
    check_schema(record, "audit")
    assert (
        record["source"].items()
        >= {
            "name": source.name,
            "sha256": files.sha256(source),
            "bytes": source.stat().st_size,
        }.items()
    )
    output = output_of(outcome)
    assert record["output"]["sha256"] == files.sha256(output)
    assert out / record["output"]["name"] == output
    told = tracks_of(output)
    check_schema(told, "tracks")
    assert record["tracks_file"]["sha256"] == files.sha256(out / record["tracks_file"]["name"])
    assert told["source"]["sha256"] == record["source"]["sha256"]
    assert record["frames"] == {"in": len(told["pts"]), "out": len(told["pts"]), "lost_at": []}
    assert record["verified"]["frames"] == record["verified"]["frames_looked_at"] == len(told["pts"])
    assert record["verified"]["masks_looked_at"] == sum(len(track["boxes"]) for track in told["tracks"]) > 0
    assert work_left(out) == []


def check_schema(content: Any, name: str) -> None:
    """name: audit for a line of the log, tracks for a tracks file; as they are written now."""
    _validator(name).validate(content)


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    paths = {
        "audit": PROJECT / "dashredact/audit/schemas/audit-2.json",
        "tracks": PROJECT / "docs/schemas/tracks-1.json",
    }
    return jsonschema.Draft202012Validator(json.loads(paths[name].read_text()))
