"""The Python interface: every example of its page runs, and importing it loads nothing slow."""

import re
from pathlib import Path

import pytest
from clips import Finder, Library

import dashredact
from dashredact.audit.events import Masked
from dashredact.kinds import Kind

_PAGE = Path(__file__).parents[1] / "docs" / "api.md"
_EXAMPLES = re.findall(r"```python\n(.*?)```", _PAGE.read_text(), re.DOTALL)


def test_the_page_runs_from_top_to_bottom(
    clip: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trip.mp4").write_bytes(clip("30.mp4").read_bytes())
    (tmp_path / "words.txt").write_text("not a video")
    for example in _EXAMPLES:
        exec(compile(example, str(_PAGE), "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out
    assert "trip.mp4 masked masked/trip.masked.mp4 masked/trip.tracks.json" in printed
    assert "words.txt" in printed.splitlines()[-1]
    assert len(_EXAMPLES) >= 8


def test_every_public_name_is_there_and_on_the_page() -> None:
    words = set(re.findall(r"\w+", _PAGE.read_text()))
    for name in dashredact.__all__:
        assert getattr(dashredact, name) is not None
        assert name in words or name == "__version__"
    with pytest.raises(AttributeError, match="mask_everything"):
        _ = dashredact.mask_everything  # type: ignore[attr-defined]


def test_a_broken_video_is_a_result_and_the_others_go_on(clip: Library, tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "broken.mp4").write_text("not a video")
    (inbox / "trip.mp4").write_bytes(clip("30.mp4").read_bytes())
    results = {one.name: one for one in dashredact.redact(inbox, tmp_path / "out", detector=Finder())}
    assert not results["broken.mp4"].ok and "is not a video" in results["broken.mp4"].reason
    assert results["trip.mp4"].ok and isinstance(results["trip.mp4"].event, Masked)
    assert results["trip.mp4"].tracks is not None
    assert dashredact.read_tracks(results["trip.mp4"].tracks).tracks


def test_a_kind_that_the_detector_does_not_find_is_refused(clip: Library, tmp_path: Path) -> None:
    settings = dashredact.Settings(link=dashredact.TrackSettings({Kind.FACE: 0.5, Kind.SCREEN: 0.5}))
    with pytest.raises(dashredact.UsageError, match="finds face, plate, and screen is to be masked"):
        dashredact.redact(clip("30.mp4"), tmp_path / "out", settings=settings, detector=Finder())
    assert not (tmp_path / "out").exists()


def test_a_kind_that_only_boxes_hold_is_taken_from_them(clip: Library, tmp_path: Path) -> None:
    source, boxes = clip("30.mp4"), tmp_path / "boxes.json"
    settings = dashredact.Settings(link=dashredact.TrackSettings({Kind.FACE: 0.5, Kind.SCREEN: 0.5}))
    (first,) = dashredact.redact(
        source, tmp_path / "first", detector=Finder(kind=Kind.SCREEN, thresholds={Kind.SCREEN: 0.5})
    )
    assert first.tracks
    dashredact.write_tracks(boxes, dashredact.read_tracks(first.tracks))
    (second,) = dashredact.redact(source, tmp_path / "second", settings=settings, detector=Finder(), boxes=boxes)
    assert second.tracks
    assert Kind.SCREEN in {track.kind for track in dashredact.read_tracks(second.tracks).tracks}


def test_boxes_are_for_one_video(clip: Library, tmp_path: Path) -> None:
    with pytest.raises(dashredact.UsageError, match="holds the boxes of one video, and there are 2"):
        dashredact.redact([clip("30.mp4"), clip("25.mov")], tmp_path / "out", detector=Finder(), boxes=tmp_path / "b")


def test_a_folder_that_is_masked_into_itself_is_refused(clip: Library) -> None:
    folder = clip("30.mp4").parent
    with pytest.raises(dashredact.UsageError):
        dashredact.redact(folder, folder / "out", detector=Finder())


def test_what_the_detector_finds_is_masked_where_nobody_says_which_kinds(clip: Library, tmp_path: Path) -> None:
    finder = Finder(kind=Kind.PERSON, thresholds={Kind.PERSON: 0.5})
    (result,) = dashredact.redact(clip("30.mp4"), tmp_path / "out", detector=finder)
    assert result.tracks is not None
    assert {track.kind for track in dashredact.read_tracks(result.tracks).tracks} == {Kind.PERSON}


def test_workers_do_the_same(clip: Library, tmp_path: Path) -> None:
    (alone,) = dashredact.redact(clip("30.mp4"), tmp_path / "alone", detector=Finder())
    (shared,) = dashredact.redact(clip("30.mp4"), tmp_path / "shared", detector=Finder(), workers=2)
    assert alone.output and shared.output
    assert alone.tracks and shared.tracks
    one, other = (dashredact.read_tracks(result.tracks).tracks for result in (alone, shared))
    assert len(one) == len(other) > 0
    for mine, yours in zip(one, other, strict=True):
        assert mine.kind is yours.kind
        assert (mine.boxes == yours.boxes).all()
