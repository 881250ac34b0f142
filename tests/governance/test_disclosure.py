"""`export`: what leaves, to whom, under which terms; what stays; and who has to be told afterwards."""

import json
import stat
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fleet import Fleet, call
from output_checks import check_schema
from policies import FULL, toml

from dashredact import files
from dashredact.errors import ExitCode
from dashredact.governance.disclosure import delivery
from dashredact.governance.policy.model import RESERVED
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder

_CLIP = "front-20260412-081502.mp4"
_TWO = "車 'b'\n/front-20260413-090000.mp4"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Two clips that another person approved."""
    made = Fleet(tmp_path)
    for name in (_CLIP, _TWO):
        made.reviewed(name, made.masked(name))
    return made


def _export(fleet: Fleet, *names: str, policy: Any = FULL, folder: Any = "delivery", **changed: str) -> Result:
    home = fleet.out.parent
    (home / "policy.toml").write_text(toml(policy), "utf-8")
    told = {"recipient": "Chizu Inc.", "purpose": "road-map", "contract": "2026-17", "basis": "consent 4"} | changed
    options = [word for key, value in told.items() for word in (f"--{key.replace('_', '-')}", value)]
    return call("export", "clips", fleet.out, *names, *options, "--policy", home / "policy.toml", "-o", home / folder)


@pytest.fixture(autouse=True)
def _a_day_in_the_spring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashredact.cli.export.today", lambda: date(2026, 5, 1))


def test_what_leaves_is_the_masked_files_terms_and_a_manifest(fleet: Fleet) -> None:
    done = _export(fleet, "*front-*")
    folder = fleet.out.parent / "delivery"
    assert done.exit_code == ExitCode.OK, done.stderr
    manifest = json.loads((folder / delivery.MANIFEST).read_text())
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert there == sorted([row["name"] for row in manifest["files"]] + [delivery.MANIFEST])
    assert len(there) == 4
    for row in manifest["files"]:
        assert files.sha256(folder / row["name"]) == row["sha256"]
        assert (folder / row["name"]).stat().st_size == row["bytes"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert not list(fleet.out.parent.glob(".dashredact-*"))


def test_the_terms_say_all_of_it_in_both_languages(fleet: Fleet) -> None:
    assert _export(fleet, _CLIP, recipient="地図株式会社").exit_code == ExitCode.OK
    terms = (fleet.out.parent / "delivery" / delivery.TERMS).read_text()
    said = [
        "見本交通株式会社",
        "地図株式会社",
        "Chizu Inc.",
        "2026-17",
        "道路地図の更新",
        "Keeping road maps up to date",
    ]
    said += ["特定しないで", "Do not find out who was filmed", "camera@example.jp", "2027年4月12日", "12 April 2027"]
    assert [text for text in said if text not in terms] == [] and not RESERVED.search(terms.casefold())


def test_every_clip_that_leaves_is_a_line_of_the_log(fleet: Fleet) -> None:
    assert _export(fleet, _CLIP, _TWO).exit_code == ExitCode.OK
    lines = [record for record in fleet.records() if record["act"] == "exported"]
    assert [line["source"]["name"] for line in lines] == [_CLIP, _TWO]
    for line in lines:
        check_schema(line, "audit")
        assert (line["recipient"], line["purpose"], line["contract"]) == ("Chizu Inc.", "road-map", "2026-17")
        assert line["output"]["sha256"] == files.sha256(fleet.out / line["output"]["name"])
        assert line["basis"] == "consent 4" and len(line["policy"]) == 64 and line["delete_by"] == "2027-04-12"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"recipient": "Else Inc."}, "not a recipient of the policy"),
        ({"purpose": "evidence"}, "is not what Chizu Inc. gets footage for"),
        ({"contract": "2026-18"}, "is not what Chizu Inc. gets footage for"),
        ({"basis": ""}, "was filmed for evidence"),
        ({"captured": "2026-03-31"}, "the notice covers footage from 2026-04-01"),
    ],
)
def test_what_the_policy_does_not_let_go_stays(fleet: Fleet, changed: dict[str, str], says: str) -> None:
    before = len(fleet.records())
    done = _export(fleet, _CLIP, **changed)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and says in done.stderr
    assert not (fleet.out.parent / "delivery").exists()
    (line,) = fleet.records()[before:]
    check_schema(line, "audit")
    assert line["act"] == "withheld" and says in line["reason"]


def test_another_name_of_a_clip_follows_its_corrections(fleet: Fleet) -> None:
    """Its line still names the file as it was; that is no tampering, and what was approved is the same file."""
    before = next(record for record in fleet.records() if record["source"]["name"] == _CLIP)
    copy = fleet.inbox / "front-20260412-copy.mp4"
    copy.write_bytes((fleet.inbox / _CLIP).read_bytes())
    kept = {key: before[key] for key in ("fingerprint", "settings", "output", "tracks_file", "by")}
    fleet.append("duplicate", source=fleet.source(copy.name), **kept)
    fleet.reviewed(_CLIP, fleet.corrected(_CLIP, before["output"]))
    assert _export(fleet, copy.name).exit_code == ExitCode.OK


_MARK = {"id": 1, "kind": "plate", "first": 0, "end": 3, "how": "still", "keys": [[0, 1.0, 2.0, 30.0, 20.0]]}


@pytest.mark.parametrize("share", [0, 1])
def test_a_clip_with_a_known_fault_stays_whatever_the_policy_asks_for(fleet: Fleet, share: int) -> None:
    policy = deepcopy(FULL)
    policy["review"]["share"] = share
    output = fleet.last()["output"]
    fleet.append("marked", source=fleet.source(_TWO), output=output, mark=_MARK)
    done = _export(fleet, _TWO, policy=policy)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "corrections that are not in its masked file" in done.stderr
    fleet.append("undone", source=fleet.source(_TWO), undo={"track": 1})
    assert _export(fleet, _TWO, policy=policy).exit_code == ExitCode.OK
    fleet.reviewed(_TWO, output, verdict="rejected")
    done = _export(fleet, _TWO, policy=policy, folder="again")
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "was reviewed and rejected" in done.stderr


def test_the_day_by_which_it_is_deleted_may_be_earlier(fleet: Fleet) -> None:
    assert _export(fleet, _CLIP, delete_by="2026-06-01").exit_code == ExitCode.OK
    assert "by 1 June 2026" in (fleet.out.parent / "delivery" / delivery.TERMS).read_text()


def test_a_clip_of_the_cabin_or_of_no_camera_stays(fleet: Fleet) -> None:
    for name in ("cabin-20260412-081502.mp4", "odd-20260412-081502.mp4"):
        fleet.reviewed(name, fleet.masked(name))
    done = _export(fleet, "cabin-*", "odd-*")
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY
    assert "faces the cabin" in done.stderr and "matches no camera" in done.stderr


def test_a_clip_that_nobody_dates_stays_until_somebody_does(fleet: Fleet) -> None:
    fleet.reviewed("front-1.mp4", fleet.masked("front-1.mp4"))
    done = _export(fleet, "front-1.mp4")
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "--captured" in done.stderr
    assert _export(fleet, "front-1.mp4", captured="2026-04-20").exit_code == ExitCode.OK


def test_a_clip_older_than_masked_footage_is_kept_stays(fleet: Fleet) -> None:
    short = deepcopy(FULL)
    short["retention"]["masked"] = 3
    done = _export(fleet, _CLIP, policy=short)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "until 2026-04-15 and no longer" in done.stderr


@pytest.mark.parametrize(("by", "verdict"), [("masker", "approved"), ("looker", "rejected"), ("", "")])
@pytest.mark.parametrize("share", [1, 0])
def test_only_what_somebody_else_approved_leaves_where_the_policy_says_so(
    tmp_path: Path, by: str, verdict: str, share: int
) -> None:
    fleet, policy = Fleet(tmp_path), deepcopy(FULL)
    policy["review"]["share"] = share
    output = fleet.masked(_CLIP)
    if by:
        fleet.reviewed(_CLIP, output, by, verdict)
    done = _export(fleet, _CLIP, policy=policy)
    stays = share or verdict == "rejected"
    assert done.exit_code == (ExitCode.REFUSED_BY_POLICY if stays else ExitCode.OK), done.stderr
    assert ("have a person review it" in done.stderr) == bool(share and not by)


def test_another_name_for_the_account_that_masked_makes_no_second_person(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    about = {"output": fleet.masked(_CLIP), "verdict": "approved", "by": {"user": "masker", "host": "h", "name": "Eve"}}
    fleet.append("reviewed", source=fleet.source(_CLIP), **about)
    done = _export(fleet, _CLIP)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "from the same account (masker)" in done.stderr


@pytest.mark.parametrize("share", [0, 1])
def test_what_was_masked_with_a_doubt_stays_until_somebody_approves_it(tmp_path: Path, share: int) -> None:
    """Also as a correction left it, and whatever share of the videos the policy wants reviewed."""
    fleet, policy = Fleet(tmp_path), deepcopy(FULL)
    policy["review"]["share"] = share
    output = fleet.masked(_CLIP, outcome="needs review")
    done = _export(fleet, _CLIP, policy=policy)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "masked with a doubt" in done.stderr
    assert done.stderr.count("review") == 1, "one sentence about it is enough"
    newer = fleet.corrected(_CLIP, output)
    assert _export(fleet, _CLIP, policy=policy).exit_code == ExitCode.REFUSED_BY_POLICY
    fleet.reviewed(_CLIP, newer)
    assert _export(fleet, _CLIP, policy=policy).exit_code == ExitCode.OK


def test_a_review_counts_for_the_version_that_was_looked_at_only(fleet: Fleet) -> None:
    output = next(record["output"] for record in fleet.records() if record["source"]["name"] == _CLIP)
    newer = fleet.corrected(_CLIP, output)
    assert _export(fleet, _CLIP).exit_code == ExitCode.REFUSED_BY_POLICY
    fleet.reviewed(_CLIP, newer)
    assert _export(fleet, _CLIP).exit_code == ExitCode.OK


def test_one_clip_that_stays_keeps_the_others_back(fleet: Fleet) -> None:
    fleet.masked("front-20260414-080000.mp4")
    done = _export(fleet, "*front-*")
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and not (fleet.out.parent / "delivery").exists()
    assert [record["act"] for record in fleet.records()].count("withheld") == 1


def test_a_file_that_is_not_the_one_of_the_log_stays(fleet: Fleet) -> None:
    (fleet.out / "front-20260412-081502.masked.mp4").write_bytes(b"another")
    before = fleet.log.read_bytes()
    done = _export(fleet, "*front-*")
    assert done.exit_code == ExitCode.SOME_FAILED and "not the file that the audit log names" in done.stderr
    assert not (fleet.out.parent / "delivery").exists() and fleet.log.read_bytes() == before


def test_a_name_that_leads_out_of_the_folder_is_not_followed(fleet: Fleet) -> None:
    (fleet.out.parent / "other").write_bytes(b"secret")
    outside = {"name": "../other", "sha256": files.sha256(fleet.out.parent / "other"), "bytes": 6}
    fleet.append("masked", source=fleet.source(_CLIP), output=outside)
    done = _export(fleet, _CLIP)
    assert done.exit_code == ExitCode.SOME_FAILED and "leads out of" in done.stderr


@pytest.mark.parametrize("folder", ["out/delivery", "taken"])
def test_the_folder_is_new_and_elsewhere(fleet: Fleet, folder: str) -> None:
    (fleet.out.parent / "taken").mkdir()
    (fleet.out.parent / "taken" / "file").touch()
    assert _export(fleet, _CLIP, folder=folder).exit_code == ExitCode.USAGE


def test_a_pattern_passes_over_what_is_gone_and_a_name_does_not(fleet: Fleet) -> None:
    output = fleet.masked("front-20260414-080000.mp4")
    fleet.append("purged", rule={"name": "retention.masked"}, files=[output])
    assert _export(fleet, "front-20260414-080000.mp4").exit_code == ExitCode.USAGE
    assert _export(fleet, "front-20260414*").exit_code == ExitCode.USAGE
    assert _export(fleet, "front-*").exit_code == ExitCode.OK


def test_every_name_of_a_content_passes_the_gates(fleet: Fleet) -> None:
    output = next(record["output"] for record in fleet.records() if record["source"]["name"] == _CLIP)
    cabin = fleet.source(_CLIP) | {"name": "cabin-20260412-081502.mp4"}
    fleet.append("duplicate", source=cabin, output=output)
    done = _export(fleet, _CLIP, "cabin-*")
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "faces the cabin" in done.stderr


def test_a_clip_that_nobody_knows_is_a_wrong_command_line(fleet: Fleet) -> None:
    done = _export(fleet, "nothing.mp4")
    assert done.exit_code == ExitCode.USAGE and "knows no clip nothing.mp4" in done.stderr


def test_no_folder_appears_without_its_lines(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OutputFolder, "append", full)
    assert _export(fleet, _CLIP).exit_code == ExitCode.NOT_READY
    assert not list(fleet.out.parent.glob("*delivery*")) and not list(fleet.out.parent.glob(".dashredact-*"))


def test_who_holds_a_version_that_was_corrected_or_deleted_is_named(fleet: Fleet) -> None:
    first, second = (record["output"] for record in fleet.records() if record["act"] == "masked")
    assert call("export", "recall", fleet.out).exit_code == ExitCode.OK
    _export(fleet, _CLIP, folder="one")
    newer = fleet.corrected(_CLIP, first)
    fleet.reviewed(_CLIP, newer)
    _export(fleet, _CLIP, recipient="地図株式会社", folder="two")
    _export(fleet, _TWO, folder="three")
    done = call("export", "recall", fleet.out, "--json")
    (row,) = (json.loads(line) for line in done.stdout.splitlines())
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert (row["recipient"], row["clip"], row["sha256"]) == ("Chizu Inc.", _CLIP, first["sha256"])
    assert (row["contract"], row["act"]) == ("2026-17", "corrected")
    fleet.append("purged", rule={"name": "retention.masked"}, files=[second])
    rows = [json.loads(line) for line in call("export", "recall", fleet.out, "--json").stdout.splitlines()]
    assert [(one["clip"], one["act"]) for one in rows] == [(_CLIP, "corrected"), (_TWO, "purged")]
    fleet.reviewed(_CLIP, newer, verdict="rejected")
    rows = [json.loads(line) for line in call("export", "recall", fleet.out, _CLIP, "--json").stdout.splitlines()]
    assert [one["act"] for one in rows] == ["corrected", "rejected"] and rows[1]["sha256"] == newer["sha256"]
    told = call("export", "recall", fleet.out, _CLIP).stdout
    assert "Chizu Inc." in told and first["sha256"] in told and "purged" not in told
    assert call("export", "recall", fleet.out, "else*").stdout == ""


def test_redact_goes_on_with_a_log_that_tells_of_exports(fleet: Fleet) -> None:
    _export(fleet, _CLIP, folder="one")
    _export(fleet, "cabin", basis="")
    result = Index(OutputFolder(fleet.out)).result(_CLIP)
    assert result is not None and result.output == "front-20260412-081502.masked.mp4"
