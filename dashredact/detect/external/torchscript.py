"""A detector around a TorchScript file: EgoBlur Gen1 (one picture a call) and Gen2 (batches).

Such a file is code: nothing here may be called unless the user has said that the file is trusted.
"""

import io
import warnings
from collections.abc import Sequence

import numpy as np
import torch
import torchvision  # noqa: F401 - registers operators that these models use
from torch import Tensor, nn

from dashredact.detect.external.model_spec import ModelSpec
from dashredact.detect.external.postprocess import ModelOutputError, of_classes, require, to_detections, unusable_model
from dashredact.errors import MachineError
from dashredact.values import LOWEST_SCORE, Detections, Picture

_Output = tuple[Tensor, Tensor, Tensor]
"""Of one picture: boxes (N, 4) x0 y0 x1 y1, scores (N,), labels (N,)."""

_BATCH = {"cpu": 1, "cuda": 8}
_GEN1_FIELDS = {4: (0, 2, 1), 5: (0, 3, 1)}
"""Positions of boxes, scores and labels, by the number of tensors: boxes, labels, [masks,] scores, size."""


class _Gen2Wrapper(nn.Module):
    """Unpacks the output of a Gen2 model inside TorchScript, since Python does not know its class."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: list[Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
        batch = [{"image": picture} for picture in pictures]
        outputs = self.model.inference(batch, do_postprocess=False)  # type: ignore[operator]
        unpacked: list[tuple[Tensor, Tensor, Tensor]] = []
        for output in outputs:
            boxes, scores, labels = output._pred_boxes, output._scores, output._pred_classes
            assert boxes is not None
            assert scores is not None
            assert labels is not None
            unpacked.append((boxes.tensor, scores, labels))
        return unpacked


class TorchScriptDetector:
    """Must not be used by two threads at once."""

    def __init__(
        self,
        spec: ModelSpec,
        device: torch.device,
        batch_size: int | None = None,
        lowest_score: float = LOWEST_SCORE,
    ) -> None:
        """MachineError if the file is not an EgoBlur model."""
        self.identity, self.thresholds, self.long_side = spec.identity, spec.thresholds, spec.long_side
        self._spec, self._device, self._lowest_score = spec, device, lowest_score
        self._model, self._takes_batches = _load(spec, device)
        self.batch_size = (batch_size or _BATCH[device.type]) if self._takes_batches else 1

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        detections: list[Detections] = []
        while len(detections) < len(pictures):
            detections += self._detect(pictures[len(detections) : len(detections) + self.batch_size])
        return detections

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        height, width = pictures[0].shape[:2]
        pixels = torch.from_numpy(np.stack(pictures)[..., ::-1].transpose(0, 3, 1, 2).copy()).to(self._device)
        try:
            outputs = self._run(list(pixels))
            require(len(outputs) == len(pictures), f"results for {len(outputs)} of {len(pictures)} pictures")
            return [self._detections(output, width, height) for output in outputs]
        except ModelOutputError as error:
            raise unusable_model(self._spec, error) from None
        except RuntimeError as error:  # raised for lack of memory, and for every error inside the model
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1][:200]
            raise MachineError(
                f"The model {self._spec.name} fails on {self._device} ({reason}); use another model, a smaller"
                " --detect-size or another --device."
            ) from error

    @torch.inference_mode()
    def _run(self, pixels: list[Tensor]) -> list[_Output]:
        """pixels: of each picture, (3, H, W) uint8 BGR."""
        outputs = self._model(pixels) if self._takes_batches else [_gen1_output(self._model(one)) for one in pixels]
        return [(boxes.cpu(), scores.cpu(), labels.cpu()) for boxes, scores, labels in outputs]

    def _detections(self, output: _Output, width: int, height: int) -> Detections:
        boxes, scores, labels = (part.double().numpy() for part in output)
        fits = boxes.shape == (len(boxes), 4) and scores.shape == labels.shape == (len(boxes),)
        require(fits, f"boxes {boxes.shape}, scores {scores.shape} and labels {labels.shape}")
        require(bool(np.isfinite(boxes).all() and np.isfinite(scores).all()), "NaN or infinity")
        candidates = of_classes(boxes, scores, labels, self._spec.class_kinds, self._lowest_score)
        return to_detections(candidates, width, height)


def _load(spec: ModelSpec, device: torch.device) -> tuple[nn.Module, bool]:
    """The model, and whether it takes batches."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):  # TorchScript is deprecated, but these models use it
            warnings.simplefilter("ignore", category)
        try:
            model = torch.jit.load(io.BytesIO(spec.content()), map_location=device)  # type: ignore[no-untyped-call]
            takes_batches = hasattr(model, "inference")
            return (torch.jit.script(_Gen2Wrapper(model)) if takes_batches else model), takes_batches
        except (RuntimeError, AttributeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
            raise MachineError(
                f"The model {spec.name} is not an EgoBlur TorchScript file ({reason}); use another --model."
            ) from None


def _gen1_output(output: object) -> _Output:
    """Unpacks the output of Gen1, or of a traced Gen2, for one picture."""
    is_tensors = isinstance(output, tuple | list) and all(isinstance(part, Tensor) for part in output)
    tensors: Sequence[Tensor] = output if is_tensors else ()  # type: ignore[assignment]
    require(len(tensors) in _GEN1_FIELDS, f"{len(tensors)} tensors instead of 4 or 5")
    boxes, scores, labels = (tensors[position] for position in _GEN1_FIELDS[len(tensors)])
    return boxes, scores, labels
