"""Reads the description of an ONNX model from its bytes, without onnxruntime and without running anything.

An ONNX file is a protobuf message. Only the structure is parsed; weights are skipped. Field numbers are those of
onnx.proto.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_Field = tuple[int, int, memoryview]
"""Number, wire type, content. The content of a varint is eight bytes, little-endian."""

Shape = tuple[int | str, ...] | None
"""A number for each fixed dimension and a name for each flexible one; None if the file does not state it."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_GRAPH, _METADATA, _FUNCTIONS = 7, 14, 25
_INPUT, _OUTPUT, _VALUE_INFO, _INITIALIZER = 11, 12, 13, 5
_EXTERNAL = 1  # TensorProto.DataLocation


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
    """ValueError if the bytes are not an ONNX file."""
    model = list(_fields(memoryview(content)))
    graph = [field for part in _all(model, _GRAPH) for field in _fields(part)]
    if not graph:
        raise ValueError("it contains no network")
    weights = {_text(tensor, 8) for tensor in _all(graph, _INITIALIZER)}
    values = tuple(_value(value) for value in _all(graph, _INPUT))
    return OnnxFile(
        tuple(value for value in values if value.name not in weights),
        tuple(_value(value) for value in _all(graph, _OUTPUT)),
        {_text(entry, 1): _text(entry, 2) for entry in _all(model, _METADATA)},
        _graph_is_external(graph) or any(_nodes_are_external(_fields(f), 7) for f in _all(model, _FUNCTIONS)),
    )


def with_dynamic_shapes(content: bytes) -> bytes:
    """The same model without the shapes of its inputs and outputs."""
    return _rewritten(memoryview(content), {_GRAPH: _without_shapes})


def _without_shapes(graph: memoryview) -> bytes:
    def without_shape(value: memoryview) -> bytes:  # ValueInfoProto.type 2, TypeProto.tensor_type 1, its shape 2
        return _rewritten(value, {2: lambda kind: _rewritten(kind, {1: lambda tensor: _rewritten(tensor, {2: None})})})

    return _rewritten(graph, {_INPUT: without_shape, _OUTPUT: without_shape, _VALUE_INFO: None})


def _rewritten(message: memoryview, changes: dict[int, object]) -> bytes:
    """The message with some fields changed: by number, a function of the content, or None to drop the field."""
    written = bytearray()
    for number, wire, content in _fields(message):
        change = changes.get(number, bytes)
        if change is None:
            continue
        written += _encode_varint(number << 3 | wire)
        if wire == _BYTES:
            changed = change(content)  # type: ignore[operator]
            written += _encode_varint(len(changed)) + changed
        else:
            written += _encode_varint(int.from_bytes(content, "little")) if wire == _VARINT else content
    return bytes(written)


def _encode_varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _fields(message: memoryview) -> Iterator[_Field]:
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        wire, start = key & 7, position
        if wire == _VARINT:
            value, position = _varint(message, position)
            yield key >> 3, wire, memoryview((value & (1 << 64) - 1).to_bytes(8, "little"))
            continue
        if wire == _BYTES:
            length, start = _varint(message, position)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("it is not a protobuf message")
        position = start + length
        if position > len(message):
            raise ValueError("it is truncated")
        yield key >> 3, wire, message[start:position]


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("it is truncated")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("it is not a protobuf message")


def _all(fields: list[_Field], number: int) -> list[memoryview]:
    return [content for own, wire, content in fields if own == number and wire == _BYTES]


def _first(message: memoryview, number: int) -> memoryview:
    return next((content for own, _, content in _fields(message) if own == number), memoryview(b""))


def _text(message: memoryview, number: int) -> str:
    return bytes(_first(message, number)).decode(errors="replace")


def _value(message: memoryview) -> Value:
    tensor = _first(_first(message, 2), 1)
    kind = int.from_bytes(_first(tensor, 1), "little")
    shapes = _all(list(_fields(tensor)), 2)
    return Value(_text(message, 1), kind, _shape(shapes[0]) if shapes else None)


def _shape(message: memoryview) -> Shape:
    sides: list[int | str] = []
    for side in _all(list(_fields(message)), 1):
        value = int.from_bytes(_first(side, 1), "little")
        sides.append(value if 0 < value < 1 << 31 else _text(side, 2) or "?")
    return tuple(sides)


def _graph_is_external(graph: list[_Field]) -> bool:
    sparse = [_first(tensor, part) for tensor in _all(graph, 15) for part in (1, 2)]
    return any(map(_is_external, [*_all(graph, _INITIALIZER), *sparse])) or _nodes_are_external(iter(graph), 1)


def _nodes_are_external(fields: Iterator[_Field], number: int) -> bool:
    """Tensors and graphs in the attributes of nodes: AttributeProto.t 5, g 6, tensors 10, graphs 11."""
    for node in _all(list(fields), number):
        for attribute in _all(list(_fields(node)), 5):
            own = list(_fields(attribute))
            if any(map(_is_external, _all(own, 5) + _all(own, 10))):
                return True
            if any(_graph_is_external(list(_fields(graph))) for graph in _all(own, 6) + _all(own, 11)):
                return True
    return False


def _is_external(tensor: memoryview) -> bool:
    return any(
        number == 13 or (number == 14 and int.from_bytes(content, "little") == _EXTERNAL)
        for number, _, content in _fields(tensor)
    )
