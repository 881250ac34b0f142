"""`request` and `incident`: what people ask for is found, answered in time, and erased in every stage."""

import json
import re
import stat
from datetime import date, timedelta
from pathlib import Path

import pytest
from clips import Library, ffmpeg
from fleet import Fleet, call
from output_checks import check_schema
from policies import FULL, changed, toml

from dashredact.audit import log as audit_log
from dashredact.errors import ExitCode
from dashredact.governance.policy.model import RESERVED
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder

_TODAY = date.today()
_CLIP, _LATER = "taxi7/front-20260412-081502.mp4", "taxi7/front-20260412-083502.mp4"
_OTHER, _DAY, _DARK = "taxi8/front-20260412-081502.mp4", "taxi7/rear-20260412.mp4", "taxi7/clip0001.mp4"

_HOLD = {"kind": "accident", "until": str(_TODAY)}


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    made = Fleet(tmp_path)
    for name in (_CLIP, _LATER, _OTHER, _DAY, _DARK):
        made.masked(name)
    return made


def _add(fleet: Fleet, kind: str = "copy", *more: str | Path) -> None:
    times = ("--from", "2026-04-12T08:16", "--to", "2026-04-12 08:20")
    done = call(
        "request", "add", fleet.out, "--kind", kind, "--reference", "2026-1", "--vehicle", "taxi7/*", *times, *more
    )
    assert done.exit_code == ExitCode.OK, done.stderr


def _found(fleet: Fleet, *more: str | Path) -> dict[str, str]:
    done = call("request", "find", fleet.out, *more, "--json")
    assert done.exit_code == ExitCode.OK, done.stderr
    return {row["name"]: row["dated by"] for row in map(json.loads, done.stdout.splitlines())}


def test_a_request_is_a_line_of_the_log_and_names_nobody(fleet: Fleet) -> None:
    _add(fleet, "copy", "--place", "銀座4", "--received", "2026-04-20")
    line = fleet.last()
    check_schema(line, "audit")
    wanted = {"id": 1, "kind": "copy", "reference": "2026-1", "vehicle": "taxi7/*", "place": "銀座4"}
    times = {"from": "2026-04-12T08:16:00", "to": "2026-04-12T08:20:00"}
    assert line["request"] == {**wanted, **times, "received": "2026-04-20", "due": "2026-05-04"}


def test_the_policy_says_when_it_is_due(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(toml(changed(("contact", "answer_days"), 30)), "utf-8")
    _add(fleet, "copy", "--received", "2026-04-20", "--policy", tmp_path / "policy.toml")
    assert fleet.last()["request"]["due"] == "2026-05-20"


def test_what_is_open_due_and_overdue_is_listed(fleet: Fleet) -> None:
    for days in (0, 12, 14, 15):
        _add(fleet, "stop", "--received", str(_TODAY - timedelta(days=days)))
    done = call("request", "list", fleet.out, "--json")
    assert [json.loads(line)["state"] for line in done.stdout.splitlines()] == ["open", "due", "due", "overdue"]
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert call("request", "close", fleet.out, 4, "--note", "told them").exit_code == ExitCode.OK
    done = call("request", "list", fleet.out)
    assert done.exit_code == ExitCode.OK and "overdue" not in done.stdout
    assert "told them" in call("request", "list", fleet.out, "--all").stdout
    assert call("request", "close", fleet.out, 4, "--note", "again").exit_code == ExitCode.USAGE


def test_clips_are_found_by_vehicle_and_time(fleet: Fleet) -> None:
    _add(fleet)
    assert _found(fleet, "1") == {_CLIP: "name", _DAY: "name (day only)", _DARK: ""}


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ("08:10", "08:15", set()),
        ("08:10", "08:15:02", {_CLIP}),
        ("08:16:01", "08:17", {_CLIP}),  # it lasts 59.9 s
        ("08:16:02", "08:17", set()),
        ("08:00", "09:00", {_CLIP, _LATER}),
    ],
)
def test_the_length_of_a_clip_counts(fleet: Fleet, start: str, end: str, wanted: set[str]) -> None:
    times = ("--from", f"2026-04-12T{start}", "--to", f"2026-04-12T{end}")
    assert _found(fleet, "--vehicle", "taxi7/front-*", *times).keys() == wanted


def test_other_days_and_vehicles_are_not_found(fleet: Fleet) -> None:
    assert _found(fleet, "--vehicle", "taxi8/*", "--from", "2026-04-13T00:00:01").keys() == set()
    assert _found(fleet, "--vehicle", "rear-*").keys() == {_DAY}


def test_a_clip_whose_name_holds_several_days_is_listed_whatever_the_time(fleet: Fleet) -> None:
    fleet.masked("taxi7/20260411_20260413.mp4")
    wanted = {"taxi7/20260411_20260413.mp4": "name (several days)"}
    assert _found(fleet, "--vehicle", "*2026041[13]*", "--from", "2026-05-01T00:00") == wanted


def test_a_container_tells_where_the_name_does_not(fleet: Fleet, clip: Library) -> None:
    path = fleet.inbox / "taxi7" / "new.mp4"
    ffmpeg("-i", clip("30.mp4"), "-c", "copy", "-metadata", "creation_time=2026-04-12T08:17:00Z", path)
    _add(fleet)
    assert _found(fleet, "1", "--inbox", fleet.inbox)["taxi7/new.mp4"].startswith("container")
    late = ("--vehicle", "taxi7/new*", "--from", "2026-04-14T00:00", "--inbox", fleet.inbox)
    assert _found(fleet, *late) == {}
    rows = call("request", "find", fleet.out, "--vehicle", "taxi7/new*", "--inbox", fleet.inbox).stdout
    assert "not masked" in rows


def _everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_erasing_takes_every_stage_and_names_who_has_it(fleet: Fleet) -> None:
    output, source = next(one["output"] for one in fleet.records()), fleet.source(_CLIP)
    fleet.append("exported", source=fleet.source(_CLIP), output=output, recipient="Chizu Inc.", contract="7")
    assert call("report", fleet.out).exit_code in (ExitCode.OK, ExitCode.NEEDS_REVIEW)
    (fleet.inbox / "copy.mp4").write_bytes((fleet.inbox / _CLIP).read_bytes())
    before = _everything(fleet.out.parent)
    _add(fleet, "erase")
    done = call("request", "erase", fleet.out, 1, _CLIP, "--inbox", fleet.inbox)
    assert done.exit_code == ExitCode.NEEDS_REVIEW and "Chizu Inc." in done.stdout
    gone = before - _everything(fleet.out.parent)
    stem = "taxi7/front-20260412-081502"
    pages = {name for name in gone if name.startswith("out/report/")}
    assert len(pages) == 2
    assert gone - pages == {f"inbox/{_CLIP}", "inbox/copy.mp4", f"out/{stem}.masked.mp4", f"out/{stem}.tracks.json"}
    of_source, of_made = (one for one in fleet.records() if one["act"] == "purged")
    for line in (of_source, of_made):
        check_schema(line, "audit")
        assert (line["rule"], line["request"]) == ({"name": "request"}, {"id": 1})
    assert of_source["source"] == source and "files" not in of_source
    assert {one["stage"] for one in of_made["files"]} == {"masked", "tracks", "report"}
    assert output in [{key: one[key] for key in output} for one in of_made["files"]]
    assert call("audit", "verify", fleet.out, "--files").exit_code == ExitCode.OK
    rows = call("export", "recall", fleet.out, _CLIP, "--json").stdout.splitlines()
    assert [json.loads(row)["act"] for row in rows] == ["purged"]


def test_an_original_that_is_not_found_is_said(fleet: Fleet) -> None:
    _add(fleet, "stop")
    done = call("request", "erase", fleet.out, 1, _CLIP)
    assert done.exit_code == ExitCode.NEEDS_REVIEW and "its original was not found" in done.stderr
    assert (fleet.inbox / _CLIP).exists()
    assert not any("source" in one for one in fleet.records() if one["act"] == "purged")
    assert call("request", "erase", fleet.out, 1, _CLIP, "--inbox", fleet.inbox).exit_code == ExitCode.OK
    assert not (fleet.inbox / _CLIP).exists()


def test_the_same_recording_under_another_name_goes_too(fleet: Fleet) -> None:
    source = fleet.source(_CLIP) | {"name": "again.mp4"}
    fleet.append("duplicate", source=source)
    _add(fleet, "erase")
    call("request", "erase", fleet.out, 1, _CLIP, "--inbox", fleet.inbox)
    names = {one["source"]["name"] for one in fleet.records() if one["act"] == "purged" and "source" in one}
    assert names == {_CLIP, "again.mp4"}


def test_what_duplicates_share_is_erased_and_told_once(fleet: Fleet) -> None:
    output = next(one["output"] for one in fleet.records())
    again = fleet.source(_CLIP) | {"name": "again.mp4"}
    made = next(one for one in fleet.records() if one["source"]["name"] == _CLIP)
    fleet.append("duplicate", source=again, output=output, tracks_file=made["tracks_file"])
    fleet.append("exported", source=fleet.source(_CLIP), output=output, recipient="Chizu Inc.", contract="7")
    fleet.append("exported", source=fleet.source(_CLIP), output=output, recipient="request 9: 2026-1")
    done = call("request", "find", fleet.out, "--vehicle", "again*", "--json")
    assert json.loads(done.stdout)["recipients"] == "Chizu Inc.; request 9: 2026-1"
    _add(fleet, "erase")
    done = call("request", "erase", fleet.out, 1, "again.mp4", "--beyond", "--inbox", fleet.inbox)
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert done.stdout.count("Chizu Inc.") == 1 and "request 9" not in done.stdout
    gone = [file["name"] for one in fleet.records() if one["act"] == "purged" for file in one.get("files", ())]
    assert len(gone) == len(set(gone)) == 2
    assert "Chizu Inc." in call("export", "recall", fleet.out, "again.mp4").stdout


def test_who_was_handed_an_earlier_version_is_told_too(fleet: Fleet) -> None:
    """Masked and handed over; later, under other settings, the output of another name came to stand for it."""
    other = next(one for one in fleet.records() if one["source"]["name"] == _OTHER)
    mine = fleet.records()[0]["output"]
    fleet.append("exported", source=fleet.source(_CLIP), output=mine, recipient="Chizu Inc.", contract="7")
    same = {key: other[key] for key in ("output", "tracks_file")}
    fleet.append("duplicate", source=fleet.source(_CLIP), **same)
    _add(fleet, "erase")
    done = call("request", "erase", fleet.out, 1, _CLIP, "--inbox", fleet.inbox)
    assert done.exit_code == ExitCode.NEEDS_REVIEW and "Chizu Inc." in done.stdout
    for name in (_CLIP, mine["name"]):
        assert "Chizu Inc." in call("export", "recall", fleet.out, name).stdout


def test_kept_detections_and_the_reason_of_a_quarantine_go_too(fleet: Fleet) -> None:
    kept = fleet.made("taxi7/front-20260412-081502.detections.npz", b"boxes")
    fleet.masked(_CLIP, files=[kept])
    (fleet.inbox / "quarantine").mkdir()
    (fleet.inbox / _CLIP).rename(fleet.inbox / "quarantine" / "clip.mp4")
    (fleet.inbox / "quarantine" / "clip.mp4.reason.txt").write_text("why")
    fleet.append("quarantined", source=fleet.source(_CLIP, "quarantine/clip.mp4"), moved_to="quarantine/clip.mp4")
    names = _found(fleet, "--vehicle", "*", "--inbox", fleet.inbox)
    assert _CLIP in names and "quarantine/clip.mp4" not in names
    _add(fleet, "erase")
    assert call("request", "erase", fleet.out, 1, _CLIP, "--inbox", fleet.inbox).exit_code == ExitCode.OK
    assert not list((fleet.inbox / "quarantine").iterdir()) and not (fleet.out / kept["name"]).exists()
    stages = [file["stage"] for one in fleet.records() if one["act"] == "purged" for file in one.get("files", ())]
    assert stages == ["masked", "tracks", "detections"]


@pytest.mark.parametrize("name", [_LATER, _OTHER])
def test_a_clip_that_the_request_is_not_about_stays(fleet: Fleet, name: str) -> None:
    _add(fleet, "erase")
    done = call("request", "erase", fleet.out, 1, name, "--inbox", fleet.inbox)
    assert done.exit_code == ExitCode.USAGE and "does not fit" in done.stderr and (fleet.inbox / name).exists()
    assert call("request", "erase", fleet.out, 1, name, "--beyond", "--inbox", fleet.inbox).exit_code == ExitCode.OK


def test_what_was_erased_is_not_masked_again(fleet: Fleet) -> None:
    content = (fleet.inbox / _CLIP).read_bytes()
    digest = fleet.source(_CLIP)["sha256"]
    _add(fleet, "erase")
    call("request", "erase", fleet.out, 1, _CLIP)  # only what was made of it is found
    assert Index(OutputFolder(fleet.out)).erased(digest) == 1
    (fleet.inbox / "uploaded again.mp4").write_bytes(content)
    done = call("redact", fleet.inbox / "uploaded again.mp4", "-o", fleet.out, "-q")
    assert done.exit_code == ExitCode.SOME_FAILED and "erased for request 1" in done.stderr
    assert fleet.last()["act"] == "refused" and Index(OutputFolder(fleet.out)).erased("0" * 64) is None


def test_a_recording_that_was_never_masked_can_go_too(fleet: Fleet) -> None:
    (fleet.inbox / "new.mp4").write_bytes(b"new")
    source = fleet.source("new.mp4") | {"place": None}
    _add(fleet, "erase")
    assert call("request", "erase", fleet.out, 1, "new.mp4").exit_code == ExitCode.USAGE
    assert (
        call("request", "erase", fleet.out, 1, "new.mp4", "--beyond", "--inbox", fleet.inbox).exit_code == ExitCode.OK
    )
    assert not (fleet.inbox / "new.mp4").exists()
    check_schema(fleet.last(), "audit")
    assert (fleet.last()["act"], fleet.last()["source"]) == ("purged", source)


def test_what_is_held_stays(fleet: Fleet) -> None:
    fleet.append("held", source=fleet.source(_CLIP), reason="accident 7", hold=_HOLD)
    _add(fleet, "erase")
    done = call("request", "erase", fleet.out, 1, "taxi7/*", "--beyond", "--inbox", fleet.inbox)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "accident 7" in done.stderr
    assert (fleet.inbox / _CLIP).exists() and (fleet.inbox / _LATER).exists()
    fleet.append("released", source=fleet.source(_CLIP))
    assert call("request", "erase", fleet.out, 1, _CLIP, "--inbox", fleet.inbox).exit_code == ExitCode.OK


@pytest.mark.parametrize(("number", "says"), [("2", "no request 2"), ("1", "asks for copy")])
def test_erasing_needs_somebody_who_asked(fleet: Fleet, number: str, says: str) -> None:
    _add(fleet, "copy")
    done = call("request", "erase", fleet.out, number, _CLIP)
    assert done.exit_code == ExitCode.USAGE and says in done.stderr


def test_a_copy_of_an_original_that_is_gone_is_refused_plainly(fleet: Fleet, tmp_path: Path) -> None:
    (fleet.inbox / _CLIP).write_bytes(b"another recording")
    _add(fleet)
    words = (fleet.out, 1, _CLIP, "--track", 1, "--inbox", fleet.inbox, "-o", tmp_path / "copy.mp4")
    done = call("request", "copy", *map(str, words))
    assert done.exit_code == ExitCode.USAGE and "is not in" in done.stderr and "any more" in done.stderr
    assert not (tmp_path / "copy.mp4").exists()


@pytest.mark.parametrize(("wrongful", "final"), [(False, "2026-05-19"), (True, "2026-06-18")])
def test_a_draft_has_the_items_and_the_dates(fleet: Fleet, tmp_path: Path, wrongful: bool, final: str) -> None:
    (tmp_path / "policy.toml").write_text(toml(FULL), "utf-8")
    path = tmp_path / "incident.txt"
    flags = ["--wrongful"] if wrongful else []
    words = ("--known", "2026-04-20", "--name", _CLIP, "--policy", tmp_path / "policy.toml", "-o", path)
    done = call("incident", "new", fleet.out, *words, *flags)
    assert done.exit_code == ExitCode.OK and f"final report by {final}" in done.stdout
    text = path.read_text()
    assert not RESERVED.search(text.casefold())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for said in (
        final,
        "2026-04-22",
        "2026-04-24",
        "二次被害",
        "Further harm",
        "見本交通株式会社",
        _CLIP,
        "second-hand",
    ):
        assert said in text
    assert [text.count(f"\n{number}. ") for number in range(1, 10)] == [2] * 9
    line = fleet.last()
    check_schema(line, "audit")
    assert line["incident"] | {"clips": []} == {
        "id": 1, "known": "2026-04-20", "wrongful": wrongful, "preliminary": "2026-04-24", "final": final, "clips": []
    }  # fmt: skip
    row = call("incident", "show", fleet.out).stdout.splitlines()[1]
    told = (r"2026-04-24 \(over\)", rf"{final} \(over\)", r"-\d+", "2026-04-20", "yes" if wrongful else "no")
    assert re.fullmatch(" +".join(("1", *told)), row)
    assert call("incident", "new", fleet.out, "-o", path).exit_code == ExitCode.USAGE
    assert len([one for one in audit_log.records(fleet.log) if one["act"] == "incident"]) == 1
