"""Erasing: whatever moment it is killed at, the next run finishes it, and the audit log and the disk agree."""

from pathlib import Path

import pytest
from fleet import Fleet

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.records import clips
from dashredact.errors import MachineError
from dashredact.governance.retention import erasure
from dashredact.workspace import locks
from dashredact.workspace.work_folder import WorkFolder

_NAMES = ("front-20260412-081502.mp4", "front-20260412-083502.mp4")


class _Killed(BaseException):
    pass


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    made = Fleet(tmp_path)
    for name in _NAMES:
        made.masked(name)
    return made


def _plans(fleet: Fleet) -> list[erasure.Erasure]:
    records = fleet.records()
    line = {"rule": {"name": "request"}, "reason": "Request 1.", "request": {"id": 1}}
    return [erasure.plan(fleet.out, clip, records, [fleet.inbox], line) for clip in clips(records)]


def _agree(fleet: Fleet) -> None:
    """Each file of the fleet is there and not recorded as gone, or the other way round."""
    lines = [record for record in fleet.records() if record["act"] == "purged"]
    assert {line["source"]["name"] for line in lines if "source" in line} == set(_NAMES)
    assert {file["name"] for line in lines for file in line.get("files", ())} == {
        f"{name[:-4]}.{ending}" for name in _NAMES for ending in ("masked.mp4", "tracks.json")
    }
    assert not list(fleet.inbox.iterdir())
    assert {path.name for path in fleet.out.iterdir()} == {locks.STATE_FOLDER, audit_log.NAME, audit_log.HEAD}
    assert not (fleet.out / locks.STATE_FOLDER / "erasing.json").exists()


@pytest.mark.parametrize("step", range(10))
def test_a_crash_is_finished_by_the_next_run(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Six files and four lines: it is killed before each of these."""
    left = [step]

    def dying(real: object) -> object:
        def act(*words: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise _Killed
            return real(*words)  # type: ignore[operator]

        return act

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_delete", dying(erasure._delete))
        patched.setattr(audit_log, "append", dying(audit_log.append))
        with pytest.raises(_Killed):
            erasure.erase(fleet.out, _plans(fleet))
    purged = [record for record in fleet.records() if record["act"] == "purged"]
    gone = {one["name"] for record in purged for one in (record.get("files") or [record["source"]])}
    assert not any((fleet.out / name).exists() or (fleet.inbox / name).exists() for name in gone)
    erasure.finish(fleet.out)
    _agree(fleet)


def test_a_file_that_took_the_place_of_another_stays(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_erase", killed)
        with pytest.raises(_Killed):
            erasure.erase(fleet.out, _plans(fleet))
    (fleet.inbox / _NAMES[0]).write_bytes(b"a new recording")
    erasure.finish(fleet.out)
    assert (fleet.inbox / _NAMES[0]).read_bytes() == b"a new recording"


def test_what_cannot_be_deleted_is_not_called_deleted(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", denied)
        with pytest.raises(MachineError, match="cannot be deleted"):
            erasure.erase(fleet.out, _plans(fleet))
    assert all(record["act"] != "purged" for record in fleet.records())
    erasure.finish(fleet.out)
    _agree(fleet)


def test_a_link_and_what_it_leads_to_stay(fleet: Fleet, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.mp4"
    (fleet.inbox / _NAMES[0]).rename(elsewhere)
    (fleet.inbox / _NAMES[0]).symlink_to(elsewhere)
    erasure.erase(fleet.out, _plans(fleet))
    assert elsewhere.exists()


def test_detections_in_the_work_folder_go_too(fleet: Fleet) -> None:
    job = WorkFolder(fleet.out, _NAMES[0], "k" * 64)
    erasure.erase(fleet.out, _plans(fleet))
    assert not job.folder.exists()


def test_an_encrypted_copy_goes_with_its_source(fleet: Fleet) -> None:
    sealed = fleet.inbox / f"{_NAMES[0]}.age"
    sealed.write_bytes(b"sealed")
    told = {"name": sealed.name, "sha256": files.sha256(sealed), "bytes": 6}
    fleet.append("sealed", source=fleet.source(_NAMES[0]), sealed=told)
    (fleet.inbox / _NAMES[0]).unlink()
    erasure.erase(fleet.out, _plans(fleet))
    assert not sealed.exists()
    _agree(fleet)
