"""Reads the description of an ONNX model with the onnx package, without onnxruntime and without running anything."""

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
"""A number for each fixed dimension and a name for each flexible one; None if the file does not state it."""

_MAX_DIMENSION = (1 << 31) - 1


@dataclass(frozen=True)
class Value:
    """An input or output of the model."""

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
    """whether weights are stored in other files"""


def read(content: bytes) -> OnnxFile:
    """ValueError if the bytes are not a valid ONNX file. Other files that it refers to are never opened.

    A model with weights in other files is not checked further: the checker would open them.
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
    """The same model without the shapes of its inputs and outputs."""
    model = _parse(library("onnx"), content)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def library(name: str) -> ModuleType:
    """Import onnx or onnxruntime, which are optional and slow to import. MachineError if it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        raise MachineError(f"{name} is missing, but ONNX models need it; run pip install 'dashredact[onnx]'.") from None


def _parse(onnx: ModuleType, content: bytes) -> "ModelProto":
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - comes with onnx

    try:
        model: ModelProto = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise ValueError("it is damaged, truncated, or not an ONNX file") from None
    if not model.graph.output:
        raise ValueError("it contains no network")
    return model


def _tensors(message: "Message") -> Iterator[Any]:
    """Every TensorProto of the model: weights, attributes of nodes, functions, nested graphs."""
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
    return Value(value.name, tensor.elem_type, tuple(map(_dimension, tensor.shape.dim)))


def _dimension(dimension: "TensorShapeProto.Dimension") -> int | str:
    value = dimension.dim_value
    return value if 0 < value <= _MAX_DIMENSION else dimension.dim_param or "?"
