"""The known formats of models, and how the format of an ONNX file is recognised."""

from dataclasses import dataclass
from enum import StrEnum

from dashredact.detect.external.onnx_file import OnnxFile, Value


class ModelFormat(StrEnum):
    """What a model takes and what its output means. Values are part of `models.json` and of the audit log."""

    YUNET = "yunet"
    CENTERFACE = "centerface"
    YOLO_V5 = "yolo-v5"
    """(N, P, 5 + classes): centre x y, width, height, objectness, class scores"""
    YOLO_V8 = "yolo-v8"
    """(N, 4 + classes, P): centre x y, width, height, class scores"""
    YOLO_V9 = "yolo-v9-end-to-end"
    """(P, 7): index of the picture, x0 y0 x1 y1, class, score"""
    YOLO_V10 = "yolo-v10-end-to-end"
    """(N, P, 6): x0 y0 x1 y1, score, class"""
    TORCHSCRIPT = "torchscript"
    """EgoBlur: takes BGR pictures, returns boxes, labels and scores"""


FACES_ONLY = (ModelFormat.YUNET, ModelFormat.CENTERFACE)


@dataclass(frozen=True)
class Preprocessing:
    """How pictures are prepared for models of a format, and its usual thresholds."""

    pad: int = 114
    """grey of the padding"""
    centred: bool = True
    """padding on both sides; otherwise on the right and below"""
    bgr: bool = False
    white: float = 1.0
    """value of a white pixel"""
    threshold: float = 0.25
    """score from which something is masked, unless the list of models says otherwise"""
    overlap: float = 0.5
    """IoU above which the weaker of two boxes of a kind is dropped; as published by the authors"""


PREPROCESSING = {
    ModelFormat.YUNET: Preprocessing(pad=0, centred=False, bgr=True, white=255.0, threshold=0.5),
    ModelFormat.CENTERFACE: Preprocessing(pad=0, centred=False, white=255.0, threshold=0.2, overlap=0.3),
    ModelFormat.YOLO_V5: Preprocessing(),
    ModelFormat.YOLO_V8: Preprocessing(),
    ModelFormat.YOLO_V9: Preprocessing(),
    ModelFormat.YOLO_V10: Preprocessing(),
    ModelFormat.TORCHSCRIPT: Preprocessing(bgr=True, white=255.0, threshold=0.5),
}

_YUNET = {f"{part}_{stride}" for part in ("cls", "obj", "bbox") for stride in (8, 16, 32)}
_V5_STRIDES = ((8, 3), (16, 3), (32, 3))  # stride and anchors per cell
_MAX_BOXES = 1000  # of an end-to-end model


def recognise(file: OnnxFile) -> ModelFormat | None:
    """By the names and shapes of the outputs; None if no format fits, or several do."""
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
    """Six columns: box, score and class; or centre, size, objectness and the score of a single class."""
    if file.metadata.get("end2end") == "True":
        return ModelFormat.YOLO_V10
    if isinstance(rows, str):
        return None
    if rows == _v5_rows(file.inputs[0]) or rows > _MAX_BOXES:
        return ModelFormat.YOLO_V5
    return ModelFormat.YOLO_V10


def _v5_rows(value: Value) -> int:
    """Number of candidates of a YOLOv5 with that input; 0 if the size of the input is flexible."""
    height, width = (value.shape or ("", ""))[-2:]
    if isinstance(height, str) or isinstance(width, str):
        return 0
    return sum(anchors * (height // stride) * (width // stride) for stride, anchors in _V5_STRIDES)


def class_count(format: ModelFormat, file: OnnxFile) -> int | None:
    """Number of classes in the shape of the output; None if it does not say."""
    if format in FACES_ONLY:
        return 1
    shape = file.outputs[0].shape or ()
    side, extra = {ModelFormat.YOLO_V5: (2, 5), ModelFormat.YOLO_V8: (1, 4)}.get(format, (9, 0))
    length = shape[side] if side < len(shape) else None
    return length - extra if isinstance(length, int) else None
