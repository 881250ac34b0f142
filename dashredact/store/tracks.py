"""The tracks file: every box of every frame, for people and for other tools (docs/schemas/tracks-1.json)."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dashredact.facts import VideoFacts
from dashredact.values import ORIGINS, ModelIdentity, Track


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
