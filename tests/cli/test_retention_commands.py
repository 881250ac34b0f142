"""`purge` and `hold` on the command line: what they print, what they refuse, their exit codes."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kept import CAPTURED, Fleet
from policies import FULL, UNREVIEWED, toml

from dashredact import cli
from dashredact.errors import ExitCode
from dashredact.workspace import locks
from dashredact.workspace.output_folder import OutputFolder

LATER = str(date.today() + timedelta(30))
_HOLD = ("--kind", "police", "--reason", "request 5", "--until", LATER)


def _call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(toml(UNREVIEWED), "utf-8")
    return path


@pytest.fixture
def words(fleet: Fleet, policy: Path) -> list[str | Path]:
    return ["purge", fleet.out, "--policy", policy, "--inbox", fleet.inbox]


def test_purge_prints_what_it_did_and_exits_5_only_if_something_is_overdue(
    fleet: Fleet, words: list[str | Path]
) -> None:
    original, *_ = fleet.masked("front-1.mp4", filmed=date.today() - timedelta(30))
    assert _call(*words, "--dry-run").stdout.startswith(
        "would be deleted: front-1.mp4 (retention.captured, 3 days from"
    )
    assert original.exists()
    done = _call(*words)
    assert done.exit_code == ExitCode.OK and done.stdout.startswith("deleted: front-1.mp4 (") and not original.exists()
    assert _call(*words).stdout == ""
    fleet.failed("front-2\n.mp4", filmed=date.today() - timedelta(30))
    done = _call(*words, "--json")
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    told = json.loads(done.stdout)
    assert (told["what"], told["name"]) == ("overdue", "front-2\n.mp4")
    assert _call(*words).stdout.startswith("overdue: front-2\\n.mp4 (")


def test_a_dry_run_with_nothing_to_do_says_so_and_what_is_due_next(fleet: Fleet, words: list[str | Path]) -> None:
    fleet.masked("front-1.mp4", filmed=date.today())
    done = _call(*words, "--dry-run")
    due = date.today() + timedelta(CAPTURED + 1)
    said = f"Nothing is due for deletion. Next is front-1.mp4, on {due} (retention.captured, {CAPTURED} days from"
    assert (done.stdout, done.exit_code) == ("", ExitCode.OK) and said in done.stderr
    (fleet.inbox / "front-1.mp4").unlink()
    for path in fleet.out.glob("front-1.*"):
        path.unlink()
    assert "nothing here ever will be" in _call(*words, "--dry-run").stderr
    assert _call(*words).stderr == ""


def test_what_waits_for_a_review_is_printed_and_exits_5(fleet: Fleet, words: list[str | Path], policy: Path) -> None:
    policy.write_text(toml(FULL), "utf-8")
    fleet.masked("front-1.mp4", filmed=date.today() - timedelta(30))
    done = _call(*words)
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert done.stdout.startswith("waiting: front-1.mp4 (is masked, and waits for the review that the policy asks for")


def test_purge_waits_for_no_long_run_and_needs_a_policy_a_key_and_a_whole_log(
    fleet: Fleet, words: list[str | Path], policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, *_ = fleet.masked("front-1.mp4", filmed=date.today() - timedelta(30))
    monkeypatch.setattr(locks, "WAIT", 0.2)
    with OutputFolder(fleet.out).masking():
        assert _call(*words).exit_code == ExitCode.LOCKED
    assert _call(*words, "--seal", "age1nonsense").exit_code == ExitCode.USAGE
    fleet.log.write_text(fleet.log.read_text().replace("masked.", "Masked."))
    assert _call(*words).exit_code == ExitCode.LEDGER_BROKEN
    policy.write_text("")
    assert _call(*words).exit_code == ExitCode.REFUSED_BY_POLICY
    assert original.exists()


def test_what_is_held_stays_until_it_is_released(fleet: Fleet, words: list[str | Path]) -> None:
    original, *_ = fleet.masked("front-1.mp4", filmed=date.today() - timedelta(30))
    with OutputFolder(fleet.out).masking():  # a batch that runs all day
        assert _call("hold", "add", fleet.out, "front-1.mp4", *_HOLD).stdout == "front-1.mp4\n"
    line = _call("hold", "list", fleet.out).stdout
    assert line == f"front-1.mp4: police, until {LATER}: request 5\n"
    assert _call(*words).stdout.startswith("held: front-1.mp4 (police") and original.exists()
    assert _call("hold", "release", fleet.out, "front-1.mp4", "--reason", "settled").exit_code == ExitCode.OK
    done = _call("hold", "list", fleet.out)
    assert done.stdout == "" and "Nothing is held." in done.stderr
    assert _call(*words).exit_code == ExitCode.OK and not original.exists()
    held, released = fleet.records[1:3]
    assert (held["act"], held["source"]["sha256"]) == ("held", fleet.records[0]["source"]["sha256"])
    assert (released["act"], released["reason"]) == ("released", "settled")


def test_a_hold_that_would_hold_nothing_is_refused(fleet: Fleet) -> None:
    fleet.masked("front-1.mp4")
    fleet.source("new.mp4")
    add = ("hold", "add", fleet.out)
    assert _call(*add, "typo.mp4", *_HOLD).exit_code == ExitCode.USAGE
    assert _call(*add, "typo.mp4", "--inbox", fleet.inbox, *_HOLD).exit_code == ExitCode.USAGE
    assert _call(*add, "front-1.mp4", *_HOLD[:-1], "2020-01-01").exit_code == ExitCode.USAGE
    assert _call(*add, "front-1.mp4", "--kind", "police", "--reason", " ", "--until", LATER).exit_code == ExitCode.USAGE
    assert _call("hold", "release", fleet.out, "front-1.mp4", "--reason", "x").exit_code == ExitCode.USAGE
    assert len(fleet.records) == 1
    assert _call(*add, "new.mp4", "--inbox", fleet.inbox, *_HOLD).exit_code == ExitCode.OK


def test_a_hold_ends_by_itself_and_is_listed_as_over(fleet: Fleet) -> None:
    fleet.masked("front-1.mp4")
    fleet.hold("front-1.mp4", date(2020, 1, 1))
    assert "until 2020-01-01, which is over" in _call("hold", "list", fleet.out).stdout
    assert json.loads(_call("hold", "list", fleet.out, "--json").stdout)["over"] is True
