"""What lines tell of: their types, which files should be there, and which lines somebody asks for."""

from pathlib import Path
from typing import Any

import pytest

from dashredact.audit import log as audit_log
from dashredact.audit.events import Event, EventFilter, EventType, Purged, SourceEntry, files_there, parse
from dashredact.errors import LedgerError


def _file(name: str, digit: str = "a") -> dict[str, Any]:
    return {"name": name, "sha256": digit * 64, "bytes": 1}


def _masked(name: str, digit: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "outcome": "masked",
        "output": _file(f"{name}.masked.mp4", digit),
        "tracks_file": _file(f"{name}.tracks.json", digit),
        **more,
    }


def _events(*records: dict[str, Any]) -> list[Event]:
    return [parse({**record, "seq": number}) for number, record in enumerate(records, 1)]


def _there(*records: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(seq, file.name, file.sha256[0]) for seq, file in files_there(_events(*records))]


def test_every_act_has_one_name_in_both_versions() -> None:
    assert parse({"outcome": "masked"}).type == parse({"act": "masked", "outcome": "masked"}).type == EventType.MASKED
    assert parse({"act": "held"}).type == EventType.HELD


def test_of_a_name_the_newest_file_counts() -> None:
    corrected = {"act": "corrected", "output": _file("b.masked.mp4", "d")}
    assert _there(_masked("a"), _masked("b"), _masked("a", "c"), corrected) == [
        (2, "b.tracks.json", "a"),
        (3, "a.masked.mp4", "c"),
        (3, "a.tracks.json", "c"),
        (4, "b.masked.mp4", "d"),
    ]


def test_acts_that_only_speak_of_a_file_make_none() -> None:
    said = [{"act": act, "output": _file("elsewhere.mp4")} for act in ("exported", "held", "reviewed", "released")]
    assert _there(*said, {"outcome": "refused", "output": None}, {"outcome": "failed"}) == []


@pytest.mark.parametrize(
    "purge",
    [
        {"output": _file("a.masked.mp4"), "tracks_file": _file("a.tracks.json")},
        {"files": [{"name": "a.masked.mp4"}, _file("a.tracks.json")]},
    ],
    ids=["as version 1 has it", "as a list"],
)
def test_what_was_purged_need_not_be_there_until_it_is_made_again(purge: dict[str, Any]) -> None:
    purged = [_masked("a"), {"act": "purged", **purge}]
    assert _there(*purged) == []
    assert {seq for seq, *_ in _there(*purged, _masked("a"))} == {3}


def test_a_purged_source_takes_no_output_away() -> None:
    assert len(_there(_masked("a"), {"act": "purged", "source": {"name": "a.mp4"}})) == 2


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (EventFilter(), True),
        (EventFilter(since="2026-01-31"), True),
        (EventFilter(since="2026-02-01"), False),
        (EventFilter(until="2026-01-31"), True),
        (EventFilter(until="2026-01-30"), False),
        (EventFilter(names=["front-*"]), True),
        (EventFilter(names=["*.masked.mkv"]), True),
        (EventFilter(names=["FRONT-*"]), False),
        (EventFilter(names=["rear-*", "front-?.mp4"]), True),
        (EventFilter(types=["refused"]), False),
        (EventFilter(types=["refused", "masked"]), True),
        (EventFilter("2026-01-01", "2026-01-31", ["front-*"], ["masked"]), True),
    ],
    ids=str,
)
def test_lines_are_asked_for_by_day_name_and_outcome(wanted: EventFilter, taken: bool) -> None:
    line = {
        "time": "2026-01-31T23:59:59+00:00",
        "outcome": "masked",
        "source": {"name": "front-1.mp4"},
        "output": {"name": "front-1.masked.mkv"},
    }
    assert wanted.takes(parse(line)) is taken


def test_a_line_without_a_time_is_of_no_period() -> None:
    event = Purged(source=SourceEntry(name="a.mp4"))
    assert EventFilter().takes(event)
    assert not EventFilter(until="2026-01-01").takes(event) and not EventFilter(since="2026-01-01").takes(event)


@pytest.mark.parametrize(
    "record",
    [
        {"act": "sold"},
        {"act": "masked", "time": "yesterday"},
        {"act": "masked", "time": "2026-02-31T00:00:00+00:00"},
        {"act": "masked", "source": "a.mp4"},
        {"act": "masked", "output": {"sha256": "a"}},
        {"act": "masked", "second_look": {"ran": True, "finds": [{"kind": "face"}]}},
        {"act": "held", "hold": {"kind": "legal", "until": "for ever"}},
        {"act": "reviewed", "verdict": "fine"},
        {"act": "marked", "mark": {"id": 1, "kind": "face", "first": 0, "end": 2, "keys": [[0, 1, 2]]}},
        {"act": "requested", "request": {"id": 1, "kind": "money"}},
    ],
    ids=str,
)
def test_a_line_of_another_form_breaks_the_log_and_is_named_by_its_number(tmp_path: Path, record: Any) -> None:
    log = tmp_path / audit_log.NAME
    audit_log.append(log, {"act": "failed", "source": {"name": "a.mp4"}})
    audit_log.append(log, record)
    with pytest.raises(LedgerError, match="line 2 does not have the form of its act"):
        audit_log.events(log)


@pytest.mark.parametrize(
    "line",
    [
        {"act": "masked", "source": {"name": "", "sha256": "0" * 64}},
        {"act": "incident", "incident": {"id": 1, "known": "zz", "preliminary": "2026-01-01", "final": "2026-01-01"}},
        {"act": "requested", "request": {"id": 1, "from": "zz"}},
    ],
)
def test_a_line_with_what_no_program_wrote_is_none_of_its_act(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not have the form of its act"):
        parse(line)
