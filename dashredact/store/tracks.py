"""The tracks file: every box of every frame, for people and for other tools. docs/schemas/tracks-1.json describes it."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dashredact.values import ORIGINS, ModelIdentity, Track, VideoFacts


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
    return json.dumps(
        {
            "schema": SCHEMA,
            "source": {"name": video.facts.name, "sha256": source_sha256},
            "model": {"name": model.name, "sha256": model.sha256},
            "width": video.size[0],
            "height": video.size[1],
            "time_base": str(video.facts.video.time_base),
            "pts": video.pts.tolist(),
            "tracks": [_track(track) for track in video.tracks],
        },
        separators=(",", ":"),
    ).encode()


def _track(track: Track) -> dict[str, object]:
    return {
        "id": track.id,
        "kind": track.kind,
        "first": track.first,
        "end": track.end,
        "boxes": np.round(track.boxes, 1).tolist(),
        "origins": [[ORIGINS[number], len(list(run))] for number, run in groupby(track.origins)],
        "scores": [round(float(score), 3) for score in track.scores],
    }
