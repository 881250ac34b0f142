"""Gate, export, search and retention give a clip the same day, or none of them gives it one."""

import re
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from capture_names import NAMES
from hypothesis import given, settings
from hypothesis import strategies as st
from policies import changed, policy

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.audit.clips import Clips
from dashredact.errors import PolicyError
from dashredact.governance.disclosure.export import ExportOptions, export
from dashredact.governance.disclosure.find_clips import ClipQuery, find_clips
from dashredact.governance.policy import admission
from dashredact.governance.policy.admission import Admission, NotAdmittedError, RunDeclaration
from dashredact.governance.policy.file import PolicyFile
from dashredact.governance.retention.inventory import Inventory
from dashredact.media.capture_time import ContainerTime
from dashredact.workspace.inbox import Item
from dashredact.workspace.output_folder import OutputFolder

_TODAY = date(2027, 6, 1)
_GIVEN = date(2026, 4, 20)
_TRIED = date(1999, 1, 1)  # no name says this day
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncing a disk takes most of the time
_STRICT = PolicyFile(policy(changed(("notice", "start"), date(2100, 1, 1))), "a" * 64)
"""Lets nothing out that was filmed before 2100, and says which day that was."""

_DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
_FORMS = st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m%d", "%Y.%m.%d", "%Y-%m_%d", "%d-%m-%Y", "%y%m%d"])
_PARTS = st.one_of(
    st.builds(date.strftime, _DAYS, _FORMS),
    st.sampled_from(["-", "_", "/", " ", "T", "front", "081502", "0815", "08-15-02", "1", "20", "前"]),
    st.text("0123456789", min_size=1, max_size=14),
)
_NAMES = st.lists(_PARTS, min_size=1, max_size=6).map(lambda parts: "".join(parts) + ".mp4")
_CONTAINERS = st.sampled_from(["", "2026-04-15T12:00:00Z", "1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])


def _at_the_gate(name: str, created: str = "", given: date | None = None) -> Any:
    """What the log says of the policy after the gate."""
    gate = Admission(_STRICT, Path(), RunDeclaration("evidence", captured=given), today=lambda: _TODAY)
    with patch.object(admission, "read_container", lambda _path: ContainerTime(created)):
        candidate = gate.examine(Item(Path(name), name))
    with pytest.raises(NotAdmittedError) as refused:
        gate.admit(candidate)
    assert ("date-unknown" in refused.value.gates) is (candidate.captured.day is None)
    return candidate.record


class _Masked:
    """An output folder with one clip that was masked, once for each entry of the log about its policy."""

    def __init__(self, out: Path, name: str, *policies: Any) -> None:
        self.out, self.name = out, name
        path = out / "clip.masked.mp4"
        path.write_bytes(b"masked")
        for told in policies:
            line = {
                "act": "masked",
                "source": {"name": name, "sha256": "1" * 64, "bytes": 1, "place": "0" * 16},
                "output": {"name": path.name, "sha256": files.sha256(path), "bytes": 6},
                "settings": {},
                "time": f"{_TRIED}T00:00:00+00:00",
                "policy": told,
            }
            audit_log.append(out / audit_log.NAME, {"reason": "", **line})

    def days(self) -> dict[str, date | None]:
        folder = OutputFolder(self.out)
        (match,) = find_clips(folder, (), ClipQuery(), _TODAY)
        inventory = Inventory(Clips.read(folder.events()), _STRICT.policy, _TODAY)
        since = inventory.rule_of_original(inventory.clips.by_name[self.name]).since
        kept_from = None if since == _TRIED else since
        return {"export": self._exported(), "search": match.captured.day, "retention": kept_from}

    def _exported(self) -> date | None:
        options = ExportOptions([self.name], "Chizu Inc.", "road-map", "2026-17", self.out.parent / "delivery")
        with pytest.raises(PolicyError) as refused:
            export(OutputFolder(self.out), _STRICT, options, _TODAY)
        undated = "does not say on which day it was filmed" in str(refused.value)
        day = re.search(r"was filmed on (\S+),", str(refused.value))
        assert undated is (day is None)
        return date.fromisoformat(day[1]) if day else None


def _all(day: date | None) -> dict[str, date | None]:
    return dict.fromkeys(("export", "search", "retention"), day)


def _day(told: Any) -> date | None:
    return date.fromisoformat(told["captured"]) if told["captured"] else None


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return files.private_folder(tmp_path / "out")


@pytest.mark.parametrize("name", [name for name in NAMES if name])
def test_all_give_the_day_that_the_name_says(out: Path, name: str) -> None:
    told = _at_the_gate(name)
    assert _day(told) == NAMES[name].day
    assert _Masked(out, name, "no policy").days() == _all(NAMES[name].day)


@settings(deadline=None)
@given(_NAMES, _CONTAINERS)
def test_all_agree_about_any_name_and_container(name: str, created: str) -> None:
    told = _at_the_gate(name, created)
    with TemporaryDirectory(dir=_MEMORY) as folder:
        under, free = (files.private_folder(Path(folder) / inner) for inner in ("under", "free"))
        assert _Masked(under, name, told).days() == _all(_day(told))
        assert _Masked(free, name, "no policy").days() == _all(_day(_at_the_gate(name)))


@pytest.mark.parametrize("name", ["front-1.mp4", "front-20260412.mp4", "20260412_20260413.mp4", "2026-04-12/a.mp4"])
def test_a_day_that_a_person_gave_counts_on_after_a_run_without_a_policy(out: Path, name: str) -> None:
    told = _at_the_gate(name, given=_GIVEN)
    assert _Masked(out, name, told, "no policy").days() == _all(_GIVEN)


def test_a_day_still_to_come_is_a_day_for_nobody(out: Path) -> None:
    assert _at_the_gate("front-20270603.mp4")["captured"] is None
    assert _Masked(out, "front-20270603.mp4", "no policy").days() == _all(None)


def test_a_refusal_says_what_leaves_the_day_open() -> None:
    gate = Admission(_STRICT, Path(), RunDeclaration("evidence"), today=lambda: _TODAY)
    name = "20260412_20260413.mp4"
    with pytest.raises(NotAdmittedError, match=r"on which day it was filmed \(name: several days\); give the day with"):
        gate.admit(gate.examine(Item(Path(name), name)))
