"""A run that is killed anywhere leaves nothing unverified under a final name, and the next run finishes it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import clips
import kills
import pytest
from clips import Finder, Library
from conftest import SETTINGS, work_left

from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.media import concat, remux
from dashredact.pipeline import render_pass, stages
from dashredact.pipeline import video as video_pipeline
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.workspace import inbox, locks
from dashredact.workspace.journal import Journal, Publication
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder

TESTS = Path(__file__).parents[1]
CLIP = "pyramid.mp4"
FRAMES, SEGMENTS = 36, 3


def run(source: Path, out: Path, finder: Finder) -> Outcome:
    settings, folder = replace(SETTINGS, segment_seconds=0.3), OutputFolder(out)
    with folder.masking():
        (outcome,) = Batch(folder, finder, settings, lambda _: None).run(inbox.plan([source], out))
    return outcome


# --- where it is killed -------------------------------------------------------------------------------------------


def _one_move(publish: Callable[..., Any]) -> Callable[..., Any]:
    """Dies between the moves of a publication."""

    def wrapped(journal: Journal, entry: Publication) -> None:
        publish(journal, replace(entry, moves=entry.moves[:1]))
        kills.die()

    return wrapped


STEPS = {
    "before anything is seen": kills.before(WorkFolder, "save_detections"),
    "after the first look": kills.after(WorkFolder, "save_detections"),
    "after the second look": kills.after(WorkFolder, "save_detections", 2),
    "in the middle of a part": kills.after(render_pass, "paint", 20),
    "after the masks of a part, before the part": kills.after(WorkFolder, "_save_arrays", SEGMENTS + 2),
    "after the second part": kills.after(WorkFolder, "save_part", 2),
    "after assembling": kills.after(concat, "concatenate"),
    "after the re-mux": kills.after(remux, "remux"),
    "after verifying": kills.after(stages, "verify"),
    "before the journal entry": kills.before(Journal, "_write"),
    "after the journal entry": kills.after(Journal, "_write"),
    "after the tracks file got its name": kills.Step(Journal, "_publish", _one_move),
    "after the video got its name": kills.before(audit_log, "append"),
    "in the middle of the audit line": kills.Step(audit_log, "append", lambda _: kills.half_a_line),
    "after the audit line": kills.after(audit_log, "append"),
    "after all but the journal entry": kills.after(shutil, "rmtree"),
}
HAVE_OUTPUT = {
    *("after the video got its name", "in the middle of the audit line"),
    *("after the audit line", "after all but the journal entry"),
}
SETTLED = {"after the journal entry", "after the tracks file got its name", *HAVE_OUTPUT}
"""The next command that writes to the folder finishes the video before it does anything else."""
LOOKED_AT = {"before anything is seen": 0, "after the first look": 15, "after the second look": 30}
"""Frames that the killed run had saved; all of them where nothing stands here."""


# --- the tests ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(clip: Library, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Results of a run that nobody killed, by name."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert run(clip(CLIP), out, Finder(batch_size=1)).status is VideoStatus.MASKED
    return results(out)


def results(out: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in out.iterdir()
        if path.is_file() and path.name not in (audit_log.NAME, audit_log.HEAD)
    }


def _kill(source: Path, out: Path, step: str) -> None:
    """A run that dies at the step."""
    kills.kill_at(STEPS[step], lambda: run(source, out, Finder(batch_size=1)))


@pytest.mark.parametrize("step", STEPS)
def test_killed_run_publishes_nothing_unverified_and_the_next_one_finishes(
    clip: Library, tmp_path: Path, undisturbed: dict[str, bytes], step: str
) -> None:
    out = tmp_path / "out"
    _kill(clip(CLIP), out, step)
    left = results(out)
    if step in HAVE_OUTPUT:
        assert left == undisturbed
    else:
        assert not any(".masked." in name for name in left)

    finder = Finder(batch_size=1)
    outcome = run(clip(CLIP), out, finder)
    assert outcome.status is (VideoStatus.SKIPPED if step in SETTLED else VideoStatus.MASKED), outcome.reason
    assert results(out) == undisturbed
    assert finder.pictures == FRAMES - LOOKED_AT.get(step, FRAMES)
    assert list(chain.verify(audit_log.read(out / audit_log.NAME).lines)) == []
    (record,) = audit_log.records(out / audit_log.NAME)
    assert record["outcome"] == "masked"
    assert ("mended" in record) == (step == "in the middle of the audit line")


def test_run_that_was_killed_leaves_no_work_behind_once_it_is_finished(
    clip: Library, tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an earlier run left of this video goes, even with other settings."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(video_pipeline.VideoPipeline, "mask", _stop)
        with pytest.raises(KeyboardInterrupt):
            run(clip(CLIP), out, Finder())
    (work,) = work_left(out)
    stale = work.with_name(work.name.split("-")[0] + "-" + "0" * 64)
    stale.mkdir()
    (stale / "part-00000.mp4").write_text("of other settings")
    run(clip(CLIP), out, Finder())
    assert work_left(out) == []
    assert results(out) == undisturbed


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def test_part_of_the_wrong_frames_never_gets_out(clip: Library, tmp_path: Path) -> None:
    """A work folder that was tampered with does not lead to an unverified output."""
    out = tmp_path / "out"
    _kill(clip(CLIP), out, "after the second part")
    (work,) = work_left(out)
    (work / "part-00001.mp4").write_bytes((work / "part-00000.mp4").read_bytes())
    outcome = run(clip(CLIP), out, Finder())
    assert outcome.status is not VideoStatus.MASKED
    assert results(out) == {}


@pytest.mark.parametrize("name", ["part-00001.mp4", "look-00000.npz", "masks-00001.npz"])
def test_spoilt_work_is_done_again(clip: Library, tmp_path: Path, undisturbed: dict[str, bytes], name: str) -> None:
    out = tmp_path / "out"
    _kill(clip(CLIP), out, "after the second part")
    (work,) = work_left(out)
    (work / name).write_bytes(b"\0" * 1000)
    assert run(clip(CLIP), out, Finder()).status in (VideoStatus.FAILED, VideoStatus.MASKED)
    run(clip(CLIP), out, Finder())
    assert results(out) == undisturbed


def test_finder_of_a_fresh_run_sees_every_frame(clip: Library, tmp_path: Path) -> None:
    """What `LOOKED_AT` counts against."""
    finder = Finder(batch_size=1)
    run(clip(CLIP), tmp_path / "out", finder)
    assert (finder.pictures, finder.calls) == (FRAMES, FRAMES)
    assert finder.sights == FRAMES - clips.FIRST_SEEN


def test_sigterm_ends_a_run_with_143_and_the_next_one_goes_on(clip: Library, tmp_path: Path) -> None:
    """Through the command line, with the detector of these tests in place of the network."""
    out = tmp_path / "out"
    program = (
        "import os, signal, sys, clips\n"
        "from dashredact import cli\n"
        "from dashredact.cli import redact\n"
        "from dashredact.progress import ProgressDisplay\n"
        "redact.detector_of = lambda detect, **_: clips.Finder(batch_size=1)\n"
        "def signalled(self, fact):\n"
        "    if os.environ['WHEN'] == 'now' and fact.stage == 'render': os.kill(os.getpid(), signal.SIGTERM)\n"
        "ProgressDisplay.__call__ = signalled\n"
        "cli.main(sys.argv[1:])\n"
    )
    argv = [sys.executable, "-c", program, "redact", clip(CLIP), "-o", out, "-q"]
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    stopped = subprocess.run(
        argv, capture_output=True, timeout=60, check=False, text=True, env={**environment, "WHEN": "now"}
    )
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    assert stopped.stderr == "dashredact: Stopped by signal 15; run the same command again to continue.\n"
    assert results(out) == {}
    assert len(list((out / locks.STATE_FOLDER).glob("*/detections-*.npz"))) == 1
    done = subprocess.run(
        argv, capture_output=True, timeout=60, check=False, text=True, env={**environment, "WHEN": "never"}
    )
    assert (done.returncode, done.stdout) == (0, f"{out / 'pyramid.masked.mp4'}\n"), done.stderr
