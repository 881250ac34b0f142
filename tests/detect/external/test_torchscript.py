"""TorchScript files of both EgoBlur forms: code, and therefore refused unless trusted."""

import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dashredact.detect.external.model_spec import parse_model_spec
from dashredact.detect.external.torchscript import TorchScriptDetector
from dashredact.errors import MachineError, UsageError
from dashredact.kinds import Kind
from dashredact.values import Picture

PICTURE: Picture = np.zeros((40, 60, 3), np.uint8)
PICTURE[..., 0], PICTURE[..., 2] = 200, 50  # red and blue


class Boxes:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Instances:
    def __init__(self, boxes: Boxes, scores: Tensor, classes: Tensor) -> None:
        self._pred_boxes = torch.jit.annotate(Boxes | None, boxes)
        self._scores = torch.jit.annotate(Tensor | None, scores)
        self._pred_classes = torch.jit.annotate(Tensor | None, classes)


class Gen1(nn.Module):
    """The first score is the brightness of the first colour plane, blue in BGR."""

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        boxes = torch.tensor([[10.0, 5.0, 30.0, 25.0], [40.0, 10.0, 80.0, 20.0], [0.0, 0.0, 9.0, 9.0]])
        scores = torch.stack([image[0].double().mean() / 255, torch.tensor(0.9).double(), torch.tensor(0.05).double()])
        return boxes, torch.tensor([0, 1, 1]), scores, torch.tensor(image.shape[1:])


class Gen2(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image

    @torch.jit.export
    def inference(self, batched_inputs: list[dict[str, Tensor]], do_postprocess: bool = True) -> list[Instances]:
        assert not do_postprocess
        found: list[Instances] = []
        for one in batched_inputs:
            score = one["image"][0].float().mean() / 255
            boxes = torch.tensor([[10.0, 5.0, 30.0, 25.0], [1.0, 2.0, 3.0, 4.0]])
            scores = torch.stack([score, torch.tensor(0.5)])
            found.append(Instances(Boxes(boxes), scores, torch.tensor([0, 1])))
        return found


class Odd(nn.Module):
    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, image


class Lost(nn.Module):
    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return torch.full((1, 4), float("nan")), torch.zeros(1), torch.ones(1), image


def save(module: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(module).save(str(path))
    return path


def load(module: nn.Module, folder: Path, suffix: str = "=face") -> TorchScriptDetector:
    path = save(module, folder / "model.jit")
    return TorchScriptDetector(parse_model_spec(f"{path}{suffix}", True), torch.device("cpu"))


def test_gen1_is_asked_one_by_one_in_bgr(tmp_path: Path) -> None:
    detector = load(Gen1(), tmp_path)
    assert detector.batch_size == 1
    found = detector([PICTURE, np.zeros_like(PICTURE)])
    assert [len(one) for one in found] == [2, 1]
    assert np.allclose(found[0].boxes, [[40, 10, 60, 20], [10, 5, 30, 25]])
    assert np.allclose(found[0].scores, [0.9, 50 / 255])
    assert (found[0].kinds == 0).all()


def test_gen1_of_several_classes(tmp_path: Path) -> None:
    (found,) = load(Gen1(), tmp_path, "=face,plate")([PICTURE])
    assert found.kinds.tolist() == [1, 0]


def test_gen2_is_asked_in_batches(tmp_path: Path) -> None:
    path = save(Gen2(), tmp_path / "model.jit")
    detector = TorchScriptDetector(parse_model_spec(f"{path}=face,plate", True), torch.device("cpu"), batch_size=2)
    found = detector([PICTURE, np.zeros_like(PICTURE), PICTURE])
    assert [one.kinds.tolist() for one in found] == [[1, 0], [1], [1, 0]]
    assert np.allclose(found[0].boxes, [[1, 2, 3, 4], [10, 5, 30, 25]])
    assert np.allclose(found[0].scores, [0.5, 50 / 255])


def test_gen2_in_a_process_that_does_not_know_its_classes(tmp_path: Path) -> None:
    path = save(Gen2(), tmp_path / "model.jit")
    code = f"""
import numpy as np, torch
from dashredact.detect.external.model_spec import parse_model_spec
from dashredact.detect.external.torchscript import TorchScriptDetector
detector = TorchScriptDetector(parse_model_spec({str(path)!r} + "=plate", True), torch.device("cpu"))
print(len(detector([np.full((40, 60, 3), 255, np.uint8)])[0]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"


@pytest.mark.parametrize(("module", "wrong"), [(Odd(), "2 tensors instead of 4 or 5"), (Lost(), "NaN or infinity")])
def test_answer_that_is_none_stops_the_run(module: nn.Module, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=wrong):
        load(module, tmp_path)([PICTURE])


def test_code_is_refused_unless_it_is_trusted(tmp_path: Path) -> None:
    path = save(Gen1(), tmp_path / "model.jit")
    with pytest.raises(UsageError, match="--trust-code"):
        parse_model_spec(f"{path}=face", False)
    assert parse_model_spec(f"{path}=face", True).kinds == {Kind.FACE}


def test_what_it_finds_must_be_said(tmp_path: Path) -> None:
    path = save(Gen1(), tmp_path / "model.jit")
    with pytest.raises(UsageError, match="give the kind that it detects"):
        parse_model_spec(str(path), True)


def test_pickled_weights_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    torch.save({"weights": torch.zeros(3)}, path)
    with pytest.raises(MachineError, match="contains weights without a network; export it to ONNX"):
        parse_model_spec(f"{path}=face", True)


def test_archive_that_only_looks_like_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.jit"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/code/__torch__.py", "import os")
    with pytest.raises(MachineError, match="not an EgoBlur TorchScript file"):
        TorchScriptDetector(parse_model_spec(f"{path}=face", True), torch.device("cpu"))


def test_broken_archive_is_refused(tmp_path: Path) -> None:
    path = save(Gen1(), tmp_path / "model.jit")
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02")] = 0
    path.write_bytes(content)
    with pytest.raises(MachineError, match="is not a valid ONNX or TorchScript file"):
        parse_model_spec(f"{path}=face", True)
