"""Feeds training: endless batches of canvases, made by worker processes."""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from .augment import Sampler, canvas
from .data import Picture, join

Batch = tuple[Tensor, Tensor, Tensor, Tensor, list[int]]
"""uint8 (N, H, W, 3), then boxes, labels and roles of all canvases, then how many boxes each has"""


class Canvases(IterableDataset[Batch]):
    """Endless batches; each worker draws from a seed of its own."""

    def __init__(self, pictures: list[Picture], size: int, seed: tuple[int, ...]) -> None:
        self._sampler, self._size, self._seed = Sampler(pictures), size, seed

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        rng = np.random.default_rng((*self._seed, worker.id if worker else 0))
        while True:
            pixels, objects = zip(*(canvas(self._sampler, rng) for _ in range(self._size)), strict=True)
            every = join(list(objects))
            arrays = (np.stack(pixels), every.boxes, every.labels, every.roles)
            one, two, three, four = (torch.from_numpy(array) for array in arrays)
            yield one, two, three, four, [len(part.boxes) for part in objects]
