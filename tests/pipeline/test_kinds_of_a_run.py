"""A kind that the shipped weights do not find, from the command line to the masked file and the log."""

from pathlib import Path

import models_made as made
import numpy as np
import pytest
from click.testing import CliRunner
from clips import Library
from output_checks import check_schema, tracks_of

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.errors import ExitCode


@pytest.fixture
def persons(tmp_path: Path) -> str:
    """A model that sees the same person on every picture, in the middle of its 96x64 pixels."""
    rows = np.array([[48, 32, 20, 40, 0.9]])
    return f"{made.save(made.v8(rows), tmp_path / 'persons.onnx')}=person"


def test_what_another_model_finds_is_masked_reported_and_counted(
    clip: Library, persons: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)
    out = tmp_path / "out"
    words = ["redact", "-q", str(clip("10.mp4")), "-o", str(out), "--device", "cpu", "--no-second-look"]
    words += ["--masked-limit", "50"]
    done = CliRunner().invoke(cli.main, [*words, "--kinds", "face,plate,person", "--model", persons])
    assert done.exit_code == ExitCode.OK, done.stderr
    (record,) = audit_log.records(out / audit_log.NAME)
    check_schema(record, "audit")
    assert record["settings"]["link"]["thresholds"]["person"] == 0.25
    assert record["tracks"]["person"] == {"tracks": 1, "detected": 24}
    told = tracks_of(out / "10.masked.mp4")
    check_schema(told, "tracks")
    (person,) = (track for track in told["tracks"] if track["kind"] == "person")
    x0, y0, x1, y1 = person["boxes"][0]
    assert x0 < told["width"] / 2 < x1 and y0 < told["height"] / 2 < y1
    done = CliRunner().invoke(cli.main, ["report", str(out)])
    assert done.exit_code == ExitCode.OK, done.stderr
    assert "1 person track are masked" in (out / "report" / "10.html").read_text()


def test_a_model_that_finds_nothing_that_was_chosen_is_refused(
    clip: Library, persons: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)
    words = ["redact", "-q", str(clip("10.mp4")), "-o", str(tmp_path / "out"), "--model", persons]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == ExitCode.USAGE
    assert "The model persons detects person, but only face, plate is to be masked; leave the model out" in done.stderr
    assert not (tmp_path / "out").exists()
