"""The work folder: what was saved comes back as it was, and what is out of date goes."""

import stat
from pathlib import Path

import numpy as np
import pytest

from dashredact.errors import MediaError
from dashredact.imaging.boxes import PixelBox
from dashredact.imaging.mosaic import Mask
from dashredact.kinds import KINDS
from dashredact.values import Detections, SegmentDetections
from dashredact.workspace.locks import STATE_FOLDER
from dashredact.workspace.work_folder import WorkFolder

_KEY = "0123456789abcdef"


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    return WorkFolder(tmp_path, "front/trip.mp4", _KEY)


def _again(tmp_path: Path) -> WorkFolder:
    """What the next run sees."""
    return WorkFolder(tmp_path, "front/trip.mp4", _KEY)


def _save_part(work: WorkFolder, segment: int, masks: dict[int, list[Mask]]) -> None:
    work.temporary_part(segment).write_bytes(b"encoded")
    work.save_part(segment, work.temporary_part(segment), masks)


@pytest.mark.parametrize("lost", [(), (9000, 12003)])
def test_detections_come_back_as_they_were_saved(work: WorkFolder, tmp_path: Path, lost: tuple[int, ...]) -> None:
    seen = Detections(
        np.array([0, 2, 2], np.int32),
        np.array([0, 1, 1], np.int8),
        np.array([[1.5, 2.25, 30.125, 40], [0, 0, 1, 1], [5, 6, 7, 8]], np.float32),
        np.array([0.9, 0.1, 0.55], np.float32),
    )
    saved = SegmentDetections(np.array([-3003, 0, 2**40], np.int64), (1920, 1080), seen, lost)
    work.save_detections(4, saved)
    found = _again(tmp_path).detections(4)
    assert found is not None
    assert (found.size, found.lost) == (saved.size, lost)
    for name in ("frames", "kinds", "boxes", "scores"):
        before, after = getattr(seen, name), getattr(found.detections, name)
        assert np.array_equal(before, after) and before.dtype == after.dtype
    assert np.array_equal(found.pts, saved.pts) and found.pts.dtype == np.int64


def test_saved_detections_name_their_kinds(work: WorkFolder) -> None:
    """A file of a version with other kinds, or the same in another order, must not make faces of plates."""
    seen = Detections(
        np.zeros(2, np.int32), np.array([0, 1], np.int8), np.zeros((2, 4), np.float32), np.ones(2, np.float32)
    )
    work.save_detections(0, SegmentDetections(np.array([0], np.int64), (8, 8), seen))
    (path,) = work.folder.glob("detections-*.npz")
    with np.load(path) as there:
        arrays = dict(there)
    assert [arrays["kind_names"][kind] for kind in arrays["kinds"]] == ["face", "plate"]
    np.savez(path, **{**arrays, "kind_names": np.array(["plate", "screen"])})
    found = work.detections(0)
    assert found is not None
    assert [KINDS[kind] for kind in found.detections.kinds] == ["plate", "screen"]


@pytest.mark.parametrize("names", [None, ["face", "hand"], ["face", "zone"], ["face"]])
def test_detections_of_an_earlier_version_or_of_other_kinds_are_made_again(
    work: WorkFolder, names: list[str] | None
) -> None:
    seen = Detections(
        np.zeros(1, np.int32), np.array([1], np.int8), np.zeros((1, 4), np.float32), np.ones(1, np.float32)
    )
    work.save_detections(0, SegmentDetections(np.array([0], np.int64), (8, 8), seen))
    (path,) = work.folder.glob("detections-*.npz")
    with np.load(path) as there:
        arrays = {name: values for name, values in there.items() if name != "kind_names"}
    np.savez(path, **arrays, **({"kind_names": np.array(names)} if names else {}))
    assert work.detections(0) is None


def test_a_segment_without_frames_comes_back(work: WorkFolder) -> None:
    work.save_detections(0, SegmentDetections(np.array([], np.int64), (0, 0), Detections.empty()))
    found = work.detections(0)
    assert found is not None
    assert len(found.pts) == len(found.detections) == 0
    assert found.detections.boxes.shape == (0, 4)


def test_a_segment_that_was_not_saved_has_no_detections(work: WorkFolder) -> None:
    work.save_detections(0, SegmentDetections(np.array([], np.int64), (0, 0), Detections.empty()))
    assert work.detections(1) is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # numpy leaves a spoilt file open
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"words"])
def test_damaged_detections_are_missing_and_damaged_masks_end_the_video(work: WorkFolder, content: bytes) -> None:
    work.save_detections(0, SegmentDetections(np.array([1], np.int64), (8, 8), Detections.empty()))
    _save_part(work, 0, {})
    for path in work.folder.glob("*.npz"):
        path.write_bytes(content)
    assert work.detections(0) is None
    with pytest.raises(MediaError, match="run again"):
        work.masks(0)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_masks_come_back_as_they_were_painted(work: WorkFolder, tmp_path: Path, depth: type[np.generic]) -> None:
    chroma = [np.array([[128, 0]], depth), np.array([[127], [255]], depth)]
    face = Mask(PixelBox(0, 2, 64, 66), (np.arange(16).reshape(4, 4).astype(depth), *chroma))
    plate = Mask(PixelBox(10, 20, 50, 32), (np.array([[1, 255, 3, 4]], depth),))
    tiny = Mask(PixelBox(1918, 1079, 1920, 1080), (np.array([[7], [9]], depth), *chroma))
    _save_part(work, 0, {3: [face, plate], 5: [tiny]})
    _save_part(work, 1, {300: [plate]})
    found = _again(tmp_path).masks(0) | _again(tmp_path).masks(1)
    assert {frame: [mask.box for mask in masks] for frame, masks in found.items()} == {
        3: [face.box, plate.box],
        5: [tiny.box],
        300: [plate.box],
    }
    for wanted, mask in zip((face, plate, tiny, plate), found[3] + found[5] + found[300], strict=True):
        assert len(mask.cells) == len(wanted.cells)
        assert all(np.array_equal(*cells) for cells in zip(mask.cells, wanted.cells, strict=True))


def test_only_the_masks_that_were_asked_for_come_back(work: WorkFolder) -> None:
    mask = Mask(PixelBox(0, 0, 4, 4), (np.zeros((1, 1), np.uint8),))
    _save_part(work, 0, {0: [mask]})
    _save_part(work, 1, {9: [mask]})
    assert list(work.masks(1)) == [9]


def test_a_segment_without_a_mask_comes_back_without_one(work: WorkFolder) -> None:
    _save_part(work, 0, {0: [], 1: []})
    assert not any(work.masks(0).values())


def test_a_part_exists_only_whole_and_with_its_masks(work: WorkFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    work.temporary_part(0).write_bytes(b"encoded")
    assert not work.part(0).exists()
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(np, "savez", crash)
        work.save_part(0, work.temporary_part(0), {})
    assert not work.part(0).exists()
    work.save_part(0, work.temporary_part(0), {})
    assert work.part(0).read_bytes() == b"encoded"
    assert not work.temporary_part(0).exists()


def test_another_key_gets_an_empty_folder_and_removes_the_stale_one(work: WorkFolder, tmp_path: Path) -> None:
    neighbour = WorkFolder(tmp_path, "rear/trip.mp4", _KEY)
    _save_part(work, 0, {})
    _save_part(neighbour, 0, {})
    changed = WorkFolder(tmp_path, "front/trip.mp4", "another")
    assert not changed.part(0).exists()
    assert not work.folder.exists()
    assert neighbour.part(0).exists()


def test_the_same_key_goes_on_where_it_was(work: WorkFolder, tmp_path: Path) -> None:
    _save_part(work, 0, {})
    assert _again(tmp_path).part(0).read_bytes() == b"encoded"


def test_a_closed_work_folder_leaves_nothing(work: WorkFolder, tmp_path: Path) -> None:
    _save_part(work, 0, {})
    work.close()
    assert list((tmp_path / STATE_FOLDER).iterdir()) == []
    work.close()


def test_work_is_private_and_its_names_tell_nothing(work: WorkFolder, tmp_path: Path) -> None:
    assert "trip" not in str(work.folder.relative_to(tmp_path))
    for path in (work.folder, work.folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_name_that_is_not_utf8_has_a_work_folder(tmp_path: Path) -> None:
    assert WorkFolder(tmp_path, b"Fu\xdf.mp4".decode(errors="surrogateescape"), _KEY).folder.is_dir()
