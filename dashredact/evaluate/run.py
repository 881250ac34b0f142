"""Measures a detector on annotated pictures, and on annotated videos what masks leave uncovered after linking."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.evaluate import datasets, masking, metrics
from dashredact.evaluate.datasets import Dataset, Image
from dashredact.evaluate.masking import MarkedFrame, MarkedVideo, MaskFigures
from dashredact.evaluate.metrics import DetectionMetrics, MatchedDetections
from dashredact.imaging import boxes as geometry
from dashredact.imaging import contact_sheet as sheets
from dashredact.imaging import coverage
from dashredact.kinds import KINDS, Kind
from dashredact.pipeline.path_finder import PathFinder, grey_frame
from dashredact.settings import TrackSettings
from dashredact.tracking.cuts import cuts
from dashredact.tracking.tracks import grown
from dashredact.values import Array, Detections, Detector, Picture, ProgressCallback, ProgressEvent

LOWEST_SCORE = 0.05
"""from which a detection counts for recall at any score, and is written down"""
_Counts = NDArray[np.bool_]


@dataclass(frozen=True)
class Evaluation:
    """Figures of one set, or of all of them together."""

    images: int
    classes: dict[Kind, DetectionMetrics]
    falsely_masked: dict[Kind, float]
    """mean share of a picture that only masks of false detections cover"""
    masking: MaskFigures | None
    """of its videos, as they would be masked; None where no picture is a frame of one"""


class Miss(NamedTuple):
    """An object that no detection matches at the operating threshold."""

    image: Image
    kind: Kind
    box: Array
    """(4,) pixels"""
    size: float


class EvaluatedSet:
    """A set with the detections on its pictures, and how well they match."""

    def __init__(self, dataset: Dataset, detections: Sequence[Detections], link: TrackSettings, long_side: int) -> None:
        """detections: one for each picture, in the set's order, boxes in its pixels.

        link: its thresholds are of the kinds that the detector finds; no other kind is measured.
        long_side: pixels, of the pictures that the detector was given.
        """
        self.dataset, self.detections = dataset, detections
        self.kinds = tuple(kind for kind in KINDS if kind in dataset.labelled and kind in link.thresholds)
        """what is measured"""
        self.link, self._long_side = link, long_side

    @cached_property
    def matched(self) -> dict[Kind, list[MatchedDetections]]:
        """One for each picture, of each kind that is measured."""
        return {kind: [matched for matched, _ in pairs] for kind, pairs in self._matched_and_shares.items()}

    @cached_property
    def falsely_masked(self) -> dict[Kind, list[float]]:
        """Share of each picture that only masks of false detections cover."""
        return {kind: [share for _, share in pairs] for kind, pairs in self._matched_and_shares.items()}

    @cached_property
    def _matched_and_shares(self) -> dict[Kind, list[tuple[MatchedDetections, float]]]:
        pairs = list(zip(self.dataset.images, self.detections, strict=True))
        return {kind: [self._match(kind, image, detections) for image, detections in pairs] for kind in self.kinds}

    def _match(self, kind: Kind, image: Image, detections: Detections) -> tuple[MatchedDetections, float]:
        """And the share of the picture that is falsely masked."""
        own = detections.kinds == KINDS.index(kind)
        boxes, scores = detections.boxes[own].astype(np.float64), detections.scores[own].astype(np.float64)
        wanted = self.wanted(kind, image)
        objects, ignored = image.boxes[wanted], image.boxes[(image.kinds == KINDS.index(kind)) & ~wanted]
        match = metrics.match(boxes, scores, objects, ignored)
        masked = scores >= self.link.thresholds[kind]
        false = masked & ~match.hits & ~match.dropped
        masks = grown(kind, boxes, self.link.grow)
        true = np.concatenate((masks[masked & ~false], objects, ignored))
        share = coverage.falsely_masked(masks[false], true, image.width, image.height)
        return metrics.counted(match, scores, metrics.size(kind, objects)), share

    def wanted(self, kind: Kind, image: Image) -> _Counts:
        """(B,) true for the boxes of the kind that should be found: neither ignored nor tiny."""
        scale = min(1.0, self._long_side / max(image.width, image.height))
        tiny = (image.boxes[:, 2:] - image.boxes[:, :2]).max(1, initial=0.0) * scale < metrics.MIN_SIDE
        return np.asarray((image.kinds == KINDS.index(kind)) & ~image.ignore & ~tiny)

    @cached_property
    def videos(self) -> list[MarkedVideo]:
        """With what was detected on their frames, and followed through them."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, image in enumerate(self.dataset.images):
            if image.video is not None:
                rows[image.video].append(row)
        images = self.dataset.images
        return [self._video(name, sorted(own, key=lambda row: images[row].frame)) for name, own in rows.items()]

    def _video(self, name: str, rows: Sequence[int]) -> MarkedVideo:
        """rows: indices of its pictures in the set, by rising frame."""
        images, finder = [self.dataset.images[row] for row in rows], PathFinder()
        detections = [self.detections[row].shifted(frame) for frame, row in enumerate(rows)]
        for image, found in zip(images, detections, strict=True):
            picture = _scaled(image, _scaled_size(image, self._long_side))
            finder.add(grey_frame(image.time, picture), found, image.width)
        return MarkedVideo(
            name=f"{self.dataset.name}/{name}",
            size=(images[0].width, images[0].height),
            times=np.array([image.time for image in images]),
            detections=Detections.concatenate(detections),
            paths=finder.finish(),
            cuts=cuts(np.array(finder.changes)),
            kinds=self.kinds,
            frames=tuple(self._frame(number, image) for number, image in enumerate(images)),
        )

    def _frame(self, number: int, image: Image) -> MarkedFrame:
        wanted = np.logical_or.reduce([self.wanted(kind, image) for kind in self.kinds])
        objects, names = image.boxes[wanted], self._names(image)[wanted]
        return MarkedFrame(number, objects, image.kinds[wanted], names, image.boxes[~wanted])

    def _names(self, image: Image) -> NDArray[np.str_]:
        """(B,) names of the objects, different for those of other videos and sets; empty where it has none."""
        prefix = f"{self.dataset.name}/{image.video}/"
        return np.array([prefix + name if name else "" for name in image.tracks], np.str_)

    def misses(self) -> Iterator[Miss]:
        """Objects that no detection matches at the operating threshold."""
        for kind, of_kind in self.matched.items():
            for image, matched in zip(self.dataset.images, of_kind, strict=True):
                missed = matched.matched_scores < self.link.thresholds[kind]
                boxes = image.boxes[self.wanted(kind, image)]
                for box, size in zip(boxes[missed], matched.sizes[missed], strict=True):
                    yield Miss(image, kind, box, float(size))


def detect_all(dataset: Dataset, detector: Detector, report: ProgressCallback) -> list[Detections]:
    """The detections on each picture, scaled down to the detector's long side, from `LOWEST_SCORE` up.

    Boxes are in pixels of the picture.
    """
    detections: dict[int, Detections] = {}
    sizes = [_scaled_size(image, detector.detail) for image in dataset.images]
    order = sorted(range(len(sizes)), key=lambda row: sizes[row])
    total = 2 * len(order)  # progress counts a detected frame as half a frame
    for _, group in groupby(order, key=lambda row: sizes[row]):
        for rows in _batches(list(group), detector.batch_size):
            of_batch = detector([_scaled(dataset.images[row], sizes[row]) for row in rows])
            for row, of_picture in zip(rows, of_batch, strict=True):
                detections[row] = _in_image_pixels(of_picture, dataset.images[row], sizes[row])
            report(ProgressEvent(dataset.name, "detect", 2 * len(detections), total))
    return [detections[row] for row in range(len(sizes))]


def _scaled_size(image: Image, long_side: int) -> tuple[int, int]:
    """Width and height of the picture that the detector gets; never enlarged."""
    scale = min(1.0, long_side / max(image.width, image.height))
    return max(round(image.width * scale), 1), max(round(image.height * scale), 1)


def _batches(rows: list[int], size: int) -> Iterator[list[int]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _scaled(image: Image, size: tuple[int, int]) -> Picture:
    picture = datasets.load(image)
    if size == (image.width, image.height):
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _in_image_pixels(detections: Detections, image: Image, size: tuple[int, int]) -> Detections:
    """size: width and height of the scaled picture that they are on."""
    kept = detections.scores >= LOWEST_SCORE
    boxes = geometry.scale(detections.boxes[kept], image.width / size[0], image.height / size[1]).astype(np.float32)
    return Detections(detections.frames[kept], detections.kinds[kept], boxes, detections.scores[kept])


def measure(sets: Sequence[EvaluatedSet], thresholds: dict[Kind, float]) -> Evaluation:
    """The figures of one set or of several together, each kind on the sets that are labelled for it."""
    own = {kind: [one for one in sets if kind in one.kinds] for kind in KINDS}
    own = {kind: holders for kind, holders in own.items() if holders}
    pooled = {kind: metrics.pool(m for one in holders for m in one.matched[kind]) for kind, holders in own.items()}
    shares = {kind: [share for one in holders for share in one.falsely_masked[kind]] for kind, holders in own.items()}
    videos = [video.masked(one.link) for one in sets for video in one.videos]
    return Evaluation(
        images=sum(len(one.dataset.images) for one in sets),
        classes={kind: metrics.figures(kind, matched, thresholds[kind]) for kind, matched in pooled.items()},
        falsely_masked={kind: float(np.mean(values)) if values else 0.0 for kind, values in shares.items()},
        masking=masking.figures(videos) if videos else None,
    )


def contact_sheet(misses: Sequence[Miss]) -> Picture:
    """The largest missed objects on one picture."""
    largest = sorted(misses, key=lambda miss: -miss.size)[: sheets.MAX_TILES]
    tiles = [sheets.tile(datasets.load(miss.image), miss.box, f"{miss.kind} {miss.size:.0f} px") for miss in largest]
    return sheets.sheet(tiles)
