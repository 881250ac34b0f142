"""Where a detection goes on, frame by frame, as its path through the pixels and the detections that it meets say."""

import numpy as np

from dashredact.imaging import boxes as geometry
from dashredact.values import LEAST_FOLLOWED, Array, Detections, Paths

_SAME = 0.3  # IoU from which a detection of the same kind on the next frame is of the same object


class Continuations:
    """Of the detections of a video."""

    def __init__(self, detections: Detections, paths: Paths, frames: int) -> None:
        self._detections, self._paths = detections, paths.by_detection()
        self._boxes = detections.boxes.astype(np.float64)
        self._bounds = np.searchsorted(detections.frames, np.arange(frames + 1))

    def boxes(self, row: int, step: int, most: int) -> Array:
        """(n, 4) on the frames after (step 1) or before (-1) that of a detection, at most so many; fewer where the
        object is lost.
        """
        found: list[Array] = []
        while row >= 0 and len(found) < most:
            path = self._paths.get((row, step), np.empty((0, 4)))
            frame = int(self._detections.frames[row])
            found.extend(path)
            before, box = (len(path), path[-1]) if len(path) else (1, self._boxes[row])
            if not len(path):
                found.append(box)
            row = self._met(row, frame + step * before, box)
            if row >= 0:
                found[-1] = self._boxes[row]
            elif not len(path):
                found.pop()
        return np.array(found[:most]).reshape(-1, 4)

    def _met(self, row: int, frame: int, box: Array) -> int:
        """The detection of the same kind that lies best on a box on a frame; -1 where there is none."""
        if not 0 <= frame < len(self._bounds) - 1:
            return -1
        near = np.arange(self._bounds[frame], self._bounds[frame + 1])
        kinds, scores = self._detections.kinds, self._detections.scores
        near = near[(kinds[near] == kinds[row]) & (scores[near] >= LEAST_FOLLOWED)]
        if not len(near):
            return -1
        overlaps = geometry.iou(box[None], self._boxes[near])[0]
        best = int(overlaps.argmax())
        return int(near[best]) if overlaps[best] >= _SAME else -1
