"""Fits the evidence of tracks: how likely the detections of one are of an object.

Run on videos made by `moving` of pictures held out: a detector knows what it learned from too well. Prints the weights
for `dashredact/tracking/evidence.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.evaluate import datasets
from dashredact.evaluate.masking import MarkedFrame, MarkedVideo
from dashredact.evaluate.run import EvaluatedSet, detect_all
from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.settings import TrackSettings
from dashredact.tracking.association import Observations, associate, observations_of
from dashredact.tracking.evidence import features
from dashredact.values import Array

_START = 0.25  # best score of a track from which it is of use: weaker ones are never masked
_ON, _NEAR = 0.3, 0.3  # IoU with an object, share of a box inside a doubtful one
_SHARE = 0.3  # of the detections of a track that lie on objects, from which it is of one
_RIDGE, _ROUNDS = 1e-2, 100


class Case(NamedTuple):
    """A track to learn from."""

    features: Array
    real: bool


def cases(video: MarkedVideo, kind: Kind) -> Iterator[Case]:
    """The tracks of a kind, but those that cannot be told."""
    frames = {frame.index: frame for frame in video.frames}
    found = observations_of(video.detections, KINDS.index(kind), TrackSettings.weakest)
    for rows in associate(found, video.times, _START, TrackSettings()):
        track = found.take(rows)
        on, doubtful = _lies_on(track, frames, kind)
        if track.scores.max() >= _START and (on >= _SHARE or not (on or doubtful)):
            yield Case(features(track.scores), on >= _SHARE)


def _lies_on(track: Observations, frames: dict[int, MarkedFrame], kind: Kind) -> tuple[float, bool]:
    """Share of its detections on objects, and whether one lies on something doubtful."""
    on, doubtful = [], False
    for frame, box in zip(track.frames.tolist(), track.boxes, strict=True):
        marked = frames[frame]
        objects = marked.objects[marked.kinds == KINDS.index(kind)]
        on.append(geometry.iou(box[None], objects).max(initial=0.0) >= _ON)
        doubtful |= geometry.ioa(box[None], marked.doubtful).max(initial=0.0) >= _NEAR
    return float(np.mean(on)), bool(doubtful)


def fit(rows: Array, real: NDArray[np.bool_]) -> Array:
    """Weights of the features and the bias: logistic regression by Newton's method, with a small ridge."""
    design, weights = np.column_stack((rows, np.ones(len(rows)))), np.zeros(rows.shape[1] + 1)
    for _ in range(_ROUNDS):
        chances = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (chances - real) / len(real) + _RIDGE * weights
        curve = (design * (chances * (1 - chances))[:, None]).T @ design / len(real) + _RIDGE * np.eye(len(weights))
        weights -= np.linalg.solve(curve, slope)
    return weights


@click.command()
@click.option("--moving", type=click.Path(exists=True, path_type=Path), required=True, help="What `moving` wrote.")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Folder with a manifest.")
def main(moving: Path, weights: Path | None) -> None:
    """Print the weights for each kind."""
    detector = build_detector(DetectorOptions(weights=weights))
    learned: dict[Kind, list[Case]] = {kind: [] for kind in SHIPPED_KINDS}
    for dataset in datasets.read(moving):
        link = TrackSettings(detector.thresholds)
        videos = EvaluatedSet(dataset, detect_all(dataset, detector, lambda _: None), link, detector.long_side).videos
        for kind in SHIPPED_KINDS:
            learned[kind] += [case for video in videos if kind in video.kinds for case in cases(video, kind)]
    for kind, own in learned.items():
        told = fit(np.array([case.features for case in own]), np.array([case.real for case in own]))
        click.echo(
            f"{kind}: {np.round(told, 2).tolist()} from {len(own)} tracks, {sum(case.real for case in own)} real"
        )


if __name__ == "__main__":
    main()
