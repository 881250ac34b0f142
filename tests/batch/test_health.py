"""The health file: what it holds, and that the collector may read it."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashredact.batch import health
from dashredact.errors import MachineError


def test_every_metric_is_a_gauge_that_is_explained() -> None:
    text = health.text(
        {
            "last_run_exit_code": 3,
            "videos": {"masked": 2, "needs review": 1},
            "needs_review_videos": 4,
            "last_run_timestamp_seconds": 1764286274.123456,
            "free_bytes": 7e10,
        }
    )
    metrics = list(text_string_to_metric_families(text.decode()))
    assert all(metric.type == "gauge" and metric.documentation.endswith(".") for metric in metrics)
    assert [(one.name, one.labels, one.value) for metric in metrics for one in metric.samples] == [
        ("dashredact_last_run_exit_code", {}, 3),
        ("dashredact_videos", {"kind": "masked"}, 2),
        ("dashredact_videos", {"kind": "needs review"}, 1),
        ("dashredact_needs_review_videos", {}, 4),
        ("dashredact_last_run_timestamp_seconds", {}, 1764286274.123456),
        ("dashredact_free_bytes", {}, 7e10),
    ]


def test_the_collector_is_another_user_and_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "dashredact.prom"
    health.write(path, {"last_run_exit_code": 0})
    health.write(path, {"last_run_exit_code": 3})
    assert path.stat().st_mode & 0o777 == 0o644
    assert "dashredact_last_run_exit_code 3" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dashredact.prom").mkdir()
    with pytest.raises(MachineError, match=r"The health file .*dashredact\.prom cannot be written"):
        health.write(tmp_path / "dashredact.prom", {"last_run_exit_code": 0})
