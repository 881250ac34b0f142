"""One training step and the checkpoint: the network, its running average and the optimiser."""

import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dashredact.detect.dashnet.network import DashNet, points

from .augment import CANVAS
from .loader import Batch
from .loss import Losses, Truth, losses
from .measure import autocast, channels_last, read_network

_DECAY, _NORM, _WARM_UP, _LAST_RATE, _WEIGHT_DECAY = 0.999, 10.0, 150, 0.02, 0.01


@dataclass(frozen=True)
class Options:
    """What the command line sets; times in minutes."""

    data: Path
    run: Path
    out: Path | None
    start: Path | None
    resume: bool
    minutes: float
    steps: int
    batch: int
    rate: float
    workers: int
    threads: int
    device: str
    seed: int


class Trainer:
    """A network, its running average and the optimiser, with what a checkpoint needs."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.device = torch.device(options.device)
        net = read_network(options.start) if options.start else DashNet()
        self.net = channels_last(net.to(self.device)).train()
        self.average: DashNet = copy.deepcopy(self.net).eval()
        self.optimiser = torch.optim.AdamW(_groups(self.net), lr=options.rate)
        self.points = points(*CANVAS, self.device)
        self.step, self.seen, self._before, self._started = 0, 0, 0.0, time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of training, earlier parts of a resumed run included."""
        return self._before + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        return max(self.step / self.options.steps, self.elapsed / (60 * self.options.minutes))

    def learn(self, batch: Batch) -> Losses:
        """One step on one batch."""
        pixels, boxes, labels, roles, counts = batch
        parts = (torch.split(tensor.to(self.device), counts) for tensor in (boxes, labels, roles))
        truths = [Truth(*part) for part in zip(*parts, strict=True)]
        with autocast(self.device):
            out = self.net(pixels.to(self.device).permute(0, 3, 1, 2).float())
        loss = losses(out, self.points, truths)
        self._descend(loss.score + loss.box)
        self.step, self.seen = self.step + 1, self.seen + len(pixels)
        return Losses(loss.score.detach(), loss.box.detach())

    def _descend(self, loss: Tensor) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.rate * schedule(self.step, self.progress)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), _NORM)
        self.optimiser.step()
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - _DECAY)
            else:
                mean.copy_(value)

    def save(self) -> None:
        """Write the checkpoint at once or not at all."""
        state = {
            "model": self.net.state_dict(),
            "ema": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": torch.get_rng_state(),
            "step": self.step,
            "seen": self.seen,
            "elapsed": self.elapsed,
            "seed": self.options.seed,
        }
        part = checkpoint(self.options.run).with_suffix(".part")
        torch.save(state, part)
        part.replace(checkpoint(self.options.run))

    def restore(self) -> None:
        """Go on from the run's checkpoint."""
        state: dict[str, Any] = torch.load(checkpoint(self.options.run), map_location="cpu", weights_only=True)
        self.net.load_state_dict(state["model"])
        self.average.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["rng"])
        self.step, self.seen, self._before = state["step"], state["seen"], state["elapsed"]
        self._started = time.monotonic()


def checkpoint(run: Path) -> Path:
    return run / "checkpoint.pt"


def schedule(step: int, progress: float) -> float:
    """Factor of the peak learning rate."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return min(1.0, (step + 1) / _WARM_UP) * (_LAST_RATE + (1 - _LAST_RATE) * cosine)


def _groups(net: nn.Module) -> list[dict[str, Any]]:
    """Weight decay for convolution kernels only, not for norms and biases."""
    kernels = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
    return [{"params": kernels, "weight_decay": _WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
