"""Trains the second opinion on crops: objects as marked and as found, and what the network took for objects wrongly.

python -m weights.recipe.opinion find  --data DATA --weights FILE --out FINDS
python -m weights.recipe.opinion learn --data DATA --finds FINDS --run RUN --minutes 60
python -m weights.recipe.opinion export --data DATA --finds FINDS --run RUN --out weights
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from tqdm import tqdm

from dashredact.detect.second_opinion.crops import CONTEXT, SIDE, crop
from dashredact.detect.second_opinion.detector import SecondOpinionDetector
from dashredact.detect.second_opinion.network import CropNet
from dashredact.detect.second_opinion.torch_opinion import TorchOpinion
from dashredact.evaluate.results import in_words
from dashredact.evaluate.run import measure
from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.values import Detections, ModelIdentity

from .augment import MIN_SIDE
from .data import CLASSES, LONG_SIDE, Floats, Picture, Pixels, Role, load
from .export import NAME, figures, replace, stored
from .measure import autocast, detect, judged, read_network
from .photometric import degrade, relight, soften
from .trainer import schedule

_LOWEST = 0.05
_MOST = 150  # finds of a picture
_MOST_OF_NOTHING = 90_000
_SAME, _APART = 0.5, 0.2  # IoU with an object from which a find is of it, and below which it is not
_STORED = 1.5  # side of what is kept in memory of a place, in crops, so that crops can be moved and turned
_JITTER = (0.08, 0.12)  # shift in crops, scale in octaves / 4; standard deviations
_DECAY, _RATE, _WEIGHT_DECAY = 0.998, 2e-3, 0.02
_SHARES = (0.5, 0.25, 0.25)  # neither, face, plate


@dataclass(frozen=True)
class Places:
    """N places of pictures to learn from."""

    pixels: Pixels
    """(N, S, S, 3), `_STORED` crops wide"""
    labels: NDArray[np.int64]
    """(N,) 0: neither, otherwise index into `CLASSES` + 1"""
    weights: NDArray[np.float64]
    """(N,) how often it is drawn among its like"""
    sizes: NDArray[np.float64]
    """(N,) longer side in pixels of its picture"""


def places(pictures: list[Picture], finds: dict[str, Floats], rng: np.random.Generator) -> Places:
    """Objects, finds of objects, and finds of nothing, of which the likeliest are kept."""
    every = [
        (picture, box, label, weight)
        for picture in pictures
        for box, label, weight in _boxes(picture, finds[f"{picture.dataset}/{picture.file}"])
    ]
    labels, weights = np.array([row[2] for row in every]), np.array([row[3] for row in every])
    nothing = np.flatnonzero(labels == 0)
    # Efraimidis and Spirakis 2006: the largest of these powers are a weighted sample without replacement.
    chosen = nothing[np.argsort(-(rng.random(len(nothing)) ** (1 / weights[nothing])))[:_MOST_OF_NOTHING]]
    kept = np.sort(np.concatenate((np.flatnonzero(labels), chosen)))
    side = round(SIDE * _STORED)
    pixels, sizes = np.empty((len(kept), side, side, 3), np.uint8), np.empty(len(kept))
    for row, number in enumerate(tqdm(kept, desc="crops", mininterval=10)):
        picture, box, *_ = every[number]
        pixels[row] = crop(picture.pixels, box, side, CONTEXT * _STORED)
        sizes[row] = (box[2:] - box[:2]).max()
    return Places(pixels, labels[kept], np.where(labels[kept], weights[kept], 1.0), sizes)


def _boxes(picture: Picture, found: Floats) -> Iterator[tuple[Floats, int, float]]:
    """Boxes, labels and weights. found: (N, 6) kind, x0 y0 x1 y1, score."""
    marked = picture.objects
    objects, known = marked.of(Role.OBJECT), marked.select(marked.roles != Role.CLUTTER)
    for box, label in zip(objects.boxes, objects.labels, strict=True):
        if (box[2:] - box[:2]).max() >= MIN_SIDE:
            yield box, int(label) + 1, 1.0
    clutter = marked.of(Role.CLUTTER).boxes
    yield from ((box, 0, 0.25) for box in clutter)
    if not len(found):
        return
    boxes = found[:, 1:5].astype(np.float64)
    known_boxes = known.boxes.astype(np.float64)
    with_objects, with_known = geometry.iou(boxes, objects.boxes.astype(np.float64)), geometry.iou(boxes, known_boxes)
    under = geometry.ioa(boxes, known_boxes).max(1, initial=0.0)
    for row, (kind, *_, score) in enumerate(found):
        if with_objects[row].max(initial=0.0) >= _SAME:
            yield found[row, 1:5], int(objects.labels[with_objects[row].argmax()]) + 1, 0.5
        elif picture.complete[int(kind)] and with_known[row].max(initial=0.0) < _APART and under[row] < _SAME:
            yield found[row, 1:5], 0, float(score) ** 2


class Crops(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches: uint8 (N, S, S, 3) and labels (N,)."""

    def __init__(self, known: Places, batch: int, seed: tuple[int, ...]) -> None:
        self._known, self._batch, self._seed = known, batch, seed
        self._rows = [np.flatnonzero(known.labels == label) for label in range(1 + len(CLASSES))]
        self._chances = [known.weights[rows] / known.weights[rows].sum() for rows in self._rows]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        rng = np.random.default_rng((*self._seed, worker.id if worker else 0))
        while True:
            labels = rng.choice(len(_SHARES), self._batch, p=_SHARES)
            rows = [int(rng.choice(self._rows[label], p=self._chances[label])) for label in labels]
            yield torch.from_numpy(np.stack([self._view(row, rng) for row in rows])), torch.from_numpy(labels)

    def _view(self, row: int, rng: np.random.Generator) -> Pixels:
        """One place as another camera might have seen it."""
        pixels, size = self._known.pixels[row], self._known.sizes[row]
        if rng.random() < 0.4:
            pixels = _coarser(pixels, size, rng)
        side, stored = SIDE, pixels.shape[0]
        angle = np.deg2rad(rng.normal(0, 6)) if rng.random() < 0.5 else 0.0
        zoom = 2 ** rng.normal(0, _JITTER[1])
        flip = -1.0 if rng.random() < 0.5 else 1.0
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
        turn[:, 0] *= flip
        middle = np.full(2, (stored - 1) / 2)
        target = np.full(2, (side - 1) / 2) + rng.normal(0, _JITTER[0] * side / 2, 2)
        matrix = np.column_stack((turn, target - turn @ middle)).astype(np.float32)
        view = cv2.warpAffine(pixels, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        return degrade(soften(relight(np.asarray(view, np.uint8), rng), rng), rng)


def _coarser(pixels: Pixels, size: float, rng: np.random.Generator) -> Pixels:
    """As seen from further away: the object has fewer pixels than it had."""
    wanted = float(np.exp(rng.uniform(np.log(7.0), np.log(50.0))))
    shown = min(size, SIDE / CONTEXT)
    if wanted >= shown:
        return pixels
    side = max(round(pixels.shape[0] * wanted / (SIDE / CONTEXT)), 4)
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass
class Learner:
    """The network, its running average and the optimiser."""

    run: Path
    minutes: float

    def __post_init__(self) -> None:
        self.net, self.average = CropNet().train(), CropNet().eval()
        self.net.to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=_RATE, weight_decay=_WEIGHT_DECAY)
        self.step, self.elapsed = 0, 0.0

    def learn(self, pixels: Tensor, labels: Tensor) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = _RATE * schedule(self.step, self.elapsed / (60 * self.minutes))
        with autocast(torch.device("cpu")):
            logits = self.net(pixels.permute(0, 3, 1, 2).float())
        loss = F.cross_entropy(logits, labels, label_smoothing=0.02)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        with torch.no_grad():
            for mean, value in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - min(_DECAY, (self.step + 1) / (self.step + 10)))
                else:
                    mean.copy_(value)
        self.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Write the checkpoint at once or not at all."""
        state: dict[str, Any] = {"model": self.net.state_dict(), "ema": self.average.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict(), "step": self.step, "elapsed": self.elapsed}
        part = self.run / "opinion.part"
        torch.save(state, part)
        part.replace(self.run / "opinion.pt")

    def restore(self) -> None:
        state = torch.load(self.run / "opinion.pt", map_location="cpu", weights_only=True)
        self.net.load_state_dict(state["model"])
        self.average.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed = state["step"], state["elapsed"]


@click.group()
def main() -> None:
    """Train the second opinion."""


@main.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), required=True, help="Of the detector.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write, .npz.")
def find(data: Path, weights: Path, out: Path) -> None:
    """Write down what the detector finds on all pictures, however unsure."""
    net, rows = read_network(weights), {}
    for picture in tqdm(load(data), desc="find", mininterval=10):
        found = detect(net, picture.pixels, _LOWEST)
        best = np.argsort(-found.scores)[:_MOST]
        columns = (found.kinds[best, None], found.boxes[best], found.scores[best, None])
        rows[f"{picture.dataset}/{picture.file}"] = np.concatenate(columns, 1).astype(np.float32)
    np.savez(out, allow_pickle=False, **rows)


@main.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--finds", type=click.Path(exists=True, path_type=Path), required=True, help="What `find` wrote.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Folder for the checkpoint.")
@click.option("--minutes", default=60.0, show_default=True, help="The schedule ends after this time.")
@click.option("--batch", default=128, show_default=True, help="Crops a step.")
@click.option("--resume", is_flag=True, help="Go on from the run's checkpoint.")
@click.option("--seed", default=1, show_default=True, help="Of the order and the changes.")
def learn(data: Path, finds: Path, run: Path, minutes: float, batch: int, resume: bool, seed: int) -> None:
    """Train on the pictures that are not held out."""
    torch.manual_seed(seed)
    run.mkdir(parents=True, exist_ok=True)
    with np.load(finds) as file:
        found = {name: file[name] for name in file.files}
    pictures = [picture for picture in load(data) if not picture.held_out]
    known = places(pictures, found, np.random.default_rng(seed))
    del pictures
    click.echo(f"{np.bincount(known.labels).tolist()} crops: neither, {', '.join(CLASSES)}")
    learner = Learner(run, minutes)
    if resume:
        learner.restore()
    batches = iter(DataLoader(Crops(known, batch, (seed, learner.step)), batch_size=None, num_workers=1))
    before, started, saved, losses = learner.elapsed, time.monotonic(), time.monotonic(), []
    while learner.elapsed < 60 * minutes:
        losses.append(learner.learn(*next(batches)))
        learner.elapsed = before + time.monotonic() - started
        if learner.step % 100 == 0:
            click.echo(f"{time.strftime('%H:%M:%S')} step {learner.step} loss {np.mean(losses[-100:]):.4f}")
        if time.monotonic() - saved > 120:
            learner.save()
            saved = time.monotonic()
    learner.save()


@main.command("export")
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--finds", type=click.Path(exists=True, path_type=Path), required=True, help="What `find` wrote.")
@click.option("--run", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the checkpoint.")
@click.option("--out", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with a manifest.")
def export_command(data: Path, finds: Path, run: Path, out: Path) -> None:
    """Write the weights beside the detector's, and what both together find into its manifest."""
    state = torch.load(run / "opinion.pt", map_location="cpu", weights_only=True)
    net = CropNet().eval()
    net.load_state_dict(state["ema"])
    content = save({name: stored(tensor) for name, tensor in net.state_dict().items()})
    held_out = [picture for picture in load(data) if picture.held_out]
    opinion = TorchOpinion(net, tuple(map(Kind, CLASSES)), torch.device("cpu"))
    with np.load(finds) as file:
        found = [_rescored(opinion, picture, file[f"{picture.dataset}/{picture.file}"]) for picture in held_out]
    described = json.loads((out / "manifest.json").read_text())
    model = described["models"][0]
    scores = {Kind(kind): score for kind, score in model["thresholds"].items()}
    seen = list(judged(held_out, found, scores))
    results, together = {one.dataset.name: measure([one], scores) for one in seen}, measure(seen, scores)
    click.echo(in_words(results, together))
    model["opinion"] = {
        "file": f"{NAME}-opinion.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "crop": {"side": SIDE, "context": CONTEXT},
        "trained": {"minutes": round(state["elapsed"] / 60, 1), "steps": state["step"]},
    }
    model["figures"] = {name: figures(result) for name, result in [*results.items(), ("all", together)]}
    replace(out / model["opinion"]["file"], content)
    replace(out / "manifest.json", (json.dumps(described, indent=2) + "\n").encode())


def _rescored(opinion: TorchOpinion, picture: Picture, rows: Floats) -> Detections:
    """What the detector with a second opinion makes of the finds (N, 6) on a picture."""
    found = Detections(np.zeros(len(rows), np.int32), rows[:, 0].astype(np.int8), rows[:, 1:5], rows[:, 5])
    return SecondOpinionDetector(_Known(found), opinion, _LOWEST)([picture.pixels])[0]


_KNOWN = ModelIdentity("known", "0" * 64)


@dataclass(frozen=True)
class _Known:
    """A detector that has looked already."""

    found: Detections
    identity: ModelIdentity = _KNOWN
    thresholds: dict[Kind, float] = field(default_factory=dict)
    long_side: int = LONG_SIDE
    detail: int = LONG_SIDE
    batch_size: int = 1

    def __call__(self, pictures: Sequence[Pixels]) -> list[Detections]:
        return [self.found for _ in pictures]


if __name__ == "__main__":
    main()
