"""Erasing: whatever moment it is killed at, the next command finishes it, and the audit log and the disk agree."""

from collections.abc import Callable, Mapping
from pathlib import Path

import kills
import pytest
from clips import Film, Finder
from conftest import SETTINGS
from fleet import Fleet, call
from kills import Step
from output_checks import check_schema

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.audit.clips import Clips
from dashredact.batch.batch import Batch
from dashredact.errors import ExitCode, MachineError
from dashredact.governance.retention import erasure
from dashredact.workspace import inbox, journal, locks
from dashredact.workspace.journal import Journal
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder

_NAMES = ("front-20260412-081502.mp4", "front-20260412-083502.mp4")
_FAR = "2099-01-01"
_FILES = 6
"""of the two clips; their lines are four"""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    made = Fleet(tmp_path)
    for name in _NAMES:
        made.masked(name)
    return made


def _erase(fleet: Fleet) -> None:
    folder = OutputFolder(fleet.out)
    with folder.exclusive():
        clips = Clips.read(folder.events())
        sources = [clips.by_name[name].source for name in _NAMES]
        erasure.carry_out(folder, [erasure.plan(folder, clips, {}, one, [fleet.inbox]) for one in sources], 1)


def _settle(fleet: Fleet) -> None:
    with OutputFolder(fleet.out).exclusive():
        pass


def _purged(fleet: Fleet) -> tuple[set[str], set[str]]:
    """Names of sources and of other files in lines about deletions."""
    lines = [record for record in fleet.records() if record["act"] == "purged"]
    for line in lines:
        check_schema(line, "audit")
    assert len({line["deletion"] for line in lines}) == len(lines)
    sources = [line["source"]["name"] for line in lines if "source" in line]
    others = [file["name"] for line in lines for file in line.get("files", ())]
    assert len(sources) + len(others) == len({*sources, *others})
    return set(sources), set(others)


def _all_gone(fleet: Fleet) -> None:
    """All files of the two clips, and the log tells of each; nothing is pending."""
    sources, others = _purged(fleet)
    assert sources == set(_NAMES)
    assert others == {f"{name[:-4]}.{ending}" for name in _NAMES for ending in ("masked.mp4", "tracks.json")}
    assert not any((fleet.inbox / name).exists() for name in sources)
    assert not any((fleet.out / name).exists() for name in others)
    assert list(chain.verify(audit_log.read(fleet.log).lines)) == []
    assert list((fleet.out / locks.STATE_FOLDER / journal.FOLDER).glob("*")) == []


def _mask_another(fleet: Fleet) -> None:
    folder, source = OutputFolder(fleet.out), Film(frames=8).shoot(fleet.out.parent / "new.mp4")
    with folder.masking():
        (outcome,) = Batch(folder, Finder(), SETTINGS, lambda _: None).run(inbox.plan([source], fleet.out))
    assert outcome.output


def _hold_another(fleet: Fleet) -> None:
    fleet.masked("front-20260412-090000.mp4")
    words = ("--kind", "police", "--reason", "5", "--until", _FAR)
    assert call("hold", "add", fleet.out, "front-20260412-090000.mp4", *words).exit_code == 0


_NEXT: Mapping[str, Callable[[Fleet], object]] = {
    "a command that takes the folder": _settle,
    "hold add": _hold_another,
    "request add": lambda fleet: call("request", "add", fleet.out, "--kind", "copy", "--reference", "1"),
    "redact": _mask_another,
}
_STEPS: Mapping[str, Step] = {
    "after the journal entry": kills.after(Journal, "_write"),
    **{f"before file {number}": kills.before(journal, "_delete", number + 1) for number in range(_FILES)},
    **{f"before line {number}": kills.before(audit_log, "append", number + 1) for number in range(4)},
    "in the middle of a line": Step(audit_log, "append", lambda _: kills.half_a_line),
    "after the last line": kills.after(audit_log, "append", 4),
}


@pytest.mark.parametrize("step", _STEPS)
def test_after_a_kill_the_next_command_finishes_it(fleet: Fleet, step: str) -> None:
    kills.kill_at(_STEPS[step], lambda: _erase(fleet))
    sources, others = _purged(fleet)
    assert not any((fleet.inbox / name).exists() for name in sources)
    assert not any((fleet.out / name).exists() for name in others)
    _settle(fleet)
    _all_gone(fleet)


@pytest.mark.parametrize("command", ["hold add", "request add", "redact"])
@pytest.mark.parametrize("step", ["after the journal entry", "before file 1", "before line 2", "after the last line"])
def test_after_a_kill_any_other_command_finishes_it(fleet: Fleet, step: str, command: str) -> None:
    kills.kill_at(_STEPS[step], lambda: _erase(fleet))
    _NEXT[command](fleet)
    _all_gone(fleet)


def test_before_the_journal_knows_of_it_nothing_has_gone(fleet: Fleet) -> None:
    kills.kill_at(kills.before(Journal, "_write"), lambda: _erase(fleet))
    _settle(fleet)
    assert _purged(fleet) == (set(), set()) and all((fleet.inbox / name).exists() for name in _NAMES)


@pytest.mark.parametrize("gone", range(_FILES))
def test_a_hold_that_came_in_between_keeps_what_is_left(fleet: Fleet, gone: int) -> None:
    """On the first clip; the other one goes. The log tells of what has gone and of nothing else."""
    kills.kill_at(kills.before(journal, "_delete", gone + 1), lambda: _erase(fleet))
    made = [f"{_NAMES[0][:-4]}.{ending}" for ending in ("masked.mp4", "tracks.json")]
    left = [path for path in (fleet.inbox / _NAMES[0], *(fleet.out / name for name in made)) if path.exists()]
    assert len(left) == max(3 - gone, 0)
    words = ("--kind", "police", "--reason", "5", "--until", _FAR)
    assert call("hold", "add", fleet.out, _NAMES[0], *words).exit_code == 0
    assert all(path.exists() for path in left)
    sources, others = _purged(fleet)
    assert (_NAMES[0] in sources) == (not (fleet.inbox / _NAMES[0]).exists())
    assert {name for name in made if name in others} == {name for name in made if not (fleet.out / name).exists()}
    assert _NAMES[1] in sources and not (fleet.inbox / _NAMES[1]).exists()
    assert call("audit", "verify", fleet.out, "--files").exit_code == 0
    assert list((fleet.out / locks.STATE_FOLDER / journal.FOLDER).glob("*")) == []


def test_a_file_that_took_the_place_of_another_stays(fleet: Fleet) -> None:
    kills.kill_at(kills.after(Journal, "_write"), lambda: _erase(fleet))
    (fleet.inbox / _NAMES[0]).write_bytes(b"a new recording")
    _settle(fleet)
    assert (fleet.inbox / _NAMES[0]).read_bytes() == b"a new recording"


def test_what_cannot_be_deleted_is_not_called_deleted(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = Path.unlink

    def denied(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".mp4":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", denied)
        with pytest.raises(MachineError, match="cannot be deleted"):
            _erase(fleet)
        assert _purged(fleet) == (set(), set())
        with pytest.raises(MachineError, match="cannot be deleted"):  # nobody forgets it
            _settle(fleet)
    _settle(fleet)
    _all_gone(fleet)


@pytest.mark.parametrize("name", ["purge.json", "erasing.json"])
def test_what_an_earlier_version_left_half_deleted_is_named(fleet: Fleet, name: str) -> None:
    note = fleet.out / locks.STATE_FOLDER / name
    files.private_folder(note.parent)
    note.write_text("{}")
    lines = len(fleet.records())
    done = call("request", "add", fleet.out, "--kind", "copy", "--reference", "1")
    assert done.exit_code == ExitCode.NOT_READY and f"{name} was left by an earlier version" in done.stderr
    assert len(fleet.records()) == lines
    note.unlink()
    _erase(fleet)
    _all_gone(fleet)


def test_a_link_and_what_it_leads_to_stay(fleet: Fleet, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.mp4"
    (fleet.inbox / _NAMES[0]).rename(elsewhere)
    (fleet.inbox / _NAMES[0]).symlink_to(elsewhere)
    _erase(fleet)
    assert elsewhere.exists()


def test_detections_in_the_work_folder_go_too(fleet: Fleet) -> None:
    work = WorkFolder(fleet.out, _NAMES[0], "k" * 64)
    _erase(fleet)
    assert not work.folder.exists()
    _all_gone(fleet)


def test_an_encrypted_copy_goes_with_its_source(fleet: Fleet) -> None:
    sealed = fleet.inbox / f"{_NAMES[0]}.age"
    sealed.write_bytes(b"sealed")
    told = {"name": sealed.name, "sha256": files.sha256(sealed), "bytes": 6}
    fleet.append("sealed", source=fleet.source(_NAMES[0]), sealed=told)
    (fleet.inbox / _NAMES[0]).unlink()
    _erase(fleet)
    assert not sealed.exists()
    _all_gone(fleet)
