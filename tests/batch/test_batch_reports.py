"""What `batch` tells those who do not watch it: health file, journal, log file."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from clips import Finder, Library
from conftest import SETTINGS

from dashredact import cli
from dashredact.batch import health
from dashredact.batch.batch import Batch
from dashredact.batch.inbox_run import InboxRules, InboxRun
from dashredact.cli import logs
from dashredact.execute.pool import Limits, WorkerPool
from dashredact.progress import ProgressDisplay
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher

_BATCH = [sys.executable, "-m", "dashredact", "batch", "in", "-o", "out", "--quiet"]


def _call(folder: Path, *words: str | Path) -> Result:
    (folder / "in").mkdir(exist_ok=True)
    given = ["batch", folder / "in", "-o", folder / "out", "--quiet", *words]
    return CliRunner().invoke(cli.main, [str(word) for word in given])


def test_a_watching_run_renews_the_health_file_at_every_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[health.Values] = []
    monkeypatch.setattr(health, "write", lambda _path, values: written.append(dict(values)))
    done = _call(tmp_path, "--watch", "--poll", "0.1", "--time-limit", "0.01", "--health-file", tmp_path / "x.prom")
    assert done.exit_code == 0
    assert len(written) > 2 and all("quarantined_videos" in values for values in written)


def test_a_run_whose_log_file_cannot_be_written_says_so_in_the_health_file(tmp_path: Path) -> None:
    done = _call(tmp_path, "--log-file", tmp_path / "no" / "x.log", "--health-file", tmp_path / "x.prom")
    assert done.exit_code == 4 and "x.log cannot be written" in done.stderr
    assert "dashredact_last_run_exit_code 4.0\n" in (tmp_path / "x.prom").read_text()


@pytest.mark.parametrize("listens", [True, False])
def test_the_summary_is_one_line_in_the_journal_and_on_a_screen(listens: bool, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    reader, writer = os.pipe()
    told = os.fstat(writer)
    stream = f"{told.st_dev}:{told.st_ino if listens else told.st_ino + 1}"
    environment = {**os.environ, "JOURNAL_STREAM": stream, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    done = subprocess.run(_BATCH, cwd=tmp_path, env=environment, stdout=writer, stderr=writer, check=False)
    os.close(writer)
    with os.fdopen(reader) as file:
        assert file.read() == ("<6>nothing new\n" if listens else "nothing new\n")
    assert done.returncode == 0


def test_a_video_that_waits_is_said_once(tmp_path: Path, finder: Finder, clip: Library) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    shutil.copy(clip("sound.mp4"), inbox)
    crew, progress = WorkerPool(1, Limits()), ProgressDisplay(quiet=True)
    crew.stop()
    batch = Batch(OutputFolder(out), finder, SETTINGS, progress, executor=crew, unattended=True)
    run = InboxRun(inbox, OutputFolder(out), batch, crew, InboxWatcher(inbox, out, 0), progress, InboxRules())
    assert [outcome.status for outcome in run.outcomes()] == ["waiting"]
    assert re.fullmatch(r"nothing new; waiting: 1 for the next run, the oldest for \d+ s", run.summary.line)


def test_an_upload_that_cannot_be_moved_to_quarantine_does_not_end_the_run(tmp_path: Path, finder: Finder) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    (inbox / "quarantine").write_text("in the way of the folder")
    for name in ("a.mp4", "b.mp4"):
        (inbox / name).write_text("no video")
    progress, summaries = ProgressDisplay(quiet=True), []
    for _ in range(2):
        batch = Batch(OutputFolder(out), finder, SETTINGS, progress, unattended=True)
        run = InboxRun(
            inbox,
            OutputFolder(out),
            batch,
            WorkerPool(1, Limits()),
            InboxWatcher(inbox, out, 0),
            progress,
            InboxRules(tries=1),
        )
        summaries += [([outcome.status for outcome in run.outcomes()], dict(run.summary.waiting))]
    assert summaries == [(["failed", "failed"], {"given up": 2}), ([], {"given up": 2})]
    assert batch.index.quarantined() == []


def test_a_stream_that_is_closed_is_not_in_the_journal() -> None:
    with Path(os.devnull).open() as file:
        pass
    assert not logs.in_journal(file)
