"""The forms of ONNX model that are known, and how a file is recognised as one."""

from dataclasses import dataclass
from enum import StrEnum

from dashredact.detect.external.onnx_file import OnnxFile, Value


class ModelFormat(StrEnum):
    """What goes into a model and what its answer means."""

    YUNET = "yunet"
    CENTERFACE = "centerface"
    YOLO_V5 = "yolo-v5"
    """(N, P, 5 + classes): centre x y, width, height, objectness, class scores"""
    YOLO_V8 = "yolo-v8"
    """(N, 4 + classes, P): centre x y, width, height, class scores"""
    YOLO_V9 = "yolo-v9-end-to-end"
    """(P, 7): picture, x0 y0 x1 y1, class, score"""
    YOLO_V10 = "yolo-v10-end-to-end"
    """(N, P, 6): x0 y0 x1 y1, score, class"""
    TORCHSCRIPT = "torchscript"
    """EgoBlur: BGR pictures in, boxes, labels and scores out"""


FACES_ONLY = (ModelFormat.YUNET, ModelFormat.CENTERFACE)


@dataclass(frozen=True)
class Preprocessing:
    """How pictures enter a model of a form."""

    pad: int = 114
    """grey of pixels outside the picture"""
    centred: bool = True
    """the padding lies on both sides, else right and below"""
    bgr: bool = False
    largest: float = 1.0
    """what white is"""
    threshold: float = 0.25
    """score from which something is masked, where nobody says another"""
    overlap: float = 0.5
    """of two boxes of a kind from which the weaker one goes: as its makers have it"""


PREPROCESSING = {
    ModelFormat.YUNET: Preprocessing(pad=0, centred=False, bgr=True, largest=255.0, threshold=0.5),
    ModelFormat.CENTERFACE: Preprocessing(pad=0, centred=False, largest=255.0, threshold=0.2, overlap=0.3),
    ModelFormat.YOLO_V5: Preprocessing(),
    ModelFormat.YOLO_V8: Preprocessing(),
    ModelFormat.YOLO_V9: Preprocessing(),
    ModelFormat.YOLO_V10: Preprocessing(),
    ModelFormat.TORCHSCRIPT: Preprocessing(bgr=True, largest=255.0, threshold=0.5),
}

_YUNET = {f"{part}_{stride}" for part in ("cls", "obj", "bbox") for stride in (8, 16, 32)}
_V5_CELLS = ((8, 3), (16, 3), (32, 3))  # strides and anchors a cell
_MOST_BOXES = 1000  # of an end-to-end model


def recognise(file: OnnxFile) -> ModelFormat | None:
    """By the names and shapes of what comes out; None where no form fits, or more than one."""
    if {value.name for value in file.outputs} >= _YUNET:
        return ModelFormat.YUNET
    shapes = [value.shape for value in file.outputs]
    if [shape[1] if shape and len(shape) == 4 else 0 for shape in shapes] == [1, 2, 2, 10]:
        return ModelFormat.CENTERFACE
    if len(file.inputs) != 1 or not shapes or any(shape is None or len(shape) != 5 for shape in shapes[1:]):
        return None
    return _yolo(file, file.outputs[0])


def _yolo(file: OnnxFile, output: Value) -> ModelFormat | None:
    shape = output.shape or ()
    if len(shape) == 2:
        return ModelFormat.YOLO_V9 if shape[1] == 7 else None
    if len(shape) != 3:
        return None
    _, rows, columns = shape
    if columns == 6:
        return _six_wide(file, rows)
    if isinstance(columns, int) and columns > 6 and (isinstance(rows, str) or rows > columns):
        return ModelFormat.YOLO_V5
    return ModelFormat.YOLO_V8 if isinstance(rows, int) and rows >= 5 else None


def _six_wide(file: OnnxFile, rows: int | str) -> ModelFormat | None:
    """Four sides, a score and a class; or centre, size, objectness and the score of one class."""
    if file.metadata.get("end2end") == "True":
        return ModelFormat.YOLO_V10
    if isinstance(rows, str):
        return None
    if rows == _v5_rows(file.inputs[0]) or rows > _MOST_BOXES:
        return ModelFormat.YOLO_V5
    return ModelFormat.YOLO_V10


def _v5_rows(value: Value) -> int:
    """Candidates of a YOLOv5 of that input, 0 where its size is open."""
    height, width = (value.shape or ("", ""))[-2:]
    if isinstance(height, str) or isinstance(width, str):
        return 0
    return sum(anchors * (height // stride) * (width // stride) for stride, anchors in _V5_CELLS)


def class_count(form: ModelFormat, file: OnnxFile) -> int | None:
    """How many classes the shape of the output has room for; None where it does not say."""
    if form in FACES_ONLY:
        return 1
    shape = file.outputs[0].shape or ()
    side, extra = {ModelFormat.YOLO_V5: (2, 5), ModelFormat.YOLO_V8: (1, 4)}.get(form, (9, 0))
    wide = shape[side] if side < len(shape) else None
    return wide - extra if isinstance(wide, int) else None
