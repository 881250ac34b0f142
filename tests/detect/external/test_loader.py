"""Several detectors as one: which kinds each is asked for, what is united, and what the audit log says of them."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import models_made as made
import numpy as np
import pytest

from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.detect.dashnet import manifest
from dashredact.detect.ensemble import EnsembleDetector, Member, identity
from dashredact.detect.external import loader
from dashredact.detect.external.model_spec import parse_model_spec
from dashredact.errors import MachineError
from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.values import Detections, ModelIdentity, Picture

FACE, PLATE = 0, 1
PICTURE = np.zeros((64, 96, 3), np.uint8)


@dataclass
class Stub:
    rows: Sequence[tuple[int, float, Sequence[float]]]
    identity: ModelIdentity = field(default_factory=lambda: ModelIdentity("stub", "0" * 64))
    thresholds: dict[Kind, float] = field(default_factory=lambda: {Kind.FACE: 0.5, Kind.PLATE: 0.4})
    long_side: int = 640
    batch_size: int = 2
    drift: float = 0.0

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        kinds, scores, boxes = zip(*self.rows, strict=True)
        found = Detections(
            np.zeros(len(kinds), np.int32), np.array(kinds, np.int8), np.array(boxes, np.float32), np.float32(scores)
        )
        self.rows = [(kind, score + self.drift, box) for kind, score, box in self.rows]
        return [found] * len(pictures)


BOTH = frozenset(SHIPPED_KINDS)
SHIPPED = manifest.read(manifest.default_folder())


def test_of_two_sights_of_one_thing_the_stronger_stays() -> None:
    one = Stub([(FACE, 0.6, [0, 0, 10, 10]), (PLATE, 0.5, [0, 0, 10, 10])])
    other = Stub([(FACE, 0.8, [0, 2, 10, 10]), (FACE, 0.3, [50, 0, 60, 10])], long_side=1280, batch_size=4)
    both = EnsembleDetector([Member(one, BOTH), Member(other, BOTH)])
    (found,) = both([PICTURE])
    assert found.scores.tolist() == pytest.approx([0.8, 0.5, 0.3])
    assert found.kinds.tolist() == [FACE, PLATE, FACE]
    assert found.boxes[0].tolist() == [0, 2, 10, 10]
    assert (both.long_side, both.batch_size) == (1280, 4)


def test_a_member_answers_only_for_its_kinds() -> None:
    one = Stub([(FACE, 0.9, [0, 0, 10, 10]), (PLATE, 0.9, [20, 0, 30, 10])])
    other = Stub([(PLATE, 0.6, [50, 0, 60, 10])], thresholds={Kind.FACE: 0.1, Kind.PLATE: 0.3})
    both = EnsembleDetector([Member(one, frozenset({Kind.FACE})), Member(other, frozenset({Kind.PLATE}))])
    (found,) = both([PICTURE])
    assert list(zip(found.kinds.tolist(), found.boxes[:, 0].tolist(), strict=True)) == [(FACE, 0), (PLATE, 50)]
    assert both.thresholds == {Kind.FACE: 0.5, Kind.PLATE: 0.3}


def test_identity_of_several_names_them_all() -> None:
    one, other = ModelIdentity("a", "1" * 64), ModelIdentity("b", "2" * 64)
    both = identity([one, other])
    assert identity([one]) == one
    assert all(part in both.name for part in ("a", "b", "1" * 64, "2" * 64))
    assert len({both.sha256, identity([other, one]).sha256, one.sha256, other.sha256}) == 4


def test_the_shipped_weights_find_what_the_given_model_does_not(tmp_path: Path) -> None:
    path = made.save(made.v8(np.array([[30, 20, 20, 10, 0.9]])), tmp_path / "p.onnx")
    alone = build_detector(DetectorOptions(device="cpu"))
    lazy = build_detector(DetectorOptions(device="cpu", models=(f"{path}=plate",)))
    assert "dashnet-s" in lazy.identity.name and "p=plate" in lazy.identity.name
    assert lazy.identity.sha256 != alone.identity.sha256
    assert lazy.thresholds == {Kind.FACE: alone.thresholds[Kind.FACE], Kind.PLATE: 0.25}
    assert lazy.long_side == alone.long_side
    shipped = loader.canary.read(manifest.default_folder())
    loaded = loader.load(
        [parse_model_spec(f"{path}=plate", False)], SHIPPED, lambda: Stub([(FACE, 0.9, [0, 0, 9, 9])]), "cpu"
    )
    (found,) = loaded([shipped.picture])
    assert sorted(found.kinds.tolist()) == [FACE, PLATE]


def test_the_shipped_weights_are_not_loaded_where_the_given_models_find_both(tmp_path: Path) -> None:
    rows = np.array([[30, 20, 20, 10, 0.9, 0]])
    models = [parse_model_spec(f"{made.save(made.v8(rows), tmp_path / 'b.onnx')}=face,plate", False)]
    described = loader.described(SHIPPED, models)
    assert "dashnet" not in described.identity.name
    assert described.identity == loader.load(models, SHIPPED, _never, "cpu").identity


def test_planning_with_a_model_loads_no_runtime(tmp_path: Path) -> None:
    """Work that is done is skipped without waiting for torch or onnxruntime."""
    path = made.save(made.v8(np.zeros((0, 5))), tmp_path / "p.onnx")
    options = {"device": "cpu", "models": (f"{path}=plate",)}
    code = (
        "from dashredact.detect.api import DetectorOptions, build_detector\n"
        f"print(build_detector(DetectorOptions(**{options!r})).identity.name)\n"
        "import sys; print(sorted({'torch', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def _never() -> Stub:
    raise AssertionError("nobody needs it")


def test_the_same_file_told_to_find_something_else_is_another_model(tmp_path: Path) -> None:
    path = made.save(made.v8(np.zeros((0, 6)), names="['face', 'plate']"), tmp_path / "m.onnx")
    said = [
        parse_model_spec(f"{path}{suffix}", False).identity for suffix in ("", "=face,plate", "=plate,face", "=plate")
    ]
    assert len({one.sha256 for one in said}) == 4
    assert said[0].sha256 in said[1].name


def test_a_model_that_answers_differently_each_time_is_refused() -> None:
    steady = Stub([(FACE, 0.5, [0, 0, 10, 10])])
    loader.check_repeatable(steady, "steady")
    with pytest.raises(MachineError, match="two different results"):
        loader.check_repeatable(Stub([(FACE, 0.5, [0, 0, 10, 10])], drift=0.1), "drifting")


def test_a_model_that_is_broken_is_found_out_before_the_first_frame(tmp_path: Path) -> None:
    path = made.save(made.v8(np.array([[30, 20, 20, 10, np.nan]])), tmp_path / "m.onnx")
    with pytest.raises(MachineError, match="NaN or infinity"):
        loader.load([parse_model_spec(f"{path}=plate", False)], SHIPPED, _never, "cpu")
