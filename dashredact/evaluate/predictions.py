"""The detections on annotated pictures, in the format of an annotation file."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dashredact.evaluate.datasets import Dataset
from dashredact.kinds import KINDS, Kind
from dashredact.values import Array, Detections, Detector


def encode(detector: Detector, results: Sequence[tuple[Dataset, Sequence[Detections]]]) -> bytes:
    """The bytes of the file; every box has its score. results: each set with the detections on each of its pictures."""
    labelled = set().union(*(dataset.labelled for dataset, _ in results)) & detector.thresholds.keys()
    content = {
        "source": {"model": detector.identity.name, "sha256": detector.identity.sha256},
        "labelled": [kind for kind in KINDS if kind in labelled],
        "images": list(_images(results)),
    }
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _images(results: Sequence[tuple[Dataset, Sequence[Detections]]]) -> Iterator[dict[str, Any]]:
    for dataset, detections in results:
        prefix = f"{dataset.name}/" if len(results) > 1 else ""
        for image, of_image in zip(dataset.images, detections, strict=True):
            moment = {"video": prefix + image.video, "frame": image.frame, "time": image.time} if image.video else {}
            rows = zip(of_image.kinds, of_image.boxes.astype(np.float64), of_image.scores, strict=True)
            boxes = [_row(KINDS[kind], box, float(score)) for kind, box, score in rows]
            size = {"width": image.width, "height": image.height}
            yield {"file": prefix + image.file, **size, **moment, "boxes": boxes}


def _row(kind: Kind, box: Array, score: float) -> dict[str, Any]:
    x0, y0, x1, y1 = (round(float(side), 2) for side in box)
    sides = {"x": x0, "y": y0, "w": round(x1 - x0, 2), "h": round(y1 - y0, 2)}
    return {"label": kind, **sides, "score": round(score, 4)}
