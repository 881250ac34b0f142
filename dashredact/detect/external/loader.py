"""The detector for --model: the given models, and the shipped one for the kinds that they do not detect."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from dashredact.detect import ensemble
from dashredact.detect.dashnet import canary
from dashredact.detect.dashnet.manifest import Manifest, default_folder
from dashredact.detect.external.formats import ModelFormat
from dashredact.detect.external.model_spec import ModelSpec
from dashredact.errors import MachineError
from dashredact.kinds import Kind
from dashredact.values import LOWEST_SCORE, Detections, Detector

_MIN_SCORE = 0.3  # of detections that are compared ...
_BOX_TOLERANCE, _SCORE_TOLERANCE = 1.0, 0.02  # ... to within so many pixels, and so much of the score


def left_to(shipped: Manifest, models: Sequence[ModelSpec]) -> frozenset[Kind]:
    """The kinds that the shipped model detects and none of the others."""
    return frozenset(shipped.classes).difference(*(model.kinds for model in models))


def described(shipped: Manifest, models: Sequence[ModelSpec]) -> Manifest:
    """The manifest of all models together, before any is loaded; of the shipped one too if it is needed."""
    rest = left_to(shipped, models)
    parts = [(model.identity, model.thresholds, model.kinds, model.long_side) for model in models]
    if rest:
        parts.append((shipped.identity, shipped.thresholds, rest, shipped.long_side))
    return replace(
        shipped,
        identity=ensemble.identity([identity for identity, *_ in parts]),
        thresholds=ensemble.thresholds([(thresholds, kinds) for _, thresholds, kinds, _ in parts]),
        long_side=max(long_side for *_, long_side in parts),
        detail=max(long_side for *_, long_side in parts),
    )


def load(
    models: Sequence[ModelSpec],
    shipped: Manifest,
    load_shipped: Callable[[], Detector],
    device: str,
    batch_size: int | None = None,
    lowest_score: float = LOWEST_SCORE,
) -> Detector:
    """MachineError if a model cannot be used or its results are not repeatable."""
    members = []
    for model in models:
        detector = _loaded(model, device, batch_size, lowest_score)
        check_repeatable(detector, model.name)
        members.append(ensemble.Member(detector, model.kinds))
    if rest := left_to(shipped, models):
        members.append(ensemble.Member(load_shipped(), rest))
    return members[0].detector if len(members) == 1 else ensemble.EnsembleDetector(members)


def _loaded(model: ModelSpec, device: str, batch_size: int | None, lowest_score: float) -> Detector:
    if model.format is ModelFormat.TORCHSCRIPT:
        from dashredact.detect.dashnet.engines import torch as torch_engine  # noqa: PLC0415 - importing torch takes seconds
        from dashredact.detect.external import torchscript  # noqa: PLC0415

        return torchscript.TorchScriptDetector(model, torch_engine.device_named(device), batch_size, lowest_score)
    from dashredact.detect.external import onnx_detector  # noqa: PLC0415 - keeps the command line quick

    return onnx_detector.OnnxDetector(model, device, batch_size, lowest_score)


def check_repeatable(detector: Detector, name: str) -> None:
    """Detect on the canary twice: the results must be valid and the same. MachineError otherwise.

    Other models need not detect the drawn face and plate of the canary, unlike the shipped weights. So this does not
    prove that a model detects anything.
    """
    try:
        picture = canary.read(default_folder()).picture
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MachineError(f"The canary in {default_folder()} cannot be read ({error}); install it again.") from None
    (first,), (second,) = detector([picture]), detector([picture])
    if not _similar(_strong(first), _strong(second)):
        raise MachineError(
            f"The model {name} returned two different results for the same picture and cannot be trusted; use another"
            " model or another --device."
        )


def _strong(detections: Detections) -> Detections:
    return detections.take(detections.scores >= _MIN_SCORE)


def _similar(one: Detections, other: Detections) -> bool:
    return (
        len(one) == len(other)
        and bool((one.kinds == other.kinds).all())
        and np.allclose(one.boxes, other.boxes, atol=_BOX_TOLERANCE)
        and np.allclose(one.scores, other.scores, atol=_SCORE_TOLERANCE)
    )
