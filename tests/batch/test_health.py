"""The health file: what it holds, and that the collector may read it."""

import re
from pathlib import Path

import pytest

from dashredact.batch import health
from dashredact.errors import MachineError

_SAMPLE = re.compile(r'(dashredact_\w+)(?:\{kind="[^"]+"\})? (\S+)')


def test_every_sample_is_a_number_of_a_metric_that_is_explained() -> None:
    text = health.text({"last_run_exit_code": 3, "videos": {"masked": 2, "needs review": 1}, "free_bytes": 7e10})
    lines = text.splitlines()
    explained = {line.split()[2] for line in lines if line.startswith("# HELP")}
    samples = [_SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
    assert [(found[1], float(found[2])) for found in samples if found] == [
        ("dashredact_last_run_exit_code", 3),
        ("dashredact_videos", 2),
        ("dashredact_videos", 1),
        ("dashredact_free_bytes", 7e10),
    ]
    assert {found[1] for found in samples if found} == explained and text.endswith("\n")


def test_the_collector_is_another_user_and_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "dashredact.prom"
    health.write(path, {"last_run_exit_code": 0})
    health.write(path, {"last_run_exit_code": 3})
    assert path.stat().st_mode & 0o777 == 0o644
    assert "dashredact_last_run_exit_code 3" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dashredact.prom").mkdir()
    with pytest.raises(MachineError, match=r"The health file .*dashredact\.prom cannot be written"):
        health.write(tmp_path / "dashredact.prom", {"last_run_exit_code": 0})
