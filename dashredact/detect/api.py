"""Builds a detector from options. It loads its weights and runtime when it is first used."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dashredact.detect.dashnet import manifest
from dashredact.detect.dashnet.manifest import Manifest
from dashredact.detect.external import loader
from dashredact.detect.external.model_spec import ModelSpec, parse_model_spec
from dashredact.detect.sliced import TiledDetector
from dashredact.errors import UsageError
from dashredact.kinds import KINDS, Kind
from dashredact.values import LOWEST_SCORE, Detector

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


@dataclass(frozen=True)
class DetectorOptions:
    """Which detector to use, and how."""

    device: str = "auto"
    """auto, cpu, cuda or cuda:N"""
    batch_size: int | None = None
    """number of pictures a batch; None: 4 on a CPU, 16 on a GPU"""
    weights: Path | None = None
    """folder with manifest, weights and canary; None: the shipped one"""
    models: tuple[str, ...] = ()
    """other models, `NAME_OR_PATH[=KIND,...]`, for the kinds that they detect"""
    trust_code: bool = False
    """whether a model may be TorchScript, which is code"""
    long_side: int | None = None
    """of the pictures that the detector gets, in pixels; None: what the model was trained for"""
    tiles: int = 1
    """factor by which pictures are larger when detection runs on overlapping tiles; 1: on whole pictures only"""
    lowest_score: float = LOWEST_SCORE
    """of detections that are returned"""
    wanted: Collection[Kind] | None = None
    """kinds; a model that detects none of them is an error. None: any kinds"""


def build_detector(options: DetectorOptions = DetectorOptions()) -> Detector:
    """UsageError for invalid options, MachineError if weights or a model cannot be used."""
    if not _DEVICE.fullmatch(options.device):
        raise UsageError(f"{options.device} is not a device; use auto, cpu, cuda or cuda:N.")
    described = shipped = manifest.read(options.weights or manifest.default_folder())
    models = [parse_model_spec(text, options.trust_code) for text in options.models]
    for model in models:
        if options.wanted is not None and not model.kinds.intersection(options.wanted):
            detected, wanted = ", ".join(kind for kind in KINDS if kind in model.kinds), ", ".join(options.wanted)
            raise UsageError(
                f"The model {model.name} detects {detected}, but only {wanted} is to be masked; leave the model out, or"
                " name its kinds with --kinds too."
            )
    if models:
        described = loader.described(shipped, models)
    lazy = manifest.LazyDetector(described, partial(_load, shipped, models, options), options.long_side)
    return TiledDetector(lazy, options.tiles) if options.tiles > 1 else lazy


def _load(shipped: Manifest, models: Sequence[ModelSpec], options: DetectorOptions) -> Detector:
    def load_shipped() -> Detector:
        from dashredact.detect.dashnet import canary, weights  # noqa: PLC0415 - importing torch takes seconds
        from dashredact.detect.dashnet.engines import torch as torch_engine  # noqa: PLC0415
        from dashredact.detect.second_opinion.detector import SecondOpinionDetector  # noqa: PLC0415
        from dashredact.detect.second_opinion.torch_opinion import TorchOpinion  # noqa: PLC0415

        device, loaded = torch_engine.device_named(options.device), weights.read(shipped.folder)
        sizes = (options.batch_size, options.long_side, options.lowest_score)
        detector = torch_engine.TorchDetector(loaded, device, *sizes)
        if shipped.opinion is None:
            return detector
        path, kinds = shipped.folder / shipped.opinion.name, shipped.classes
        opinion = TorchOpinion.read(path, shipped.opinion.sha256, kinds, device)
        closer = SecondOpinionDetector(detector, opinion, options.lowest_score)
        canary.check(loaded.canary, closer, str(device))
        return closer

    if not models:
        return load_shipped()
    return loader.load(models, shipped, load_shipped, options.device, options.batch_size, options.lowest_score)
