"""The audit log on disk: appended by many at once, mended after a crash, never silently broken."""

import json
import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashredact import files
from dashredact.audit import chain, heads, signing
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.errors import LedgerError, MachineError, UsageError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / audit_log.NAME


def _record(number: int) -> dict[str, Any]:
    return {"act": "reviewed", "number": number, "source": {"name": f"Fahrt→{number}.mp4"}}


def _write(log: Path, count: int) -> None:
    for number in range(count):
        audit_log.append(log, _record(number))


def _numbers(log: Path) -> list[int]:
    return [record["number"] for record in audit_log.records(log)]


def test_records_come_back_in_the_order_they_were_put_in(log: Path) -> None:
    _write(log, 5)
    assert _numbers(log) == list(range(5))
    assert [record["seq"] for record in audit_log.records(log)] == [1, 2, 3, 4, 5]
    assert list(chain.verify(audit_log.read(log).lines)) == []
    assert [stat.S_IMODE(path.stat().st_mode) for path in (log, audit_log.head_path(log))] == [0o600] * 2


def test_a_line_that_was_written_is_never_written_again(log: Path) -> None:
    _write(log, 3)
    before = log.read_bytes()
    audit_log.append(log, _record(3))
    assert log.read_bytes().startswith(before)


def test_no_log_has_no_records_and_no_lines(log: Path) -> None:
    assert list(audit_log.records(log)) == []
    with pytest.raises(LedgerError, match=r"audit\.jsonl"):
        audit_log.read(log)


def _append_many(log: Path, writer: int, together: Any) -> None:
    together.wait()
    for number in range(25):
        audit_log.append(log, {"act": "reviewed", "writer": writer, "number": number})


def test_several_processes_append_at_once_and_the_chain_holds(log: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(4)
    writers = [spawn.Process(target=_append_many, args=(log, writer, together)) for writer in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0] * 4
    found = list(audit_log.records(log))
    assert len(found) == 100
    assert audit_log.read_head(audit_log.head_path(log)).seq == 100
    for writer in range(4):
        assert [record["number"] for record in found if record["writer"] == writer] == list(range(25))


def test_what_was_appended_meanwhile_is_read_without_the_rest(log: Path) -> None:
    assert audit_log.appended(log, 0) == ([], 0)
    _write(log, 2)
    first, size = audit_log.appended(log, 0)
    assert len(first) == 2 and size == log.stat().st_size
    _write(log, 1)
    with log.open("ab") as file:
        file.write(b'{"half a li')
    (event,), longer = audit_log.appended(log, size)
    assert event.to_record()["source"]["name"] == "Fahrt→0.mp4" and longer == log.stat().st_size - len(b'{"half a li')
    assert audit_log.appended(log, longer) == ([], longer)


@pytest.mark.parametrize("torn", [b'{"half":', b"\xe3\x83", b"x" * 5000], ids=["half a line", "half a letter", "long"])
def test_half_a_line_is_cut_off_and_the_next_one_says_so(log: Path, torn: bytes) -> None:
    _write(log, 2)
    with log.open("ab") as file:
        file.write(torn)
    assert _numbers(log) == [0, 1], "what a crash left is no record"
    assert audit_log.read(log).torn, "and is shown to whoever checks"
    audit_log.append(log, _record(2))
    last = list(audit_log.records(log))[-1]
    assert _numbers(log) == [0, 1, 2]
    assert last["mended"].startswith(f"{len(torn)} bytes")
    audit_log.append(log, _record(3))
    assert "mended" not in list(audit_log.records(log))[-1]


def test_half_a_first_line_is_cut_off_too(log: Path) -> None:
    log.write_bytes(b'{"half')
    audit_log.append(log, _record(0))
    assert _numbers(log) == [0]


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_changed_line_is_named(log: Path, line: int) -> None:
    _write(log, 3)
    content = log.read_bytes().replace(f'"number":{line - 1}'.encode(), f'"number":{line + 6}'.encode())
    log.write_bytes(content)
    with pytest.raises(LedgerError, match=f"line {line} was changed"):
        list(audit_log.records(log))


def test_a_line_that_is_no_text_is_named(log: Path) -> None:
    _write(log, 3)
    found = log.read_bytes().split(b"\n")
    found[1] = found[1].replace(b"Fahrt", b"Fahr\xff")
    log.write_bytes(b"\n".join(found))
    for look in (audit_log.read, lambda path: list(audit_log.records(path))):
        with pytest.raises(LedgerError, match="line 2 is not text"):
            look(log)


def test_names_that_look_like_lines_stay_one_line(log: Path) -> None:
    names = ["a\nb", "a\rb", "a\u2028b", "a\x85b", "ドラレコ"]
    for name in names:
        audit_log.append(log, {"name": name})
    assert [record["name"] for record in audit_log.records(log)] == names
    assert [json.loads(line)["seq"] for line in audit_log.read(log).lines] == [1, 2, 3, 4, 5]


def test_what_every_line_says_is_added_and_what_the_record_says_counts(log: Path) -> None:
    audit_log.append(log, {"outcome": "masked"})
    audit_log.append(
        log, {"act": "held", "time": "2026-01-02T03:04:05+00:00", "by": {"user": "somebody", "host": "here"}}
    )
    first, second = audit_log.records(log)
    assert (first["act"], second["act"]) == ("masked", "held")
    assert first["tool"]["name"] == "dashredact" and set(first["by"]) == {"user", "host"} and first["time"]
    assert (second["time"], second["by"]["user"]) == ("2026-01-02T03:04:05+00:00", "somebody")


# --- how much is read -----------------------------------------------------------------------------------------


def _made(log: Path, count: int) -> None:
    """A log as so many appends would leave it."""
    lines: list[str] = []
    for number in range(count):
        tip = chain.ChainEnd(number, chain.digest(lines[-1])) if lines else chain.START
        lines.append(chain.chain_line({"act": "reviewed", "number": 10**6 + number}, tip))
    log.write_text("".join(line + "\n" for line in lines))
    audit_log.head_path(log).write_text(heads.encode(heads.head_of(lines, heads.EMPTY_HEAD)))


def _read_by(act: Callable[[], object]) -> int:
    """Bytes that this process read meanwhile, as the kernel counts them."""
    counted = Path("/proc/self/io")
    if not counted.exists():
        pytest.skip("this system does not count what a process reads")
    before = counted.read_text()
    act()
    after = counted.read_text()
    return int(after.split()[1]) - int(before.split()[1])


def test_appending_reads_as_much_of_a_long_log_as_of_a_short_one(tmp_path: Path) -> None:
    read = {}
    for count in (20, 20, 20_000):
        log = tmp_path / f"{count}.jsonl"
        _made(log, count)
        read[count] = _read_by(lambda log=log: audit_log.append(log, _record(0)))  # type: ignore[misc]
        assert chain.parse_line(audit_log.read(log).lines[-1])["seq"] == count + 1
    assert log.stat().st_size > 4_000_000
    assert read[20_000] < read[20] + 10_000


def test_a_line_longer_than_a_block_is_found_whole(log: Path) -> None:
    for length in (1, 4000, 4096, 9000, 20_000):
        audit_log.append(log, {"long": "ア" * length})
    assert len(list(audit_log.records(log))) == 5


# --- crashes --------------------------------------------------------------------------------------------------


class _CrashError(BaseException):
    pass


def _die(*_: object) -> None:
    raise _CrashError


def _half(descriptor: int, content: bytes, place: int) -> int:
    os.pwritev(descriptor, [content[: len(content) // 2]], place)
    raise _CrashError


def _but_for_its_end(descriptor: int, content: bytes, place: int) -> int:
    os.pwritev(descriptor, [content[:-1]], place)
    raise _CrashError


def _save_and_die(*words: Any, save: Callable[..., None] = audit_log._save) -> None:
    save(*words)
    raise _CrashError


def _crash(log: Path, place: Any, name: str, act: Callable[..., Any], after: int = 0) -> None:
    """A call of `append` that ends at `place.name`, at the call after so many."""
    usual, left = getattr(place, name), iter(range(after))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(_CrashError):
        patch.setattr(place, name, lambda *words: act(*words) if next(left, None) is None else usual(*words))
        audit_log.append(log, _record(77))


CRASHES: dict[str, tuple[Any, str, Callable[..., Any], bool, str]] = {
    "before the line": (audit_log, "_put", _die, False, ""),
    "in the middle of the line": (os, "pwrite", _half, False, "bytes of an unfinished line"),
    "before the newline": (os, "pwrite", _but_for_its_end, False, "bytes of an unfinished line"),
    "before the line is synced": (os, "fsync", _die, True, "1 line before this one had no head yet"),
    "before the head": (audit_log, "_save", _die, True, "1 line before this one had no head yet"),
    "before the head has its name": (files, "publish", _die, True, "1 line before this one had no head yet"),
    "after the head": (audit_log, "_save", _save_and_die, True, ""),
}
"""Where, whether the line is in the log then, and what the next one says."""


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("length", [1, 3])
def test_a_crash_anywhere_leaves_a_log_that_holds_and_the_next_line_says_what_was_mended(
    log: Path, crash: str, length: int
) -> None:
    *where, written, mended = CRASHES[crash]
    _write(log, length)
    _crash(log, *where)
    left = [*range(length), *([77] if written else [])]
    assert _numbers(log) == left, "whoever reads meanwhile takes it as it is"
    torn = "unfinished" in mended
    found = audit_verify.verify(log, audit_verify.VerifyOptions())
    assert [fault.line for fault in found.faults] == ([length + 1] if torn else [])
    assert any("as a crash may leave it" in note for note in found.notes) is ("no head" in mended)
    audit_log.append(log, _record(8))
    assert _numbers(log) == [*left, 8]
    last, found = list(audit_log.records(log))[-1], audit_verify.verify(log, audit_verify.VerifyOptions())
    assert mended in last.get("mended", "") and ("mended" in last) is bool(mended)
    assert not found.faults
    assert [last["mended"] in note for note in found.notes] == [True] if mended else not found.notes


@pytest.mark.parametrize(("name", "after"), [("_save", 0), ("_put", 0), ("_save", 1)])
def test_a_crash_before_the_first_line_is_whole_leaves_a_log_that_holds(log: Path, name: str, after: int) -> None:
    _crash(log, audit_log, name, _die, after)
    written = [77] if after else []
    assert _numbers(log) == written
    assert not audit_verify.verify(log, audit_verify.VerifyOptions()).faults
    audit_log.append(log, _record(0))
    assert _numbers(log) == [*written, 0]
    assert not audit_verify.verify(log, audit_verify.VerifyOptions()).faults


def test_crash_upon_crash_leaves_at_most_one_line_without_a_head(log: Path) -> None:
    _write(log, 2)
    _crash(log, audit_log, "_save", _die)
    for _ in range(3):  # the first call brings the head up to date, the second one would be for the new line
        _crash(log, audit_log, "_save", _die, after=1)
        assert _head(log).seq == len(audit_log.read(log).lines) - 1
        assert not audit_verify.verify(log, audit_verify.VerifyOptions()).faults
    audit_log.append(log, _record(3))
    assert _numbers(log) == [0, 1, 77, 77, 77, 77, 3]


def test_a_disk_that_is_full_is_an_error_and_the_line_is_not_there(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(log, 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda descriptor, content, place: os.pwritev(descriptor, [content[:9]], place))
        with pytest.raises(OSError, match="No space left"):
            audit_log.append(log, _record(2))
    assert _numbers(log) == [0, 1]
    _write(log, 1)
    assert _numbers(log) == [0, 1, 0]


def _append_for_ever(log: Path) -> None:
    while True:
        audit_log.append(log, {"act": "reviewed", "writer": "killed"})


def test_writers_that_are_killed_leave_a_log_that_the_others_go_on_with(log: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_append_for_ever, args=(log,)) for _ in range(3)]
    for process in writers:
        process.start()
    for process in writers:
        count = len(audit_log.read(log).lines) if log.exists() else 0
        while not log.exists() or len(audit_log.read(log).lines) < count + 15:
            time.sleep(0.01)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    audit_log.append(log, {"act": "reviewed", "writer": "last"})
    found = list(audit_log.records(log))
    assert found[-1]["writer"] == "last" and len(found) > 45
    assert not audit_verify.verify(log, audit_verify.VerifyOptions()).faults


# --- the log and its head -------------------------------------------------------------------------------------


def _head(log: Path) -> heads.Head:
    head = audit_log.read_head(audit_log.head_path(log))
    assert head
    return head


def _cut(log: Path) -> None:
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))


def _empty(log: Path) -> None:
    log.write_bytes(b"")


def _without_its_head(log: Path) -> None:
    audit_log.head_path(log).unlink()


def _with_a_broken_head(log: Path) -> None:
    audit_log.head_path(log).write_text("{}")


def _with_a_head_of_nowhere(log: Path) -> None:
    audit_log.head_path(log).write_text(heads.encode(_head(log)._replace(bytes=10**15)))


def _with_another_head(log: Path) -> None:
    audit_log.head_path(log).write_text(heads.encode(_head(log)._replace(sha256="0" * 64)))


def _with_the_head_of_its_first_line(log: Path) -> None:
    head = heads.head_of(audit_log.read(log).lines[:1], heads.EMPTY_HEAD)
    audit_log.head_path(log).write_text(heads.encode(head))


def _anew(log: Path) -> None:
    head = audit_log.head_path(log).read_bytes()
    log.unlink()
    audit_log.head_path(log).unlink()
    for number in range(5):
        audit_log.append(log, _record(number + 50))
    audit_log.head_path(log).write_bytes(head)


BREAKS = [
    _cut,
    _empty,
    Path.unlink,
    _without_its_head,
    _with_a_broken_head,
    _with_a_head_of_nowhere,
    _with_another_head,
    _with_the_head_of_its_first_line,
    _anew,
]


@pytest.mark.parametrize("change", BREAKS)
def test_nothing_is_added_to_a_log_that_its_head_does_not_fit(log: Path, change: Callable[[Path], None]) -> None:
    _write(log, 3)
    change(log)
    before = [path.read_bytes() if path.exists() else b"" for path in (log, audit_log.head_path(log))]
    for act in (
        audit_log.ready,
        lambda path: list(audit_log.records(path)),
        lambda path: audit_log.append(path, _record(3)),
    ):
        with pytest.raises(LedgerError, match=r"audit\.(jsonl|head\.json)"):
            act(log)
    assert [path.read_bytes() if path.exists() else b"" for path in (log, audit_log.head_path(log))] == before


def test_a_log_of_an_earlier_release_goes_on_with_a_head(log: Path) -> None:
    tip, lines = chain.START, []
    for number in range(3):
        told = {
            "number": number,
            "outcome": "failed",
            "prev": tip.sha256,
            "schema": chain.SCHEMAS[0],
            "seq": number + 1,
        }
        lines.append(chain.canonical({**told, "sha256": chain.digest(chain.canonical(told))}))
        tip = chain.advance(lines[-1], tip)
    log.write_text("".join(line + "\n" for line in lines))
    assert _numbers(log) == [0, 1, 2]
    assert ["no head file" in note for note in audit_verify.verify(log, audit_verify.VerifyOptions()).notes] == [True]
    audit_log.append(log, _record(3))
    assert _numbers(log) == [0, 1, 2, 3]
    assert "mended" not in list(audit_log.records(log))[-1]
    assert _head(log).seq == 4
    _cut(log)
    with pytest.raises(LedgerError, match="cut off"):
        audit_log.append(log, _record(4))


def test_an_earlier_release_may_write_in_between(log: Path) -> None:
    _write(log, 2)
    for seq in (3, 4):
        told = {
            "act": "reviewed",
            "number": seq,
            "prev": chain.digest(audit_log.read(log).lines[-1]),
            "schema": chain.SCHEMAS[0],
            "seq": seq,
        }
        with log.open("a") as file:
            file.write(chain.canonical({**told, "sha256": chain.digest(chain.canonical(told))}) + "\n")
    assert _numbers(log) == [0, 1, 3, 4]
    audit_log.append(log, _record(5))
    assert _numbers(log) == [0, 1, 3, 4, 5]
    assert "2 lines before this one had no head yet" in list(audit_log.records(log))[-1]["mended"]


# --- keys -----------------------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> Path:
    signing.generate(tmp_path / "fleet.key")
    return tmp_path / "fleet.key"


def test_with_a_key_every_line_and_the_head_are_signed(log: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(log, 2)
    monkeypatch.setenv(signing.VARIABLE, str(key))
    _write(log, 2)
    assert ["signature" in record for record in audit_log.records(log)] == [False, False, True, True]
    assert _head(log).signature
    asked = audit_verify.VerifyOptions(public_keys=[signing.public_path(key)])
    found = audit_verify.verify(log, asked)
    assert not found.faults and "from line 3 on" in found.notes[0]


@pytest.mark.parametrize("after", [0, 1])
def test_a_crash_where_signing_begins_leaves_no_signed_line_beside_an_unsigned_head(
    log: Path, key: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    _write(log, 2)
    monkeypatch.setenv(signing.VARIABLE, str(key))
    _crash(log, audit_log, "_save", _die, after)
    signed = any("signature" in record for record in audit_log.records(log))
    assert signed is bool(_head(log).signature) is bool(after)
    audit_log.append(log, _record(3))
    assert not audit_verify.verify(log, audit_verify.VerifyOptions(public_keys=[signing.public_path(key)])).faults


def test_a_signed_log_takes_no_unsigned_line(log: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(signing.VARIABLE, str(key))
        _write(log, 2)
    before = log.read_bytes()
    for act in (audit_log.ready, lambda path: audit_log.append(path, _record(2))):
        with pytest.raises(UsageError, match="is signed"):
            act(log)
    assert log.read_bytes() == before and _numbers(log) == [0, 1]


def test_nothing_is_written_unsigned_because_a_key_is_gone(
    log: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.VARIABLE, str(key))
    _write(log, 1)
    key.unlink()
    with pytest.raises(MachineError, match=r"fleet\.key"):
        audit_log.append(log, _record(1))
    assert len(audit_log.read(log).lines) == 1
