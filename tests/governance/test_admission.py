"""A run under a policy: what it does not allow is refused and logged, and nothing of it is masked."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import clips
import pytest
from click.testing import CliRunner, Result
from clips import Finder, Library, ffmpeg
from conftest import SETTINGS
from output_checks import check_schema
from policies import FULL, changed, toml

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.cli import batch as batch_command
from dashredact.cli import redact
from dashredact.errors import ExitCode
from dashredact.governance.policy.admission import Admission, RunDeclaration
from dashredact.governance.policy.file import read
from dashredact.kinds import Kind
from dashredact.pipeline.outcome import VideoStatus
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

START = FULL["notice"]["start"]
_EARLIER = (START - timedelta(1)).strftime("%Y%m%d")
_DAY = START.strftime("%Y%m%d")
_ZONES = '[[camera]]\nfiles = "front-*"\n[[camera.mask]]\nname = "left"\nbox = [0.0, 0.0, 0.5, 1.0]\n'

Call = Callable[..., Result]


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(toml(FULL), "utf-8")
    return path


@pytest.fixture
def videos(tmp_path: Path, clip: Library) -> Callable[..., Path]:
    """`videos("front-1.mp4")` is a folder with these files."""

    def put(*names: str) -> Path:
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(clip("30.mp4"), folder / name)
        return folder

    return put


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """A command with the detector of the tests."""
    for module in (redact, batch_command):
        monkeypatch.setattr(module, "detector_of", lambda _detect, **_: Finder())

    def run(*words: str | Path, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(cli.main, [str(word) for word in words])

    return run


def _records(tmp_path: Path) -> list[dict[str, Any]]:
    found = list(audit_log.records(tmp_path / "out" / audit_log.NAME))
    for record in found:
        check_schema(record, "audit")
    return found


# --- redact ------------------------------------------------------------------------------------------------------


def test_without_a_policy_the_log_says_so(call: Call, videos: Callable[..., Path], tmp_path: Path) -> None:
    done = call("redact", videos("any.mp4"), "-o", tmp_path / "out", "-q")
    assert done.exit_code == ExitCode.OK, done.stderr
    assert [record["policy"] for record in _records(tmp_path)] == ["no policy"]


def test_each_video_is_let_in_or_refused_by_itself(
    call: Call, policy: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    folder = videos(
        f"front-{_DAY}.mp4", f"front-{_EARLIER}.mp4", f"cabin-{_DAY}.mp4", f"side-{_DAY}.mp4", "front-x.mp4"
    )
    done = call("redact", folder, "-o", tmp_path / "out", "-q", "--policy", policy, "--purpose", "evidence")
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY
    records = {record["source"]["name"]: record for record in _records(tmp_path)}
    gates = {name: record.get("gates") for name, record in records.items()}
    assert gates == {
        f"cabin-{_DAY}.mp4": ["camera-cabin", "purpose-changed"],
        f"front-{_EARLIER}.mp4": ["before-notice"],
        f"front-{_DAY}.mp4": None,
        "front-x.mp4": ["date-unknown"],
        f"side-{_DAY}.mp4": ["camera-unknown"],
    }
    assert [record["act"] for record in records.values()].count("refused by policy") == 4
    assert f"cabin-{_DAY}.mp4: comes from a camera that faces the cabin; leave it out" in done.stderr
    assert done.stdout == f"{tmp_path / 'out' / f'front-{_DAY}.masked.mp4'}\n"
    assert len(list((tmp_path / "out").glob("*.masked.*"))) == 1
    told = {"sha256": read(policy).sha256, "purpose": "evidence", "basis": "", "reason": "", "given": None}
    assert records[f"front-{_DAY}.mp4"]["policy"] == {**told, "camera": "front-*.mp4", "captured": str(START)}


def test_a_rehearsal_refuses_too(call: Call, policy: Path, videos: Callable[..., Path], tmp_path: Path) -> None:
    done = call("redact", videos("cabin-1.mp4"), "-o", tmp_path / "out", "-q", "--dry-run", "--policy", policy)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and "faces the cabin" in done.stderr
    assert not (tmp_path / "out" / audit_log.NAME).exists()


def test_basis_purpose_day_and_reason_are_logged(
    call: Call, policy: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    words = ["redact", videos("front-1.mp4"), "-o", tmp_path / "out", "-q", "--policy", policy, "--purpose", "road-map"]
    words += ["--captured", str(START), "--kinds", "face"]
    refused = call(*words)
    assert refused.exit_code == ExitCode.REFUSED_BY_POLICY
    assert _records(tmp_path)[-1]["gates"] == ["purpose-changed", "one-kind"]
    assert "--basis" in refused.stderr and "--reason" in refused.stderr
    done = call(*words, "--basis", "consent 17", "--reason", "no plates on this road")
    assert done.exit_code == ExitCode.OK, done.stderr
    record = _records(tmp_path)[-1]
    assert record["policy"] == {
        "sha256": read(policy).sha256,
        "camera": "front-*.mp4",
        "purpose": "road-map",
        "basis": "consent 17",
        "reason": "no plates on this road",
        "captured": str(START),
        "given": str(START),
    }
    assert list(record["settings"]["link"]["thresholds"]) == ["face"]


@pytest.mark.parametrize(("kinds", "seen"), [("face", 0), ("plate", 1), ("plate,face", 0), ("face plate", 0)])
def test_a_kind_that_is_not_asked_for_is_not_masked(
    call: Call, videos: Callable[..., Path], tmp_path: Path, kinds: str, seen: bool
) -> None:
    """The secret is a face."""
    done = call("redact", videos("a.mp4"), "-o", tmp_path / "out", "-q", "--kinds", kinds)
    assert done.exit_code == ExitCode.OK, done.stderr
    pictures = clips.pictures_of(tmp_path / "out" / "a.masked.mp4")
    assert any(clips.secret_pixels(picture).any() for picture in pictures) is bool(seen)


@pytest.mark.parametrize("word", ["--purpose", "--basis", "--reason", "--captured"])
def test_what_is_said_to_a_policy_needs_one(call: Call, videos: Callable[..., Path], tmp_path: Path, word: str) -> None:
    done = call("redact", videos("a.mp4"), "-o", tmp_path / "out", word, "2026-04-01")
    assert done.exit_code == ExitCode.USAGE and f"{word} is said to a policy" in done.stderr


def test_a_policy_with_a_fault_masks_nothing(
    call: Call, policy: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    policy.write_text("x = 1")
    done = call("redact", videos("a.mp4"), "-o", tmp_path / "out", "--policy", policy)
    assert done.exit_code == ExitCode.REFUSED_BY_POLICY and not list(tmp_path.glob("out/*"))


# --- the day of filming --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "created", "given", "day"),
    [
        ("front-20260405.mp4", "2026-04-07T12:00:00", None, date(2026, 4, 5)),
        ("front-1.mp4", "2026-04-07T12:00:00", None, date(2026, 4, 7)),
        ("front-20260405.mp4", "2026-04-07T12:00:00", date(2026, 4, 2), date(2026, 4, 2)),
        ("front-20260405-20260406.mp4", "2026-04-07T12:00:00", None, None),
        ("front-20260405-20260406.mp4", "2026-04-07T12:00:00", date(2026, 4, 2), date(2026, 4, 2)),
        ("front-1.mp4", "1970-01-01T00:00:01", None, None),
        ("front-1.mp4", None, None, None),
        ("front-20991231.mp4", None, None, None),
    ],
)
def test_by_option_else_by_name_else_by_container(
    policy: Path, clip: Library, tmp_path: Path, name: str, created: str | None, given: date | None, day: date | None
) -> None:
    source = tmp_path / name
    ffmpeg("-i", clip("30.mp4"), "-c", "copy", *(["-metadata", f"creation_time={created}"] if created else []), source)
    admission = Admission(
        read(policy), tmp_path, RunDeclaration("evidence", captured=given), today=lambda: date(2026, 6, 1)
    )
    about: dict[str, Any] = {}
    batch = Batch(OutputFolder(tmp_path / "out"), Finder(), SETTINGS, lambda _: None, admission=admission)
    (outcome,) = batch.rehearse(inbox.plan([source], tmp_path / "out"))
    assert outcome.record is not None
    about = dict(outcome.record)
    assert about["policy"]["captured"] == (str(day) if day else None)
    assert about.get("gates") == (None if day else ["date-unknown"])


# --- zones ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def zoned(tmp_path: Path) -> Path:
    path = tmp_path / "zoned" / "policy.toml"
    path.parent.mkdir()
    path.write_text(toml(changed(("cameras", 0, "zones"), "zones.toml")), "utf-8")
    path.with_name("zones.toml").write_text(_ZONES)
    return path


def test_zones_of_the_policys_camera_are_used_unless_others_are_named(
    call: Call, zoned: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    words = ["redact", videos(f"front-{_DAY}.mp4"), "-o", tmp_path / "out", "-q", "--policy", zoned]
    words += ["--purpose", "evidence"]
    assert call(*words).exit_code == ExitCode.OK
    assert [zone["name"] for zone in _records(tmp_path)[-1]["settings"]["zones"]["mask"]] == ["left"]
    other = tmp_path / "other.toml"
    other.write_text(_ZONES.replace("left", "else"))
    assert call(*words, "--zones", other).exit_code == ExitCode.OK
    assert [zone["name"] for zone in _records(tmp_path)[-1]["settings"]["zones"]["mask"]] == ["else"]


def test_a_zones_file_without_the_camera_is_no_reason_to_leave_its_masks_out(
    call: Call, zoned: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    zoned.with_name("zones.toml").write_text(_ZONES.replace("front", "frnt"))
    done = call(
        "redact", videos(f"front-{_DAY}.mp4"), "-o", tmp_path / "out", "-q", "--policy", zoned, "--purpose", "evidence"
    )
    assert done.exit_code == ExitCode.SOME_FAILED and "has no zones for it" in done.stderr


# --- batch ----------------------------------------------------------------------------------------------------------


def test_batch_refuses_once_and_tries_again_under_another_policy(
    call: Call, policy: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    folder = videos(f"front-{_EARLIER}.mp4")
    words = ["batch", folder, "-o", tmp_path / "out", "--settle", "0", "-q", "--tries", "1"]
    under = {"DASHREDACT_BATCH_POLICY": str(policy), "DASHREDACT_BATCH_PURPOSE": "evidence"}
    first = call(*words, **under)
    assert first.exit_code == ExitCode.REFUSED_BY_POLICY and "1 refused by policy" in first.stdout
    second = call(*words, **under)
    assert second.exit_code == ExitCode.OK and "waiting: 1 refused by policy" in second.stdout
    assert len(_records(tmp_path)) == 1 and (folder / f"front-{_EARLIER}.mp4").exists()
    policy.write_text(
        policy.read_text().replace(str(START), str(START - timedelta(20))).replace("2026-03-01", "2026-02-01")
    )
    third = call(*words, **under)
    assert third.exit_code == ExitCode.OK, third.stdout + third.stderr
    assert [record["act"] for record in _records(tmp_path)] == ["refused by policy", "masked"]


def test_what_was_refused_and_never_masked_has_no_work_folder(
    policy: Path, videos: Callable[..., Path], tmp_path: Path
) -> None:
    admission = Admission(read(policy), tmp_path, RunDeclaration("evidence"), {Kind.FACE, Kind.PLATE})
    finder = Finder()
    batch = Batch(OutputFolder(tmp_path / "out"), finder, SETTINGS, lambda _: None, admission=admission)
    (outcome,) = batch.run(inbox.plan([videos("cabin-1.mp4")], tmp_path / "out"))
    assert outcome.status is VideoStatus.REFUSED_BY_POLICY and finder.calls == 0
    assert [path.name for path in (tmp_path / "out" / ".dashredact").iterdir() if path.is_dir()] == []
