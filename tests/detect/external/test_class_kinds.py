"""What a model finds: by its own names, or by the suffix of --model."""

import pytest

from dashredact.detect.external import class_kinds
from dashredact.errors import UsageError
from dashredact.kinds import Kind

FACE, PLATE = Kind.FACE, Kind.PLATE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yunet-n", ("yunet-n", ())),
        ("a/plates.onnx=plate", ("a/plates.onnx", (PLATE,))),
        ("m.onnx=face,-,plate", ("m.onnx", (FACE, None, PLATE))),
        ("x=1/m.onnx", ("x=1/m.onnx", ())),
        ("x=1/m.onnx=face", ("x=1/m.onnx", (FACE,))),
        ("m.onnx=person,-,screen", ("m.onnx", (Kind.PERSON, None, Kind.SCREEN))),
        ("m.onnx=faces", ("m.onnx=faces", ())),
        ("m.onnx=zone", ("m.onnx=zone", ())),
        ("m.onnx=", ("m.onnx=", ())),
    ],
)
def test_suffix(text: str, expected: tuple[str, class_kinds.ClassKinds]) -> None:
    assert class_kinds.parse(text) == expected


@pytest.mark.parametrize("text", ["", "{", "nothing", "7", "{1: 'face'}", "[" * 999])
def test_rubbish_names_are_no_names(text: str) -> None:
    assert class_kinds.names_in({"names": text}) == ()


def test_suffix_that_would_mask_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        class_kinds.resolve("m", (None, None), (), 2)
    with pytest.raises(UsageError):
        class_kinds.resolve("m", (None,), (), 1)


def test_one_kind_for_several_classes_of_other_names_is_refused() -> None:
    with pytest.raises(UsageError, match="car, bus"):
        class_kinds.resolve("m", (PLATE,), ("car", "bus"), 2)
