"""Which of our kinds a model's classes are: by the names in its file, or by what the command line says."""

import ast
import re
from collections.abc import Mapping, Sequence

from dashredact.errors import UsageError
from dashredact.kinds import KINDS, Kind, kind_named

ClassKinds = tuple[Kind | None, ...]
"""A kind a class, None for a class that is not masked. One alone stands for every class."""

_WORD = "|".join([*KINDS, "-"])
_SUFFIX = re.compile(f"({_WORD})(,({_WORD}))*")


def parse(text: str) -> tuple[str, ClassKinds]:
    """`plates.onnx=plate` is the file and what it finds. `=face,-,plate` names one class after the other."""
    name, sign, suffix = text.rpartition("=")
    if not sign or not _SUFFIX.fullmatch(suffix):
        return text, ()
    return name, tuple(Kind(word) if word != "-" else None for word in suffix.split(","))


def names_in(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The class names that ultralytics writes into a file: `{0: 'face', 1: 'plate'}`."""
    try:
        names = ast.literal_eval(metadata["names"])
        return tuple(str(names[number]) for number in range(len(names)))
    except (KeyError, ValueError, TypeError, SyntaxError, IndexError, MemoryError, RecursionError):
        return ()


def resolve(model: str, finds: ClassKinds, names: Sequence[str], count: int | None) -> ClassKinds:
    """The kind of every class, or one for all.

    names: of the classes where the file says them, else empty. count: of classes, None where the file does not say.
    UsageError where it stays open what a class is, or where no class would be masked.
    """
    by_name = tuple(map(kind_named, names))
    found: ClassKinds
    if len(finds) > 1:
        if count not in (None, len(finds)):
            raise UsageError(f"{model} has {count} classes and {len(finds)} are named; name every one, - for others.")
        found = finds
    elif finds and finds[0] in by_name:
        found = tuple(kind if kind == finds[0] else None for kind in by_name)
    elif finds and count in (None, 1):
        found = finds
    else:
        found = () if finds else by_name
    if any(found):
        return found
    classes = f"has the classes {', '.join(names)}" if names else "does not say what its classes are"
    raise UsageError(f"{model} {classes}; {_cure(model, count)}.")


def _cure(model: str, count: int | None) -> str:
    if count in (None, 1):
        return f"say which kind it finds, as in --model {model}=plate"
    return f"name the kind of each of its {count} classes, - for others, as in --model {model}=face,-,plate"


def kinds(finds: ClassKinds) -> frozenset[Kind]:
    return frozenset(kind for kind in KINDS if kind in finds)
