"""The audit log on disk: appended by many at once, mended after a crash, never silently broken."""

import json
import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.errors import LedgerError
from dashredact.pure import ledger
from dashredact.store import audit


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / audit.NAME


def _record(number: int) -> dict[str, Any]:
    return {"number": number, "source": {"name": f"Fahrt→{number}.mp4"}}


def _write(log: Path, count: int) -> None:
    for number in range(count):
        audit.append(log, _record(number))


def _numbers(log: Path) -> list[int]:
    return [record["number"] for record in audit.records(log)]


def test_records_come_back_in_the_order_they_were_put_in(log: Path) -> None:
    _write(log, 5)
    assert _numbers(log) == list(range(5))
    assert [record["seq"] for record in audit.records(log)] == [1, 2, 3, 4, 5]
    assert list(ledger.verify(audit.lines(log))) == []
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_line_that_was_written_is_never_written_again(log: Path) -> None:
    _write(log, 3)
    before = log.read_bytes()
    audit.append(log, _record(3))
    assert log.read_bytes().startswith(before)


def test_no_log_has_no_records_and_no_lines(log: Path) -> None:
    assert list(audit.records(log)) == []
    with pytest.raises(LedgerError, match=r"audit\.jsonl"):
        audit.lines(log)


def _append_many(log: Path, writer: int) -> None:
    for number in range(25):
        audit.append(log, {"writer": writer, "number": number})


def test_several_processes_append_at_once_and_the_chain_holds(log: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_append_many, args=(log, writer)) for writer in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0] * 4
    found = list(audit.records(log))
    assert len(found) == 100
    for writer in range(4):
        assert [record["number"] for record in found if record["writer"] == writer] == list(range(25))


@pytest.mark.parametrize("torn", [b'{"half":', b"\xe3\x83", b"x" * 5000], ids=["half a line", "half a letter", "long"])
def test_half_a_line_is_cut_off_and_the_next_one_says_so(log: Path, torn: bytes) -> None:
    _write(log, 2)
    with log.open("ab") as file:
        file.write(torn)
    assert _numbers(log) == [0, 1], "what a crash left is no record"
    assert [fault.line for fault in ledger.verify(audit.lines(log))] == [3], "and is shown to whoever checks"
    audit.append(log, _record(2))
    last = list(audit.records(log))[-1]
    assert _numbers(log) == [0, 1, 2]
    assert last["mended"].startswith(f"{len(torn)} bytes")
    audit.append(log, _record(3))
    assert "mended" not in list(audit.records(log))[-1]


def test_half_a_first_line_is_cut_off_too(log: Path) -> None:
    log.write_bytes(b'{"half')
    audit.append(log, _record(0))
    assert _numbers(log) == [0]


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_changed_line_is_named(log: Path, line: int) -> None:
    _write(log, 3)
    content = log.read_bytes().replace(f'"number":{line - 1}'.encode(), f'"number":{line + 6}'.encode())
    log.write_bytes(content)
    with pytest.raises(LedgerError, match=f"line {line} was changed"):
        list(audit.records(log))


def test_a_line_that_is_no_text_is_named(log: Path) -> None:
    _write(log, 3)
    found = log.read_bytes().split(b"\n")
    found[1] = found[1].replace(b"Fahrt", b"Fahr\xff")
    log.write_bytes(b"\n".join(found))
    for look in (audit.lines, lambda path: list(audit.records(path)), lambda path: audit.append(path, _record(3))):
        with pytest.raises(LedgerError, match="line 2 is not text"):
            look(log)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_the_file_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    log = tmp_path_factory.getbasetemp() / "changed.jsonl"
    log.unlink(missing_ok=True)
    _write(log, 2)
    content = bytearray(log.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = (content[place] + data.draw(st.integers(1, 255))) % 256
    log.write_bytes(content)
    line = bytes(content[:place]).count(b"\n") + 1
    try:
        assert min(fault.line for fault in ledger.verify(audit.lines(log))) == line
    except LedgerError as error:
        assert f"line {line} is not text" in str(error)


def test_names_that_look_like_lines_stay_one_line(log: Path) -> None:
    names = ["a\nb", "a\rb", "a\u2028b", "a\x85b", "ドラレコ"]
    for name in names:
        audit.append(log, {"name": name})
    assert [record["name"] for record in audit.records(log)] == names
    assert [json.loads(line)["seq"] for line in audit.lines(log)] == [1, 2, 3, 4, 5]
