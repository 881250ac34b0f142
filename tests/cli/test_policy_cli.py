"""`policy`, `notice` and `check` on the command line: what they print and write, and their exit codes."""

import json
import stat
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from policies import FULL, changed, keys, toml, without

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.errors import ExitCode

_WRITTEN = ["notice.html", "notice.json", "sticker.pdf", "sticker.svg"]


def _call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(toml(FULL), "utf-8")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with one masked video, masked without a policy and with its sound."""
    settings = {
        "audio": "keep",
        "gps": "drop",
        "hide": {"style": "fill"},
        "link": {"thresholds": {"face": 0.4, "plate": 0.4}},
    }
    folder = tmp_path / "out"
    folder.mkdir()
    line = {
        "time": "2026-05-09T00:00:00+00:00",
        "outcome": "masked",
        "policy": "no policy",
        "source": {"name": "a.mp4", "sha256": "c" * 64},
        "settings": settings,
    }
    audit_log.append(folder / audit_log.NAME, line)
    return folder


def test_init_writes_a_policy_that_check_refuses_field_by_field(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    assert _call("policy", "init", path).stdout == f"{path}\n"
    done = _call("policy", "check", path)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) > 30
    assert all(line.startswith(f"dashredact: {path}: ") and "is blank: write " in line for line in lines)


def test_init_does_not_overwrite(policy: Path) -> None:
    before = policy.read_bytes()
    done = _call("policy", "init", policy)
    assert done.exit_code == ExitCode.USAGE and "exists already" in done.stderr
    assert policy.read_bytes() == before


def test_a_complete_policy_is_code_0_with_its_hash(policy: Path) -> None:
    done = _call("policy", "check", policy)
    assert done.exit_code == ExitCode.OK and "complete. sha256 " in done.stdout


def test_show_prints_every_field(policy: Path) -> None:
    lines = _call("policy", "show", policy).stdout.splitlines()
    assert "contact.email = camera@example.jp" in lines
    assert "cameras 2.facing = cabin" in lines
    assert 'recipients 1.purposes = ["road-map"]' in lines
    assert "review.second_person = true" in lines
    told = json.loads(_call("policy", "show", policy, "--json").stdout)
    assert told["policy"]["operator"] == FULL["operator"] and len(told["sha256"]) == 64


@pytest.mark.parametrize("place", [p for p in keys() if p[0] in ("operator", "contact", "benefit", "notice")], ids=str)
def test_a_notice_with_a_blank_is_refused_by_name_and_nothing_is_written(
    place: tuple[str, ...], tmp_path: Path
) -> None:
    path, folder = tmp_path / "policy.toml", tmp_path / "notice"
    path.write_text(toml(without(place)), "utf-8")
    done = _call("notice", "--policy", path, "-o", folder)
    optional = place == ("contact", "phone")
    assert done.exit_code == (ExitCode.OK if optional else ExitCode.REFUSED_BY_POLICY)
    assert folder.exists() is optional
    assert optional or f"{'.'.join(place)} is missing" in done.stderr


def test_a_notice_is_four_files_and_what_is_published_can_be_read_by_everybody(policy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "-お知らせ\n"
    for _ in range(2):
        done = _call("notice", "--policy", policy, "-o", folder)
        assert done.exit_code == ExitCode.OK
    assert sorted(path.name for path in folder.iterdir()) == _WRITTEN
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {name: 0o600 if name == "notice.json" else 0o644 for name in _WRITTEN}
    assert json.loads((folder / "notice.json").read_text())["schema"] == "dashredact/notice/1"
    ElementTree.fromstring((folder / "sticker.svg").read_text())
    assert (folder / "sticker.pdf").read_bytes().rstrip().endswith(b"%%EOF")


def test_check_names_what_is_not_met(policy: Path, out: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "check.html"
    words = ("check", out, "--policy", policy, "-o", page)
    done = _call(*words)
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert (
        "audit line 1: sound or positions kept" in done.stdout
        and "audit line 1: not run under this policy" in done.stdout
    )
    assert "sound or positions kept" in page.read_text() and stat.S_IMODE(page.stat().st_mode) == 0o600
    told = [json.loads(line) for line in _call(*words, "--json").stdout.splitlines()]
    assert {"item", "asks", "verdict", "evidence", "standing"} == set(told[0])
    verdicts = {entry["item"]: entry["verdict"] for entry in told}
    assert (verdicts["B4"], verdicts["B8"], verdicts["C1"]) == ("met", "not met", "outside the tool")


def test_check_of_a_broken_log_is_code_7(policy: Path, out: Path) -> None:
    log = out / audit_log.NAME
    log.write_text(log.read_text().replace("keep", "drop"))
    assert _call("check", out, "--policy", policy).exit_code == ExitCode.LEDGER_BROKEN


def test_check_prints_hostile_names_harmlessly(policy: Path, out: Path) -> None:
    (out / "a\n\x1b[2Jb.mp4").touch(mode=0o644)
    done = _call("check", out, "--policy", policy)
    assert r"a\n\x1b[2Jb.mp4: others than the owner can read it" in done.stdout and "\x1b" not in done.stdout


def test_check_without_a_folder_counts_what_only_a_log_can_show_as_not_met(policy: Path, out: Path) -> None:
    done = _call("check", "--policy", policy)
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    rows = [json.loads(line) for line in _call("check", "--policy", policy, "--json").stdout.splitlines()]
    counts, unmet = (
        Counter(row["verdict"] for row in rows),
        [row["item"] for row in rows if row["verdict"] == "not met"],
    )
    assert done.stdout.splitlines()[0] == (
        f"{len(unmet)} of {len(rows)} items are not met: {', '.join(unmet)}."
        f" The others: {counts['met']} met, {counts['outside the tool']} outside the tool."
    )
    items = [line.split()[0] for line in done.stdout.splitlines()[1:] if not line.startswith(" ")]
    assert items[: len(unmet)] == unmet and len(items) == len(rows)
    assert _call("check", out / audit_log.NAME, "--policy", policy).exit_code == ExitCode.NEEDS_REVIEW


@pytest.mark.parametrize(
    "content", ["", "x = [", toml(changed(("review_by",), "soon"))], ids=["empty", "torn", "wrong"]
)
@pytest.mark.parametrize("words", [("policy", "check"), ("policy", "show"), ("check", "--policy")], ids=str)
def test_a_policy_with_faults_is_code_8(words: tuple[str, ...], content: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(content)
    done = _call(*words, path)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and done.stdout == "" and done.stderr.startswith("dashredact: ")
