"""Purging deletes exactly what the policy says, never an original without a verified output, never a held one."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept import CAPTURED, FILMED, MASKED, Fleet, after
from output_checks import check_schema
from policies import FULL, changed

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.governance.notice import log_evidence
from dashredact.governance.notice.evidence import Case
from dashredact.governance.policy.gates import to_review
from dashredact.governance.retention.inventory import Disposition
from dashredact.governance.retention.purge import Purge, PurgeOptions
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


# --- made situations ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Situation:
    """One source and what became of it."""

    act: str
    age: int
    """days since filming, on the day of the purge"""
    original: str
    output: str
    tracks: str
    hold: str
    opinion: str


TODAY = date(2027, 6, 1)
KEY = "age1l76jvlvuh7dnex4dkyayzqhejrj7cprt4sfy2ehta5h8uejelves3wnl9w"  # whose private half nobody has
_KEPT = (Disposition.OVERDUE, Disposition.WAITING)
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncing a disk takes most of the time
_STATES = st.sampled_from(["there", "there", "there", "gone", "changed", "a link"])
_ORIGINALS = st.sampled_from([*["there"] * 6, "gone", "changed", "a link"])
_SITUATIONS = st.builds(
    Situation,
    act=st.sampled_from(["masked", "masked", "needs review", "failed", "refused", "refused by policy", "bug"]),
    age=st.sampled_from([MASKED + 1, CAPTURED + 1, 100, MASKED, CAPTURED, 0]),
    original=_ORIGINALS,
    output=_STATES,
    tracks=_STATES,
    hold=st.sampled_from(["none", "none", "none", "to today", "over", "released", "later"]),
    opinion=st.sampled_from(["", "", "approved", "rejected"]),
)


def _spoil(path: Path, state: str, elsewhere: Path) -> None:
    if state == "changed":
        path.write_bytes(b"something else")
    elif state == "a link":
        elsewhere.mkdir(exist_ok=True)
        target = elsewhere / path.name
        path.rename(target)
        path.symlink_to(target)
    elif state == "gone":
        path.unlink()


def _make(fleet: Fleet, number: int, case: Situation) -> list[Path]:
    """Original, masked video, tracks file."""
    name, day = f"sub/front-{number}.mp4", date.fromordinal(TODAY.toordinal() - case.age)
    paths = fleet.masked(name, "masked" if case.act not in ("masked", "needs review") else case.act, day)
    if case.opinion:
        output = {"name": f"sub/front-{number}.masked.mp4", "sha256": fleet.records[-1]["output"]["sha256"], "bytes": 1}
        audit_log.append(fleet.log, {"act": "reviewed", "reason": "", "output": output, "verdict": case.opinion})
    if case.act not in ("masked", "needs review"):
        fleet.failed(name, case.act, day)
    until = {"to today": TODAY, "later": after(9, TODAY), "over": after(-1, TODAY), "released": after(9, TODAY)}
    if case.hold in until:
        fleet.hold(name, until[case.hold])
    if case.hold == "released":
        fleet.hold(name, TODAY, "released")
    for path, state in zip(paths, (case.original, case.output, case.tracks), strict=True):
        _spoil(path, state, fleet.inbox.parent / "elsewhere")
    return paths


def _expected(case: Situation) -> list[bool]:
    """Of the original, the masked video and the tracks file: whether it goes."""
    held = case.hold in ("to today", "later")
    good = case.act == "masked" or (case.act == "needs review" and case.opinion == "approved")
    verified = case.output == "there" and good and case.opinion != "rejected"
    old = case.age > MASKED and not held
    return [
        case.original == "there" and case.age > CAPTURED and not held and verified,
        case.output == "there" and old,
        case.tracks == "there" and old,
    ]


def _overdue(case: Situation) -> bool:
    """Of the original."""
    late = case.age > CAPTURED and case.hold not in ("to today", "later")
    return case.original in ("there", "changed") and late and not _expected(case)[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_SITUATIONS, min_size=4, max_size=10))
def test_exactly_what_the_policy_says_goes(cases: list[Situation]) -> None:
    with TemporaryDirectory(dir=_MEMORY) as folder:
        fleet = Fleet(Path(folder))
        paths = [_make(fleet, number, case) for number, case in enumerate(cases)]
        before = {path: path.read_bytes() for path in fleet.files()}
        lines = len(fleet.records)

        foreseen = fleet.purge(TODAY, dry_run=True)
        assert {path: path.read_bytes() for path in fleet.files()} == before and len(fleet.records) == lines

        findings = fleet.purge(TODAY)
        assert findings == foreseen
        gone = {
            path
            for mine, case in zip(paths, cases, strict=True)
            for path, goes in zip(mine, _expected(case), strict=True)
            if goes
        }
        assert {path: path.read_bytes() for path in fleet.files()} == {p: c for p, c in before.items() if p not in gone}
        assert sorted(fleet.purged()) == sorted(
            path.relative_to(fleet.inbox if path.is_relative_to(fleet.inbox) else fleet.out).as_posix() for path in gone
        )
        late = {f.name for f in findings if f.disposition in _KEPT and f.name.count(".") == 1}
        assert late == {f"sub/front-{number}.mp4" for number, case in enumerate(cases) if _overdue(case)}

        again = fleet.purge(TODAY)
        assert [finding for finding in again if finding.disposition is Disposition.DELETED] == []


# --- single rules ------------------------------------------------------------------------------------------------


def test_the_last_day_is_a_day_on_which_it_is_still_there(fleet: Fleet) -> None:
    original, output, tracks = fleet.masked("front-1.mp4")
    assert fleet.purge(after(CAPTURED)) == [] and original.exists()
    fleet.purge(after(CAPTURED + 1))
    assert not original.exists() and output.exists() and tracks.exists()
    fleet.purge(after(MASKED))
    assert output.exists()
    fleet.purge(after(MASKED + 1))
    assert not output.exists() and not tracks.exists()
    assert fleet.purged() == ["front-1.mp4", "front-1.masked.mp4", "front-1.tracks.json"]


def test_a_deletion_record_says_name_sha256_rule_and_time(fleet: Fleet) -> None:
    fleet.masked("front-1.mp4")
    source = fleet.records[0]["source"]
    fleet.purge(after(MASKED + 1))
    original, output, _ = (record for record in fleet.records if record["act"] == "purged")
    assert original["source"] == source and "files" not in original
    assert original["rule"] == {"name": "retention.captured", "days": CAPTURED, "from": str(FILMED)}
    assert original["time"] == f"{after(MASKED + 1)}T12:00:00+00:00"
    assert original["policy"] == {"sha256": "a" * 64}
    assert output["files"] == [fleet.records[0]["output"]] and output["rule"]["name"] == "retention.masked"
    for record in (original, output):
        check_schema(record, "audit")
    assert list(chain.verify(audit_log.read(fleet.log).lines)) == []
    assert (
        audit_verify.verify(fleet.out, audit_verify.VerifyOptions(file_fault=OutputFolder(fleet.out).fault)).faults
        == []
    )


def test_kept_detections_and_pages_of_the_report_go_with_the_masked_video(fleet: Fleet) -> None:
    fleet.masked("front-1.mp4")
    fleet.masked("front-2.mp4", filmed=after(9))
    kept = fleet.out / "front-1.detections.npz"
    kept.write_bytes(b"boxes")
    told = {"name": kept.name, "sha256": files.sha256(kept), "bytes": 5}
    about = {key: fleet.records[0][key] for key in ("source", "output", "tracks_file")}
    fleet.line("masked", **about, files=[told])
    for name in ("front-1", "front-2", "index"):
        files.write(files.private_folder(fleet.out / "report") / f"{name}.html", b"a page")
    fleet.purge(after(MASKED + 1))
    assert not kept.exists() and "front-1.detections.npz" in fleet.purged()
    assert [path.name for path in (fleet.out / "report").iterdir()] == ["front-2.html"]


def test_the_guidebook_check_sees_that_the_original_is_gone(fleet: Fleet) -> None:
    fleet.masked("front-1.mp4")
    day = after(CAPTURED + 30)
    case = Case(fleet.policy.policy, "a" * 64, day, fleet.folder.events())
    assert log_evidence.discarded(case).is_met is False
    fleet.purge(day)
    case = Case(fleet.policy.policy, "a" * 64, day, fleet.folder.events())
    assert log_evidence.discarded(case).is_met is True


@pytest.mark.parametrize("act", ["failed", "refused", "refused by policy", "bug"])
def test_what_could_not_be_masked_is_never_deleted_and_reported(fleet: Fleet, act: str) -> None:
    path = fleet.failed("front-1.mp4", act)
    (finding,) = fleet.purge(after(5000))
    assert finding.disposition is Disposition.OVERDUE and act in finding.reason and path.exists()


@pytest.mark.parametrize("state", ["gone", "changed", "a link"])
def test_an_original_stays_where_its_masked_video_is_not_the_one_of_the_log(fleet: Fleet, state: str) -> None:
    original, output, _ = fleet.masked("front-1.mp4")
    _spoil(output, state, fleet.inbox.parent / "elsewhere")
    (finding,) = fleet.purge(after(CAPTURED + 1))
    assert finding.disposition is Disposition.OVERDUE and original.exists() and fleet.purged() == []


def test_an_original_stays_while_corrections_need_it(fleet: Fleet) -> None:
    original, _, _ = fleet.masked("front-1.mp4")
    made = next(line for line in audit_log.records(fleet.out / audit_log.NAME) if line.get("output"))
    mark = {"id": 1, "kind": "plate", "first": 0, "end": 3, "how": "still", "keys": [[0, 1.0, 2.0, 30.0, 20.0]]}
    line = {"reason": "", "source": made["source"], "output": made["output"], "mark": mark}
    audit_log.append(fleet.out / audit_log.NAME, {"act": "marked", **line})
    findings = [finding for finding in fleet.purge(after(CAPTURED + 1)) if finding.disposition is Disposition.OVERDUE]
    assert [finding.name for finding in findings] == ["front-1.mp4"]
    assert "corrections that are not in its masked file" in findings[0].reason and original.exists()


# --- the review that the policy asks for ---------------------------------------------------------------------------


def _review(fleet: Fleet, user: str, verdict: str = "approved") -> None:
    made = fleet.records[0]
    about = {"source": made["source"], "output": made["output"], "verdict": verdict, "by": {"user": user, "host": "h"}}
    audit_log.append(fleet.log, {"act": "reviewed", "reason": "", **about})


def test_an_original_waits_for_the_review_that_the_policy_asks_for(tmp_path: Path) -> None:
    """All are reviewed, by a second person: once the original is gone nothing can be corrected."""
    fleet = Fleet(tmp_path, FULL)
    original, output, _ = fleet.masked("front-1.mp4", by={"user": "masker", "host": "h"})
    day = after(CAPTURED + 1)
    for dry_run in (True, False):
        (finding,) = fleet.purge(day, dry_run=dry_run)
        assert finding.disposition is Disposition.WAITING and "review that the policy asks for" in finding.reason
    _review(fleet, "masker")
    (finding,) = fleet.purge(day)
    assert finding.disposition is Disposition.WAITING and "from the same account (masker)" in finding.reason
    assert original.exists() and fleet.purge(after(1), recipient=KEY) == [], "nor is it sealed"
    _review(fleet, "looker")
    (finding,) = fleet.purge(day)
    assert finding.disposition is Disposition.DELETED and not original.exists() and output.exists()


def test_only_the_share_that_the_policy_names_waits_for_a_review(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, changed(("review", "share"), 0.5))
    names = {f"front-{number}.mp4" for number in range(20)}
    for name in names:
        fleet.masked(name)
    findings = fleet.purge(after(CAPTURED + 1))
    waiting = {finding.name for finding in findings if finding.disposition is Disposition.WAITING}
    assert waiting == {
        record["source"]["name"]
        for record in fleet.records
        if record["act"] == "masked" and to_review(fleet.policy.policy, record["source"]["sha256"])
    }
    assert 0 < len(waiting) < len(names) and not any((fleet.inbox / name).exists() for name in names - waiting)


def test_a_doubtful_result_waits_for_a_person_also_after_a_correction(fleet: Fleet) -> None:
    original, output, _ = fleet.masked("front-1.mp4", "needs review")
    first = fleet.records[0]
    output.write_bytes(b"corrected")
    corrected = {"name": output.name, "sha256": files.sha256(output), "bytes": 9}
    same = {key: first[key] for key in ("source", "tracks_file")}
    fleet.line("corrected", output=corrected, replaces=first["output"]["sha256"], **same)
    (finding,) = fleet.purge(after(CAPTURED + 1))
    assert finding.disposition is Disposition.WAITING and original.exists()


# --- more single rules -----------------------------------------------------------------------------------------------


def test_what_is_due_next_is_known_without_what_is_held(fleet: Fleet) -> None:
    for number in (1, 2):
        fleet.masked(f"front-{number}.mp4", filmed=after(number))
    with fleet.folder.exclusive():
        for held, name, days in ((False, "front-1.mp4", 1), (True, "front-2.mp4", 2)):
            if held:
                fleet.hold("front-1.mp4", date(2099, 1, 1))
            options = PurgeOptions(fleet.policy, fleet.inbox, datetime(2026, 4, 12, 12, tzinfo=UTC), dry_run=True)
            purge = Purge(fleet.folder, options)
            assert list(purge.findings()) == [] and purge.next
            assert (purge.next.name, purge.next.rule.due) == (name, after(days + CAPTURED + 1))


def test_a_hold_that_comes_while_it_runs_counts(fleet: Fleet) -> None:
    first, *_ = fleet.masked("front-1.mp4")
    second, *_ = fleet.masked("front-2.mp4")
    with fleet.folder.exclusive():
        now = datetime.combine(after(CAPTURED + 1), time(12), UTC)
        findings = Purge(fleet.folder, PurgeOptions(fleet.policy, fleet.inbox, now)).findings()
        assert next(findings).disposition is Disposition.DELETED and not first.exists()
        fleet.hold("front-2.mp4", date(2099, 1, 1))
        assert next(findings).disposition is Disposition.HELD and second.exists()


def test_what_was_set_aside_is_found_where_it_lies(fleet: Fleet) -> None:
    path = fleet.failed("front-1.mp4")
    target = fleet.inbox / "quarantine" / "front-1.mp4"
    target.parent.mkdir()
    path.rename(target)
    fleet.line("quarantined", source=fleet.records[0]["source"], moved_to="quarantine/front-1.mp4")
    (finding,) = fleet.purge(after(10))
    assert (finding.disposition, finding.name) == (Disposition.OVERDUE, "quarantine/front-1.mp4") and target.exists()


def test_a_video_that_was_never_tried_is_reported(fleet: Fleet) -> None:
    fleet.source("sub/front-20260410-120000.mp4")
    assert fleet.purge(after(CAPTURED)) == []
    (finding,) = fleet.purge(after(CAPTURED + 1))
    assert finding.disposition is Disposition.OVERDUE and (fleet.inbox / finding.name).exists()


def test_another_file_under_the_name_of_one_that_was_masked_stays(fleet: Fleet) -> None:
    original, *_ = fleet.masked("front-1.mp4")
    original.write_bytes(b"a new upload of the same name")
    (finding,) = fleet.purge(after(CAPTURED + 1))
    assert finding.disposition is Disposition.OVERDUE and original.exists() and fleet.purged() == []


def test_days_count_from_the_name_or_the_day_of_masking_where_the_log_says_no_day(fleet: Fleet) -> None:
    named, *_ = fleet.masked("front-20260401.mp4")
    plain, *_ = fleet.masked("front-1.mp4")
    lines = fleet.records
    for path in (fleet.log, fleet.log.with_name(audit_log.HEAD)):
        path.unlink()
    for line in lines:
        audit_log.append(fleet.log, {**line, "policy": "no policy"})
    fleet.purge(after(CAPTURED))
    assert not named.exists() and plain.exists()
    fleet.purge(after(CAPTURED + 1))
    assert not plain.exists()


def test_a_duplicate_goes_when_the_output_that_stands_for_it_is_verified(fleet: Fleet) -> None:
    _, output, _ = fleet.masked("front-1.mp4", content=b"same")
    first = fleet.records[0]
    fleet.line(
        "duplicate",
        source=fleet.source("front-2.mp4", b"same"),
        output=first["output"],
        tracks_file=first["tracks_file"],
    )
    output.rename(output.with_name("moved"))
    assert {finding.disposition for finding in fleet.purge(after(9))} == {Disposition.OVERDUE}
    output.with_name("moved").rename(output)
    fleet.purge(after(9))
    assert fleet.purged() == ["front-1.mp4", "front-2.mp4"]


def test_a_hold_on_one_name_holds_its_content_under_every_name(fleet: Fleet) -> None:
    _, output, _ = fleet.masked("front-1.mp4", content=b"same")
    first = fleet.records[0]
    same = {"output": first["output"], "tracks_file": first["tracks_file"]}
    fleet.line("duplicate", source=fleet.source("front-2.mp4", b"same"), **same)
    told = {"act": "held", "reason": "claim", "hold": {"kind": "police", "until": "2099-01-01"}}
    audit_log.append(fleet.log, {**told, "source": first["source"]})
    assert {finding.disposition for finding in fleet.purge(after(5000))} == {Disposition.HELD}
    assert fleet.purged() == [] and output.exists()


def test_after_a_correction_the_new_output_counts(fleet: Fleet) -> None:
    original, output, _ = fleet.masked("front-1.mp4")
    first = fleet.records[0]
    output.write_bytes(b"corrected")
    told = {**fleet.told("front-1.masked.mp4", b"corrected")}
    del told["place"]
    fleet.line(
        "corrected",
        source=first["source"],
        output=told,
        tracks_file=first["tracks_file"],
        replaces=first["output"]["sha256"],
    )
    fleet.purge(after(CAPTURED + 1))
    assert not original.exists() and output.exists()


def test_without_an_inbox_originals_are_left_alone(fleet: Fleet) -> None:
    original, output, tracks = fleet.masked("front-1.mp4")
    fleet.purge(after(5000), inbox=None)
    assert original.exists() and not output.exists() and not tracks.exists()


@pytest.mark.parametrize(
    "name", ["../outside.mp4", "sub/../../outside.mp4", "-rf", "a\nb.mp4", '"><b>.mp4', "日本.mp4"]
)
def test_hostile_names_in_the_log_reach_nothing_outside(fleet: Fleet, name: str) -> None:
    outside = fleet.inbox.parent / "outside.mp4"
    outside.write_bytes(b"original " + name.encode())
    if ".." in name:
        (fleet.inbox / "sub").mkdir()
        fleet.masked("x.mp4")
        made = {key: fleet.records[0][key] for key in ("output", "tracks_file")}
        fleet.line("masked", source=fleet.told(name, outside.read_bytes()), **made)
    else:
        original, *_ = fleet.masked(name)
        fleet.purge(after(CAPTURED + 1))
        assert not original.exists()
    fleet.purge(after(5000))
    assert outside.exists()


def test_scratch_goes_with_its_source_or_when_its_time_is_over(fleet: Fleet) -> None:
    fleet.masked("front-1.mp4")
    mine, other, held = (WorkFolder(fleet.out, name, "k").folder for name in ("front-1.mp4", "unknown.mp4", "held.mp4"))
    (mine / "part-00000.mp4").write_bytes(b"part")
    for folder in (other, held):
        os.utime(folder, (0, 0))
    fleet.source("held.mp4")
    fleet.hold("held.mp4", date(2099, 1, 1))
    fleet.purge(after(1))
    assert mine.exists() and not other.exists() and held.exists()
    fleet.purge(after(CAPTURED + 1))
    assert not mine.exists() and held.exists()
    gone = [f".dashredact/{folder.name}" for folder in (mine, other)]
    assert {name for name in fleet.purged() if name.startswith(".")} == set(gone)


def test_a_file_that_cannot_be_deleted_is_told_and_the_others_go(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, *_ = fleet.masked("front-1.mp4")
    free, *_ = fleet.masked("front-2.mp4")
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    findings = fleet.purge(after(CAPTURED + 1))
    assert [finding.disposition for finding in findings] == [Disposition.OVERDUE, Disposition.DELETED]
    assert stuck.exists() and not free.exists() and fleet.purged() == ["front-2.mp4"]
    assert not (fleet.out / ".dashredact" / "purge.json").exists()


# --- sealing -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def test_originals_that_are_kept_are_sealed_and_only_the_key_opens_them(
    fleet: Fleet, key: pyrage.x25519.Identity
) -> None:
    original, *_ = fleet.masked("sub/front-1.mp4")
    content = original.read_bytes()
    doubtful, *_ = fleet.masked("front-2.mp4", "needs review")
    held, *_ = fleet.masked("front-3.mp4")
    fleet.hold("front-3.mp4", date(2099, 1, 1))
    failed = fleet.failed("front-4.mp4")
    recipient = str(key.to_public())
    assert [f.disposition for f in fleet.purge(after(1), recipient=recipient, dry_run=True)] == [Disposition.SEALED]
    assert original.exists()
    (finding,) = fleet.purge(after(1), recipient=recipient)
    sealed = original.with_name("front-1.mp4.age")
    assert (finding.disposition, original.exists()) == (Disposition.SEALED, False) and all(
        p.exists() for p in (doubtful, held, failed)
    )
    assert sealed.stat().st_mode & 0o777 == 0o600 and content not in sealed.read_bytes()
    assert pyrage.decrypt(sealed.read_bytes(), [key]) == content
    record = fleet.records[-1]
    assert (record["act"], record["sealed"]["name"], record["sealed_for"]) == (
        "sealed",
        "sub/front-1.mp4.age",
        recipient,
    )
    check_schema(record, "audit")
    assert fleet.purge(after(1), recipient=recipient) == []


def test_a_sealed_original_goes_when_its_time_is_over_and_its_output_is_verified(
    fleet: Fleet, key: pyrage.x25519.Identity
) -> None:
    original, output, _ = fleet.masked("front-1.mp4")
    fleet.purge(after(1), recipient=str(key.to_public()))
    sealed = original.with_name("front-1.mp4.age")
    output.rename(output.with_name("moved"))
    assert [finding.disposition for finding in fleet.purge(after(CAPTURED + 1))] == [
        Disposition.OVERDUE
    ] and sealed.exists()
    output.with_name("moved").rename(output)
    fleet.purge(after(CAPTURED + 1))
    assert not sealed.exists() and fleet.purged() == ["front-1.mp4.age"]
    assert fleet.records[-1]["source"]["name"] == "front-1.mp4"


def test_nothing_is_sealed_over_a_file_that_is_there(fleet: Fleet, key: pyrage.x25519.Identity) -> None:
    original, *_ = fleet.masked("front-1.mp4")
    there = original.with_name("front-1.mp4.age")
    there.write_text("mine")
    (finding,) = fleet.purge(after(1), recipient=str(key.to_public()))
    assert finding.disposition is Disposition.OVERDUE and original.exists() and there.read_text() == "mine"
