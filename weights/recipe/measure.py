"""Measures a network on the pictures held out: average precision, recall and the score where precision is enough.

Boxes marked ignore cost nothing, found or not. Pictures go in at their size in memory, padded, never enlarged.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms, box_iou
from tqdm import tqdm

from dashredact.detect.network import PAD_VALUE, DashNet

from .augment import MIN_SIDE
from .data import CLASSES, LONG_SIDE, Floats, Objects, Picture, Pixels, load

MULTIPLE = 32
_FLOOR, _OVERLAP, _MOST = 0.02, 0.5, 300

Figures = dict[str, dict[str, dict[str, float]]]
"""set name or "all" -> class -> figure -> value"""


class Found(NamedTuple):
    """D detections of one picture, best first."""

    boxes: Tensor
    """float32 (D, 4) x0 y0 x1 y1, pixels"""
    scores: Tensor
    """float32 (D,)"""
    labels: Tensor
    """int64 (D,)"""


class Verdicts(NamedTuple):
    """What became of the detections of one class."""

    scores: Floats
    """(D,) those inside ignored boxes left out"""
    hits: NDArray[np.bool_]
    """(D,) true where an object was found for the first time"""
    objects: int


@torch.inference_mode()
def detect(net: DashNet, pixels: Pixels, floor: float = _FLOOR) -> Found:
    """pixels (H, W, 3) RGB; overlapping boxes of a class are reduced to the best."""
    device = next(net.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        logits, boxes = net(padded(pixels).to(device).float().contiguous(memory_format=torch.channels_last))
    scores, labels = logits[0].sigmoid().max(1)
    keep = scores > floor
    boxes, scores, labels = boxes[0][keep], scores[keep], labels[keep]
    best = batched_nms(boxes, scores, labels, _OVERLAP)[:_MOST]
    return Found(boxes[best].cpu(), scores[best].cpu(), labels[best].cpu())


def padded(pixels: Pixels) -> Tensor:
    """uint8 (1, 3, H', W') with H', W' the next multiples, the picture at the top left."""
    height, width = (-(-side // MULTIPLE) * MULTIPLE for side in pixels.shape[:2])
    full = torch.full((1, 3, height, width), PAD_VALUE, dtype=torch.uint8)
    full[0, :, : pixels.shape[0], : pixels.shape[1]] = torch.from_numpy(pixels).permute(2, 0, 1)
    return full


def judge(found: Found, objects: Objects, label: int) -> Verdicts:
    """Match detections of a class to its objects, best first, each object once, at half overlap."""
    own = found.labels == label
    boxes, scores = found.boxes[own], found.scores[own].numpy()
    small = (objects.boxes[:, 2:] - objects.boxes[:, :2]).max(1, initial=0) < MIN_SIDE
    wanted = objects.trusted(label) & ~small
    excused = (objects.labels == label) & ~wanted
    hits = match(boxes, torch.from_numpy(objects.boxes[wanted]))
    dropped = ~hits & (covered(boxes, torch.from_numpy(objects.boxes[excused])) >= 0.5)
    return Verdicts(scores[~dropped], hits[~dropped], int(wanted.sum()))


def match(boxes: Tensor, wanted: Tensor) -> NDArray[np.bool_]:
    """(D,) true where a box (D, 4), best first, is the first to overlap some wanted one (G, 4) by half."""
    hits = np.zeros(len(boxes), np.bool_)
    if not len(wanted):
        return hits
    overlaps = box_iou(boxes, wanted).numpy().copy()
    for row in range(len(boxes)):
        column = int(overlaps[row].argmax())
        if overlaps[row, column] >= 0.5:
            hits[row] = True
            overlaps[:, column] = 0
    return hits


def covered(boxes: Tensor, regions: Tensor) -> Floats:
    """(D,) largest share of each box's area that lies within one region."""
    if not len(regions):
        return np.zeros(len(boxes), np.float32)
    low, high = torch.maximum(boxes[:, None, :2], regions[:, :2]), torch.minimum(boxes[:, None, 2:], regions[:, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    shares = (high - low).clamp(min=0).prod(2) / area.clamp(min=1e-6)[:, None]
    return np.asarray(shares.amax(1).numpy(), np.float32)


def verdicts(net: DashNet, pictures: Iterable[Picture]) -> dict[str, dict[str, Verdicts]]:
    """Class -> set -> verdicts, only for the classes that a set is labelled for and holds."""
    lists: dict[str, dict[str, list[Verdicts]]] = {name: defaultdict(list) for name in CLASSES}
    for picture in tqdm(list(pictures), desc="measure", mininterval=10):
        found = detect(net, picture.pixels)
        for label, name in enumerate(CLASSES):
            if picture.labelled[label]:
                lists[name][picture.dataset].append(judge(found, picture.objects, label))
    return {name: {key: pool(parts) for key, parts in sets.items()} for name, sets in lists.items()}


def pool(parts: Iterable[Verdicts]) -> Verdicts:
    """All verdicts as one list, best score first."""
    scores, hits, objects = zip(*parts, strict=True)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return Verdicts(np.concatenate(scores)[order], np.concatenate(hits)[order], sum(objects))


def summarise(verdict: Verdicts) -> dict[str, float]:
    """AP50, AR50 (any score), and the recall and threshold at precision 0.8."""
    precision, recall = curve(verdict)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    threshold, reached = at_precision(verdict, 0.8)
    figures = {
        "objects": verdict.objects,
        "ap50": float((envelope * np.diff(recall, prepend=0)).sum()),
        "ar50": float(recall[-1]) if len(recall) else 0.0,
        "recall_at_precision_0.8": reached,
        "threshold_at_precision_0.8": threshold,
    }
    return {name: round(value, 4) for name, value in figures.items()}


def curve(verdict: Verdicts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision and recall (D,) when the first, the first two, ... detections count."""
    hits = np.cumsum(verdict.hits)
    return hits / np.arange(1, len(hits) + 1), hits / max(verdict.objects, 1)


def at_precision(verdict: Verdicts, wanted: float) -> tuple[float, float]:
    """The lowest score whose detections and better ones are as precise as wanted, and their recall; else 1, 0."""
    precision, recall = curve(verdict)
    enough = np.flatnonzero(precision >= wanted)
    return (float(verdict.scores[enough[-1]]), float(recall[enough[-1]])) if len(enough) else (1.0, 0.0)


def figures(measured: dict[str, dict[str, Verdicts]]) -> Figures:
    """Figures of each set that holds objects of the class, and of all sets labelled for it together."""
    table: Figures = defaultdict(dict)
    for name, sets in measured.items():
        for key, verdict in (sets | {"all": pool(sets.values())}).items():
            if verdict.objects:
                table[key][name] = summarise(verdict)
    return dict(table)


def read_network(path: Path) -> DashNet:
    """A network with the state of a file: any state dict with the same layers in the same order."""
    net = DashNet().eval()
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("ema", state)
    net.load_state_dict(dict(zip(net.state_dict(), state.values(), strict=True)))
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def show(table: Figures) -> str:
    """The figures as lines of text."""
    lines = [f"{'set':20} {'class':6} {'objects':>7} {'AP50':>6} {'AR50':>6} {'R@P.8':>6} {'score':>6}"]
    for key, classes in sorted(table.items()):
        lines += [_line(key, name, figures) for name, figures in classes.items()]
    return "\n".join(lines)


def _line(key: str, name: str, row: dict[str, float]) -> str:
    count, *rest = row.values()
    return f"{key:20} {name:6} {int(count):7d} " + " ".join(f"{value:6.3f}" for value in rest)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--state", type=click.Path(exists=True, path_type=Path), required=True, help="Checkpoint or state dict.")
@click.option("--long-side", default=LONG_SIDE, show_default=True, help="Larger pictures are shrunk to this.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(data: Path, state: Path, long_side: int, target: Path | None) -> None:
    """Measure a state on the pictures held out."""
    pictures = [picture for picture in load(data, long_side) if picture.held_out]
    table = figures(verdicts(read_network(state), pictures))
    click.echo(show(table))
    if target:
        target.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
