"""What a detector saw on annotated pictures, in the form of an annotation file."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dashredact.evaluate.datasets import Dataset
from dashredact.kinds import KINDS, Kind
from dashredact.values import Array, Detections, Detector


def encode(detector: Detector, found: Sequence[tuple[Dataset, Sequence[Detections]]]) -> bytes:
    """The detections of each set's pictures in the form of an annotation file, every box with its score."""
    labelled = set().union(*(dataset.labelled for dataset, _ in found)) & detector.thresholds.keys()
    content = {
        "source": {"model": detector.identity.name, "sha256": detector.identity.sha256},
        "labelled": [kind for kind in KINDS if kind in labelled],
        "images": list(_predicted(found)),
    }
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _predicted(found: Sequence[tuple[Dataset, Sequence[Detections]]]) -> Iterator[dict[str, Any]]:
    for dataset, answers in found:
        prefix = f"{dataset.name}/" if len(found) > 1 else ""
        for image, answer in zip(dataset.images, answers, strict=True):
            moment = {"video": prefix + image.video, "frame": image.frame, "time": image.time} if image.video else {}
            rows = zip(answer.kinds, answer.boxes.astype(np.float64), answer.scores, strict=True)
            boxes = [_row(KINDS[kind], box, float(score)) for kind, box, score in rows]
            size = {"width": image.width, "height": image.height}
            yield {"file": prefix + image.file, **size, **moment, "boxes": boxes}


def _row(kind: Kind, box: Array, score: float) -> dict[str, Any]:
    x0, y0, x1, y1 = (round(float(side), 2) for side in box)
    sides = {"x": x0, "y": y0, "w": round(x1 - x0, 2), "h": round(y1 - y0, 2)}
    return {"label": kind, **sides, "score": round(score, 4)}
