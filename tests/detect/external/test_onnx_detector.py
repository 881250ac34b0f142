"""ONNX models of every form: recognised, fed and decoded; what does not fit stops the run with one sentence."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import models_made as made
import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from dashredact.detect.external import onnx_file, preprocess
from dashredact.detect.external.formats import PREPROCESSING, ModelFormat
from dashredact.detect.external.model_spec import parse_model_spec
from dashredact.detect.external.onnx_detector import OnnxDetector, Session
from dashredact.errors import MachineError, UsageError
from dashredact.kinds import Kind
from dashredact.values import Detections, Detector

FACE, PLATE, PERSON = 0, 1, 2
NAMES = "{0: 'person', 1: 'face', 2: 'license-plate'}"
PICTURE = np.zeros((64, 96, 3), np.uint8)

Load = Callable[..., Detector]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`load(model, "=plate")` is the detector of that file."""

    def run(model: ModelProto, suffix: str = "", **chosen: Any) -> Detector:
        path = made.save(model, tmp_path / "model.onnx")
        return OnnxDetector(parse_model_spec(f"{path}{suffix}", False), "cpu", **chosen)

    return run


def told(found: Detections) -> list[tuple[Any, ...]]:
    """Kind, score and box of each, as numbers that can be compared."""
    return [
        (int(kind), round(float(score), 3), *(round(float(side), 3) for side in box))
        for kind, score, box in zip(found.kinds, found.scores, found.boxes, strict=True)
    ]


def test_yunet(load: Load) -> None:
    model = made.yunet(96, 64, s8=(2, 1, 0.5, 0.5, 0.25, np.log(2), np.log(3)), s32=(1, 1, 0.9, 0, 0, 0, 0))
    detector = load(model)
    assert told(detector([PICTURE])[0]) == [(FACE, 0.9, 16, 16, 48, 48), (FACE, 0.5, 12, 0, 28, 22)]
    assert (detector.long_side, detector.batch_size) == (96, 1)
    assert detector.thresholds[Kind.FACE] == 0.5


def test_centerface_whatever_input_its_file_states(load: Load) -> None:
    detector = load(made.centerface(96, 64, (10, 5), 0.8, (np.log(3), np.log(2)), (0.25, 0.5)))
    assert told(detector([PICTURE])[0]) == [(FACE, 0.8, 40, 17, 48, 29)]
    assert (detector.long_side, detector.batch_size) == (1280, 4)


def test_yolo_v8(load: Load) -> None:
    rows = np.array([[30, 20, 20, 10, 0.9, 0.6, 0], [60, 40, 10, 20, 0.1, 0, 0.7], [10, 10, 4, 4, 0.9, 0.05, 0]])
    found = load(made.v8(rows, names=NAMES))([PICTURE])[0]
    body, plate, face = (PERSON, 0.9, 20, 15, 40, 25), (PLATE, 0.7, 55, 30, 65, 50), (FACE, 0.6, 20, 15, 40, 25)
    assert told(found) == [body, (PERSON, 0.9, 8, 8, 12, 12), plate, face, (PERSON, 0.1, 55, 30, 65, 50)]
    """A face that the model rather takes for a person is a face all the same: persons may not be masked."""


def test_yolo_v5(load: Load) -> None:
    rows = np.array([[30, 20, 20, 10, 0.5, 0.2, 0.8, 0], [60, 40, 10, 20, 0.9, 0, 0, 1]])
    found = load(made.v5(rows, names=NAMES))([PICTURE])[0]
    assert told(found) == [(PLATE, 0.9, 55, 30, 65, 50), (FACE, 0.4, 20, 15, 40, 25), (PERSON, 0.1, 20, 15, 40, 25)]


def test_yolo_v5_of_one_class_is_no_v10(load: Load) -> None:
    found = load(made.v5(np.array([[30, 20, 20, 10, 0.5, 0.8]])), "=plate")([PICTURE])[0]
    assert told(found) == [(PLATE, 0.4, 20, 15, 40, 25)]


def test_yolo_v9_end_to_end(load: Load) -> None:
    rows = np.array([[0, 20, 15, 40, 25, 0, 0.8], [0, 50, 15, 70, 25, 0, 0.05]])
    model = made.answering({"output0": rows}, shapes={"output0": ("found", 7)})
    assert told(load(model, "=plate")([PICTURE])[0]) == [(PLATE, 0.8, 20, 15, 40, 25)]


def test_yolo_v9_that_finds_nothing(load: Load) -> None:
    model = made.answering({"output0": np.zeros((0, 7))}, shapes={"output0": ("found", 7)})
    assert len(load(model, "=plate")([PICTURE])[0]) == 0


def test_yolo_v10_end_to_end(load: Load) -> None:
    rows = made.filled(np.array([[20, 15, 40, 25, 0.8, 2], [1, 2, 30, 40, 0.7, 0], [50, 10, 60, 20, 0.6, 1]]), 300)
    found = load(made.answering({"output0": rows[None]}, names=NAMES))([PICTURE])[0]
    assert told(found) == [(PLATE, 0.8, 20, 15, 40, 25), (PERSON, 0.7, 1, 2, 30, 40), (FACE, 0.6, 50, 10, 60, 20)]


def test_double_boxes_of_a_kind_go_and_the_rest_is_cut_to_the_picture(load: Load) -> None:
    rows = np.array([[30, 20, 20, 10, 0.6], [31, 20, 20, 10, 0.9], [90, 60, 40, 20, 0.5], [300, 300, 9, 9, 0.9]])
    found = load(made.v8(rows), "=plate")([PICTURE])[0]
    assert told(found) == [(PLATE, 0.9, 21, 15, 41, 25), (PLATE, 0.5, 70, 50, 96, 64)]


def test_lowest_score_can_be_chosen(load: Load) -> None:
    model = made.v8(np.array([[30, 20, 20, 10, 0.06]]))
    assert len(load(model, "=plate")([PICTURE])[0]) == 0
    assert len(load(model, "=plate", lowest_score=0.05)([PICTURE])[0]) == 1


def test_boxes_come_back_in_pixels_of_the_picture_that_was_handed_in(load: Load) -> None:
    """192x64 fits into 96x64 at half its size, with 16 px of padding above and below."""
    found = load(made.v8(np.array([[30, 31, 20, 10, 0.9]])), "=plate")([np.zeros((64, 192, 3), np.uint8)])[0]
    assert told(found) == [(PLATE, 0.9, 40, 20, 80, 40)]


def test_many_pictures_are_asked_in_batches(load: Load) -> None:
    found = load(made.v8(np.array([[30, 20, 20, 10, 0.9]])), "=plate", batch_size=3)([PICTURE] * 5)
    assert [len(one) for one in found] == [1] * 5
    assert load(made.v8(np.array([[30, 20, 20, 10, 0.9]])), "=plate")([]) == []


def test_open_input_is_padded_to_multiples_of_32() -> None:
    where = preprocess.Letterbox.fit((100, 60), None, centred=True)
    assert (where.width, where.height, where.scale, where.left, where.top) == (128, 64, 1, 14, 2)


@pytest.mark.parametrize("form", [ModelFormat.YOLO_V8, ModelFormat.YUNET, ModelFormat.CENTERFACE])
def test_colours_range_and_padding_are_those_of_the_form(form: ModelFormat) -> None:
    picture = np.full((64, 32, 3), (255, 51, 0), np.uint8)
    traits = PREPROCESSING[form]
    pixels = preprocess.batch(
        [picture], preprocess.Letterbox.fit((32, 64), (64, 64), traits.centred), traits, np.float32
    )
    column, edge = (32, 0) if traits.centred else (0, 63)
    expected = {
        ModelFormat.YOLO_V8: [1, 0.2, 0],
        ModelFormat.YUNET: [0, 51, 255],
        ModelFormat.CENTERFACE: [255, 51, 0],
    }[form]
    assert np.allclose(pixels[0, :, 32, column], expected)
    assert np.allclose(pixels[0, :, 32, edge], traits.pad / 255 * traits.white)


def test_half_precision_input(load: Load) -> None:
    model = made.v8(np.array([[30, 20, 20, 10, 0.9]]), type=TensorProto.FLOAT16)
    assert len(load(model, "=plate")([PICTURE])[0]) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_answer_that_is_no_number_stops_the_run(load: Load, value: float) -> None:
    detector = load(made.v8(np.array([[30, 20, 20, 10, value]])), "=plate")
    with pytest.raises(MachineError, match="NaN or infinity"):
        detector([PICTURE])


def test_box_without_end_stops_the_run(load: Load) -> None:
    detector = load(made.yunet(96, 64, s8=(0, 0, 0.9, 0, 0, 1e4, 1e4)))
    with pytest.raises(MachineError, match="NaN or infinity"):
        detector([PICTURE])


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [((1, 126, 5), (1, 5, 126)), ((1, 5), (1, 5, 126)), ((1, 9, 126), (1, 5, 126))],
)
def test_answer_of_another_shape_than_the_file_states_stops_the_run(
    load: Load, shape: tuple[int, ...], wrong: tuple[int, ...]
) -> None:
    model = made.answering({"output0": np.zeros(shape)}, shapes={"output0": wrong}, names="{0: 'plate'}")
    with pytest.raises(MachineError, match="model"):
        load(model)([PICTURE])


def test_class_that_does_not_exist_stops_the_run(load: Load) -> None:
    rows = made.filled(np.array([[20, 15, 40, 25, 0.8, 7]]), 300)
    detector = load(made.answering({"output0": rows[None]}, names=NAMES))
    with pytest.raises(MachineError, match=r"a class number outside 0\.\.2"):
        detector([PICTURE])


def test_answers_of_another_number_than_pictures_stop_the_run(load: Load) -> None:
    model = made.answering({"output0": np.zeros((1, 5, 126))}, size=("n", 3, 64, 96), shapes={"output0": ("n", 5, 126)})
    with pytest.raises(MachineError, match="results for 1 of 2 pictures"):
        load(model, "=plate")([PICTURE] * 2)


@pytest.mark.parametrize(
    ("outputs", "size"),
    [
        ({"a": (1, 3)}, (1, 3, 64, 96)),
        ({"a": (1, 4, 126)}, (1, 3, 64, 96)),
        ({"a": (1, 5, 126), "b": (1, 5, 126)}, (1, 3, 64, 96)),
        ({"a": (1, 5, 126)}, (1, 64, 96, 3)),
        ({"a": (1, 5, 126)}, (4, 3, 64, 96)),
        ({"a": (1, 5, 126)}, (1, 3, 64)),
    ],
)
def test_model_of_no_known_form_is_refused(outputs: dict[str, Any], size: made.Size, load: Load) -> None:
    with pytest.raises(MachineError, match="export it"):
        load(made.answering({name: np.zeros(shape) for name, shape in outputs.items()}, size), "=plate")


def test_classes_of_unknown_names_must_be_said(load: Load) -> None:
    rows = np.array([[30, 20, 20, 10, 0.9, 0, 0.8]])
    with pytest.raises(UsageError, match="does not state its classes; give the kind of each of its 3"):
        load(made.v8(rows))
    with pytest.raises(UsageError, match="has the classes car, dog, hat"):
        load(made.v8(rows, names="['car', 'dog', 'hat']"))
    assert told(load(made.v8(rows), "=-,face,plate")([PICTURE])[0]) == [(PLATE, 0.8, 20, 15, 40, 25)]
    with pytest.raises(UsageError, match="3 classes, but kinds are given for 2"):
        load(made.v8(rows), "=face,plate")


@pytest.mark.parametrize("score", [3.0, -0.5])
def test_scores_that_are_none_stop_the_run(load: Load, score: float) -> None:
    """Bare logits, or key points taken for classes: a threshold would mean nothing."""
    detector = load(made.v8(np.array([[30, 20, 20, 10, score]])), "=plate")
    with pytest.raises(MachineError, match=r"scores outside 0\.\.1"):
        detector([PICTURE])


def test_model_with_key_points_is_refused(load: Load) -> None:
    with pytest.raises(MachineError, match="names 1 classes but returns scores for 16"):
        load(made.v8(np.zeros((0, 20)), names="{0: 'face'}"))


def test_suffix_of_one_kind_takes_that_one_of_several(load: Load) -> None:
    rows = np.array([[30, 20, 20, 10, 0, 0.9, 0], [60, 40, 10, 20, 0, 0, 0.7]])
    assert told(load(made.v8(rows, names=NAMES), "=plate")([PICTURE])[0]) == [(PLATE, 0.7, 55, 30, 65, 50)]


def test_faces_are_all_that_yunet_finds(tmp_path: Path) -> None:
    path = made.save(made.yunet(96, 64), tmp_path / "m.onnx")
    with pytest.raises(UsageError, match="detects faces only"):
        parse_model_spec(f"{path}=plate", False)
    assert parse_model_spec(f"{path}=face", False).kinds == {Kind.FACE}


def test_file_that_changes_between_choosing_and_loading_is_refused(tmp_path: Path) -> None:
    path = made.save(made.yunet(96, 64), tmp_path / "m.onnx")
    chosen = parse_model_spec(str(path), False)
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(MachineError, match="has changed since"):
        OnnxDetector(chosen, "cpu")


@pytest.mark.parametrize("content", [b"", b"\x00", b"PK", b"no model at all", b"\x3a\x05abc", b"\x3a\x00"])
def test_file_that_is_no_model_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(MachineError, match=r"m\.onnx"):
        parse_model_spec(f"{path}=face", False)


def test_cut_off_model_is_refused(tmp_path: Path) -> None:
    whole = made.v8(np.zeros((0, 5))).SerializeToString()
    path = tmp_path / "m.onnx"
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises((MachineError, UsageError)):
            OnnxDetector(parse_model_spec(str(path), False), "cpu")


def _constant(model: ModelProto) -> TensorProto:
    value = numpy_helper.from_array(np.zeros(3, np.float32))
    model.graph.node.append(helper.make_node("Constant", [], ["extra"], value=value))
    return model.graph.node[-1].attribute[0].t


def _in_a_function(model: ModelProto) -> TensorProto:
    function = model.functions.add(name="f", domain="d")
    function.node.append(helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(np.zeros(3))))
    return function.node[-1].attribute[0].t


def _in_a_branch(model: ModelProto) -> TensorProto:
    branch = helper.make_graph([], "branch", [], [], [numpy_helper.from_array(np.zeros(3), "w")])
    model.graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch))
    return model.graph.node[-1].attribute[0].g.initializer[0]


def _sparse(model: ModelProto) -> TensorProto:
    return model.graph.sparse_initializer.add().values


@pytest.mark.parametrize(
    "tensor",
    [lambda model: model.graph.initializer[0], _constant, _in_a_function, _in_a_branch, _sparse],
    ids=["initializer", "attribute", "function", "branch", "sparse"],
)
@pytest.mark.parametrize("stated", ["location", "data"])
def test_weights_in_other_files_are_refused(
    tensor: Callable[[ModelProto], TensorProto], stated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where that other file exists: it is not opened."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "secret")  # whoever opens it waits for ever
    model = made.v8(np.zeros((0, 5)))
    held = tensor(model)
    if stated == "location":
        held.data_location = TensorProto.EXTERNAL
        held.ClearField("raw_data")
    held.external_data.add(key="location", value="secret")
    with pytest.raises(MachineError, match="keeps weights in other files"):
        parse_model_spec(f"{made.save(model, tmp_path / 'm.onnx')}=plate", False)


def test_skeleton_of_a_file() -> None:
    model = made.v8(np.zeros((0, 5)), size=("n", 3, "h", 96), names=NAMES)
    file = onnx_file.read(model.SerializeToString())
    assert file.inputs == (onnx_file.Value("images", 1, ("n", 3, "h", 96)),)
    assert file.outputs == (onnx_file.Value("output0", 1, (1, 5, 126)),)
    assert file.metadata == {"names": NAMES}


def test_dynamic_shapes_take_any_input() -> None:
    model = made.v8(np.zeros((0, 5)), names=NAMES)
    freed = ModelProto.FromString(onnx_file.with_dynamic_shapes(model.SerializeToString()))
    assert not any(value.type.tensor_type.HasField("shape") for value in (*freed.graph.input, *freed.graph.output))
    assert freed.graph.node == model.graph.node and freed.metadata_props == model.metadata_props


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_missing_package_says_what_to_install(package: str, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MachineError, match=rf"{package} is missing.*; run pip install 'dashredact\[onnx\]'"):
        load(made.yunet(96, 64))


def test_network_that_breaks_the_rules_of_onnx_is_refused(tmp_path: Path) -> None:
    model = made.v8(np.zeros((0, 5)))
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(MachineError, match=r"is not a valid ONNX or TorchScript file \(.*NoSuchOperator"):
        parse_model_spec(f"{made.save(model, tmp_path / 'm.onnx')}=plate", False)


class _Runtime:
    """An onnxruntime that offers CUDA and then does not use it."""

    def __init__(self, offered: list[str]) -> None:
        self._offered = offered

    SessionOptions = type("SessionOptions", (), {"add_session_config_entry": lambda *_: None})

    def get_available_providers(self) -> list[str]:
        return self._offered

    def preload_dlls(self) -> None:
        pass

    def InferenceSession(self, *_: Any, **__: Any) -> Any:
        answers = {"get_providers": ["CPUExecutionProvider"], "get_inputs": [type("I", (), {"name": "x"})]}
        methods = {name: staticmethod(lambda value=value: value) for name, value in answers.items()}
        return type("S", (), {**methods, "get_outputs": list, "disable_fallback": lambda _: None})()


@pytest.mark.parametrize("offered", [["CPUExecutionProvider"], ["CUDAExecutionProvider", "CPUExecutionProvider"]])
def test_cuda_that_does_not_work_is_an_error(offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", _Runtime(offered))  # type: ignore[arg-type]
    with pytest.raises(MachineError, match=r"cannot run m on cuda:1"):
        Session("m", b"", "cuda:1")
    assert Session("m", b"", "auto").device == "cpu"
