"""What lines tell of: which files should be there, and which lines somebody asks for."""

from typing import Any

import pytest

from dashredact.audit import records
from dashredact.audit.records import RecordFilter, ResultFile


def _file(name: str, digit: str = "a") -> dict[str, Any]:
    return {"name": name, "sha256": digit * 64, "bytes": 1}


def _masked(name: str, digit: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "outcome": "masked",
        "output": _file(f"{name}.masked.mp4", digit),
        "tracks_file": _file(f"{name}.tracks.json", digit),
        **more,
    }


def test_every_act_has_one_name_in_both_versions() -> None:
    assert (
        records.event_type({"outcome": "masked"})
        == records.event_type({"act": "masked", "outcome": "masked"})
        == "masked"
    )
    assert records.event_type({"act": "held"}) == "held"


def test_of_a_name_the_newest_file_counts() -> None:
    found = records.results(
        [_masked("a"), _masked("b"), _masked("a", "c"), {"act": "corrected", "output": _file("b.masked.mp4", "d")}]
    )
    assert found == [
        ResultFile(2, "b.tracks.json", "a" * 64),
        ResultFile(3, "a.masked.mp4", "c" * 64),
        ResultFile(3, "a.tracks.json", "c" * 64),
        ResultFile(4, "b.masked.mp4", "d" * 64),
    ]


def test_acts_that_only_speak_of_a_file_make_none() -> None:
    said = [{"act": act, "output": _file("elsewhere.mp4")} for act in ("exported", "held", "reviewed", "released")]
    assert records.results([*said, {"outcome": "refused", "output": None}, {"outcome": "failed"}]) == []


@pytest.mark.parametrize(
    "purge",
    [
        {"output": _file("a.masked.mp4"), "tracks_file": _file("a.tracks.json")},
        {"files": [{"name": "a.masked.mp4"}, _file("a.tracks.json")]},
    ],
    ids=["as it was written", "as a list"],
)
def test_what_was_purged_need_not_be_there_until_it_is_made_again(purge: dict[str, Any]) -> None:
    purged = [_masked("a"), {"act": "purged", **purge}]
    assert records.results(purged) == []
    assert {result.line for result in records.results([*purged, _masked("a")])} == {3}


def test_a_purged_source_takes_no_output_away() -> None:
    assert len(records.results([_masked("a"), {"act": "purged", "source": {"name": "a.mp4"}}])) == 2


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a.mp4", True),
        ("tour/a.mp4", True),
        ("..a/b..mp4", True),
        ("/etc/passwd", False),
        ("../a.mp4", False),
        ("tour/../../a.mp4", False),
        ("a\0.mp4", False),
    ],
)
def test_names_that_leave_the_folder_are_told_apart(name: str, inside: bool) -> None:
    assert ResultFile(1, name, "").inside is inside


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (RecordFilter(), True),
        (RecordFilter(since="2026-01-31"), True),
        (RecordFilter(since="2026-02-01"), False),
        (RecordFilter(until="2026-01-31"), True),
        (RecordFilter(until="2026-01-30"), False),
        (RecordFilter(names=["front-*"]), True),
        (RecordFilter(names=["*.masked.mkv"]), True),
        (RecordFilter(names=["FRONT-*"]), False),
        (RecordFilter(names=["rear-*", "front-?.mp4"]), True),
        (RecordFilter(outcomes=["refused"]), False),
        (RecordFilter(outcomes=["refused", "masked"]), True),
        (RecordFilter("2026-01-01", "2026-01-31", ["front-*"], ["masked"]), True),
    ],
    ids=str,
)
def test_lines_are_asked_for_by_day_name_and_outcome(wanted: RecordFilter, taken: bool) -> None:
    line = {
        "time": "2026-01-31T23:59:59+00:00",
        "outcome": "masked",
        "source": {"name": "front-1.mp4"},
        "output": {"name": "front-1.masked.mkv"},
    }
    assert wanted.takes(line) is taken


def test_a_line_without_a_time_is_of_no_period() -> None:
    assert RecordFilter().takes({})
    assert not RecordFilter(until="2026-01-01").takes({}) and not RecordFilter(since="2026-01-01").takes({})
