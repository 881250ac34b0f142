"""The shipped weights find what is known to be there; a detector that does not must not start."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from clips import Finder
from safetensors.torch import load_file, save_file

from dashredact.detect.dashnet import manifest, weights
from dashredact.detect.dashnet.engines import torch as torch_engine
from dashredact.detect.dashnet.engines.torch import TorchDetector, device_named
from dashredact.detect.dashnet.network import Candidates
from dashredact.errors import MachineError, UsageError
from dashredact.imaging.boxes import iou
from dashredact.kinds import KINDS
from dashredact.values import Detections, Picture

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def shipped() -> weights.Weights:
    return weights.read(manifest.default_folder())


@pytest.fixture
def loaded() -> TorchDetector:
    return TorchDetector(weights.read(manifest.default_folder()), CPU)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped weights to break."""
    target = tmp_path / "weights"
    target.mkdir()
    for path in manifest.default_folder().iterdir():
        if path.is_file():
            shutil.copy(path, target)
    return target


def change(folder: Path, **entries: Any) -> None:
    """Change entries of the first model of the manifest."""
    described = json.loads((folder / manifest.NAME).read_text())
    described["models"][0] |= entries
    (folder / manifest.NAME).write_text(json.dumps(described))


def model_file(folder: Path) -> Path:
    name: str = json.loads((folder / manifest.NAME).read_text())["models"][0]["file"]
    return folder / name


def test_shipped_weights_find_the_canary(loaded: TorchDetector, shipped: weights.Weights) -> None:
    (found,) = loaded([shipped.canary.picture])
    overlap = iou(shipped.canary.boxes, found.boxes.astype(np.float64))
    for row, kind in zip(overlap, shipped.canary.kinds, strict=True):
        on_it = (row > 0.4) & (found.kinds == KINDS.index(kind))
        assert found.scores[on_it].max() >= loaded.thresholds[kind]
    assert set(shipped.canary.kinds) == set(shipped.manifest.classes)


def test_a_picture_is_judged_alike_alone_and_in_a_batch(loaded: TorchDetector, shipped: weights.Weights) -> None:
    picture = shipped.canary.picture
    grey = np.full_like(picture, 114)
    alone, blank = loaded([picture])[0], loaded([grey])[0]
    together = loaded([grey, picture, grey, picture, grey])
    for found, expected in zip(together, [blank, alone, blank, alone, blank], strict=True):
        strong = expected.scores >= 0.3
        assert np.allclose(found.boxes[: strong.sum()], expected.boxes[strong], atol=1.0)
        assert np.allclose(found.scores[: strong.sum()], expected.scores[strong], atol=0.02)
    assert not (blank.scores >= 0.3).any()


def test_detections_have_their_form(loaded: TorchDetector, shipped: weights.Weights) -> None:
    (found,) = loaded([shipped.canary.picture])
    height, width = shipped.canary.picture.shape[:2]
    assert found.boxes.dtype == np.float32
    assert found.kinds.dtype == np.int8
    assert (found.frames == 0).all()
    assert (found.scores >= torch_engine.LOWEST_SCORE).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes[:, 2] <= width).all()
    assert (found.boxes[:, 3] <= height).all()


def _memory_for(loaded: TorchDetector, most: int, error: type[BaseException]) -> list[int]:
    """Let the network fail on more than `most` pictures at once; the sizes that were tried come back."""
    tried: list[int] = []

    def network(pixels: torch.Tensor) -> Candidates:
        tried.append(len(pixels))
        if len(pixels) > most:
            raise error("no room")
        return Candidates(torch.full((len(pixels), 1, 2), -9.0), torch.zeros(len(pixels), 1, 4))

    loaded._network = network  # type: ignore[assignment]
    return tried


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_batch_is_halved_until_it_fits_and_no_picture_is_left_out(
    loaded: TorchDetector, error: type[BaseException]
) -> None:
    loaded.batch_size = 8
    tried = _memory_for(loaded, 2, error)
    found = loaded([np.zeros((32, 32, 3), np.uint8)] * 9)
    assert len(found) == 9
    assert tried == [8, 4, 2, 2, 2, 2, 1]
    assert loaded.batch_size == 2


def test_no_memory_for_one_picture_stops_the_run(loaded: TorchDetector) -> None:
    _memory_for(loaded, 0, torch.OutOfMemoryError)
    with pytest.raises(MachineError, match="not enough memory on cpu"):
        loaded([np.zeros((32, 32, 3), np.uint8)])


def test_answer_that_is_no_number_stops_the_run(loaded: TorchDetector) -> None:
    """Reduced precision can overflow on a picture; that it saw nothing there would be a guess."""

    def network(pixels: torch.Tensor) -> Candidates:
        return Candidates(torch.full((len(pixels), 9, 2), float("nan")), torch.zeros(len(pixels), 9, 4))

    loaded._network = network  # type: ignore[assignment]
    with pytest.raises(MachineError):
        loaded([np.zeros((32, 32, 3), np.uint8)])


def test_no_pictures_no_detections(loaded: TorchDetector) -> None:
    assert loaded([]) == []


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_inert_weights_do_not_start(folder: Path, value: float) -> None:
    path = model_file(folder)
    tensors = load_file(path)
    for tensor in tensors.values():
        if tensor.is_floating_point():
            tensor.fill_(value)
    save_file(tensors, path)
    change(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(MachineError, match=r"does not detect a known|NaN or infinity"):
        TorchDetector(weights.read(folder), CPU)


def test_detector_that_is_blind_for_one_kind_does_not_start(folder: Path) -> None:
    path = model_file(folder)
    tensors = load_file(path)
    for name, tensor in tensors.items():
        if name.startswith("classify") and name.endswith("bias"):
            tensor[1] = -50.0
    save_file(tensors, path)
    change(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(MachineError, match="does not detect a known plate"):
        TorchDetector(weights.read(folder), CPU)


def test_faster_precision_that_sees_less_is_not_used(shipped: weights.Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[0.9, 0.9], [0.9, 0.7]])
    monkeypatch.setattr(torch_engine, "_fast_dtype", lambda _: torch.bfloat16)
    monkeypatch.setattr(torch_engine.canaries, "check", lambda *_: None)
    monkeypatch.setattr(torch_engine.canaries, "scores", lambda *_: next(answers))
    fresh = weights.read(manifest.default_folder())
    built = TorchDetector(replace(fresh, canary=shipped.canary), CPU)
    assert built.dtype == torch.float32
    assert next(built._network.parameters()).dtype == torch.float32


def test_changed_weights_are_refused(folder: Path) -> None:
    path = model_file(folder)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(MachineError, match="is not the file that its manifest describes"):
        weights.read(folder)


def test_cut_off_weights_are_refused(folder: Path) -> None:
    path = model_file(folder)
    path.write_bytes(path.read_bytes()[:1000])
    change(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(MachineError, match="cannot be used"):
        weights.read(folder)


@pytest.mark.parametrize("name", ["manifest.json", "canary.json", "canary.png"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(MachineError, match=name.replace(".", r"\.")):
        weights.read(folder)


@pytest.mark.parametrize(
    "entries",
    [
        {"classes": ["plate", "face"]},
        {"classes": ["face"]},
        {"architecture": {"widths": [8, 16, 32, 48, 64]}},
        {"architecture": {"depth": 3}},
        {"thresholds": {"face": 0.3, "hand": 0.3}},
        {"thresholds": {"face": 0.3}},
        {"input": {}},
    ],
)
def test_manifest_that_does_not_fit_is_refused(folder: Path, entries: dict[str, Any]) -> None:
    change(folder, **entries)
    with pytest.raises(MachineError):
        TorchDetector(weights.read(folder), CPU)


def test_the_order_of_classes_is_that_of_the_manifest(folder: Path, loaded: TorchDetector) -> None:
    """Not that of our own list of kinds."""
    path = model_file(folder)
    tensors = load_file(path)
    turned = {name: tensor.flip(0) if name.startswith("classify") else tensor for name, tensor in tensors.items()}
    save_file({name: tensor.contiguous() for name, tensor in turned.items()}, path)
    change(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), classes=["plate", "face"])
    read = weights.read(folder)
    (here,), (there,) = TorchDetector(read, CPU)([read.canary.picture]), loaded([read.canary.picture])
    assert here.kinds.tolist() == there.kinds.tolist()
    np.testing.assert_allclose(here.boxes, there.boxes, atol=0.5)


def test_weights_of_one_class_find_that_kind_alone(folder: Path) -> None:
    path = model_file(folder)
    tensors = load_file(path)
    only = {name: tensor[1:] if name.startswith("classify") else tensor for name, tensor in tensors.items()}
    save_file({name: tensor.contiguous() for name, tensor in only.items()}, path)
    change(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), classes=["plate"])
    with pytest.raises(MachineError, match="canary shows face, plate, and the classes are plate"):
        weights.read(folder)
    shown = json.loads((folder / "canary.json").read_text())
    shown["objects"] = [one for one in shown["objects"] if one["kind"] == "plate"]
    (folder / "canary.json").write_text(json.dumps(shown))
    read = weights.read(folder)
    alone = TorchDetector(read, CPU)
    (found,) = alone([read.canary.picture])
    assert list(alone.thresholds) == ["plate"]
    assert {KINDS[kind] for kind in found.kinds} == {"plate"}


@pytest.mark.parametrize("names", [[], ["face", "face"], ["face", "zone"], ["face", "hand"], "face"])
def test_classes_that_are_no_kinds_are_refused(folder: Path, names: object) -> None:
    change(folder, classes=names)
    with pytest.raises(MachineError, match="does not describe a model of this tool"):
        manifest.read(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"models": []}', b"[]", b"\xff\xfe"])
def test_rubbish_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / manifest.NAME).write_bytes(content)
    with pytest.raises(MachineError):
        weights.read(folder)


def test_canary_that_is_no_picture_is_refused(folder: Path) -> None:
    (folder / "canary.png").write_bytes(b"no picture")
    with pytest.raises(MachineError, match="is not a picture"):
        weights.read(folder)


@pytest.mark.parametrize(("name", "error"), [("toaster", UsageError), ("meta", UsageError), ("cuda:99", MachineError)])
def test_device_that_is_not_there_is_an_error(name: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        device_named(name)
    assert device_named("cpu") == CPU


def test_lazy_detector_loads_when_the_first_picture_comes() -> None:
    described = manifest.read(manifest.default_folder())
    loads: list[str] = []

    def load() -> Finder:
        loads.append("loaded")
        return Finder(batch_size=3)

    lazy = manifest.LazyDetector(described, load, 640)
    assert (lazy.identity, lazy.thresholds, lazy.long_side) == (described.identity, described.thresholds, 640)
    assert loads == []
    assert lazy.batch_size == 3
    assert len(lazy([np.zeros((8, 8, 3), np.uint8)] * 2)) == 2
    assert loads == ["loaded"]


def test_larger_input_finds_the_same(shipped: weights.Weights) -> None:
    """Boxes come back in pixels of the picture that was handed in."""
    built = TorchDetector(weights.read(manifest.default_folder()), CPU, batch_size=1)
    picture = shipped.canary.picture
    large: Picture = cv2.resize(picture, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    (found,) = built([large])
    assert _finds(found, shipped.canary.boxes * 1.5)


def _finds(found: Detections, boxes: Sequence[Any]) -> bool:
    overlap = iou(np.asarray(boxes), found.boxes[found.scores >= 0.3].astype(np.float64))
    return bool((overlap.max(1) > 0.4).all())
