"""The detector that the journey is handed: weights on a device, batches in, boxes out."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dashredact.detect.dashnet import preprocess
from dashredact.detect.dashnet.canary import Canary
from dashredact.detect.dashnet.network import Candidates
from dashredact.detect.dashnet.weights import Weights
from dashredact.detect.nms import batched_nms
from dashredact.errors import MachineError, UsageError
from dashredact.imaging.boxes import iou
from dashredact.kinds import KINDS, Kind
from dashredact.values import LOWEST_SCORE, Detections, ModelIdentity, Picture

_OVERLAP = 0.5  # of two boxes of a class from which the weaker one goes
_MOST = 4000  # candidates of a picture that are compared with each other; each face of a crowd brings several
_BATCH = {"cpu": 4, "cuda": 16}
_CANARY_OVERLAP = 0.4
_CANARY_DRIFT = 0.1  # score that reduced precision may cost


class TorchDetector:
    """Finds the classes of its weights. Not for use by two threads at once."""

    def __init__(
        self,
        weights: Weights,
        device: torch.device,
        batch_size: int | None = None,
        long_side: int | None = None,
        lowest_score: float = LOWEST_SCORE,
    ) -> None:
        """MachineError if the canary is not found: a detector that is silently inert must not start."""
        self.identity: ModelIdentity = weights.manifest.identity
        self.thresholds: dict[Kind, float] = dict(weights.manifest.thresholds)
        self.long_side = long_side or weights.manifest.long_side
        self.batch_size = batch_size or _BATCH[device.type]
        self.device = device
        self._lowest_score = lowest_score
        self._kinds = np.array([KINDS.index(kind) for kind in weights.manifest.classes], np.int8)
        if device.type == "cpu":
            _keep_freed_memory()
        self._network = weights.network.fold().to(device).to(memory_format=torch.channels_last)
        self.dtype = torch.float32
        self._check_precision(weights.canary)

    @property
    def description(self) -> str:
        """`cpu bfloat16`"""
        return f"{self.device} {str(self.dtype).removeprefix('torch.')}"

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        found: list[Detections] = []
        while len(found) < len(pictures):
            try:
                found += self._detect(pictures[len(found) : len(found) + self.batch_size])
            except (torch.OutOfMemoryError, MemoryError):
                self._halve()
        return found

    def _halve(self) -> None:
        if self.batch_size == 1:
            raise MachineError(
                f"There is not enough memory on {self.device} for one picture; use another --device."
            ) from None
        self.batch_size //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        height, width = pictures[0].shape[:2]
        candidates = self._network(preprocess.batch(pictures, self.device, self.dtype))
        if not all(values.isfinite().all() for values in candidates):
            raise MachineError(
                f"The detector {self.identity.name} answers with numbers that are none on {self.device} in"
                f" {self.dtype}; use another --device."
            )
        return [self._decide(Candidates(*one), height, width) for one in zip(*candidates, strict=True)]

    def _decide(self, candidates: Candidates, height: int, width: int) -> Detections:
        """candidates: of one picture, without the batch dimension."""
        boxes, classes, scores = _best(candidates, height, width, self._lowest_score)
        return Detections(np.zeros(len(boxes), np.int32), self._kinds[classes], boxes, scores)

    def _check_precision(self, canary: Canary) -> None:
        """Find the canary in full precision, then use the device's faster one if it finds the same."""
        full = self._canary_scores(canary)
        for kind, score in zip(canary.kinds, full, strict=True):
            if score < self.thresholds[kind]:
                raise MachineError(
                    f"The detector {self.identity.name} does not find a known {kind} on {self.device}"
                    f" (score {score:.2f}), so it cannot be trusted there; use another --device or other weights."
                )
        fast = _fast_dtype(self.device)
        self._network, self.dtype = self._network.to(fast), fast
        drift = max(abs(a - b) for a, b in zip(full, self._canary_scores(canary), strict=True))
        if drift > _CANARY_DRIFT:
            self._network, self.dtype = self._network.to(torch.float32), torch.float32

    def _canary_scores(self, canary: Canary) -> list[float]:
        """Best score of a detection that lies on each known object, 0 where there is none."""
        found = self._detect([canary.picture])[0]
        overlap = iou(canary.boxes, found.boxes.astype(np.float64))
        scores = []
        for row, kind in zip(overlap, canary.kinds, strict=True):
            on_it = (row >= _CANARY_OVERLAP) & (found.kinds == KINDS.index(kind))
            scores.append(float(found.scores[on_it].max(initial=0.0)))
        return scores


def _best(
    candidates: Candidates, height: int, width: int, lowest_score: float
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Boxes (N, 4) x0 y0 x1 y1 inside the picture, class numbers (N,) and scores (N,); each object once."""
    scores, classes = candidates.logits.sigmoid().max(-1)
    best = scores.topk(min(_MOST, len(scores))).indices
    best = best[scores[best] >= lowest_score]
    edges = candidates.boxes.new_tensor([width, height, width, height])
    boxes = candidates.boxes[best].clamp(min=0).minimum(edges)
    kept = batched_nms(boxes, scores[best], classes[best], _OVERLAP)
    chosen = best[kept]
    return boxes[kept].float().cpu().numpy(), classes[chosen].cpu().numpy(), scores[chosen].float().cpu().numpy()


def device_named(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:N`. Asking for what is not there is an error: falling back would hide it."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"{name} is no device; use auto, cpu, cuda or cuda:N.") from None
    if device.type not in _BATCH:
        raise UsageError(f"{name} is no device that this tool uses; use auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise MachineError(f"There is no {name} on this machine; use --device cpu, or make its driver work.")
    return device


def _fast_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32


def _cpu_has_bfloat16() -> bool:
    """Native instructions only: emulated bfloat16 is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _keep_freed_memory() -> None:
    """Let the allocator keep the network's large buffers instead of giving them back after every layer.

    glibc maps each one afresh otherwise, and the page faults take as long as the arithmetic (20 ms against 12 ms
    for a 1280x736 picture on two cores).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 1 << 30)
    mallopt(m_trim_threshold, (1 << 31) - 1)
