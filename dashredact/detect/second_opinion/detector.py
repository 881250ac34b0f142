"""A detector whose finds are looked at again, closer: each as a crop of the largest picture that there is."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.detect.second_opinion.crops import DETAIL, crop
from dashredact.imaging import boxes as geometry
from dashredact.kinds import KINDS, Kind
from dashredact.values import LOWEST_SCORE, Detections, Detector, ModelIdentity, Picture

LEAST_LOOKED_AT = 0.15
"""Score below which a find is left as it is: it makes no mask by itself."""
MOST_LOOKED_AT = 64
"""Finds of a picture, best first, that are looked at again."""


class Opinion(Protocol):
    """Says what crops show."""

    kinds: tuple[Kind, ...]

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 1 + kinds) chances that each of the crops (N, S, S, 3) shows neither, or one of the kinds."""
        ...


class SecondOpinionDetector:
    """Scores become the first score times the square root of the chance that the second look gives.

    Pictures may be larger than the inner detector takes; it is given them scaled down. Must not be used by two threads
    at once.
    """

    def __init__(self, detector: Detector, opinion: Opinion, lowest_score: float = LOWEST_SCORE) -> None:
        self.identity: ModelIdentity = detector.identity
        self.thresholds: dict[Kind, float] = detector.thresholds
        self.long_side = detector.long_side
        self.detail = DETAIL * detector.long_side
        self._inner, self._opinion, self._lowest_score = detector, opinion, lowest_score
        self._columns = {KINDS.index(kind): 1 + column for column, kind in enumerate(opinion.kinds)}

    @property
    def batch_size(self) -> int:
        return self._inner.batch_size

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        found = self._inner([self._scaled_down(picture) for picture in pictures])
        on_pictures = [self._on_picture(one, picture) for one, picture in zip(found, pictures, strict=True)]
        rows = [self._doubtful(one) for one in on_pictures]
        crops = [
            crop(picture, box)
            for picture, one, own in zip(pictures, on_pictures, rows, strict=True)
            for box in one.boxes[own].astype(np.float64)
        ]
        chances = self._opinion(np.stack(crops)) if crops else np.empty((0, 1 + len(self._opinion.kinds)), np.float32)
        ends = np.cumsum([len(own) for own in rows])[:-1]
        parts = np.split(chances, ends)
        return [self._judged(one, own, part) for one, own, part in zip(on_pictures, rows, parts, strict=True)]

    def _scaled_down(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        scale = self.long_side / max(width, height)
        if scale >= 1:
            return picture
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _on_picture(self, found: Detections, picture: Picture) -> Detections:
        """With boxes in pixels of the large picture."""
        height, width = picture.shape[:2]
        scale = max(max(width, height) / self.long_side, 1.0)
        boxes = geometry.clip(found.boxes.astype(np.float64) * scale, width, height).astype(np.float32)
        return Detections(found.frames, found.kinds, boxes, found.scores)

    def _doubtful(self, found: Detections) -> NDArray[np.intp]:
        """Rows that are looked at again."""
        known = np.isin(found.kinds, list(self._columns))
        rows = np.flatnonzero(known & (found.scores >= LEAST_LOOKED_AT))
        return rows[np.argsort(-found.scores[rows], kind="stable")[:MOST_LOOKED_AT]]

    def _judged(self, found: Detections, rows: NDArray[np.intp], chances: NDArray[np.float32]) -> Detections:
        """Best score first, without those below the lowest."""
        scores = found.scores.copy()
        columns = [self._columns[int(kind)] for kind in found.kinds[rows]]
        scores[rows] *= np.sqrt(chances[np.arange(len(rows)), columns])
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._lowest_score]
        return Detections(found.frames[order], found.kinds[order], found.boxes[order], scores[order])
