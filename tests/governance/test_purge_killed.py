"""A purge that is killed anywhere leaves log and disk in agreement once the next command has run, whichever it is."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path

import kills
import pytest
from clips import Film, Finder
from conftest import SETTINGS
from fleet import call
from kept import CAPTURED, MASKED, Fleet, after
from kills import Step

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.governance.retention import encryption
from dashredact.workspace import inbox, journal
from dashredact.workspace.journal import Journal
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder

LATE = after(MASKED + 1)
FAR = date(2099, 1, 1)
KEY = "age1l76jvlvuh7dnex4dkyayzqhejrj7cprt4sfy2ehta5h8uejelves3wnl9w"  # whose private half nobody has


def _half_a_folder(path: Path) -> None:
    next(path.iterdir()).unlink()
    kills.die()


_EACH: Mapping[str, Callable[[int], Step]] = {
    "before the journal entry": partial(kills.before, Journal, "_write"),
    "after the journal entry": partial(kills.after, Journal, "_write"),
    "before the file goes": partial(kills.before, journal, "_delete"),
    "after the file is gone": partial(kills.after, journal, "_delete"),
    "before the line": partial(kills.before, audit_log, "append"),
    "after the line": partial(kills.after, audit_log, "append"),
    "after all of it": partial(kills.after, OutputFolder, "carry_out"),
}
STEPS = {
    **{f"{name}, {number}": step(number) for number in (1, 2, 4) for name, step in _EACH.items()},
    "in the middle of the line": Step(audit_log, "append", lambda _: kills.half_a_line),
    "in the middle of a folder": Step(journal.shutil, "rmtree", lambda _: _half_a_folder),  # type: ignore[attr-defined]
}
SEALING = {
    "after encrypting": kills.after(encryption, "encrypt"),
    "after the journal entry": kills.after(Journal, "_write"),
    "after the sealed file got its name": kills.after(files, "publish", 2),  # the first is the entry's
    "after the original is gone": kills.after(journal, "_delete"),
    "after the line": kills.after(audit_log, "append"),
}


def _hold(fleet: Fleet) -> None:
    words = ("--kind", "police", "--reason", "request 5", "--until", FAR)
    assert call("hold", "add", fleet.out, "front-9.mp4", *words).exit_code == 0


def _take_request(fleet: Fleet) -> None:
    assert call("request", "add", fleet.out, "--kind", "copy", "--reference", "2026-1").exit_code == 0


def _mask_another(fleet: Fleet) -> None:
    source = Film(frames=8).shoot(fleet.inbox.parent / "new.mp4")
    with fleet.folder.masking():
        (outcome,) = Batch(fleet.folder, Finder(), SETTINGS, lambda _: None).run(inbox.plan([source], fleet.out))
    assert outcome.output


NEXT: Mapping[str, Callable[[Fleet], object]] = {
    "purge": lambda fleet: fleet.purge(after(0)),  # a day on which nothing is due: it only settles
    "hold add": _hold,
    "request add": _take_request,
    "redact": _mask_another,
}


def _agree(fleet: Fleet) -> None:
    """What the log calls purged is gone, all else that it names is there, it is whole, and nothing is pending."""
    assert list(chain.verify(audit_log.read(fleet.log).lines)) == []
    purged = fleet.purged()
    assert len(purged) == len(set(purged))
    for record in fleet.records:
        for part, folder in (("source", fleet.inbox), ("output", fleet.out), ("tracks_file", fleet.out)):
            if record.get(part) and record["act"] == "masked" and record["source"]["name"].startswith("front"):
                assert (folder / record[part]["name"]).exists() == (record[part]["name"] not in purged)
    state = fleet.out / ".dashredact"
    assert list((state / journal.FOLDER).glob("*")) == []
    assert not any(f".dashredact/{folder.name}" in purged for folder in state.iterdir() if folder.is_dir())


def _killed(tmp_path: Path, step: Step) -> Fleet:
    """Three videos, two of them due with all that was made of them, and the purge that died."""
    fleet = Fleet(tmp_path)
    for number in range(2):
        fleet.masked(f"front-{number}.mp4")
    fleet.masked("front-9.mp4", filmed=LATE)
    work = WorkFolder(fleet.out, "front-0.mp4", "k").folder
    for number in range(3):
        (work / f"part-{number}").write_bytes(b"part")
    kills.kill_at(step, lambda: fleet.purge(LATE))
    return fleet


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_the_next_purge_settles_what_is_open(tmp_path: Path, step: str) -> None:
    fleet = _killed(tmp_path, STEPS[step])
    NEXT["purge"](fleet)
    _agree(fleet)
    fleet.purge(LATE)
    _agree(fleet)
    made = [f"front-{number}.{suffix}" for number in range(2) for suffix in ("mp4", "masked.mp4", "tracks.json")]
    scratch = [name for name in fleet.purged() if name.startswith(".")]
    assert sorted(fleet.purged()) == sorted([*made, *scratch]) and len(scratch) == 1
    assert (fleet.inbox / "front-9.mp4").exists()


@pytest.mark.parametrize("command", ["hold add", "request add", "redact"])
@pytest.mark.parametrize("step", [*_EACH, "in the middle of the line"])
def test_after_a_kill_any_other_command_settles_what_is_open(tmp_path: Path, step: str, command: str) -> None:
    fleet = _killed(tmp_path, STEPS.get(step) or STEPS[f"{step}, 2"])
    NEXT[command](fleet)
    _agree(fleet)


@pytest.mark.parametrize("step", SEALING)
@pytest.mark.parametrize("command", ["purge", "request add"])
def test_after_a_kill_while_sealing_there_is_always_one_of_the_two(tmp_path: Path, step: str, command: str) -> None:
    fleet = Fleet(tmp_path)
    original, *_ = fleet.masked("front-1.mp4")
    sealed = original.with_name("front-1.mp4.age")
    kills.kill_at(SEALING[step], lambda: fleet.purge(after(1), recipient=KEY))
    assert original.exists() or sealed.exists()

    NEXT[command](fleet)
    told = [record["act"] for record in fleet.records].count("sealed")
    assert (original.exists(), sealed.exists(), told) in [(True, False, 0), (False, True, 1)]
    fleet.purge(after(1), recipient=KEY)
    assert not original.exists() and sealed.exists()
    assert [record["act"] for record in fleet.records if record["act"] != "requested"] == ["masked", "sealed"]
    encryption.check(sealed, fleet.records[0]["source"]["bytes"])
    fleet.purge(after(CAPTURED + 1))
    assert not sealed.exists() and fleet.purged() == ["front-1.mp4.age"]
    assert {path.name for path in fleet.inbox.iterdir()} == set()


def test_a_hold_that_comes_after_a_kill_counts(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    original, *_ = fleet.masked("front-1.mp4")
    kills.kill_at(STEPS["before the file goes, 1"], lambda: fleet.purge(LATE))
    fleet.hold("front-1.mp4", FAR)
    fleet.purge(LATE)
    assert original.exists() and fleet.purged() == []


def test_the_clock_of_a_late_line_is_that_of_the_deletion(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.masked("front-1.mp4")
    kills.kill_at(STEPS["after the file is gone, 1"], lambda: fleet.purge(after(CAPTURED + 1)))
    fleet.purge(after(CAPTURED + 3))
    (record,) = (record for record in fleet.records if record["act"] == "purged")
    assert record["time"][:10] == str(after(CAPTURED + 1)) and "was stopped" in record["reason"]


def test_a_new_file_under_the_name_of_one_that_went_before_the_kill_stays(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    original, *_ = fleet.masked("front-1.mp4")
    kills.kill_at(STEPS["after the file is gone, 1"], lambda: fleet.purge(after(CAPTURED + 1)))
    original.write_bytes(b"another recording")
    NEXT["request add"](fleet)
    assert original.read_bytes() == b"another recording" and fleet.purged() == ["front-1.mp4"]
