"""A network in onnxruntime, on the device that was asked for and on no other."""

import logging
import os
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashredact.detect.external.onnx_file import library
from dashredact.errors import MachineError
from dashredact.values import Array

_log = logging.getLogger("dashredact")
_MOST_THREADS = 16
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Session:
    """Takes a batch, gives every output under its name."""

    def __init__(self, name: str, content: bytes, device: str) -> None:
        """device: auto, cpu, cuda or cuda:N. MachineError where the model or the device cannot be used."""
        self._name, self._runtime = name, library("onnxruntime")
        self.device = _device(self._runtime, name, device)
        providers: list[Any] = [_CPU]
        if self.device != "cpu":
            self._runtime.preload_dlls()
            providers.insert(0, (_CUDA, {"device_id": int(self.device.partition(":")[2] or 0)}))
        try:
            self._session = self._runtime.InferenceSession(content, _options(self._runtime), providers=providers)
        except Exception as error:
            raise MachineError(f"The model {name} cannot be loaded ({_first_line(error)}); use another.") from None
        self._session.disable_fallback()
        if self.device != "cpu" and _CUDA not in self._session.get_providers():
            self._without_cuda(name, device)
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]

    def _without_cuda(self, name: str, asked: str) -> None:
        """onnxruntime goes on with the CPU on its own; that is only right where nobody asked for another device."""
        if asked != "auto":
            raise MachineError(
                f"onnxruntime cannot run {name} on {asked}; use --device cpu, or make CUDA and cuDNN work for it."
            )
        _log.warning("onnxruntime cannot use CUDA; %s runs on the CPU.", name)
        self.device = "cpu"

    def __call__(self, pixels: NDArray[Any]) -> dict[str, Array]:
        """pixels: (N, 3, H, W)."""
        try:
            answers = self._session.run(self._names, {self._input: pixels})
        except Exception as error:  # the runtime's own errors have no base of their own
            raise MachineError(
                f"The model {self._name} fails on {'x'.join(map(str, pixels.shape))} numbers ({_first_line(error)});"
                " use another model, --detect-size or --device."
            ) from error
        return {name: np.asarray(answer, np.float64) for name, answer in zip(self._names, answers, strict=True)}


def _device(runtime: ModuleType, name: str, asked: str) -> str:
    offered = _CUDA in runtime.get_available_providers()
    if asked.startswith("cuda") and not offered:
        raise MachineError(
            f"This onnxruntime cannot run {name} on {asked}; use --device cpu, or install onnxruntime-gpu."
        )
    return ("cuda" if offered else "cpu") if asked == "auto" else asked


def _options(runtime: ModuleType) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors: models are full of harmless warnings
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # decoding needs the cores between batches
    return options


def _threads() -> int:
    """As many as we may use, or fewer where OMP_NUM_THREADS says so: onnxruntime does not read it."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    allowed = len(os.sched_getaffinity(0))
    return max(1, min(int(asked) if asked.isdecimal() else allowed, allowed, _MOST_THREADS))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
