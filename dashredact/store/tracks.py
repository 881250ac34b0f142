"""The tracks file: every box of every frame, written for people and for other tools. schemas/tracks-1.json describes it."""

import json
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from dashredact.values import ORIGINS, ModelIdentity, Track, VideoFacts

SCHEMA = "dashredact/tracks/1"


def encode(
    tracks: Sequence[Track],
    *,
    facts: VideoFacts,
    source_sha256: str,
    size: tuple[int, int],
    pts: NDArray[np.int64],
    model: ModelIdentity,
) -> bytes:
    """size: width and height of the upright picture. pts: of every frame, in the source's time base."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "source": {"name": facts.name, "sha256": source_sha256},
            "model": {"name": model.name, "sha256": model.sha256},
            "width": size[0],
            "height": size[1],
            "time_base": str(facts.video.time_base),
            "pts": pts.tolist(),
            "tracks": [_track(track) for track in tracks],
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
