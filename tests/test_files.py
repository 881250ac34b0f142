"""Files appear whole or not at all, for their owner's eyes only, and one run at a time writes."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact import files
from dashredact.errors import LockedError, MachineError, UsageError


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


_HOLD = """
import sys, time
from pathlib import Path
from dashredact.errors import LockedError
from dashredact.files import masking_lock
try:
    with masking_lock(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
except LockedError:
    print("locked", flush=True)
"""


def _process(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", _HOLD, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True)


def _first_word(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_another_process_is_kept_out_while_we_hold_the_folder(tmp_path: Path) -> None:
    with files.masking_lock(tmp_path), _process(tmp_path, 0) as other:
        assert _first_word(other) == "locked"
    with _process(tmp_path, 0) as other:
        assert _first_word(other) == "held"


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    with _process(tmp_path, 60) as other:
        assert _first_word(other) == "held"
        with pytest.raises(LockedError, match=str(tmp_path)), files.masking_lock(tmp_path):
            pass
        other.kill()
        other.wait()
        until = time.monotonic() + 5
        while True:
            try:
                with files.masking_lock(tmp_path):
                    break
            except LockedError:
                assert time.monotonic() < until
                time.sleep(0.05)


def test_the_desk_is_free_while_a_run_goes_on_and_its_holder_is_waited_for(tmp_path: Path) -> None:
    order = []
    with files.masking_lock(tmp_path), ThreadPoolExecutor(1) as pool:
        with files.decision_lock(tmp_path):
            later = pool.submit(_at_the_desk, tmp_path, order)
            time.sleep(0.3)
            order.append("first")
        later.result()
    assert order == ["first", "second"]


def _at_the_desk(folder: Path, order: list[str]) -> None:
    with files.decision_lock(folder):
        order.append("second")


def test_who_wants_to_be_alone_waits_for_a_short_look(tmp_path: Path) -> None:
    with _process(tmp_path, 0.5) as other:
        assert _first_word(other) == "held"
        with files.exclusive_lock(tmp_path):
            pass


def test_who_is_alone_keeps_both_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LOCK_TIMEOUT", 0.1)
    with files.exclusive_lock(tmp_path):
        for other in (files.masking_lock, files.decision_lock):
            with pytest.raises(LockedError), other(tmp_path):
                pass
    for other in (files.masking_lock, files.decision_lock):
        with other(tmp_path), pytest.raises(LockedError), files.exclusive_lock(tmp_path):
            pass


def test_a_resting_holder_lets_others_in_and_waits_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = []

    def while_we_rest(_seconds: float) -> None:
        others.append(_process(tmp_path, 0.5))
        assert _first_word(others[0]) == "held"

    with files.masking_lock(tmp_path) as lock:
        with monkeypatch.context() as patch:
            patch.setattr(time, "sleep", while_we_rest)
            lock.release_for(1)
        with others[0], pytest.raises(LockedError), files.masking_lock(tmp_path):
            pass


def test_an_error_under_the_lock_lets_go_of_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), files.masking_lock(tmp_path):
        raise ZeroDivisionError
    with files.masking_lock(tmp_path):
        assert _mode(tmp_path / files.WORK_FOLDER) == 0o700


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
