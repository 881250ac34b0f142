"""Measures a network on the pictures held out: average precision, recall and the score where precision is enough.

Pictures go in at their size in memory, padded, never enlarged.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import click
import torch
from safetensors.torch import load_file
from torch import Tensor
from torchvision.ops import batched_nms
from tqdm import tqdm

from dashredact.detect.network import PAD_VALUE, DashNet

from .data import CLASSES, LONG_SIDE, Picture, Pixels, load
from .grow import grow
from .metrics import Found, Verdicts, judge, pool, summarise

MULTIPLE = 32
_FLOOR, _OVERLAP, _MOST = 0.02, 0.5, 300

Figures = dict[str, dict[str, dict[str, float]]]
"""set name or "all" -> class -> figure -> value"""


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


def verdicts(net: DashNet, pictures: Iterable[Picture]) -> dict[str, dict[str, Verdicts]]:
    """Class -> set -> verdicts, only for the classes that a set is labelled for and holds."""
    lists: dict[str, dict[str, list[Verdicts]]] = {name: defaultdict(list) for name in CLASSES}
    for picture in tqdm(list(pictures), desc="measure", mininterval=10):
        found = detect(net, picture.pixels)
        for label, name in enumerate(CLASSES):
            if picture.labelled[label]:
                lists[name][picture.dataset].append(judge(found, picture.objects, label))
    return {name: {key: pool(parts) for key, parts in sets.items()} for name, sets in lists.items()}


def figures(measured: dict[str, dict[str, Verdicts]]) -> Figures:
    """Figures of each set that holds objects of the class, and of all sets labelled for it together."""
    table: Figures = defaultdict(dict)
    for name, sets in measured.items():
        for key, verdict in (sets | {"all": pool(sets.values())}).items():
            if verdict.objects:
                table[key][name] = summarise(verdict)
    return dict(table)


def read_network(path: Path) -> DashNet:
    """A network with the state of a file: a checkpoint's running average, or weights; smaller ones are grown."""
    if path.suffix == ".safetensors":
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("ema", state)
    return channels_last(grow(state, DashNet()).eval())


def channels_last(net: DashNet) -> DashNet:
    """The same network with its kernels laid out as the fast convolutions want them."""
    net.to(memory_format=torch.channels_last)
    return net


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
