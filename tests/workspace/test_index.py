"""The index says what the log says, whoever wrote it there."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from dashredact.audit import log as audit_log
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder


def _failed(name: str) -> Mapping[str, Any]:
    source = {"name": name, "sha256": "0" * 64, "bytes": 1, "place": None}
    about = {"source": source, "fingerprint": "1" * 64, "time": "2026-11-25T02:00:00+00:00"}
    return {"outcome": "failed", "reason": f"{name}: broken.", **about}


def _fail(out: Path, name: str, times: int) -> None:
    index = Index(OutputFolder(out))
    for _ in range(times):
        index.append(_failed(name))


def _tries(index: Index, name: str) -> int:
    failures = index.failures(name)
    return failures.tries if failures else 0


def test_two_that_write_in_turns_know_of_each_other(tmp_path: Path) -> None:
    one, other = Index(OutputFolder(tmp_path)), Index(OutputFolder(tmp_path))
    for index in (one, other, other, one):
        index.append(_failed("a.mp4"))
    assert _tries(one, "a.mp4") == _tries(other, "a.mp4") == _tries(Index(OutputFolder(tmp_path)), "a.mp4") == 4


def test_lines_that_came_another_way_are_taken_in_with_the_next_one(tmp_path: Path) -> None:
    index = Index(OutputFolder(tmp_path))
    index.append(_failed("a.mp4"))
    audit_log.append(tmp_path / audit_log.NAME, _failed("a.mp4"))
    assert _tries(index, "a.mp4") == 1
    index.append(_failed("b.mp4"))
    assert (_tries(index, "a.mp4"), _tries(index, "b.mp4")) == (2, 1)
    audit_log.append(tmp_path / audit_log.NAME, _failed("b.mp4"))
    index.refresh()
    assert _tries(index, "b.mp4") == 2


def test_processes_that_write_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        runs = [pool.submit(_fail, tmp_path, name, 8) for name in ("a.mp4", "b.mp4", "a.mp4")]
        for run in runs:
            run.result()
    index = Index(OutputFolder(tmp_path))
    assert (_tries(index, "a.mp4"), _tries(index, "b.mp4")) == (16, 8)
    assert len(list(audit_log.records(tmp_path / audit_log.NAME))) == 24
