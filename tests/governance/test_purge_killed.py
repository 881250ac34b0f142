"""A purge that is killed anywhere leaves records and disk in agreement once the next one has run."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from kept import CAPTURED, MASKED, Fleet, after

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.governance.retention import deletions, encryption
from dashredact.governance.retention.deletions import Deletions
from dashredact.workspace.work_folder import WorkFolder

TESTS = Path(__file__).parents[1]
LATE = after(MASKED + 1)
KEY = "age1l76jvlvuh7dnex4dkyayzqhejrj7cprt4sfy2ehta5h8uejelves3wnl9w"  # whose private half nobody has


def _dying(act: Callable[..., Any], at: int = 1, *, before: bool = False) -> Callable[..., Any]:
    """Dies right before or after the call of that number."""
    calls = 0

    def wrapped(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = act(*args, **named)
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return wrapped


def _half_a_line(path: Path, record: Any) -> None:
    """A crash while the line is written."""
    log = audit_log.lines(path)
    line = chain.chain_line(record, chain.ChainEnd(len(log), chain.digest(log[-1])))
    with path.open("a") as file:
        file.write(line[: len(line) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def _half_a_folder(path: Path) -> None:
    next(path.iterdir()).unlink()
    os.kill(os.getpid(), signal.SIGKILL)


HOOKS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    **{
        f"{words}, {number}": (
            place,
            name,
            lambda act, number=number, before=before: _dying(act, number, before=before),
        )
        for number in (1, 2, 4)
        for words, place, name, before in (
            ("before the note", Deletions, "_begin", True),
            ("after the note", Deletions, "_begin", False),
            ("before the file goes", deletions, "_remove", True),
            ("after the file is gone", deletions, "_remove", False),
            ("before the line", audit_log, "append", True),
            ("after the line", audit_log, "append", False),
            ("after all of it", Deletions, "carry_out", False),
        )
    },
    "in the middle of the line": (audit_log, "append", lambda _: _half_a_line),
    "in the middle of a folder": (deletions.shutil, "rmtree", lambda _: _half_a_folder),  # type: ignore[attr-defined]
}
SEALING: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "after encrypting": (encryption, "encrypt", _dying),
    "after the note": (Deletions, "_begin", _dying),
    "after the sealed file got its name": (files, "publish", lambda act: _dying(act, 2)),  # the first is the note's
    "after the original is gone": (deletions, "_remove", _dying),
    "after the line": (audit_log, "append", _dying),
}


def drive(folder: str, hooks: str, hook: str, day: str, recipient: str) -> None:
    """Runs in a process of its own and does not come back."""
    place, name, change = {"purge": HOOKS, "seal": SEALING}[hooks][hook]
    fleet = Fleet(Path(folder))
    setattr(place, name, change(getattr(place, name)))
    fleet.purge(date.fromisoformat(day), recipient=recipient)
    print("survived")


def _kill(fleet: Fleet, hooks: str, hook: str, day: date, recipient: str = "") -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c", "import sys, test_purge_killed; test_purge_killed.drive(*sys.argv[1:])"),
            *(fleet.inbox.parent, hooks, hook, str(day), recipient),
        ],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{TESTS}:{TESTS.parent}"},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def _agree(fleet: Fleet) -> None:
    """What the log calls purged is gone, all else that it names is there, and it is whole."""
    assert list(chain.verify(audit_log.lines(fleet.log))) == []
    purged, names = fleet.purged(), set()
    assert len(purged) == len(set(purged))
    for record in fleet.records:
        for part, folder in (("source", fleet.inbox), ("output", fleet.out), ("tracks_file", fleet.out)):
            if record.get(part) and record["act"] == "masked":
                names.add(record[part]["name"])
                assert (folder / record[part]["name"]).exists() == (record[part]["name"] not in purged)
    assert not (fleet.out / ".dashredact" / "purge.json").exists()
    for folder in (fleet.out / ".dashredact").iterdir():
        assert not folder.is_dir() or f".dashredact/{folder.name}" not in purged


@pytest.mark.parametrize("hook", HOOKS)
def test_after_a_kill_the_next_purge_settles_what_is_open(tmp_path: Path, hook: str) -> None:
    fleet = Fleet(tmp_path)
    for number in range(2):
        fleet.masked(f"front-{number}.mp4")
    kept, *_ = fleet.masked("front-9.mp4", filmed=LATE)
    work = WorkFolder(fleet.out, "front-0.mp4", "k").folder
    for number in range(3):
        (work / f"part-{number}").write_bytes(b"part")
    _kill(fleet, "purge", hook, LATE)

    fleet.purge(after(0))  # a day on which nothing is due: it only settles
    _agree(fleet)
    fleet.purge(LATE)
    _agree(fleet)
    expected = [
        name for n in range(2) for name in (f"front-{n}.mp4", f"front-{n}.masked.mp4", f"front-{n}.tracks.json")
    ]
    assert sorted(fleet.purged()) == sorted([*expected, f".dashredact/{work.name}"])
    assert kept.exists()


@pytest.mark.parametrize("hook", SEALING)
def test_after_a_kill_while_sealing_there_is_always_one_of_the_two(tmp_path: Path, hook: str) -> None:
    fleet = Fleet(tmp_path)
    original, *_ = fleet.masked("front-1.mp4")
    sealed = original.with_name("front-1.mp4.age")
    _kill(fleet, "seal", hook, after(1), KEY)
    assert original.exists() or sealed.exists()

    fleet.purge(after(1))
    told = [record["act"] for record in fleet.records].count("sealed")
    assert (original.exists(), sealed.exists(), told) in [(True, False, 0), (False, True, 1)]
    fleet.purge(after(1), recipient=KEY)
    assert not original.exists() and sealed.exists()
    assert [record["act"] for record in fleet.records] == ["masked", "sealed"]
    encryption.check(sealed, fleet.records[0]["source"]["bytes"])
    fleet.purge(after(CAPTURED + 1))
    assert not sealed.exists() and fleet.purged() == ["front-1.mp4.age"]
    assert {path.name for path in fleet.inbox.iterdir()} == set()


def test_a_hold_that_comes_after_a_kill_counts(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    original, *_ = fleet.masked("front-1.mp4")
    _kill(fleet, "purge", "before the file goes, 1", LATE)
    fleet.hold("front-1.mp4", date(2099, 1, 1))
    fleet.purge(LATE)
    assert original.exists() and fleet.purged() == []


def test_the_clock_of_a_late_line_is_that_of_the_deletion(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.masked("front-1.mp4")
    _kill(fleet, "purge", "after the file is gone, 1", after(CAPTURED + 1))
    fleet.purge(after(CAPTURED + 3))
    (record,) = (record for record in fleet.records if record["act"] == "purged")
    assert record["time"][:10] == str(after(CAPTURED + 1)) and "was stopped" in record["reason"]
