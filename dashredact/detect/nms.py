"""torchvision's non-maximum suppression.

Only its compiled operators are loaded: importing the package as a whole also imports torch's compiler, which took 3.7
of the 11 seconds that a short video took.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor


def _load_operators() -> None:
    found = importlib.util.find_spec("torchvision")
    folders = found.submodule_search_locations if found else None
    for library in (path for folder in folders or () for path in sorted(Path(folder).glob("_C*.so"))):
        torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
    if not hasattr(torch.ops.torchvision, "nms"):
        import torchvision  # noqa: F401, PLC0415 - a build that keeps its operators elsewhere knows where they are


_load_operators()


def batched_nms(boxes: Tensor, scores: Tensor, classes: Tensor, overlap: float) -> Tensor:
    """Rows of the boxes (N, 4) that stay, best score first; boxes of different classes do not compete."""
    apart = classes.to(boxes) * (boxes.max() + 1 if len(boxes) else 0)
    kept: Tensor = torch.ops.torchvision.nms(boxes + apart[:, None], scores, overlap)
    return kept
