"""What an ONNX file says of itself, read by the onnx package: no onnxruntime, and nothing of the model runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dashredact.errors import MachineError

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from onnx import ModelProto, TensorShapeProto, ValueInfoProto

Shape = tuple[int | str, ...] | None
"""A number for each side, a name where it may vary; None where the file does not say."""

_LARGEST_SIDE = (1 << 31) - 1


@dataclass(frozen=True)
class Value:
    """An input or output."""

    name: str
    type: int
    """TensorProto.DataType: 1 is float32, 10 is float16; 0 is unknown"""
    shape: Shape


@dataclass(frozen=True)
class OnnxFile:
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    metadata: dict[str, str]
    external: bool
    """whether weights are in other files"""


def read(content: bytes) -> OnnxFile:
    """ValueError where the bytes are no valid ONNX file. Files that it names are never opened.

    A file with weights in others is not checked further: the checker would look for them.
    """
    onnx = library("onnx")
    model = _parse(onnx, content)
    external = any(tensor.external_data or tensor.data_location for tensor in _tensors(model))
    if not external:
        try:
            onnx.checker.check_model(content)
        except onnx.checker.ValidationError as error:
            raise ValueError(str(error).partition("\n")[0][:200]) from None
    weights = {tensor.name for tensor in model.graph.initializer}
    return OnnxFile(
        tuple(_value(value) for value in model.graph.input if value.name not in weights),
        tuple(map(_value, model.graph.output)),
        {entry.key: entry.value for entry in model.metadata_props},
        external,
    )


def with_dynamic_shapes(content: bytes) -> bytes:
    """The same model without the shapes that it states for its inputs and outputs."""
    model = _parse(library("onnx"), content)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def library(name: str) -> ModuleType:
    """onnx or onnxruntime, which are optional and slow to load. MachineError where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise MachineError(f"{name} is missing, which ONNX models need; run pip install 'dashredact[onnx]'.") from None


def _parse(onnx: ModuleType, content: bytes) -> "ModelProto":
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - comes with onnx

    try:
        model: ModelProto = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise ValueError("it is damaged, cut off, or something else") from None
    if not model.graph.output:
        raise ValueError("it holds no network")
    return model


def _tensors(message: "Message") -> Iterator[Any]:
    """Every TensorProto, wherever it is: weights, attributes of nodes, functions, graphs in graphs."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in value if isinstance(value, Sequence) else [value]:
            if field.message_type.full_name == "onnx.TensorProto":
                yield part
            else:
                yield from _tensors(part)


def _value(value: "ValueInfoProto") -> Value:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Value(value.name, tensor.elem_type, None)
    return Value(value.name, tensor.elem_type, tuple(map(_side, tensor.shape.dim)))


def _side(side: "TensorShapeProto.Dimension") -> int | str:
    return side.dim_value if 0 < side.dim_value <= _LARGEST_SIDE else side.dim_param or "?"
