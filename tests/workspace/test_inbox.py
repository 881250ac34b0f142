"""What is taken from the sources, and what it will be called."""

import os
from pathlib import Path

import pytest

from dashredact.errors import UsageError
from dashredact.workspace.inbox import plan


def _make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def _names(sources: list[Path], out: Path) -> list[str]:
    return [item.name for item in plan(sources, out)]


def test_videos_of_all_folders_in_order_under_their_relative_names(tmp_path: Path) -> None:
    names = ["b.mp4", "a.MOV", "rear/2026/x.ts", "front/x.mkv", "front/notes.txt", "cover.jpg", "noending"]
    source = _make(tmp_path / "in", *names)
    items = plan([source], tmp_path / "out")
    assert [item.name for item in items] == ["a.MOV", "b.mp4", "front/x.mkv", "rear/2026/x.ts"]
    assert [item.source for item in items] == [source / item.name for item in items]
    assert [item.stem for item in items] == [Path("a"), Path("b"), Path("front/x"), Path("rear/2026/x")]
    assert not any(item.fault for item in items)


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = _make(tmp_path / "elsewhere", "secret.mp4")
    source = _make(tmp_path / "in", "real.mp4")
    (source / "folder").symlink_to(elsewhere)
    (source / "link.mp4").symlink_to(elsewhere / "secret.mp4")
    assert _names([source], tmp_path / "out") == ["real.mp4"]


def test_hidden_folders_and_our_own_results_are_passed_by(tmp_path: Path) -> None:
    source = _make(tmp_path, "trip.mp4", ".trash/old.mp4", ".dashredact/j/assembled.mp4", "trip.masked.mp4")
    assert _names([source], tmp_path / "out") == ["trip.mp4"]


@pytest.mark.parametrize("out", ["out", "deep/out", "./deep/../out"])
def test_the_output_folder_inside_the_source_is_not_searched(tmp_path: Path, out: str) -> None:
    source = _make(tmp_path, "trip.mp4", "deep/trip.mp4", "out/copy.mp4", "deep/out/copy.mp4")
    left = {"deep/out/copy.mp4", "out/copy.mp4"} - {Path(os.path.normpath(out)).as_posix() + "/copy.mp4"}
    assert set(_names([source], source / out)) == {"trip.mp4", "deep/trip.mp4"} | left


def test_a_folder_that_is_its_own_output_is_searched(tmp_path: Path) -> None:
    assert _names([_make(tmp_path, "trip.mp4", "trip.masked.mp4")], tmp_path) == ["trip.mp4"]


def test_the_second_of_two_with_the_same_results_names_the_first(tmp_path: Path) -> None:
    source = _make(tmp_path, "a.mov", "a.mp4", "b.mp4", "sub/a.mp4")
    faults = {item.name: item.fault for item in plan([source], tmp_path / "out")}
    assert faults.pop("a.mp4").startswith("a.mp4: its results would have the names of those of a.mov;")
    assert faults == {"a.mov": "", "b.mp4": "", "sub/a.mp4": ""}


def test_a_clash_between_two_sources_is_seen(tmp_path: Path) -> None:
    one, two, three = (_make(tmp_path / name, "x.mp4") for name in ("one", "two", "three"))
    items = plan([one, two / "x.mp4", three], tmp_path / "out")
    assert [(item.name, bool(item.fault)) for item in items] == [("x.mp4", False), ("x.mp4", True), ("x.mp4", True)]


def test_a_file_that_is_named_twice_is_taken_once(tmp_path: Path) -> None:
    source = _make(tmp_path, "x.mp4")
    assert [item.fault for item in plan([source, source / "x.mp4"], tmp_path / "out")] == [""]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    _make(tmp_path, "upload", "trip.masked.mp4", ".hidden.dat")
    sources = [tmp_path / name for name in ("upload", "trip.masked.mp4", ".hidden.dat")]
    assert _names(sources, tmp_path / "out") == ["upload", "trip.masked.mp4", ".hidden.dat"]


@pytest.mark.parametrize("names", [(), ("notes.txt",), (".git/trip.mp4",), ("trip.masked.mp4",)])
def test_a_folder_without_a_video_is_a_usage_error_that_names_it(tmp_path: Path, names: tuple[str, ...]) -> None:
    source = _make(tmp_path / "in", "notes.txt", *names)
    with pytest.raises(UsageError, match=str(source)):
        plan([source], tmp_path / "out")


def test_a_name_that_is_not_utf8_is_a_fault_of_that_video_alone(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/Fu\xdfg.mp4"
    with open(path, "wb"):  # noqa: PTH123 - such a name cannot be typed
        pass
    faults = {item.name: item.fault for item in plan([_make(tmp_path, "good.mp4")], tmp_path / "out")}
    assert faults.pop("good.mp4") == ""
    assert faults == {"Fu\\udcdfg.mp4": "Fu\\udcdfg.mp4: its name is not valid UTF-8; rename it."}
