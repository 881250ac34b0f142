"""The recipe's export says of the network what `dashredact evaluate` says of the file that it wrote."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from dashredact.detect.dashnet import manifest
from dashredact.detect.dashnet import weights as weights_file
from dashredact.detect.dashnet.engines import torch as torch_engine
from dashredact.evaluate import datasets
from dashredact.evaluate import run as evaluation
from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.settings import TrackSettings
from dashredact.values import Detections

data = pytest.importorskip("weights.recipe.data", reason="runs from the root of the repository only")
from weights.recipe import export, measure, relabel  # noqa: E402 - the same

_WEIGHTS = manifest.default_folder()


def _names(held_out: bool) -> Iterator[str]:
    return (name for name in (f"images/{n}.png" for n in range(999)) if data.held_out("drawn", name) is held_out)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set: the canary twice, once with a face too many and a plate that is none of its business."""
    folder = tmp_path_factory.mktemp("data") / "drawn"
    (folder / "images").mkdir(parents=True)
    names = _names(held_out=True)
    marks = [
        _mark(thing["kind"], *thing["box"]) for thing in json.loads((_WEIGHTS / "canary.json").read_text())["objects"]
    ]
    missed, doubtful = _mark("face", 10, 10, 60, 70), {**_mark("plate", 200, 10, 260, 40), "ignore": True}
    rows = [_row(next(names), marks), _row(next(names), [*marks, missed, doubtful])]
    for row in rows:
        shutil.copyfile(_WEIGHTS / "canary.png", folder / row["file"])
    source = {"repo": "here", "commit": "0123456789", "licence": "ours"}
    (folder / datasets.NAME).write_text(json.dumps({"source": source, "labelled": ["face", "plate"], "images": rows}))
    return folder.parent


def _row(file: str, boxes: list[dict[str, Any]]) -> dict[str, Any]:
    height, width = cv2.imread(str(_WEIGHTS / "canary.png")).shape[:2]
    return {"file": file, "width": width, "height": height, "boxes": boxes}


def _mark(label: str, x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    return {"label": label, "x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0, "ignore": False}


@pytest.fixture(scope="module")
def out(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    net = measure.read_network(_WEIGHTS / "dashnet-s.safetensors")
    export.export(net, sets, data.load(sets), export.History(1.5, 24, 1), folder)
    for name in ("canary.json", "canary.png"):
        shutil.copyfile(_WEIGHTS / name, folder / name)
    return folder


def _finder(folder: Path) -> torch_engine.TorchDetector:
    """With thresholds that the canary reaches: those of two pictures stand on its very score."""
    read = weights_file.read(folder)
    usual = replace(read, manifest=replace(read.manifest, thresholds=dict.fromkeys(SHIPPED_KINDS, 0.4)))
    return torch_engine.TorchDetector(usual, torch.device("cpu"), lowest_score=evaluation.LOWEST_SCORE)


def test_its_figures_are_those_of_evaluate(out: Path, sets: Path) -> None:
    (model,) = json.loads((out / "manifest.json").read_text())["models"]
    finder = _finder(out)
    link = TrackSettings(finder.thresholds)
    seen = [
        evaluation.EvaluatedSet(one, evaluation.detect_all(one, finder, lambda fact: None), link, finder.long_side)
        for one in datasets.read(sets)
    ]
    told = evaluation.measure(seen, finder.thresholds).classes
    assert set(model["figures"]) == {"drawn", "all"}
    for kind in SHIPPED_KINDS:
        ours = model["figures"]["all"][kind]
        assert ours == model["figures"]["drawn"][kind]
        assert ours["objects"] == told[kind].objects == (3 if kind is Kind.FACE else 2)
        assert ours["ap50"] == pytest.approx(told[kind].ap50, abs=0.01)
        assert ours["recall_at_precision_0.8"] == pytest.approx(told[kind].recall_at_precision, abs=0.01)
        assert ours["threshold_at_precision_0.8"] == pytest.approx(told[kind].score_at_precision, abs=0.02)
    assert model["figures"]["all"]["face"]["recall_at_precision_0.8"] == pytest.approx(2 / 3, abs=1e-3)


def test_thresholds_are_as_low_as_precision_allows_but_never_under_their_floor(sets: Path) -> None:
    """Two faces are found, then two things that are none: with the first precision is 2 of 3, with both 2 of 4."""
    face, plate = [497.6, 39.9, 558.3, 117.1], [121.4, 303.9, 231.8, 327.7]
    right, wrong = (
        _found([(0, face, score), (0, [0, 200, 40, 240], false)]) for score, false in ((0.9, 0.6), (0.8, 0.5))
    )
    seen = list(measure.judged(data.load(sets), [right, wrong], export._LOWEST))
    assert export.thresholds(seen) == {Kind.FACE: 0.6, Kind.PLATE: 1.0}
    low = _found([(1, plate, 0.2)])
    seen = list(measure.judged(data.load(sets), [low, low], export._LOWEST))
    assert export.thresholds(seen) == {Kind.FACE: 1.0, Kind.PLATE: export._LOWEST[Kind.PLATE]}


def _found(rows: list[tuple[int, list[float], float]]) -> Detections:
    kinds, boxes, scores = zip(*rows, strict=True)
    return Detections(
        np.zeros(len(rows), np.int32),
        np.array(kinds, np.int8),
        np.array(boxes, np.float32),
        np.array(scores, np.float32),
    )


def test_what_nobody_marked_is_a_find(sets: Path) -> None:
    net = measure.read_network(_WEIGHTS / "dashnet-s.safetensors")
    picture = data.load(sets)[0]
    assert list(relabel.finds(net, picture, 0, 0.4, picture.pixels.shape[1])) == []
    bare = data.Picture(
        picture.dataset,
        picture.file,
        picture.pixels,
        picture.objects.select(picture.objects.labels == 1),
        (True, True),
        (True, True),
    )
    (find,) = relabel.finds(net, bare, 0, 0.4, picture.pixels.shape[1])
    assert find["label"] == "face" and find["score"] >= 0.4
    assert find["box"] == pytest.approx([497.6, 39.9, 558.3, 117.1], abs=8)
