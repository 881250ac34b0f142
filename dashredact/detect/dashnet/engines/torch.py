"""Runs dashnet with PyTorch, on a CPU or a CUDA device."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dashredact.detect.dashnet import canary as canaries
from dashredact.detect.dashnet import preprocess
from dashredact.detect.dashnet.canary import Canary
from dashredact.detect.dashnet.network import Candidates
from dashredact.detect.dashnet.weights import Weights
from dashredact.detect.nms import nms
from dashredact.errors import MachineError, UsageError
from dashredact.kinds import KINDS, Kind
from dashredact.values import LOWEST_SCORE, Detections, ModelIdentity, Picture

_OVERLAP = 0.5  # IoU above which the weaker of two boxes of a class is dropped
_MAX_CANDIDATES = 4000  # of a picture; each face of a crowd gives several
_BATCH = {"cpu": 4, "cuda": 16}
_MAX_CANARY_DRIFT = 0.1  # of the score, by reduced precision


class TorchDetector:
    """Detects the classes of its weights. Must not be used by two threads at once."""

    def __init__(
        self,
        weights: Weights,
        device: torch.device,
        batch_size: int | None = None,
        long_side: int | None = None,
        lowest_score: float = LOWEST_SCORE,
    ) -> None:
        """MachineError if the canary is not detected: a detector that silently finds nothing must not start."""
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
    def detail(self) -> int:
        return self.long_side

    @property
    def description(self) -> str:
        """Device and precision, such as `cpu bfloat16`."""
        return f"{self.device} {str(self.dtype).removeprefix('torch.')}"

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        detections: list[Detections] = []
        while len(detections) < len(pictures):
            try:
                detections += self._detect(pictures[len(detections) : len(detections) + self.batch_size])
            except (torch.OutOfMemoryError, MemoryError):
                self._halve()
        return detections

    def _halve(self) -> None:
        if self.batch_size == 1:
            raise MachineError(
                f"There is not enough memory on {self.device} for one picture; use another --device or a smaller"
                " --detect-size."
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
                f"The detector {self.identity.name} returned NaN or infinity on {self.device} in {self.dtype}; use"
                " another --device."
            )
        return [self._decide(Candidates(*one), height, width) for one in zip(*candidates, strict=True)]

    def _decide(self, candidates: Candidates, height: int, width: int) -> Detections:
        """candidates: of one picture, without the batch dimension."""
        boxes, classes, scores = _best(candidates, height, width, self._lowest_score)
        return Detections(np.zeros(len(boxes), np.int32), self._kinds[classes], boxes, scores)

    def _check_precision(self, canary: Canary) -> None:
        """Detect the canary in full precision, then use the faster one of the device if its scores are the same."""
        canaries.check(canary, self, str(self.device))
        full = canaries.scores(canary, self._detect([canary.picture])[0])
        fast = _fast_dtype(self.device)
        self._network, self.dtype = self._network.to(fast), fast
        again = canaries.scores(canary, self._detect([canary.picture])[0])
        difference = max(abs(a - b) for a, b in zip(full, again, strict=True))
        if difference > _MAX_CANARY_DRIFT:
            self._network, self.dtype = self._network.to(torch.float32), torch.float32


def _best(
    candidates: Candidates, height: int, width: int, lowest_score: float
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Boxes (N, 4) x0 y0 x1 y1 clipped to the picture, class numbers (N,) and scores (N,), without duplicates."""
    scores, classes = candidates.logits.sigmoid().max(-1)
    best = scores.topk(min(_MAX_CANDIDATES, len(scores))).indices
    best = best[scores[best] >= lowest_score]
    edges = candidates.boxes.new_tensor([width, height, width, height])
    boxes = candidates.boxes[best].clamp(min=0).minimum(edges).float().cpu().numpy()
    best_classes, best_scores = classes[best].cpu().numpy(), scores[best].float().cpu().numpy()
    kept = nms(boxes, best_scores, best_classes, _OVERLAP)
    return boxes[kept], best_classes[kept], best_scores[kept]


def device_named(name: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:N`. A device that is missing is an error: a silent fallback would hide it."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"{name} is not a device; use auto, cpu, cuda or cuda:N.") from None
    if device.type not in _BATCH:
        raise UsageError(f"{name} is not a device that this tool supports; use auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise MachineError(f"There is no {name} on this machine; use --device cpu, or install its driver.")
    return device


def _fast_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if cpu_has_bfloat16() else torch.float32


def cpu_has_bfloat16() -> bool:
    """Whether it has native instructions: emulated bfloat16 is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _keep_freed_memory() -> None:
    """Let glibc keep the large buffers of the network instead of returning them to the system after every layer.

    Otherwise each is mapped again, and the page faults take as long as the arithmetic (20 ms against 12 ms for a
    1280x736 picture on two cores).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 1 << 30)
    mallopt(m_trim_threshold, (1 << 31) - 1)
