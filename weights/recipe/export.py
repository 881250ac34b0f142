"""Writes a trained state as a weights file and the manifest that says what it is, what it was made of, how good."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import torch
from safetensors.torch import save
from torch import Tensor

from dashredact.detect.dashnet.network import PAD_VALUE, STRIDES, DashNet
from dashredact.evaluate import metrics
from dashredact.evaluate.results import in_words
from dashredact.evaluate.run import EvaluatedSet, Evaluation, measure
from dashredact.kinds import Kind

from .data import CLASSES, LONG_SIDE, Picture, annotations, load
from .measure import judged, look, read_network

NAME = "dashnet-s"
_ARCHITECTURE = {"widths": [16, 32, 64, 128, 192], "depths": [3, 4, 4], "head": 64}
_LOWEST = {Kind.FACE: 0.4, Kind.PLATE: 0.5}  # one such sight makes a track, and weaker ones from 0.15 continue it
_PRECISION = {Kind.FACE: 0.55, Kind.PLATE: 0.4}
"""Precision asked of the hold-out per class: a missed face costs more than a mask too many. Plates get by with less:
about half of what counts as a false alarm there is a plate that the set leaves unmarked."""


class History(NamedTuple):
    """How a state came about."""

    minutes: float
    pictures_seen: int
    seed: int


def export(net: DashNet, data: Path, held_out: list[Picture], history: History, out: Path) -> None:
    """Measure the network and write `<name>.safetensors` and `manifest.json` into out, each at once or not at all."""
    found = look(net, held_out)
    chosen = thresholds(list(judged(held_out, found, _LOWEST)))
    seen = list(judged(held_out, found, chosen))
    results = {one.dataset.name: measure([one], chosen) for one in seen}
    together = measure(seen, chosen)
    click.echo(in_words(results, together))
    content = save({name: stored(tensor) for name, tensor in net.float().state_dict().items()})
    model = {
        "name": NAME,
        "file": f"{NAME}.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "architecture": _ARCHITECTURE,
        "classes": list(CLASSES),
        "input": {"long_side": LONG_SIDE, "multiple": STRIDES[-1], "pad": PAD_VALUE, "colour": "RGB 0..255"},
        "thresholds": chosen,
        "data": sources(data),
        "trained": {"date": f"{datetime.now(UTC):%Y-%m-%d}", **history._asdict()},
        "figures": {name: figures(result) for name, result in [*results.items(), ("all", together)]},
    }
    out.mkdir(parents=True, exist_ok=True)
    replace(out / f"{NAME}.safetensors", content)
    replace(out / "manifest.json", (json.dumps({"schema": 1, "models": [model]}, indent=2) + "\n").encode())


def stored(tensor: Tensor) -> Tensor:
    """Kernels in float16, which halves the file and changes no figure; norms and biases as they are."""
    return (tensor.half() if tensor.ndim > 1 else tensor).contiguous().clone()


def thresholds(seen: list[EvaluatedSet]) -> dict[Kind, float]:
    """The scores to act on: as low as the precision on the hold-out allows."""
    pooled = {kind: metrics.pool(v for one in seen for v in one.matched.get(kind, [])) for kind in _LOWEST}
    allowed = {kind: metrics.at_precision(verdict, _PRECISION[kind])[0] for kind, verdict in pooled.items()}
    return {kind: round(max(score, _LOWEST[kind]), 3) for kind, score in allowed.items()}


def figures(result: Evaluation) -> dict[str, dict[str, float]]:
    """Of the classes that the set holds objects of."""
    return {kind: _row(told) for kind, told in result.classes.items() if told.objects}


def _row(told: metrics.DetectionMetrics) -> dict[str, float]:
    figures = {
        "objects": told.objects,
        "ap50": told.ap50 or 0.0,
        "ar50": told.ar50 or 0.0,
        "recall_at_precision_0.8": told.recall_at_precision or 0.0,
        "threshold_at_precision_0.8": told.score_at_precision or 1.0,
    }
    return {name: round(value, 4) for name, value in figures.items()}


def sources(data: Path) -> list[dict[str, Any]]:
    """Per set: its pictures and, for each place they came from, the licence stated there."""
    return [_source(name, content) for name, content in annotations(data).items()]


def _source(name: str, content: dict[str, Any]) -> dict[str, Any]:
    origins = content["source"] if isinstance(content["source"], list) else [content["source"]]
    origin = [f"{entry['repo']}@{entry['commit'][:8]}" for entry in origins]
    licence = [entry["licence"] for entry in origins]
    return {"set": name, "pictures": len(content["images"]), "licence": licence, "from": origin}


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never half."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--state", type=click.Path(exists=True, path_type=Path), required=True, help="Checkpoint or state dict.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for weights and manifest.")
@click.option("--minutes", default=0.0, help="Minutes of training, unless the checkpoint says.")
@click.option("--seen", default=0, help="Pictures seen in training, unless the checkpoint says.")
def main(data: Path, state: Path, out: Path, minutes: float, seen: int) -> None:
    """Export a checkpoint or a bare state dict."""
    content = torch.load(state, map_location="cpu", weights_only=True)
    history = History(
        round(content.get("elapsed", minutes * 60) / 60, 1), content.get("seen", seen), content.get("seed", 0)
    )
    export(read_network(state), data, [picture for picture in load(data) if picture.held_out], history, out)


if __name__ == "__main__":
    main()
