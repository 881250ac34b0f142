"""Large pictures in tiles: what is tiny, large or on a border of a tile is found, and found once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.detect.dashnet import manifest
from dashredact.detect.sliced import TiledDetector, starts
from dashredact.imaging.boxes import iou
from dashredact.kinds import KINDS, Kind
from dashredact.values import Detections, ModelIdentity, Picture

_SIDE = 120
Row = tuple[float, float, float, float, float]
"""x0 y0 x1 y1 score"""


@dataclass
class Spotter:
    """Finds bright rectangles on black, those whose longer side is within its range: 200 are faces, 250 are plates."""

    smallest: int = 6
    largest: int = 60
    long_side: int = _SIDE
    batch_size: int = 4
    identity: ModelIdentity = field(default=ModelIdentity("spotter", "e" * 64))
    thresholds: dict[Kind, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.5))
    batches: list[list[tuple[int, ...]]] = field(default_factory=list)

    @property
    def detail(self) -> int:
        return self.long_side

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        self.batches.append([picture.shape for picture in pictures])
        return [self._find(picture) for picture in pictures]

    def _find(self, picture: Picture) -> Detections:
        rows = []
        for kind, low, high in ((0, 150, 225), (1, 226, 255)):
            bright = ((picture[..., 0] >= low) & (picture[..., 0] <= high)).astype(np.uint8)
            for x, y, width, height, _ in cv2.connectedComponentsWithStats(bright)[2][1:]:
                if self.smallest <= max(width, height) <= self.largest:
                    rows.append((kind, (x, y, x + width, y + height), 0.6 + 0.001 * max(width, height)))
        return _detections(rows)


def _detections(rows: Sequence[tuple[int, Sequence[float], float]]) -> Detections:
    return Detections(
        np.zeros(len(rows), np.int32),
        np.array([kind for kind, _, _ in rows], np.int8),
        np.array([box for _, box, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, _, score in rows], np.float32),
    )


class Scripted(Spotter):
    """Says of the whole picture and of every tile what it was told to."""

    def __init__(self, whole: Sequence[Row] = (), **tiles: Sequence[Row]) -> None:
        super().__init__(batch_size=1)
        self._answers = [*(tiles.get(f"tile{number}", ()) for number in range(9)), whole]

    def _find(self, _picture: Picture) -> Detections:
        return _detections([(0, row[:4], row[4]) for row in self._answers[len(self.batches) - 1]])


def _picture(width: int, height: int, *boxes: tuple[int, int, int, int], bright: int = 200) -> Picture:
    picture = np.zeros((height, width, 3), np.uint8)
    for x0, y0, x1, y1 in boxes:
        picture[y0:y1, x0:x1] = bright
    return picture


def _boxes(found: Detections) -> list[list[float]]:
    return sorted(found.boxes.tolist())


def test_pictures_may_be_so_many_times_as_large() -> None:
    tiled = TiledDetector(Spotter(), 3)
    assert tiled.long_side == 3 * _SIDE
    assert (tiled.identity, tiled.thresholds) == (Spotter().identity, Spotter().thresholds)


@pytest.mark.parametrize("size", [(120, 80), (80, 120), (50, 40), (1, 1)])
def test_picture_no_larger_than_a_tile_is_looked_at_once(size: tuple[int, int]) -> None:
    inner = Spotter(smallest=1)
    (found,) = TiledDetector(inner, 2)([_picture(*size, (0, 0, 1, 1))])
    assert inner.batches == [[(size[1], size[0], 3)]]
    assert _boxes(found) == [[0, 0, 1, 1]]


def test_tiny_objects_are_found_in_tiles_and_large_ones_in_the_whole_picture() -> None:
    tiny, large = (300, 31, 308, 38), (21, 60, 171, 150)
    picture = _picture(360, 201, tiny, large)
    assert _boxes(Spotter()([picture])[0]) == [list(tiny)]  # at full scale the large one is out of its range
    (found,) = TiledDetector(Spotter(), 3)([picture])
    best = iou(np.array([large], float), found.boxes.astype(float)).max()
    assert best > 0.95
    assert list(tiny) in _boxes(found)
    assert len(found) == 2


@pytest.mark.parametrize("x", range(40, 200, 7))
def test_object_on_a_border_of_tiles_is_found_once(x: int) -> None:
    box = (x, 50, x + 18, 62)
    (found,) = TiledDetector(Spotter(), 2)([_picture(240, 136, box)])
    assert _boxes(found) == [list(box)]


def test_face_and_plate_in_one_place_are_two_objects() -> None:
    picture = _picture(240, 136, (100, 50, 130, 80))
    picture[60:70, 110:120] = 250
    (found,) = TiledDetector(Spotter(), 2)([picture])
    assert sorted(found.kinds.tolist()) == [0, 1]


@pytest.mark.parametrize("size", [(241, 137), (137, 241), (359, 121), (121, 121), (240, 60)])
def test_odd_sizes_in_batches_of_one_size(size: tuple[int, int]) -> None:
    inner = Spotter(batch_size=3)
    pictures = [_picture(*size, (size[0] - 8, size[1] - 8, size[0], size[1])), _picture(*size)]
    found = TiledDetector(inner, 3)(pictures)
    assert _boxes(found[0]) == [[size[0] - 8, size[1] - 8, size[0], size[1]]]
    assert len(found[1]) == 0
    assert max(map(len, inner.batches)) <= 3
    assert all(len(set(batch)) == 1 for batch in inner.batches)
    assert all(max(shape) == _SIDE for batch in inner.batches for shape in batch)


def test_pictures_of_several_sizes_come_back_in_order() -> None:
    pictures = [_picture(60, 40, (5, 5, 15, 15)), _picture(240, 136, (200, 100, 210, 110)), _picture(120, 30)]
    found = TiledDetector(Spotter(), 2)(pictures)
    assert [_boxes(one) for one in found] == [[[5, 5, 15, 15]], [[200, 100, 210, 110]], []]


def test_batch_that_shrinks_on_the_way_is_obeyed() -> None:
    class Shrinking(Spotter):
        def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
            self.batch_size = 1
            return super().__call__(pictures)

    inner = Shrinking()
    TiledDetector(inner, 2)([_picture(240, 136)])
    assert [len(batch) for batch in inner.batches] == [4, 1, 1, 1, 1, 1, 1]


def test_no_pictures_no_answers() -> None:
    assert TiledDetector(Spotter(), 2)([]) == []


# --- what is one object: a 240x136 picture, tiles of 120x68 in rows of three that start at 0, 60 and 120 ----------


def _united(inner: Scripted) -> list[list[float]]:
    (found,) = TiledDetector(inner, 2)([_picture(240, 136)])
    rows = np.concatenate((found.boxes, found.scores[:, None]), 1)
    return sorted([*map(float, row[:4]), round(float(row[4]), 3)] for row in rows)


def test_cut_box_goes_into_the_whole_one_and_leaves_its_score() -> None:
    """Tile 0 sees a piece, clearly; tile 1 the whole object, less so."""
    inner = Scripted(tile0=[(100, 10, 120, 30, 0.9)], tile1=[(40, 10, 90, 30, 0.6)])
    assert _united(inner) == [[100, 10, 150, 30, 0.9]]


def test_cut_box_with_nothing_better_is_kept() -> None:
    assert _united(Scripted(tile0=[(100, 10, 120, 30, 0.4)])) == [[100, 10, 120, 30, 0.4]]


def test_clear_piece_does_not_go_into_a_faint_large_box() -> None:
    inner = Scripted(whole=[(0, 0, 110, 60, 0.12)], tile0=[(100, 10, 120, 30, 0.9)])
    assert _united(inner) == [[0, 0, 220, 120, pytest.approx(0.12)], [100, 10, 120, 30, pytest.approx(0.9)]]


def test_small_box_inside_a_large_one_is_kept_where_it_is_not_cut() -> None:
    inner = Scripted(whole=[(0, 0, 110, 60, 0.8)], tile0=[(50, 10, 70, 30, 0.9)])
    assert len(_united(inner)) == 2


def test_of_two_alike_the_better_one_stays() -> None:
    inner = Scripted(whole=[(10, 10, 20, 20, 0.5)], tile0=[(21, 20, 40, 40, 0.8)])
    assert _united(inner) == [[21, 20, 40, 40, 0.8]]


def test_picture_edge_cuts_nothing() -> None:
    inner = Scripted(whole=[(0, 0, 50, 30, 0.8)], tile0=[(0, 0, 20, 20, 0.9)])
    assert len(_united(inner)) == 2


_answers = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 50), st.integers(1, 60), st.integers(1, 60), st.floats(0.1, 1)),
    max_size=4,
)


@given(_answers, st.lists(_answers, min_size=9, max_size=9))
@settings(max_examples=60, deadline=None)
def test_nothing_that_was_seen_is_lost(whole: list[Row], tiles: list[list[Row]]) -> None:
    """What is dropped lies for half or more in something that scores no less."""
    told = [[(x, y, min(x + w, 120), min(y + h, 68), s) for x, y, w, h, s in rows] for rows in (whole, *tiles)]
    united = np.array(_united(Scripted(told[0], **{f"tile{n}": rows for n, rows in enumerate(told[1:])}))).reshape(
        -1, 5
    )
    placed = [(x0 * 2, y0 * 2, x1 * 2, y1 * 2, s) for x0, y0, x1, y1, s in told[0]]
    for number, rows in enumerate(told[1:]):
        left, top = 60 * (number % 3), 34 * (number // 3)
        placed += [(x0 + left, y0 + top, x1 + left, y1 + top, s) for x0, y0, x1, y1, s in rows]
    for *box, score in placed:
        corners = np.maximum(united[:, :2], box[:2]), np.minimum(united[:, 2:4], box[2:])
        common = np.clip(corners[1] - corners[0], 0, None).prod(1)
        holds = common / ((box[2] - box[0]) * (box[3] - box[1])) >= 0.5 - 1e-6
        assert (holds & (united[:, 4] >= score - 1e-3)).any()


# --- where the tiles are ------------------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.integers(6, 2000))
@settings(max_examples=200)
def test_tiles_cover_every_pixel_and_hold_every_small_object(size: int, tile: int) -> None:
    places = starts(size, tile)
    if size <= tile:
        assert places == [0]
        return
    assert (places[0], places[-1]) == (0, size - tile)
    steps = np.diff(places)
    assert steps.min() > 0
    assert steps.max() - steps.min() <= 1
    assert (tile - steps).min() >= tile / 6
    small = tile // 6
    first = np.arange(size - small + 1)
    inside = [(first >= place) & (first + small <= place + tile) for place in places]
    assert np.any(inside, axis=0).all()


@given(st.integers(1, 500), st.integers(1, 5))
def test_tiles_of_a_few_pixels_still_cover(size: int, tile: int) -> None:
    covered = np.zeros(size, bool)
    for place in starts(size, tile):
        covered[place : place + tile] = True
    assert covered.all()


@pytest.mark.parametrize(("times", "views"), [(2, 10), (3, 17), (4, 26)])
def test_what_it_costs(times: int, views: int) -> None:
    inner = Spotter(long_side=128)
    TiledDetector(inner, times)([_picture(128 * times, 72 * times)])
    assert sum(map(len, inner.batches)) == views


# --- lazily -------------------------------------------------------------------------------------------------------


def test_nothing_is_loaded_before_the_first_picture() -> None:
    loads: list[None] = []

    def load() -> Spotter:
        loads.append(None)
        return Spotter()

    described = manifest.read(manifest.default_folder())
    tiled = TiledDetector(manifest.LazyDetector(described, load, _SIDE), 2)
    assert (tiled.long_side, tiled.identity) == (2 * _SIDE, described.identity)
    assert tiled.thresholds == described.thresholds
    assert not loads
    assert tiled.batch_size == 1
    assert loads
