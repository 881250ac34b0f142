"""A `Detector` around a TorchScript file: EgoBlur Gen1, one picture a call, and Gen2, many.

Such a file is code. Nobody gets here without having said that it is trusted.
"""

import io
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dashredact.detect.external.model_spec import ModelSpec
from dashredact.detect.external.onnx_detector import refusal
from dashredact.detect.external.postprocess import ModelOutputError, decide, of_classes, require
from dashredact.errors import MachineError
from dashredact.values import LOWEST_SCORE, Detections, Picture

_Answer = tuple[Tensor, Tensor, Tensor]
"""boxes (N, 4) x0 y0 x1 y1, scores (N,), labels (N,)"""

_BATCH = {"cpu": 1, "cuda": 8}
_FIELDS = {4: (0, 2, 1), 5: (0, 3, 1)}  # boxes, classes, [masks], scores, size: by the length of the answer


class _Many(nn.Module):
    """Asks a Gen2 model from within TorchScript: its answer is of a class that Python does not know."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: list[Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
        batch = [{"image": picture} for picture in pictures]
        answers = self.model.inference(batch, do_postprocess=False)  # type: ignore[operator]
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for answer in answers:
            boxes, scores, labels = answer._pred_boxes, answer._scores, answer._pred_classes
            assert boxes is not None
            assert scores is not None
            assert labels is not None
            found.append((boxes.tensor, scores, labels))
        return found


class TorchScriptDetector:
    """Finds what its model finds. Not for use by two threads at once."""

    def __init__(
        self,
        chosen: ModelSpec,
        device: torch.device,
        batch_size: int | None = None,
        lowest_score: float = LOWEST_SCORE,
    ) -> None:
        """MachineError where the file is of another form."""
        self.identity, self.thresholds, self.long_side = chosen.identity, chosen.thresholds, chosen.long_side
        self._chosen, self._device, self._lowest = chosen, device, lowest_score
        self._model, self._many = _load(chosen, device)
        self.batch_size = (batch_size or _BATCH[device.type]) if self._many else 1

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        found: list[Detections] = []
        while len(found) < len(pictures):
            found += self._detect(pictures[len(found) : len(found) + self.batch_size])
        return found

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        height, width = pictures[0].shape[:2]
        pixels = torch.from_numpy(np.stack(pictures)[..., ::-1].transpose(0, 3, 1, 2).copy()).to(self._device)
        try:
            answers = self._ask(list(pixels))
            require(len(answers) == len(pictures), f"{len(answers)} answers for {len(pictures)} pictures")
            return [self._decide(answer, width, height) for answer in answers]
        except ModelOutputError as misfit:
            raise refusal(self._chosen, misfit) from None
        except RuntimeError as error:  # out of memory is one, and so is everything that fails inside
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1][:200]
            raise MachineError(
                f"The model {self._chosen.name} fails on {self._device} ({reason}); use another model, a smaller"
                " --detect-size or another --device."
            ) from error

    @torch.inference_mode()
    def _ask(self, pixels: list[Tensor]) -> list[_Answer]:
        """pixels: (3, H, W) uint8 BGR each."""
        answers = self._model(pixels) if self._many else [_picked(self._model(one)) for one in pixels]
        return [(boxes.cpu(), scores.cpu(), labels.cpu()) for boxes, scores, labels in answers]

    def _decide(self, answer: _Answer, width: int, height: int) -> Detections:
        boxes, scores, labels = (part.double().numpy() for part in answer)
        fits = boxes.shape == (len(boxes), 4) and scores.shape == labels.shape == (len(boxes),)
        require(fits, f"boxes {boxes.shape}, scores {scores.shape} and labels {labels.shape}")
        require(bool(np.isfinite(boxes).all() and np.isfinite(scores).all()), "numbers that are none")
        return decide(of_classes(boxes, scores, labels, self._chosen.finds, self._lowest), width, height)


def _load(chosen: ModelSpec, device: torch.device) -> tuple[nn.Module, bool]:
    """The model, and whether it takes many pictures."""
    with warnings.catch_warnings():
        for about in (DeprecationWarning, FutureWarning):  # TorchScript is old; these files have no other form
            warnings.simplefilter("ignore", about)
        try:
            model = torch.jit.load(io.BytesIO(chosen.content()), map_location=device)  # type: ignore[no-untyped-call]
            many = hasattr(model, "inference")
            return (torch.jit.script(_Many(model)) if many else model), many
        except (RuntimeError, AttributeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
            raise MachineError(
                f"The model {chosen.name} is no TorchScript file of the EgoBlur form ({reason}); use another."
            ) from None


def _picked(answer: object) -> _Answer:
    """Boxes, scores and labels of what Gen1, or a traced Gen2, answers for one picture."""
    fits = isinstance(answer, tuple | list) and all(isinstance(part, Tensor) for part in answer)
    parts: Sequence[Tensor] = answer if fits else ()  # type: ignore[assignment]
    require(len(parts) in _FIELDS, f"{len(parts)} tensors instead of 4 or 5")
    boxes, scores, labels = (parts[place] for place in _FIELDS[len(parts)])
    return boxes, scores, labels
