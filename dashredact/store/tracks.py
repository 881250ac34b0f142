"""The tracks file: every box of every frame, for people and for other tools (docs/schemas/tracks-1.json)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dashredact.facts import VideoFacts
from dashredact.values import ORIGINS, Array, Kind, ModelIdentity, Origin, Track


class MaskedVideo(Protocol):
    """What a tracks file is written from."""

    @property
    def facts(self) -> VideoFacts: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        ...

    @property
    def pts(self) -> NDArray[np.int64]:
        """(frames,) in the source's time base."""
        ...

    @property
    def tracks(self) -> Sequence[Track]: ...


SCHEMA = "dashredact/tracks/1"


def encode(video: MaskedVideo, *, source_sha256: str, model: ModelIdentity) -> bytes:
    head = _text(
        {
            "schema": SCHEMA,
            "source": {"name": video.facts.name, "sha256": source_sha256},
            "model": {"name": model.name, "sha256": model.sha256},
            "width": video.size[0],
            "height": video.size[1],
            "time_base": str(video.facts.video.time_base),
            "pts": video.pts.tolist(),
        }
    )
    # Track by track: the boxes of a long video as Python objects would take a gigabyte.
    return f'{head[:-1]},"tracks":[{",".join(_text(_fields(track)) for track in video.tracks)}]}}'.encode()


def _text(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _fields(track: Track) -> dict[str, object]:
    return {
        "id": track.id,
        "kind": track.kind,
        "first": track.first,
        "end": track.end,
        "boxes": np.round(track.boxes, 1).tolist(),
        "origins": [[ORIGINS[number], len(list(run))] for number, run in groupby(track.origins)],
        "scores": [round(float(score), 3) for score in track.scores],
    }


@dataclass(frozen=True)
class TracksFile:
    """What a tracks file holds."""

    source_sha256: str
    model: ModelIdentity
    size: tuple[int, int]
    """width and height of the upright picture"""
    time_base: Fraction
    pts: NDArray[np.int64]
    """(frames,) rising"""
    tracks: Sequence[Track]

    @property
    def times(self) -> Array:
        """(frames,) seconds since the first frame."""
        return np.asarray((self.pts - self.pts[0]) * float(self.time_base))


def decode(content: bytes) -> TracksFile:
    """ValueError where it is no tracks file of ours, or its parts do not fit together."""
    try:
        told = json.loads(content)
        if told["schema"] != SCHEMA:
            raise ValueError(f"schema {told['schema']} is not {SCHEMA}")
        pts = np.array(told["pts"], np.int64)
        tracks = [_track(fields, len(pts)) for fields in told["tracks"]]
        size, model = (int(told["width"]), int(told["height"])), told["model"]
        identity = ModelIdentity(model["name"], model["sha256"])
        if min(size) < 1 or not len(pts) or (np.diff(pts) <= 0).any():
            raise ValueError("its picture or its times are not possible")
        return TracksFile(told["source"]["sha256"], identity, size, Fraction(told["time_base"]), pts, tracks)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, RecursionError, OverflowError) as error:
        raise ValueError(f"is no tracks file ({type(error).__name__}: {error})") from None


def _track(fields: dict[str, Any], frames: int) -> Track:
    lengths = [int(length) for _, length in fields["origins"]]
    numbers = [ORIGINS.index(Origin(origin)) for origin, _ in fields["origins"]]
    boxes = np.array(fields["boxes"], np.float64)
    origins, scores = np.repeat(np.array(numbers, np.int8), lengths), np.array(fields["scores"], np.float32)
    first, end = int(fields["first"]), int(fields["end"])
    if not 0 <= first < end <= frames or boxes.shape != (end - first, 4):
        raise ValueError(f"track {fields['id']} has {len(boxes)} boxes for frames {first} to {end} of {frames}")
    if not len(origins) == len(scores) == len(boxes) or not np.isfinite(boxes).all():
        raise ValueError(f"the parts of track {fields['id']} do not fit together")
    return Track(int(fields["id"]), Kind(fields["kind"]), first, boxes, origins, scores)
