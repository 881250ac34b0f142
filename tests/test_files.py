"""Files appear whole or not at all, for their owner's eyes only."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact import files
from dashredact.errors import MachineError, UsageError


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_content_is_there_for_the_owner_alone_and_nothing_beside_it(tmp_path: Path) -> None:
    with _umask(0):
        files.write(tmp_path / "trip.tracks.json", b"content")
    assert (tmp_path / "trip.tracks.json").read_bytes() == b"content"
    assert _mode(tmp_path / "trip.tracks.json") == 0o600
    assert _listed(tmp_path) == ["trip.tracks.json"]


def test_a_name_that_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "mine.json").write_text("mine")
    for name in ("link.json", "mine.json"):
        with pytest.raises(UsageError, match=f"{name} already exists"):
            files.write_new(tmp_path / name, b"content")
    assert (tmp_path / "mine.json").read_text() == "mine"
    assert _listed(tmp_path) == ["link.json", "mine.json"]


def test_a_new_name_gets_its_private_folders(tmp_path: Path) -> None:
    files.write_new(tmp_path / "a" / "b.json", b"content")
    assert (_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b.json")) == (0o700, 0o600)


def test_a_name_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        files.write_new(tmp_path / ("x" * 300), b"content")


def test_writing_again_replaces_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "name"
    files.write(path, b"a long first content")
    files.write(path, b"short")
    assert path.read_bytes() == b"short"
    assert _listed(tmp_path) == ["name"]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "name"
    files.write(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"


def test_content_is_on_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "name"
    named_at_sync: list[bool] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        named_at_sync.append(path.exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    files.write(path, b"content")
    assert named_at_sync[0] is False
    assert named_at_sync[-1] is True, "the folder is synced after the rename"


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    files.write(path, b"content")
    assert path.read_bytes() == b"content"


def test_publish_moves_the_file_and_takes_other_eyes_away(tmp_path: Path) -> None:
    finished, final = tmp_path / "finished", tmp_path / "final.mp4"
    finished.write_bytes(b"new")
    finished.chmod(0o644)
    final.write_bytes(b"old")
    files.publish(finished, final)
    assert final.read_bytes() == b"new"
    assert _mode(final) == 0o600
    assert _listed(tmp_path) == ["final.mp4"]


def test_a_new_folder_is_private_and_one_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    with _umask(0):
        assert _mode(files.private_folder(tmp_path / "new")) == 0o700
    there = tmp_path / "there"
    there.mkdir()
    there.chmod(0o750)
    assert _mode(files.private_folder(there)) == 0o750


def test_a_folder_that_cannot_be_made_is_a_machine_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="file"):
        files.private_folder(tmp_path / "file" / "folder")


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


_stems = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=300)
_endings = st.sampled_from((".masked.mp4", ".tracks.json"))


@settings(max_examples=150, deadline=None)
@given(_stems, _endings)
def test_any_name_fits_and_a_short_one_is_kept(stem: str, ending: str) -> None:
    found = files.bounded_name(stem, ending)
    assert len(os.fsencode(found)) <= 255
    assert found.endswith(ending)
    assert found == files.bounded_name(stem, ending)
    if len(os.fsencode(stem + ending)) <= 255:
        assert found == stem + ending


@pytest.mark.parametrize("stem", ["ドライブレコーダー" * 20, "é" * 200, "🚗" * 100, "x" * 245, "a" + "漢" * 100])
def test_a_long_name_is_shortened_between_its_characters_and_stays_its_own(stem: str, tmp_path: Path) -> None:
    found = files.bounded_name(stem, ".masked.mp4")
    kept, mark = found.removesuffix(".masked.mp4").rsplit("~", 1)
    assert stem.startswith(kept) and len(os.fsencode(found)) > 255 - 4
    assert len(mark) == 8
    assert found != files.bounded_name(stem + "x", ".masked.mp4")
    files.write(tmp_path / found, b"")
    assert _listed(tmp_path) == [found]


def test_a_name_of_exactly_the_greatest_length_is_kept() -> None:
    assert files.bounded_name("x" * 251, ".mp4") == "x" * 251 + ".mp4"
    assert files.bounded_name("x" * 252, ".mp4") != "x" * 252 + ".mp4"


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    """Who may write to the folder knows the temporary name; what it leads to stays as it is."""
    theirs, path = tmp_path / "theirs", tmp_path / "name"
    theirs.write_bytes(b"mine")
    digest = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    path.with_name(f".{digest}.tmp").symlink_to(theirs)
    files.write(path, b"content")
    assert (theirs.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"mine", b"content", False)


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/../b", "/etc", "a\0", "link/a", "x" * 256, "x/" * 2100])
def test_a_name_that_leads_out_has_no_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    assert files.inside(folder, name) is None
    for good in ("sub/a", "..a/b..mp4"):
        assert files.inside(folder, good) == folder / good
