"""The kinds of a model's classes: by the names in its file, or as declared on the command line."""

import ast
import re
from collections.abc import Mapping, Sequence

from dashredact.errors import UsageError
from dashredact.kinds import KINDS, Kind, kind_named

ClassKinds = tuple[Kind | None, ...]
"""One for each class, None for a class that is not masked. A single one stands for every class."""

_WORD = "|".join([*KINDS, "-"])
_SUFFIX = re.compile(f"({_WORD})(,({_WORD}))*")


def parse(text: str) -> tuple[str, ClassKinds]:
    """Splits `plates.onnx=plate` into file and kinds. `=face,-,plate` declares a kind for each class."""
    name, separator, suffix = text.rpartition("=")
    if not separator or not _SUFFIX.fullmatch(suffix):
        return text, ()
    return name, tuple(Kind(word) if word != "-" else None for word in suffix.split(","))


def names_in(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The class names that ultralytics writes into a file, such as `{0: 'face', 1: 'plate'}`."""
    try:
        names = ast.literal_eval(metadata["names"])
        return tuple(str(names[number]) for number in range(len(names)))
    except (KeyError, ValueError, TypeError, SyntaxError, IndexError, MemoryError, RecursionError):
        return ()


def resolve(model: str, declared: ClassKinds, names: Sequence[str], count: int | None) -> ClassKinds:
    """The kind of every class, or one for all.

    names: of the classes, empty if the file does not state them. count: of classes, None if the file does not state it.
    UsageError if the kind of a class remains unknown, or if no class would be masked.
    """
    by_name = tuple(map(kind_named, names))
    resolved: ClassKinds
    if len(declared) > 1:
        if count not in (None, len(declared)):
            raise UsageError(
                f"{model} has {count} classes, but kinds are given for {len(declared)}; give one each, - for others."
            )
        resolved = declared
    elif declared and declared[0] in by_name:
        resolved = tuple(kind if kind == declared[0] else None for kind in by_name)
    elif declared and count in (None, 1):
        resolved = declared
    else:
        resolved = () if declared else by_name
    if any(resolved):
        return resolved
    classes = f"has the classes {', '.join(names)}" if names else "does not state its classes"
    raise UsageError(f"{model} {classes}; {_remedy(model, count)}.")


def _remedy(model: str, count: int | None) -> str:
    if count in (None, 1):
        return f"give the kind that it detects, as in --model {model}=plate"
    return f"give the kind of each of its {count} classes, - for others, as in --model {model}=face,-,plate"


def kinds(class_kinds: ClassKinds) -> frozenset[Kind]:
    return frozenset(kind for kind in KINDS if kind in class_kinds)
