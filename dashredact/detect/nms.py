"""Non-maximum suppression: of overlapping boxes of one class, only the one with the best score is kept."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dashredact.values import Array


def nms(
    boxes: Array, scores: NDArray[np.floating], classes: NDArray[np.integer], overlap: float = 0.5
) -> NDArray[np.intp]:
    """Rows of the boxes (N, 4) that are kept, best score first.

    overlap: IoU above which the weaker of two boxes of a class is dropped. Boxes of different classes do not compete.
    """
    if not len(boxes):
        return np.empty(0, np.intp)
    corners_and_sizes = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), 1)
    rows = cv2.dnn.NMSBoxesBatched(corners_and_sizes.tolist(), scores.tolist(), classes.tolist(), 0.0, overlap)
    return np.asarray(rows, np.intp).ravel()
