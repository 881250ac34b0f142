"""Paint: not a pixel outside a box is written, and inside a box there is nothing but a few means."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashredact.imaging.boxes import PixelBox, round_outward
from dashredact.imaging.mosaic import Planes, paint, render
from dashredact.kinds import KINDS, Kind
from dashredact.settings import Style

_FEW = settings(max_examples=100, deadline=None)
_STEPS = {"gray": (1, 1), "420": (2, 2), "422": (2, 1), "444": (1, 1)}
_MOST = {Kind.FACE: (4, 4), Kind.PLATE: (1, 4), Kind.PERSON: (4, 2), Kind.SCREEN: (1, 1)}
_ROUNDED = (Kind.PLATE, Kind.SCREEN)
_SOFT = st.sampled_from((Style.BLUR, Style.MOSAIC))


def _frame(layout: str, depth: int, width: int, height: int, seed: int) -> Planes:
    """Patches of every brightness, so that neighbouring cells differ, with noise on top."""
    subsampling_x, subsampling_y = _STEPS[layout]
    draw = np.random.default_rng(seed)
    sizes = [(height, width)] + [(-(-height // subsampling_y), -(-width // subsampling_x))] * (
        0 if layout == "gray" else 2
    )
    planes = []
    for rows, columns in sizes:
        patches = draw.integers(0, 1 << depth, (-(-rows // 5), -(-columns // 5)))
        noisy = patches.repeat(5, 0).repeat(5, 1)[:rows, :columns] + draw.integers(-20, 21, (rows, columns))
        planes.append(np.clip(noisy, 0, (1 << depth) - 1).astype(np.uint8 if depth == 8 else np.uint16))
    return Planes(planes, subsampling_x, subsampling_y, depth)


_frames = st.builds(
    _frame,
    st.sampled_from(sorted(_STEPS)),
    st.sampled_from((8, 10)),
    st.integers(1, 90),
    st.integers(1, 70),
    st.integers(0, 2**32),
)


@st.composite
def _box_on(draw: st.DrawFn, frame: Planes, least: int = 0) -> PixelBox:
    """As the journey makes them: on the grid of the chroma planes, or at the picture's edge."""
    x, y = draw(st.integers(0, frame.width - 1)), draw(st.integers(0, frame.height - 1))
    across, down = draw(st.integers(least, frame.width)), draw(st.integers(least, frame.height))
    return round_outward(
        (x, y, x + across, y + down), frame.width, frame.height, frame.subsampling_x, frame.subsampling_y
    )


@st.composite
def _painting(draw: st.DrawFn) -> tuple[Planes, list[tuple[Kind, PixelBox]]]:
    frame = draw(_frames)
    return frame, draw(st.lists(st.tuples(st.sampled_from(KINDS), _box_on(frame)), max_size=4))


def _copies(frame: Planes) -> list[NDArray[Any]]:
    return [plane.copy() for plane in frame.planes]


def _region(frame: Planes, number: int, box: PixelBox) -> NDArray[Any]:
    """The samples of a plane that show any pixel of the box."""
    subsampling_x, subsampling_y = (frame.subsampling_x, frame.subsampling_y) if number else (1, 1)
    rows = sorted({y // subsampling_y for y in range(box.y0, box.y1)})
    columns = sorted({x // subsampling_x for x in range(box.x0, box.x1)})
    return np.asarray(frame.planes[number][np.ix_(rows, columns)])


def _outside(frame: Planes, number: int, boxes: list[PixelBox]) -> NDArray[np.bool_]:
    luma = np.ones((frame.height, frame.width), bool)
    for box in boxes:
        luma[box.y0 : box.y1, box.x0 : box.x1] = False
    subsampling_x, subsampling_y = (frame.subsampling_x, frame.subsampling_y) if number else (1, 1)
    outside = np.ones(frame.planes[number].shape, bool)
    for y, x in zip(*np.nonzero(~luma), strict=True):
        outside[y // subsampling_y, x // subsampling_x] = False
    return outside


@_FEW
@given(_painting(), st.sampled_from(Style))
def test_nothing_outside_the_boxes_is_touched(
    painting: tuple[Planes, list[tuple[Kind, PixelBox]]], style: Style
) -> None:
    frame, boxes = painting
    before = _copies(frame)
    paint(frame, boxes, style)
    for number, plane in enumerate(frame.planes):
        outside = _outside(frame, number, [box for _, box in boxes])
        assert np.array_equal(plane[outside], before[number][outside])
        assert plane.dtype == before[number].dtype


def _ramps(length: int, cells: int) -> NDArray[np.float64]:
    """(length, cells): how much of each cell a linear ramp between the cells' centres takes at each pixel."""
    place = (np.arange(length) + 0.5) * cells / length - 0.5
    return np.stack([np.interp(place, np.arange(cells), one) for one in np.eye(cells)], -1)


@_FEW
@given(_frames, st.data(), st.sampled_from(KINDS))
def test_a_blurred_box_is_a_linear_function_of_its_few_cells(frame: Planes, data: st.DataObject, kind: Kind) -> None:
    box = data.draw(_box_on(frame, least=1))
    paint(frame, [(kind, box)], Style.BLUR)
    for number in range(len(frame.planes)):
        region = _region(frame, number, box).astype(np.float64)
        down = _ramps(region.shape[0], min(_MOST[kind][0], region.shape[0]))
        across = _ramps(region.shape[1], min(_MOST[kind][1], region.shape[1]))
        cells = np.linalg.pinv(down) @ region @ np.linalg.pinv(across).T
        assert np.abs(region - down @ cells @ across.T).max() < 2  # rounded twice; the noise is ten times that


@_FEW
@given(_frames, st.data(), st.sampled_from(KINDS))
def test_a_mosaic_box_holds_one_value_a_cell(frame: Planes, data: st.DataObject, kind: Kind) -> None:
    box = data.draw(_box_on(frame, least=1))
    paint(frame, [(kind, box)], Style.MOSAIC)
    for number in range(len(frame.planes)):
        region = _region(frame, number, box)
        assert len(np.unique(region, axis=0)) <= _MOST[kind][0]
        assert len(np.unique(region, axis=1).T) <= _MOST[kind][1]


@_FEW
@given(_frames, st.data(), st.sampled_from(KINDS))
def test_a_filled_box_is_the_same_middle_grey_everywhere(frame: Planes, data: st.DataObject, kind: Kind) -> None:
    box = data.draw(_box_on(frame, least=1))
    paint(frame, [(kind, box)], Style.FILL)
    for number in range(len(frame.planes)):
        assert np.all(_region(frame, number, box) == 1 << (frame.depth - 1))


def _shuffled_in_cells(plane: NDArray[Any], rows: int, columns: int, seed: int) -> NDArray[Any]:
    """Another picture with the same means."""
    draw = np.random.default_rng(seed)
    other = plane.copy()
    for band in np.split(np.arange(plane.shape[0]), rows):
        for stripe in np.split(np.arange(plane.shape[1]), columns):
            cell = plane[np.ix_(band, stripe)]
            other[np.ix_(band, stripe)] = draw.permutation(cell.ravel()).reshape(cell.shape)
    return other


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("layout", sorted(_STEPS))
@_FEW
@given(st.sampled_from(KINDS), _SOFT, st.integers(0, 2**32))
def test_two_pictures_with_the_same_cell_means_are_masked_alike(
    layout: str, depth: int, kind: Kind, style: Style, seed: int
) -> None:
    """Nothing but the means is in the output: whoever has it cannot tell these pictures apart."""
    across, down = np.random.default_rng(seed).integers(1, 7, 2)
    one = _frame(layout, depth, int(8 * across), int(8 * down), seed)
    other = one._replace(planes=[_shuffled_in_cells(plane, *_MOST[kind], seed + 1) for plane in one.planes])
    whole = [(kind, PixelBox(0, 0, one.width, one.height))]
    paint(one, whole, style)
    paint(other, whole, style)
    assert all(np.array_equal(*planes) for planes in zip(one.planes, other.planes, strict=True))


@pytest.mark.parametrize("style", [Style.BLUR, Style.MOSAIC])
@_FEW
@given(st.integers(0, 2**32), st.data())
def test_a_box_on_another_one_shows_only_what_the_larger_left(style: Style, seed: int, data: st.DataObject) -> None:
    one = _frame("420", 8, 64, 48, seed)
    other = one._replace(planes=[_shuffled_in_cells(plane, 4, 4, seed + 1) for plane in one.planes])
    inner = data.draw(_box_on(one, least=1))
    boxes = [(Kind.PLATE, inner), (Kind.FACE, PixelBox(0, 0, 64, 48))]
    masks = paint(one, boxes, style)
    paint(other, list(reversed(boxes)), style)
    assert all(np.array_equal(*planes) for planes in zip(one.planes, other.planes, strict=True))
    assert np.array_equal(_region(one, 0, inner), _drawn(masks[-1].cells[0], _region(one, 0, inner), style))


def _drawn(cells: NDArray[Any], region: NDArray[Any], style: Style) -> NDArray[Any]:
    return render(cells, region.shape[0], region.shape[1], style)


@_FEW
@given(_frames, st.data(), st.sampled_from(KINDS), st.sampled_from(Style))
def test_what_is_kept_of_a_mask_draws_it_again(frame: Planes, data: st.DataObject, kind: Kind, style: Style) -> None:
    box = data.draw(_box_on(frame, least=1))
    (mask,) = paint(frame, [(kind, box)], style)
    assert mask.box == box
    for number, cells in enumerate(mask.cells):
        region = _region(frame, number, box)
        assert np.all(np.array(cells.shape) <= _MOST[kind])
        assert np.array_equal(region, _drawn(cells, region, style))
    assert len(mask.cells) == len(frame.planes)


@_FEW
@given(_frames, st.data(), st.sampled_from(KINDS), _SOFT)
def test_cells_are_the_means_of_their_part_of_the_box(
    frame: Planes, data: st.DataObject, kind: Kind, style: Style
) -> None:
    box = data.draw(_box_on(frame, least=1))
    regions = [_region(frame, number, box).astype(np.float64) for number in range(len(frame.planes))]
    (mask,) = paint(frame, [(kind, box)], style)
    coarse = (1 << (frame.depth - 4)) if kind in _ROUNDED else 0  # half a level of rounded cells
    for cells, before in zip(mask.cells, regions, strict=True):
        assert abs(cells.mean() - before.mean()) <= 1 + coarse
        assert before.min() - coarse <= cells.min() and cells.max() <= before.max() + coarse


@pytest.mark.parametrize("kind", _ROUNDED)
def test_what_can_be_read_shows_eight_levels_and_keeps_grey_grey(kind: Kind) -> None:
    shown = set()
    for level in range(256):
        frame = Planes(
            [np.full((8, 16), level, np.uint8), *(np.full((4, 8), 128, np.uint8) for _ in range(2))], 2, 2, 8
        )
        paint(frame, [(kind, PixelBox(0, 0, 16, 8))], Style.MOSAIC)
        shown |= set(np.unique(frame.planes[0]).tolist())
        assert (frame.planes[1] == 128).all() and (frame.planes[2] == 128).all()
    assert len(shown) <= 9


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("empty", [PixelBox(4, 4, 4, 8), PixelBox(4, 4, 8, 4), PixelBox(0, 0, 0, 0)])
def test_an_empty_box_is_skipped_and_the_others_are_painted(empty: PixelBox, style: Style) -> None:
    frame = _frame("420", 8, 16, 16, 1)
    masks = paint(frame, [(Kind.FACE, empty), (Kind.PLATE, PixelBox(8, 8, 12, 12))], style)
    assert [mask.box for mask in masks] == [PixelBox(8, 8, 12, 12)]


@pytest.mark.parametrize("style", list(Style))
def test_no_box_leaves_the_frame_as_it_is(style: Style) -> None:
    frame = _frame("422", 10, 31, 17, 1)
    before = _copies(frame)
    assert paint(frame, [], style) == []
    assert all(np.array_equal(*planes) for planes in zip(frame.planes, before, strict=True))


def test_no_kind_has_more_cells_than_were_promised() -> None:
    assert set(_MOST) == set(KINDS)
    assert all(np.all(np.array(kind.row.cells) <= _MOST[kind]) for kind in KINDS)
    assert {kind for kind in KINDS if kind.row.levels} == set(_ROUNDED)
