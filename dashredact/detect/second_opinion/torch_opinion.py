"""Runs the second opinion with PyTorch, on a CPU or a CUDA device."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load

from dashredact.detect.second_opinion.network import CropNet
from dashredact.errors import MachineError
from dashredact.kinds import Kind

_MOST = 64  # crops at once


class TorchOpinion:
    """Of one network. Must not be used by two threads at once."""

    def __init__(self, network: CropNet, kinds: tuple[Kind, ...], device: torch.device) -> None:
        self.kinds = kinds
        self._device = device
        self._network = network.fold().to(device).to(memory_format=torch.channels_last)

    @classmethod
    def read(cls, path: Path, sha256: str, kinds: tuple[Kind, ...], device: torch.device) -> "TorchOpinion":
        """MachineError if the file is missing, changed or invalid."""
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise MachineError(f"{path} is not the file that its manifest describes; install it again.")
            network = CropNet(classes=len(kinds))
            network.load_state_dict(load(content))
        except OSError as error:
            raise MachineError(f"{path} cannot be read ({error.strerror}); install the weights again.") from None
        except (ValueError, RuntimeError, SafetensorError) as error:
            raise MachineError(f"{path} cannot be used ({error}); install the weights again.") from None
        return cls(network, kinds, device)

    @torch.inference_mode()
    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = []
        for first in range(0, len(crops), _MOST):
            pixels = torch.from_numpy(crops[first : first + _MOST]).to(self._device).permute(0, 3, 1, 2).float()
            logits = self._network(pixels.contiguous(memory_format=torch.channels_last))
            if not logits.isfinite().all():
                raise MachineError(
                    f"The second opinion returned NaN or infinity on {self._device}; use another --device."
                )
            parts.append(logits.softmax(-1).cpu().numpy())
        return np.concatenate(parts)
