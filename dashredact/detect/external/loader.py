"""The detector of a command line with --model: the given models, and the shipped one for what they do not find."""

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

_STRONG, _PIXELS, _SCORE = 0.3, 1.0, 0.02  # what has to come again, and how nearly


def left_to(shipped: Manifest, models: Sequence[ModelSpec]) -> frozenset[Kind]:
    """Kinds that the shipped model finds and none of the others."""
    return frozenset(shipped.classes).difference(*(model.kinds for model in models))


def described(shipped: Manifest, models: Sequence[ModelSpec]) -> Manifest:
    """What can be said of them all before any is loaded. The shipped one counts where it is needed."""
    rest = left_to(shipped, models)
    parts = [(model.identity, model.thresholds, model.kinds, model.long_side) for model in models]
    if rest:
        parts.append((shipped.identity, shipped.thresholds, rest, shipped.long_side))
    return replace(
        shipped,
        identity=ensemble.identity([identity for identity, *_ in parts]),
        thresholds=ensemble.thresholds([(thresholds, kinds) for _, thresholds, kinds, _ in parts]),
        long_side=max(long_side for *_, long_side in parts),
    )


def load(
    models: Sequence[ModelSpec],
    shipped: Manifest,
    load_shipped: Callable[[], Detector],
    device: str,
    batch_size: int | None = None,
    lowest_score: float = LOWEST_SCORE,
) -> Detector:
    """MachineError where a model cannot be used or does not answer steadily."""
    members = []
    for model in models:
        detector = _loaded(model, device, batch_size, lowest_score)
        check(detector, model.name)
        members.append(ensemble.Member(detector, model.kinds))
    if rest := left_to(shipped, models):
        members.append(ensemble.Member(load_shipped(), rest))
    return members[0].detector if len(members) == 1 else ensemble.EnsembleDetector(members)


def _loaded(model: ModelSpec, device: str, batch_size: int | None, lowest_score: float) -> Detector:
    if model.form is ModelFormat.TORCHSCRIPT:
        from dashredact.detect.dashnet.engines import torch as torch_engine  # noqa: PLC0415 - torch takes seconds to load
        from dashredact.detect.external import torchscript  # noqa: PLC0415

        return torchscript.TorchScriptDetector(model, torch_engine.device_named(device), batch_size, lowest_score)
    from dashredact.detect.external import onnx_detector  # noqa: PLC0415 - keeps the command line quick

    return onnx_detector.OnnxDetector(model, device, batch_size, lowest_score)


def check(detector: Detector, name: str) -> None:
    """Show it the canary twice: finite numbers of the right shape, and the same ones again.

    Unlike the shipped weights, others need not find the drawn face and plate in it: they may be right not to. So this
    does not tell that the model finds anything.
    """
    try:
        picture = canary.read(default_folder()).picture
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MachineError(f"The canary in {default_folder()} cannot be read ({error}); install it again.") from None
    (first,), (second,) = detector([picture]), detector([picture])
    if not _alike(_strong(first), _strong(second)):
        raise MachineError(
            f"The model {name} gives two answers to one picture, so it cannot be trusted; use another model or another"
            " --device."
        )


def _strong(found: Detections) -> Detections:
    rows = found.scores >= _STRONG
    return Detections(found.frames[rows], found.kinds[rows], found.boxes[rows], found.scores[rows])


def _alike(one: Detections, other: Detections) -> bool:
    return (
        len(one) == len(other)
        and bool((one.kinds == other.kinds).all())
        and np.allclose(one.boxes, other.boxes, atol=_PIXELS)
        and np.allclose(one.scores, other.scores, atol=_SCORE)
    )
