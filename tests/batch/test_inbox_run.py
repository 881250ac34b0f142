"""An inbox that nobody watches: each upload is masked once, or waits with a reason."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torture
from clips import Finder, Library
from conftest import SETTINGS, work_left

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.batch import inbox_run
from dashredact.batch.batch import Batch
from dashredact.batch.inbox_run import InboxRules, InboxRun, RunSummary
from dashredact.errors import LockedError
from dashredact.execute.inline import InlineExecutor
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.progress import ProgressDisplay
from dashredact.workspace import locks, quarantine
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher


class _Crew(InlineExecutor):
    def stop(self) -> None:
        pass


class Fleet:
    """An inbox and an outbox, and runs over them in this process."""

    def __init__(self, folder: Path, clip: Library) -> None:
        self.inbox, self.out, self._clip = folder / "in", folder / "out", clip
        self.inbox.mkdir()
        self.finder = Finder()
        self.summary = RunSummary()

    def upload(self, name: str = "30.mp4", as_name: str | None = None) -> Path:
        path = self.inbox / (as_name or name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(self._clip(name), path))

    def run(self, *, settle: float = 0, rehash: bool = False, **rules: Any) -> list[Outcome]:
        files.private_folder(self.out)
        crew = _Crew()
        batch = Batch(
            OutputFolder(self.out), self.finder, SETTINGS, lambda _: None, (), crew, trust=not rehash, unattended=True
        )
        watch, progress = InboxWatcher(self.inbox, self.out, settle), ProgressDisplay(quiet=True)
        run = InboxRun(
            self.inbox, OutputFolder(self.out), batch, crew, watch, progress, InboxRules(**{"retry_after": 0, **rules})
        )  # type: ignore[arg-type]
        outcomes = list(run.outcomes())
        self.summary = run.summary
        return outcomes

    def statuses(self, **rules: Any) -> dict[str, str]:
        return {outcome.name: str(outcome.status) for outcome in self.run(**rules)}

    @property
    def log(self) -> list[dict[str, Any]]:
        return list(audit_log.records(self.out / audit_log.NAME))


@pytest.fixture
def fleet(tmp_path: Path, clip: Library) -> Fleet:
    return Fleet(tmp_path, clip)


# --- what is taken, and what is left alone -------------------------------------------------------------------------


def test_what_arrived_is_masked_and_then_left_alone(fleet: Fleet) -> None:
    fleet.upload("30.mp4")
    fleet.upload("late.mp4", "sub/ドラレコ.mp4")
    assert fleet.statuses() == {"30.mp4": "masked", "sub/ドラレコ.mp4": "masked"}
    assert (fleet.out / "sub" / "ドラレコ.masked.mp4").is_file()
    seen = fleet.finder.pictures
    assert fleet.statuses() == {}
    assert fleet.summary.outcomes == {VideoStatus.SKIPPED: 2}
    assert fleet.finder.pictures == seen
    assert len(fleet.log) == 2


def test_what_is_done_is_recognised_without_reading_it(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.upload()
    fleet.run()
    fleet.run()
    hashed: list[Path] = []
    monkeypatch.setattr(files, "sha256", hashed.append)
    fleet.run()
    assert hashed == []


def test_rehash_reads_everything_again(fleet: Fleet) -> None:
    """Somebody changed an output and set its times back: only its content tells."""
    fleet.upload()
    for _ in range(2):
        fleet.run()
    output = fleet.out / "30.masked.mp4"
    content = output.read_bytes()
    output.write_bytes(content[:-1] + b"?")
    index = Index(OutputFolder(fleet.out))
    index._data.execute(
        "update digests set state = ? where path = ?",
        (" ".join(str(part) for part in _state(output)), os.fsencode(output)),
    )
    index._data.commit()
    assert fleet.statuses() == {}
    assert fleet.statuses(rehash=True) == {"30.mp4": "masked"}
    assert output.read_bytes() == content


def _state(path: Path) -> tuple[int, ...]:
    now = path.stat()
    return now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino


def test_an_output_that_is_gone_is_made_again(fleet: Fleet) -> None:
    fleet.upload()
    fleet.run()
    (fleet.out / "30.masked.mp4").unlink()
    assert fleet.statuses() == {"30.mp4": "masked"}


def test_another_content_under_the_same_name_is_masked_again(fleet: Fleet) -> None:
    fleet.upload()
    fleet.run()
    fleet.upload("late.mp4", "30.mp4")
    assert fleet.statuses() == {"30.mp4": "masked"}


def test_the_same_content_under_other_names_is_masked_once(fleet: Fleet) -> None:
    for name in ("a.mp4", "b.mp4", "sub/c.mp4"):
        fleet.upload(as_name=name)
    assert sorted(fleet.statuses().values()) == ["duplicate", "duplicate", "masked"]
    assert len(list(fleet.out.rglob("*.masked.mp4"))) == 1
    outputs = {record["output"]["name"] for record in fleet.log}
    assert len(outputs) == 1
    assert fleet.statuses() == {}
    (fleet.out / outputs.pop()).unlink()
    assert "masked" in fleet.statuses().values()


def test_a_growing_upload_is_left_alone(fleet: Fleet) -> None:
    path = fleet.upload()
    os.utime(path, (1, 1))  # what copying tools do: an old time says nothing
    assert fleet.run(settle=60) == []
    assert fleet.summary.waiting == {"still growing": 1}
    assert fleet.summary.oldest_waiting >= 0


@pytest.mark.parametrize("ending", [".part", ".tmp", ".crdownload"])
def test_an_open_upload_waits_whatever_its_times_say(fleet: Fleet, ending: str) -> None:
    fleet.upload(as_name=f"a.mp4{ending}")
    fleet.upload(as_name="b.mp4")
    (fleet.inbox / f"b.mp4{ending}").touch()
    assert fleet.run() == []
    assert fleet.summary.waiting["still growing"] == 3


def test_a_file_that_changes_while_it_is_masked_waits(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fleet.upload()
    find = Finder._find

    def grow(self: Finder, picture: Any) -> Any:
        os.utime(path)
        return find(self, picture)

    monkeypatch.setattr(Finder, "_find", grow)
    (outcome,) = fleet.run()
    assert (outcome.status, outcome.record) == (VideoStatus.WAITING, None)
    assert not (fleet.out / "30.masked.mp4").exists()
    monkeypatch.setattr(Finder, "_find", find)
    assert fleet.statuses() == {"30.mp4": "masked"}


def test_links_are_not_followed(fleet: Fleet, tmp_path: Path, clip: Library) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copyfile(clip("30.mp4"), outside / "secret.mp4")
    (fleet.inbox / "file.mp4").symlink_to(outside / "secret.mp4")
    (fleet.inbox / "folder").symlink_to(outside)
    assert fleet.run() == []
    assert list(fleet.out.rglob("*.masked.*")) == []


def test_a_file_that_becomes_a_link_after_it_was_seen_is_refused(
    fleet: Fleet, tmp_path: Path, clip: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fleet.upload()
    scan = InboxWatcher.scan

    def swap(self: InboxWatcher) -> Any:
        contents = scan(self)
        path.unlink()
        path.symlink_to(shutil.copyfile(clip("late.mp4"), tmp_path / "elsewhere.mp4"))
        return contents

    monkeypatch.setattr(InboxWatcher, "scan", swap)
    (outcome,) = fleet.run()
    assert outcome.status is VideoStatus.REFUSED
    assert "link" in outcome.reason


def test_the_oldest_come_first_and_no_more_than_asked_for(fleet: Fleet) -> None:
    for clip, name in (("30.mp4", "older.mp4"), ("late.mp4", "old.mp4"), ("pyramid.mp4", "new.mp4")):
        fleet.upload(clip, name)
        time.sleep(0.02)
    assert [outcome.name for outcome in fleet.run(max_videos=2)] == ["older.mp4", "old.mp4"]
    assert fleet.summary.waiting == {"for the next run": 1}
    assert [outcome.name for outcome in fleet.run(max_videos=2)] == ["new.mp4"]


def test_without_room_a_video_waits(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.upload()
    usage = shutil.disk_usage(fleet.inbox)
    monkeypatch.setattr(inbox_run.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    (outcome,) = fleet.run()
    assert outcome.status is VideoStatus.WAITING
    assert "has 0.0 GiB free" in outcome.reason
    assert not (fleet.out / audit_log.NAME).exists()


# --- what fails ------------------------------------------------------------------------------------------------------


def test_what_fails_is_tried_again_and_then_set_aside_with_its_reason(fleet: Fleet) -> None:
    path = fleet.inbox / "sub" / "it's broken.mp4"
    path.parent.mkdir()
    path.write_text("not a video")
    fleet.upload()
    assert fleet.statuses(tries=2) == {"30.mp4": "masked", "sub/it's broken.mp4": "failed"}
    assert fleet.summary.waiting == {"to be tried again": 1}
    assert fleet.statuses(tries=2) == {"sub/it's broken.mp4": "failed"}
    aside = fleet.inbox / "quarantine" / "sub" / "it's broken.mp4"
    assert aside.read_text() == "not a video"
    assert "is not a video" in aside.with_name(aside.name + ".reason.txt").read_text()
    assert not path.exists()
    assert [record["act"] for record in fleet.log] == ["failed", "masked", "failed", "quarantined"] or [
        record["act"] for record in fleet.log
    ] == ["masked", "failed", "failed", "quarantined"]
    assert fleet.statuses(tries=2) == {}
    assert len(Index(OutputFolder(fleet.out)).quarantined()) == 1


def test_a_second_try_waits_longer_and_longer(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    (fleet.inbox / "broken.mp4").write_text("not a video")
    now = time.time()
    tried = []
    for minute in range(0, 100, 5):
        monkeypatch.setattr(inbox_run.time, "time", lambda minute=minute: now + 60 * minute)
        monkeypatch.setattr(audit_log.provenance, "datetime", _Clock(now + 60 * minute))
        tried += [minute for _ in fleet.run(tries=4, retry_after=900)]
    assert tried in ([0, 20, 50], [0, 15, 45])


class _Clock:
    """Stands in for `datetime` where lines of the log get their time."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self, zone: Any) -> Any:
        from datetime import datetime  # noqa: PLC0415

        return datetime.fromtimestamp(self._now, zone)


def test_without_quarantine_it_stays_and_is_left_alone_until_it_changes(fleet: Fleet) -> None:
    path = fleet.inbox / "broken.mp4"
    path.write_text("not a video")
    for _ in range(2):
        assert fleet.statuses(tries=2, quarantine=False) == {"broken.mp4": "failed"}
    assert fleet.statuses(tries=2, quarantine=False) == {}
    assert fleet.summary.waiting == {"given up": 1}
    assert path.exists()
    fleet.upload("30.mp4", "broken.mp4")
    assert fleet.statuses(tries=2, quarantine=False) == {"broken.mp4": "masked"}


def test_what_is_refused_is_set_aside_at_once(fleet: Fleet) -> None:
    """It would be refused for the same reason again, after as much work."""
    fleet.upload("two videos.mp4")
    assert fleet.statuses() == {"two videos.mp4": "refused"}
    assert not (fleet.inbox / "two videos.mp4").exists()
    assert [path.name for path in (fleet.inbox / "quarantine").glob("*.mp4")] == ["two videos.mp4"]
    assert fleet.statuses() == {}


def test_two_files_whose_results_would_have_one_name(fleet: Fleet) -> None:
    fleet.upload("30.mp4", "a.mov")
    fleet.upload("late.mp4", "a.mp4")
    assert fleet.statuses() == {"a.mov": "masked", "a.mp4": "refused"}
    assert "rename one of them" in fleet.log[-1]["reason"]


def test_who_came_first_keeps_the_name(fleet: Fleet) -> None:
    fleet.upload("30.mp4", "a.mp4")
    fleet.run()
    time.sleep(0.02)
    fleet.upload("late.mp4", "a.mov")
    assert fleet.statuses(tries=1) == {"a.mov": "refused"}
    assert (fleet.inbox / "a.mp4").exists()
    assert fleet.statuses(tries=1) == {}


def test_what_cannot_be_read_is_not_tried_for_ever(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fleet.upload()
    digest = files.sha256

    def unreadable(asked: Path) -> str:
        if asked == path:
            raise PermissionError(13, "Permission denied")
        return digest(asked)

    monkeypatch.setattr(files, "sha256", unreadable)
    for _ in range(2):
        assert fleet.statuses(tries=2, quarantine=False) == {"30.mp4": "failed"}
    assert fleet.statuses(tries=2, quarantine=False) == {}
    assert fleet.summary.waiting == {"given up": 1}


def test_quarantine_never_overwrites(fleet: Fleet) -> None:
    for content in ("one", "two"):
        (fleet.inbox / "broken.mp4").write_text(content)
        fleet.run(tries=1)
    held = fleet.inbox / "quarantine"
    assert {path.read_text() for path in held.glob("*.mp4")} == {"one", "two"}
    assert len(list(held.glob("*.reason.txt"))) == 2


def test_what_was_set_aside_can_be_taken_back(tmp_path: Path) -> None:
    source = tmp_path / "sub" / "trip.mp4"
    source.parent.mkdir()
    source.write_text("x")
    moved = quarantine.put(tmp_path, source, "because")
    source.parent.rmdir()
    assert quarantine.restore(tmp_path, moved, "sub/trip.mp4").read_text() == "x"
    assert [path for path in (tmp_path / "quarantine").rglob("*") if path.is_file()] == []


# --- the index -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_the_index_can_be_lost_at_any_time(fleet: Fleet, content: bytes | None) -> None:
    fleet.upload("30.mp4")
    (fleet.inbox / "broken.mp4").write_text("not a video")
    fleet.run(tries=2)
    path = fleet.out / locks.STATE_FOLDER / "index.sqlite"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert fleet.statuses(tries=2) == {"broken.mp4": "failed"}
    assert fleet.summary.outcomes[VideoStatus.SKIPPED] == 1
    assert (fleet.inbox / "quarantine" / "broken.mp4").exists()


def test_lines_that_others_added_are_read(fleet: Fleet) -> None:
    fleet.upload()
    fleet.run()
    record = {key: value for key, value in fleet.log[0].items() if key in ("source", "fingerprint", "settings")}
    audit_log.append(
        fleet.out / audit_log.NAME, {**record, "outcome": "failed", "reason": "30.mp4: as if.", "output": None}
    )
    failures = Index(OutputFolder(fleet.out)).failures("30.mp4")
    assert failures is not None
    assert failures.tries == 1


# --- the command -----------------------------------------------------------------------------------------------------


def _start(inbox: Path, out: Path, *more: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{torture.TESTS}:{torture.TESTS.parent}"}
    argv = [sys.executable, "-c", torture.DRIVER, "batch", inbox, "-o", out, "--settle", "0", *more]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.fixture
def command(tmp_path: Path, clip: Library) -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    (tmp_path / "in").mkdir()
    shutil.copyfile(clip("30.mp4"), tmp_path / "in" / "--output.mp4")

    def call(*more: str) -> "subprocess.CompletedProcess[str]":
        process = _start(tmp_path / "in", tmp_path / "out", *more)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    yield call


def test_cron_gets_one_line(command: Callable[..., Any], tmp_path: Path) -> None:
    health, log = tmp_path / "health.prom", tmp_path / "run.log"
    done = command("--health-file", str(health), "--log-file", str(log))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 masked; ") and done.stdout.count("\n") == 1
    words = health.read_text()
    assert 'dashredact_videos{kind="masked"} 1.0\n' in words
    assert "dashredact_last_run_exit_code 0.0\n" in words
    assert "--output.mp4: masked." in log.read_text()
    assert [path.stat().st_mode & 0o777 for path in (health, log)] == [0o644, 0o600]
    again = command("--json")
    told = json.loads(again.stdout)
    assert (again.returncode, told["outcomes"], told["waiting"]) == (0, {"skipped": 1}, {})


def test_what_failed_is_told_once_and_asks_for_a_look(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "in" / "two\nlines.mp4").write_text("not a video")
    done = command("--tries", "1")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and "two\\nlines.mp4: is not a video" in done.stderr
    retry = command("--tries", "1")
    assert (retry.returncode, retry.stderr) == (0, "")
    back = _retry(tmp_path, "two\nlines.mp4")
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "in" / "two\nlines.mp4").exists()
    assert command("--tries", "2").returncode == 3


def _retry(folder: Path, name: str) -> "subprocess.CompletedProcess[str]":
    words = ["retry", folder / "out", name, "--inbox", folder / "in"]
    path = {"PYTHONPATH": f"{torture.TESTS}:{torture.TESTS.parent}"}
    command = [sys.executable, "-c", torture.DRIVER, *words]
    return subprocess.run(command, env={**os.environ, **path}, capture_output=True, text=True, check=False)


def test_watching_takes_what_comes_and_ends_within_ten_seconds(tmp_path: Path, clip: Library) -> None:
    (tmp_path / "in").mkdir()
    process = _start(tmp_path / "in", tmp_path / "out", "--watch", "--poll", "0.2", "--health-file", f"{tmp_path}/h")
    time.sleep(1)
    shutil.copyfile(clip("30.mp4"), tmp_path / "in" / "trip.mp4")
    output = tmp_path / "out" / "trip.masked.mp4"
    for _ in range(300):
        if output.exists():
            break
        time.sleep(0.1)
    assert output.exists()
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM, complaints
    assert time.monotonic() - began < 10
    assert "dashredact_last_run_exit_code 143" in (tmp_path / "h").read_text()


def test_while_watching_others_call_back_and_clean_up(tmp_path: Path, clip: Library) -> None:
    """Between two looks the folder is free: `retry` is heard, `purge` and `apply` get their turn."""
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    (inbox / "trip.mp4").write_text("not a video")
    process = _start(inbox, out, "--watch", "--poll", "0.2", "--tries", "1")
    aside = inbox / "quarantine" / "trip.mp4"
    _until(aside.exists)
    shutil.copyfile(clip("30.mp4"), aside)
    assert _retry(tmp_path, "trip.mp4").returncode == 0
    _until((out / "trip.masked.mp4").exists)
    _until(lambda: _got_in(out))
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    acts = [record["act"] for record in audit_log.records(out / audit_log.NAME)]
    assert acts == ["failed", "quarantined", "retried", "masked"]


def _got_in(out: Path) -> bool:
    try:
        with OutputFolder(out).exclusive():
            return True
    except LockedError:
        return False


def _until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it took too long")


def test_a_time_limit_ends_between_segments_and_the_next_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    torture.Film(frames=300, time_base=Fraction(1, 10), options=(("g", "100"),)).shoot(tmp_path / "in" / "trip.mp4")
    saved = []
    for number in range(12):  # on a slow machine the first limits are over before anything is done
        limit = f"{0.03 * 1.6**number:.3f}"
        process = _start(tmp_path / "in", tmp_path / "out", "--time-limit", limit, "--preset", "ultrafast")
        told, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
        if told.startswith("1 masked"):
            break
        assert "waiting: 1 for the next run" in told
        saved.append(sum(1 for work in work_left(tmp_path / "out") for _ in work.glob("look-*.npz")))
    assert (tmp_path / "out" / "trip.masked.mp4").exists()
    assert saved == sorted(saved)
    assert len(list(audit_log.records(tmp_path / "out" / audit_log.NAME))) == 1


def test_an_inbox_in_the_output_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    process = _start(tmp_path / "in", tmp_path)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 2
    assert complaints.count("\n") == 1 and "keep masked and unmasked videos apart" in complaints


def test_results_do_not_depend_on_the_number_of_workers(tmp_path: Path, clip: Library) -> None:
    """With the ultrafast preset: macroblock trees of x264 are not the same bit for bit from one call to the next."""
    (tmp_path / "in").mkdir()
    torture.Film(frames=240, time_base=Fraction(1, 10), options=(("g", "10"),)).shoot(tmp_path / "in" / "long.mp4")
    shutil.copyfile(clip("pyramid.mp4"), tmp_path / "in" / "pyramid.mp4")
    made = []
    for count in ("1", "3"):
        out = tmp_path / f"out-{count}"
        process = _start(tmp_path / "in", out, "--jobs", count, "--preset", "ultrafast")
        process.communicate(timeout=120)
        assert process.returncode == 0
        made.append({path.name: path.read_bytes() for path in out.glob("*.m*")} | _tracks(out))
    assert made[0] == made[1]
    assert len(made[0]) == 4


def _tracks(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.tracks.json")}


@pytest.mark.slow
def test_a_night_of_overlapping_runs_and_kills(tmp_path: Path) -> None:
    """`python tests/torture.py` does it with 200 clips."""
    (tmp_path / "out").mkdir()
    assert torture.torture(tmp_path, tmp_path / "out", 10, 2, full=False) == []


def test_a_quarantine_that_leads_elsewhere_takes_nothing(fleet: Fleet, tmp_path: Path) -> None:
    """Who uploads may have made it."""
    path, elsewhere = fleet.inbox / "broken.mp4", tmp_path / "elsewhere"
    path.write_text("not a video")
    elsewhere.mkdir()
    (fleet.inbox / "quarantine").symlink_to(elsewhere)
    fleet.run(tries=1)
    assert path.exists()
    assert list(elsewhere.iterdir()) == []


def test_an_output_that_cannot_be_read_is_made_again_and_the_others_go_on(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.upload()
    fleet.upload("late.mp4")
    fleet.run()
    output, sha256 = fleet.out / "30.masked.mp4", files.sha256

    def unreadable(path: Path) -> str:
        if path == output:
            raise PermissionError(13, "Permission denied")
        return sha256(path)

    monkeypatch.setattr(files, "sha256", unreadable)
    os.utime(output)
    assert fleet.statuses() == {"30.mp4": "masked"}
