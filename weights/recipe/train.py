"""Trains the default network: packed canvases in, checkpoints on the way, weights and manifest at the end.

The learning rate follows a cosine over steps or over minutes, whichever ends first, so a slow machine ends it too.
"""

import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import torch
from torch.utils.data import DataLoader

from .data import load
from .export import History, export
from .loader import Batch, Canvases
from .trainer import Options, Trainer

_SAVE_EVERY, _LOG_EVERY = 120.0, 20  # seconds, steps


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
    trainer = Trainer(options)
    if options.resume:
        trainer.restore()
    data = Canvases(learned, options.batch, (options.seed, trainer.step))  # a resumed run draws anew
    fit(trainer, DataLoader(data, batch_size=None, num_workers=options.workers))
    if options.out:
        history = History(round(trainer.elapsed / 60, 1), trainer.seen, options.seed)
        export(trainer.average.cpu(), options.data, held_out, history, options.out)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Folder for the checkpoint.")
@click.option("--out", type=click.Path(path_type=Path), help="Export here when the schedule has ended.")
@click.option(
    "--start",
    type=click.Path(exists=True, path_type=Path),
    help="Weights or checkpoint to go on from; a smaller one is grown.",
)
@click.option("--resume", is_flag=True, help="Go on from the run's checkpoint.")
@click.option("--minutes", default=150.0, show_default=True, help="The schedule ends after this time ...")
@click.option("--steps", default=10_000, show_default=True, help="... or after this many steps.")
@click.option("--batch", default=24, show_default=True, help="Canvases a step.")
@click.option("--rate", default=3e-3, show_default=True, help="Peak learning rate; half of it from a trained start.")
@click.option("--workers", default=1, show_default=True, help="Processes that make canvases.")
@click.option("--threads", default=2, show_default=True, help="Threads of the network on a CPU.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--seed", default=1, show_default=True, help="Of the order, the crops and the changes.")
def main(**values: Any) -> None:
    """Train the default network."""
    train(Options(**{field.name: values[field.name] for field in fields(Options)}))


if __name__ == "__main__":
    main()
