"""Trains the default network: packed canvases in, checkpoints on the way, weights and manifest at the end.

The learning rate follows a cosine over steps or over minutes, whichever ends first, so a slow machine ends it too.
"""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from dashredact.detect.network import DashNet, points

from .augment import CANVAS, Sampler, canvas
from .data import Picture, join, load
from .doubts import doubted
from .export import History, export
from .loss import Losses, Truth, losses
from .measure import read_network

_DECAY, _NORM, _WARM_UP, _LAST_RATE = 0.999, 10.0, 150, 0.02
_SAVE_EVERY, _LOG_EVERY = 300.0, 20  # seconds, steps

Batch = tuple[Tensor, Tensor, Tensor, Tensor, list[int]]
"""uint8 (N, H, W, 3), then boxes, labels and ignore flags of all canvases, then how many boxes each has"""


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
    doubt: float


class Canvases(IterableDataset[Batch]):
    """Endless batches; each worker draws from its own seed, which also depends on the step resumed at."""

    def __init__(self, pictures: list[Picture], options: Options, step: int) -> None:
        self._sampler, self._size, self._seed = Sampler(pictures), options.batch, (options.seed, step)

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(0)
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((*self._seed, worker.id if worker else 0))
        while True:
            pixels, objects = zip(*(canvas(self._sampler, rng) for _ in range(self._size)), strict=True)
            every = join(list(objects))
            arrays = (np.stack(pixels), every.boxes, every.labels, every.ignore)
            one, two, three, four = (torch.from_numpy(array) for array in arrays)
            yield one, two, three, four, [len(part.boxes) for part in objects]


class Trainer:
    """A network, its running average and the optimiser, with what a checkpoint needs."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.device = torch.device(options.device)
        net = read_network(options.start) if options.start else DashNet()
        self.net = net.to(self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
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
        pixels, boxes, labels, ignore, counts = batch
        parts = (tensor.to(self.device).split(counts) for tensor in (boxes, labels, ignore))
        truths = [Truth(*part) for part in zip(*parts, strict=True)]
        with torch.autocast(self.device.type, torch.bfloat16):
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
    return [{"params": kernels, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]


def fit(trainer: Trainer, loader: DataLoader[Batch]) -> None:
    """Train until the schedule ends."""
    saved, waited, mark, sums = time.monotonic(), 0.0, time.monotonic(), [0.0, 0.0]
    batches = iter(loader)
    while trainer.progress < 1:
        asked = time.monotonic()
        batch = next(batches)
        waited += time.monotonic() - asked
        sums = [total + float(part) for total, part in zip(sums, trainer.learn(batch), strict=True)]
        if trainer.step % _LOG_EVERY == 0:
            _log(trainer, sums, waited, time.monotonic() - mark)
            waited, mark, sums = 0.0, time.monotonic(), [0.0, 0.0]
        if time.monotonic() - saved > _SAVE_EVERY:
            trainer.save()
            saved = time.monotonic()
    trainer.save()


def _log(trainer: Trainer, sums: list[float], waited: float, passed: float) -> None:
    score, box = (total / _LOG_EVERY for total in sums)
    speed = _LOG_EVERY * trainer.options.batch / passed
    click.echo(
        f"{time.strftime('%H:%M:%S')} step {trainer.step} {trainer.progress:.1%} score {score:.3f} box {box:.3f} "
        f"{speed:.1f} pictures/s, {waited / passed:.0%} of it waiting"
    )


def train(options: Options) -> None:
    """Load, train, measure, export."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    pictures = load(options.data)
    held_out = [picture for picture in pictures if picture.held_out]
    learned = [picture for picture in pictures if not picture.held_out]
    click.echo(f"{len(learned)} pictures to learn from, {len(held_out)} held out")
    if options.start and options.doubt < 1:
        learned = doubted(read_network(options.start), learned, options.doubt)
    trainer = Trainer(options)
    if options.resume:
        trainer.restore()
    data = Canvases(learned, options, trainer.step)
    fit(trainer, DataLoader(data, batch_size=None, num_workers=options.workers))
    if options.out:
        history = History(round(trainer.elapsed / 60, 1), trainer.seen, options.seed)
        export(trainer.average.cpu(), options.data, held_out, history, options.out)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Folder for the checkpoint.")
@click.option("--out", type=click.Path(path_type=Path), help="Export here when the schedule has ended.")
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="State dict with the same layers.")
@click.option("--resume", is_flag=True, help="Go on from the run's checkpoint.")
@click.option("--minutes", default=150.0, show_default=True, help="The schedule ends after this time ...")
@click.option("--steps", default=10_000, show_default=True, help="... or after this many steps.")
@click.option("--batch", default=24, show_default=True, help="Canvases a step.")
@click.option("--rate", default=3e-3, show_default=True, help="Peak learning rate; half of it from a trained start.")
@click.option("--workers", default=1, show_default=True, help="Processes that make canvases.")
@click.option("--threads", default=2, show_default=True, help="Threads of the network on a CPU.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--seed", default=1, show_default=True, help="Of the order, the crops and the changes.")
@click.option("--doubt", default=0.5, show_default=True, help="Unmarked plates the start scores higher are ignored.")
def main(**values: Any) -> None:
    """Train the default network."""
    train(Options(**{field.name: values[field.name] for field in fields(Options)}))


if __name__ == "__main__":
    main()
