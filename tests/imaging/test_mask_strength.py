"""An attack on masked plates and screens by somebody who knows everything but the characters.

The attacker has the font, the layout, the exact place of the text in the mask and the mask itself, draws every
character at every position, masks the drawing the same way, and takes the character whose masked drawing is nearest
to what is seen. Several frames with the plate moved by parts of a pixel are looked at together.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dashredact.imaging.boxes import PixelBox
from dashredact.imaging.mosaic import Planes, paint
from dashredact.kinds import Kind
from dashredact.settings import Style

_DRAWN = 120  # texts
_FINE = 2  # samples per pixel of a drawing, so that it can be moved by parts of a pixel

_Picture = NDArray[np.uint8]
_Floats = NDArray[np.float32]
_Mask = Callable[[_Picture], _Picture]


class _Text(NamedTuple):
    """What there is to be read."""

    alphabet: str
    positions: int
    width: float
    """in heights"""

    @property
    def chance(self) -> float:
        return 1 / len(self.alphabet)


_PLATE = _Text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 7, 4.6)
_SCREENS = {"a code": _Text("0123456789", 4, 2.4), "a route": _Text("0123456789", 2, 1.3)}


@cache
def _characters(text: _Text, height: int) -> list[_Floats]:
    """The ink of every character in its field, 0..1."""
    rows, columns = height * _FINE, 2 * round(height * text.width / text.positions / 2) * _FINE
    return [_character(character, rows, columns) for character in text.alphabet]


def _character(character: str, rows: int, columns: int) -> _Floats:
    sheet = np.zeros((200, 200), np.uint8)
    cv2.putText(sheet, character, (40, 150), cv2.FONT_HERSHEY_SIMPLEX, 4, (255,), 14, cv2.LINE_AA)
    ys, xs = np.nonzero(sheet)
    cut = sheet[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    high = int(rows * 0.7)
    wide = min(int(columns * 0.85), round(cut.shape[1] * high / cut.shape[0]))
    field = np.zeros((rows, columns), np.float32)
    top, left = (rows - high) // 2, (columns - wide) // 2
    field[top : top + high, left : left + wide] = cv2.resize(cut, (wide, high), interpolation=cv2.INTER_AREA) / 255.0
    return field


def _drawn(fields: list[_Floats], move: tuple[float, float]) -> _Picture:
    """Dark on light, moved by that many pixels."""
    ink = np.concatenate(fields, 1)
    by = np.array([[1, 0, move[0] * _FINE], [0, 1, move[1] * _FINE]])
    moved = cv2.warpAffine(ink, by, (ink.shape[1], ink.shape[0]))
    small = cv2.resize(moved, None, fx=1 / _FINE, fy=1 / _FINE, interpolation=cv2.INTER_AREA)
    return np.rint(220 - 190 * small).astype(np.uint8)


def _painted(style: Style, kind: Kind = Kind.PLATE) -> _Mask:
    def mask(plate: _Picture) -> _Picture:
        height, width = plate.shape
        luma = np.full((height + 16, width + 16), 100, np.uint8)
        luma[8 : 8 + height, 8 : 8 + width] = plate
        chroma = [np.full((height // 2 + 8, width // 2 + 8), 128, np.uint8) for _ in range(2)]
        paint(Planes([luma, *chroma], 2, 2, 8), [(kind, PixelBox(8, 8, 8 + width, 8 + height))], style)
        return luma[8 : 8 + height, 8 : 8 + width]

    return mask


def _weakly_blurred(plate: _Picture) -> _Picture:
    return np.asarray(cv2.blur(plate, (9, 9)), np.uint8)


def _share_read(height: int, frames: int, mask: _Mask, text: _Text = _PLATE) -> float:
    """Share of characters that the attacker reads."""
    draw = np.random.default_rng(7)
    moves = [(0.0, 0.0), *(tuple(draw.uniform(-0.5, 0.5, 2)) for _ in range(frames - 1))]
    characters = _characters(text, height)
    unknown = [np.mean(characters, 0, dtype=np.float32)] * text.positions

    def seen(fields: list[_Floats]) -> _Floats:
        return np.concatenate([mask(_drawn(fields, move)).ravel() for move in moves]).astype(np.float32)

    nothing = seen(unknown)
    truth = draw.integers(0, len(text.alphabet), (_DRAWN, text.positions))
    observed = np.stack([seen([characters[number] for number in line]) - nothing for line in truth])
    right = 0
    for position in range(text.positions):
        before, after = unknown[:position], unknown[position + 1 :]
        guesses = np.stack([seen([*before, character, *after]) - nothing for character in characters])
        distance = (guesses**2).sum(1) - 2 * observed @ guesses.T
        right += int((distance.argmin(1) == truth[:, position]).sum())
    return right / truth.size


@pytest.mark.parametrize("frames", [1, 5])
@pytest.mark.parametrize("height", [16, 32, 64])
@pytest.mark.parametrize("style", [Style.BLUR, Style.MOSAIC])
def test_a_masked_plate_is_read_hardly_better_than_by_guessing(style: Style, height: int, frames: int) -> None:
    assert _share_read(height, frames, _painted(style)) <= _PLATE.chance + 0.10


@pytest.mark.parametrize("frames", [1, 20])
@pytest.mark.parametrize("text", _SCREENS.values(), ids=list(_SCREENS))
@pytest.mark.parametrize("style", [Style.BLUR, Style.MOSAIC])
def test_a_masked_screen_of_few_large_characters_is_read_hardly_better_than_by_guessing(
    style: Style, text: _Text, frames: int
) -> None:
    """Fewer characters than on a plate: its cells would give more of them away."""
    assert _share_read(32, frames, _painted(style, Kind.SCREEN), text) <= text.chance + 0.10


def test_the_attack_reads_such_a_screen_through_the_cells_of_a_plate() -> None:
    assert _share_read(32, 20, _painted(Style.BLUR, Kind.PLATE), _SCREENS["a route"]) > 0.3


@pytest.mark.parametrize("frames", [1, 5])
def test_a_filled_plate_is_read_by_guessing_only(frames: int) -> None:
    assert _share_read(32, frames, _painted(Style.FILL)) <= _PLATE.chance + 0.03


@pytest.mark.parametrize("height", [16, 32, 64])
def test_the_attack_reads_a_plate_behind_a_blur_of_fixed_pixels(height: int) -> None:
    assert _share_read(height, 1, _weakly_blurred) > 0.5
