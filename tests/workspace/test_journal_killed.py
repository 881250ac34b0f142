"""A change of an output folder is killed at every step of its journal; another command comes next and settles it."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import kills
import msgspec
import pytest
from click.testing import CliRunner
from clips import Film, Finder
from conftest import SETTINGS
from kept import MASKED, after
from kills import Step
from policies import UNREVIEWED, policy
from review_made import apply, reviewer

from dashredact import cli, files
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.audit.clips import Clips
from dashredact.audit.events import Produced
from dashredact.audit.verify import VerifyOptions
from dashredact.batch.batch import Batch
from dashredact.batch.inbox_run import InboxRules, InboxRun
from dashredact.errors import MachineError
from dashredact.execute.inline import InlineExecutor
from dashredact.governance.policy.file import PolicyFile
from dashredact.governance.retention import erasure
from dashredact.governance.retention.purge import Purge, PurgeOptions
from dashredact.kinds import Kind
from dashredact.progress import ProgressDisplay
from dashredact.review import marking
from dashredact.settings import TrackSettings
from dashredact.workspace import inbox, journal, work_folder
from dashredact.workspace.journal import Journal, Move, Publication
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher

_NAMES = [f"front-20260410-08000{number}.mp4" for number in range(6)]
_CORRECTED, _DELETED, _REVIEWED, _NEW, _NEXT_NEW, _UPLOAD = _NAMES
_SHORT = replace(SETTINGS, link=TrackSettings(bridge=0.0, follow=0.0, extend=0.0))


@dataclass(frozen=True)
class Scene:
    """An output folder with three masked videos, one of them with a correction that waits, and their originals."""

    path: Path

    @property
    def originals(self) -> Path:
        return self.path / "originals"

    @property
    def out(self) -> Path:
        return self.path / "out"

    @property
    def folder(self) -> OutputFolder:
        return OutputFolder(self.out)

    def film(self, name: str, folder: str = "originals") -> None:
        """Each has another length, so that no two have the same content."""
        path = self.path / folder / name
        path.parent.mkdir(exist_ok=True)
        Film(frames=8 + _NAMES.index(name)).shoot(path)

    def work_left(self) -> list[Path]:
        return work_folder.folders(self.out)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("killed"))
    for name in (_CORRECTED, _DELETED, _REVIEWED):
        scene.film(name)
        _redact(scene, name)
    for name in (_NEW, _NEXT_NEW):
        scene.film(name)
    boxes = marking.drawn([10, 10, 40, 40], None, range(2, 6))
    reviewer(scene.out).mark(_CORRECTED, Kind.FACE, boxes, "")
    _call(scene, "review", "approve", _DELETED)
    return scene


@pytest.fixture
def scene(base: Scene, tmp_path: Path) -> Scene:
    shutil.copytree(base.path, tmp_path / "scene")
    return Scene(tmp_path / "scene")


# --- what is killed -----------------------------------------------------------------------------------------------


def _redact(scene: Scene, name: str) -> None:
    items = inbox.plan([scene.originals / name], scene.out)
    with scene.folder.masking():
        (outcome,) = Batch(scene.folder, Finder(), _SHORT, lambda _: None).run(items)
    assert outcome.output, outcome.reason


def _correct(scene: Scene) -> None:
    apply(scene.out, scene.originals / _CORRECTED)


def _purge(scene: Scene, day: int = MASKED + 1) -> None:
    now = datetime.combine(after(day), datetime.min.time(), UTC)
    options = PurgeOptions(PolicyFile(policy(UNREVIEWED), "a" * 64), inbox=scene.originals, now=now)
    with scene.folder.exclusive():
        list(Purge(scene.folder, options).findings())


def _erase(scene: Scene) -> None:
    with scene.folder.exclusive():
        clips = Clips.read(scene.folder.events())
        plan = erasure.plan(scene.folder, clips, {}, clips.by_name[_DELETED].source, [scene.originals])
        erasure.carry_out(scene.folder, [plan], 1)


class _DyingFiles:
    """`dashredact.files` for the journal alone: dies before or after it has given so many files their names."""

    def __init__(self, files: Any, at: int, *, before: bool) -> None:
        self._files = files
        self.publish = kills.dying(files.publish, at, before=before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def _at_move(number: int, *, before: bool) -> Step:
    return Step(journal, "files", lambda files: _DyingFiles(files, number, before=before))


_LINE = {
    "before the line": kills.before(audit_log, "append"),
    "in the middle of the line": Step(audit_log, "append", lambda _: kills.half_a_line),
    "after the line": kills.after(audit_log, "append"),
    "before the entry is removed": kills.before(Journal, "_close"),
}
_MOVES = {
    "after the entry": kills.after(Journal, "_write"),
    "before the tracks file": _at_move(1, before=True),
    "before the video": _at_move(2, before=True),
    "after the video": _at_move(2, before=False),
    **_LINE,
    "after the work folder has gone": kills.after(journal.shutil, "rmtree"),  # type: ignore[attr-defined]
}
_DELETIONS = {
    "after the entry": kills.after(Journal, "_write"),
    "before the first file": kills.before(journal, "_delete"),
    "after the first file": kills.after(journal, "_delete"),
    **_LINE,
}


class Operation(NamedTuple):
    carry_out: Callable[[Scene], None]
    steps: dict[str, Step]


OPERATIONS = {
    "first publication": Operation(lambda scene: _redact(scene, _NEW), _MOVES),
    "correction": Operation(_correct, _MOVES),
    "purge": Operation(_purge, _DELETIONS),
    "erasure": Operation(_erase, _DELETIONS),
}


# --- what comes next ----------------------------------------------------------------------------------------------


def _call(scene: Scene, group: str, command: str, *words: str) -> None:
    done = CliRunner().invoke(cli.main, [group, command, str(scene.out), *words])
    assert done.exit_code == 0, done.stderr


def _batch(scene: Scene) -> None:
    uploads = scene.path / "uploads"
    scene.film(_UPLOAD, uploads.name)
    executor = _Executor()
    with scene.folder.masking():
        batch = Batch(scene.folder, Finder(), _SHORT, lambda _: None, (), executor, trust=True, unattended=True)
        watcher, progress = InboxWatcher(uploads, scene.out, 0), ProgressDisplay(quiet=True)
        run = InboxRun(uploads, scene.folder, batch, executor, watcher, progress, InboxRules(retry_after=0))  # type: ignore[arg-type]
        assert [outcome.name for outcome in run.outcomes() if outcome.output] == [_UPLOAD]


class _Executor(InlineExecutor):
    def stop(self) -> None:
        pass


NEXT: dict[str, Callable[[Scene], None]] = {
    "redact of another video": lambda scene: _redact(scene, _NEXT_NEW),
    "review approve": lambda scene: _call(scene, "review", "approve", _REVIEWED),
    "batch": _batch,
    "purge of nothing": lambda scene: _purge(scene, 0),
    "request add": lambda scene: _call(scene, "request", "add", "--kind", "copy", "--reference", "1"),
}


def _cases() -> Iterator[tuple[str, str, str]]:
    """Every step of every operation, with the commands in turn; each operation meets each of them."""
    for operation, (_, steps) in OPERATIONS.items():
        commands = cycle(NEXT)
        for step in steps:
            yield operation, step, next(commands)


@pytest.mark.parametrize(("operation", "step", "command"), [*_cases()])
def test_whatever_comes_after_a_kill_settles_it(scene: Scene, operation: str, step: str, command: str) -> None:
    carry_out, steps = OPERATIONS[operation]
    kills.kill_at(steps[step], lambda: carry_out(scene))
    NEXT[command](scene)
    _agrees(scene)
    _has_happened_once(scene, operation)


def _agrees(scene: Scene) -> None:
    """Log and disk; nothing is left of what was interrupted."""
    report = audit_verify.verify(scene.out, VerifyOptions(file_fault=scene.folder.fault))
    assert list(report.faults) == []
    assert list((scene.folder.state_folder / journal.FOLDER).glob("*")) == []
    assert scene.work_left() == []


def _has_happened_once(scene: Scene, operation: str) -> None:
    """Or, for a purge that had only one file in hand, not at all."""
    events = scene.folder.events()
    of_source = {
        "first publication": ("masked", _NEW),
        "correction": ("corrected", _CORRECTED),
        "erasure": ("purged", _DELETED),
    }
    if operation in of_source:
        act, name = of_source[operation]
        assert [str(event.type) for event in events if getattr(event, "name", "") == name].count(act) == 1
    deletions = [event.deletion for event in events if getattr(event, "deletion", "")]
    assert len(deletions) == len(set(deletions))


def test_a_correction_that_was_overtaken_is_dropped(scene: Scene) -> None:
    """The video was masked again before a killed correction could be finished: the new file counts."""
    kills.kill_at(kills.after(Journal, "_write"), lambda: _correct(scene))
    (entry,) = (scene.folder.state_folder / journal.FOLDER).glob("*.json")
    entry.write_text(entry.read_text().replace('"replaces": "', '"replaces": "0'))
    before = (scene.out / f"{_CORRECTED[:-4]}.masked.mp4").read_bytes()
    _call(scene, "review", "approve", _REVIEWED)
    _agrees(scene)
    assert (scene.out / f"{_CORRECTED[:-4]}.masked.mp4").read_bytes() == before
    assert Clips.read(scene.folder.events()).by_name[_CORRECTED].corrections.waiting == 1


@pytest.mark.parametrize("field", ["work_folder", "target", "source"])
def test_an_entry_with_a_name_that_leads_out_of_the_folder_moves_nothing(scene: Scene, field: str) -> None:
    names = {"work_folder": ".dashredact/0-0", "source": "finished", "target": "a.masked.mp4"} | {field: "../mine"}
    moves = (Move(names["source"], names["target"], "0" * 64),)
    Journal(scene.out, scene.folder.state_folder, list)._write(
        [Publication(names["work_folder"], moves, {"act": "masked"})]
    )
    with pytest.raises(MachineError, match="leads out of the output folder"):
        _redact(scene, _NEW)


def _dies_while_it_writes(write: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*args: Any) -> Any:
        journal.files.publish = kills.die
        return write(*args)

    return dying


def test_an_entry_that_a_kill_cut_short_goes_with_the_next_run(scene: Scene) -> None:
    kills.kill_at(Step(Journal, "_write", _dies_while_it_writes), lambda: _redact(scene, _NEW))
    entries = scene.folder.state_folder / journal.FOLDER
    assert [path.suffix for path in entries.glob("*")] == [".tmp"]
    _redact(scene, _NEW)
    _agrees(scene)
    _has_happened_once(scene, "first publication")


def test_what_was_purged_and_masked_anew_gets_its_line(scene: Scene) -> None:
    """The same content came, went, and came again: the line of the first time is not that of the second."""
    _redact(scene, _NEW)
    made = next(event for event in reversed(scene.folder.events()) if getattr(event, "name", "") == _NEW)
    assert isinstance(made, Produced) and made.output and made.tracks_file
    (scene.out / made.output.name).unlink()
    (scene.out / made.tracks_file.name).unlink()
    gone = [msgspec.to_builtins(file) for file in (made.output, made.tracks_file)]
    scene.folder.append({"act": "purged", "reason": "over", "deletion": "1", "files": gone})
    kills.kill_at(kills.before(audit_log, "append"), lambda: _redact(scene, _NEW))
    _call(scene, "review", "approve", _REVIEWED)
    _agrees(scene)
    events = scene.folder.events()
    assert [str(event.type) for event in events if getattr(event, "name", "") == _NEW].count("masked") == 2


# --- a disk that refuses ------------------------------------------------------------------------------------------


class _RefusingFiles:
    """`dashredact.files` for the journal alone: cannot give the masked video its name, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def publish(self, source: Path, target: Path) -> None:
        if target.suffix == ".mp4" and self.left:
            self.left -= 1
            raise OSError(5, "Input/output error")
        files.publish(source, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(files, name)


def test_a_disk_that_refuses_for_a_moment_costs_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "files", _RefusingFiles(1))
    _redact(scene, _NEW)
    _agrees(scene)
    _has_happened_once(scene, "first publication")
    assert not [event for event in scene.folder.events() if str(event.type) == "failed"]


def test_a_disk_that_goes_on_refusing_leaves_it_to_the_next_run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(journal, "files", _RefusingFiles(9))
        with pytest.raises(MachineError, match="can be neither finished nor taken back"):
            _redact(scene, _NEW)
    assert scene.work_left(), "the masked video waits there"
    _call(scene, "review", "approve", _REVIEWED)
    _agrees(scene)
    _has_happened_once(scene, "first publication")


_PURGED = {"act": "purged", "reason": "over", "deletion": "1"}
_REMOVAL = {"kind": "Removal", "record": _PURGED, "sealed": None}
_ODD_ENTRIES: dict[str, dict[str, Any]] = {
    "another kind": {**_REMOVAL, "kind": "Zebra", "targets": [{"path": "/tmp/x"}]},
    "a line that does not fit": {**_REMOVAL, "record": {"act": "held"}, "targets": [{"path": "/x"}]},
    "nothing to remove": {**_REMOVAL, "targets": []},
    "a relative path": {**_REMOVAL, "targets": [{"path": "x"}]},
    "a zero character": {**_REMOVAL, "targets": [{"path": "/x\0"}]},
    "nothing to move": {"kind": "Publication", "record": {"act": "masked"}, "work_folder": "a", "moves": []},
    "no work folder": {
        "kind": "Publication",
        "record": {
            "act": "masked",
            "source": {"name": "a.mp4", "sha256": "0" * 64},
            "output": {"name": "b", "sha256": "0" * 64},
        },
        "work_folder": "kept",
        "moves": [{"source": "a", "target": "b", "sha256": "0" * 64}],
    },
}


@pytest.mark.parametrize("name", _ODD_ENTRIES)
def test_an_entry_that_this_program_does_not_write_is_named_and_does_nothing(scene: Scene, name: str) -> None:
    entries = scene.folder.state_folder / journal.FOLDER
    entries.mkdir(exist_ok=True)
    (entries / "a1.json").write_text(json.dumps([_ODD_ENTRIES[name]]))
    (scene.out / "kept").mkdir()
    before = scene.folder.log.read_bytes()
    with pytest.raises(MachineError, match=r"a1\.json cannot be read .* move it away"):
        scene.folder.settle()
    assert (scene.out / "kept").is_dir() and scene.folder.log.read_bytes() == before


def test_a_journal_that_is_a_link_is_not_followed(scene: Scene, tmp_path: Path) -> None:
    elsewhere, victim = tmp_path / "elsewhere", tmp_path / "victim"
    elsewhere.mkdir()
    victim.touch()
    entry = {"kind": "Removal", "record": _PURGED, "targets": [{"path": str(victim)}], "sealed": None}
    (elsewhere / "a1.json").write_text(json.dumps([{**entry, "must_finish": True}]))
    entries = scene.folder.state_folder / journal.FOLDER
    shutil.rmtree(entries, ignore_errors=True)
    entries.symlink_to(elsewhere)
    with pytest.raises(MachineError, match="it is a link"):
        scene.folder.settle()
    assert victim.exists()
