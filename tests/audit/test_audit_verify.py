"""Checking a log: whatever is done to it, its head or the files it names is found, with the line named."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashredact.audit import chain, heads, signing
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.errors import LedgerError
from dashredact.workspace.output_folder import OutputFolder

_MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_LINES = 4


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    signing.generate(tmp_path / "fleet.key")
    monkeypatch.setenv(signing.VARIABLE, str(tmp_path / "fleet.key"))
    return tmp_path / "fleet.key"


def _fill(log: Path, count: int = _LINES) -> None:
    for number in range(count):
        audit_log.append(log, {"act": "reviewed", "source": {"name": f"ドラレコ{number}.mp4"}})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    _fill(tmp_path / audit_log.NAME)
    return tmp_path / audit_log.NAME


@pytest.fixture
def signed(tmp_path: Path, key: Path) -> Path:
    assert key.exists()
    _fill(tmp_path / audit_log.NAME)
    return tmp_path / audit_log.NAME


def _asked(tmp_path: Path) -> audit_verify.VerifyOptions:
    return audit_verify.VerifyOptions(public_keys=[tmp_path / "fleet.key.pub"])


def _lines(log: Path, asked: audit_verify.VerifyOptions | None = None) -> list[int]:
    return [fault.line for fault in audit_verify.verify(log, asked or audit_verify.VerifyOptions()).faults]


def _first(log: Path, asked: audit_verify.VerifyOptions) -> int:
    """The first line that is named, in a fault or in the refusal of a log that is no text."""
    try:
        return min(_lines(log, asked), default=0)
    except LedgerError as error:
        return int(str(error).partition("line ")[2].split()[0])


def _flip(content: bytes, place: int, by: int) -> bytes:
    return content[:place] + bytes([(content[place] + by) % 256]) + content[place + 1 :]


# --- the log --------------------------------------------------------------------------------------------------


@_MANY
@given(st.data())
def test_any_changed_byte_is_found_at_its_line(log: Path, data: st.DataObject) -> None:
    content = log.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    line = content[:place].count(b"\n") + 1
    log.write_bytes(_flip(content, place, data.draw(st.integers(1, 255))))
    try:
        assert _first(log, audit_verify.VerifyOptions()) == line
    finally:
        log.write_bytes(content)


@_MANY
@given(st.data())
def test_any_cut_inserted_or_doubled_stretch_of_bytes_is_found(log: Path, data: st.DataObject) -> None:
    content = log.read_bytes()
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start + 1, len(content)) | st.just(len(content)))
    changed = content[:start] + data.draw(st.sampled_from([b"", content[start:end] * 2])) + content[end:]
    log.write_bytes(changed)
    try:
        found = _first(log, audit_verify.VerifyOptions())
        assert 0 < found <= content[:end].count(b"\n") + 1
    finally:
        log.write_bytes(content)


@_MANY
@given(st.permutations(range(_LINES)), st.integers(0, _LINES))
def test_lines_that_are_moved_or_removed_are_found_at_the_first_of_them(
    log: Path, order: list[int], count: int
) -> None:
    content = log.read_bytes()
    lines = content.splitlines(keepends=True)
    kept = order[:count]
    log.write_bytes(b"".join(lines[place] for place in kept))
    wanted = next((n for n, place in enumerate([*kept, -1]) if n != place), 0)
    try:
        assert _first(log, audit_verify.VerifyOptions()) == (0 if kept == list(range(_LINES)) else wanted + 1)
    finally:
        log.write_bytes(content)


@pytest.mark.parametrize("kept", range(_LINES + 1))
@pytest.mark.parametrize("more", [0, 2])
def test_a_log_written_anew_by_somebody_without_the_key_is_found(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int, more: int
) -> None:
    """Chain and head are made to fit; only the key is missing."""
    monkeypatch.delenv(signing.VARIABLE)
    lines = audit_log.read(signed).lines[:kept]
    while len(lines) < max(_LINES + more, kept + 1):
        tip = chain.ChainEnd(len(lines), chain.digest(lines[-1])) if lines else chain.START
        lines.append(chain.chain_line({"act": "reviewed"}, tip))
    signed.write_text("".join(line + "\n" for line in lines))
    audit_log.head_path(signed).write_text(heads.encode(heads.head_of(lines, heads.EMPTY_HEAD)))
    assert _lines(signed) == []
    assert _lines(signed, _asked(tmp_path))[0] == kept + 1


@pytest.mark.parametrize("kept", range(_LINES))
def test_a_cut_tail_is_found_by_the_signature_even_if_the_head_is_made_to_fit(
    signed: Path, tmp_path: Path, kept: int
) -> None:
    lines = audit_log.read(signed).lines[:kept]
    signed.write_text("".join(line + "\n" for line in lines))
    audit_log.head_path(signed).write_text(heads.encode(heads.head_of(lines, heads.EMPTY_HEAD)))
    assert _lines(signed) == []
    (reason,) = {fault.reason for fault in audit_verify.verify(signed, _asked(tmp_path)).faults if fault.line == kept}
    assert "is named by a head that is not signed" in reason


@_MANY
@given(st.data())
def test_any_changed_byte_of_the_head_is_found(signed: Path, tmp_path: Path, data: st.DataObject) -> None:
    path = audit_log.head_path(signed)
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(_flip(content, place, data.draw(st.integers(1, 255))))
    try:
        assert _lines(signed, _asked(tmp_path)) != []
    except LedgerError as error:
        assert audit_log.HEAD in str(error)
    finally:
        path.write_bytes(content)


def test_a_signed_log_holds(signed: Path, tmp_path: Path) -> None:
    assert _lines(signed, _asked(tmp_path)) == []
    signing.generate(tmp_path / "other.key")
    other = signing.public_path(tmp_path / "other.key")
    assert set(_lines(signed, audit_verify.VerifyOptions(public_keys=[other]))) == set(range(1, _LINES + 1))
    assert _lines(signed, replace(_asked(tmp_path), public_keys=[other, tmp_path / "fleet.key.pub"])) == []


def test_a_copy_of_the_head_finds_what_the_head_beside_the_log_does_not(log: Path, tmp_path: Path) -> None:
    copy = tmp_path / "kept" / "yesterday.json"
    copy.parent.mkdir()
    copy.write_bytes(audit_log.head_path(log).read_bytes())
    _fill(log, 2)
    asked = audit_verify.VerifyOptions(head=copy)
    assert _lines(log, asked) == []
    lines = audit_log.read(log).lines[: _LINES - 1]
    log.write_text("".join(line + "\n" for line in lines))
    audit_log.head_path(log).write_text(heads.encode(heads.head_of(lines, heads.EMPTY_HEAD)))
    assert _lines(log) == []
    assert _lines(log, asked) == [_LINES]
    _fill(log, 3)
    assert _lines(log) == []
    assert _lines(log, asked) == [_LINES]


def test_a_folder_stands_for_the_log_in_it(log: Path) -> None:
    found = audit_verify.verify(log.parent, audit_verify.VerifyOptions())
    assert found.path == log and not found.faults
    with pytest.raises(LedgerError, match="cannot be read"):
        audit_verify.verify(log.parent / "none", audit_verify.VerifyOptions())


# --- files ----------------------------------------------------------------------------------------------------


def _made(folder: Path, name: str, content: str) -> dict[str, Any]:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return {"name": name, "sha256": hashlib.sha256(content.encode()).hexdigest(), "bytes": len(content)}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in ("a", "tour/b", "a"):
        record = {
            "outcome": "masked",
            "output": _made(tmp_path, f"{name}.masked.mp4", f"video {name} {len(list(tmp_path.rglob('*')))}"),
            "tracks_file": _made(tmp_path, f"{name}.tracks.json", f"tracks {name}"),
        }
        audit_log.append(tmp_path / audit_log.NAME, record)
    return tmp_path / audit_log.NAME


def _with_files(log: Path) -> audit_verify.VerifyOptions:
    return audit_verify.VerifyOptions(file_fault=OutputFolder(log.parent).fault)


def _named(log: Path) -> list[tuple[int, str]]:
    found = audit_verify.verify(log, _with_files(log)).faults
    return [(fault.line, fault.reason.split()[1].rstrip(",")) for fault in found]


def test_files_as_they_were_written_hold_and_only_the_newest_of_a_name_counts(results: Path) -> None:
    assert _named(results) == []
    assert audit_verify.verify(results, _with_files(results)).notes == ["Files were checked: 4."]


def _change(path: Path) -> None:
    path.write_text(path.read_text() + " ")


def _swap(path: Path) -> None:
    other = path.parent / "other"
    other.write_text("another video")
    other.replace(path)


def _put_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [_change, _swap, Path.unlink, _put_a_folder])
@pytest.mark.parametrize(
    ("name", "line"), [("a.masked.mp4", 3), ("a.tracks.json", 3), ("tour/b.masked.mp4", 2), ("tour/b.tracks.json", 2)]
)
def test_a_changed_swapped_or_missing_file_is_named_with_its_line(
    results: Path, change: Callable[[Path], None], name: str, line: int
) -> None:
    change(results.parent / name)
    assert _named(results) == [(line, name)]
    assert _lines(results) == [], "who does not ask for files is not told of them"


def test_two_videos_that_changed_places_are_both_named(results: Path) -> None:
    one, other = results.parent / "a.masked.mp4", results.parent / "tour/b.masked.mp4"
    one.rename(one.with_name("x"))
    other.rename(one)
    one.with_name("x").rename(other)
    assert _named(results) == [(2, "tour/b.masked.mp4"), (3, "a.masked.mp4")]


def test_what_was_purged_is_not_missing(results: Path) -> None:
    for name in ("a.masked.mp4", "a.tracks.json"):
        (results.parent / name).unlink()
    audit_log.append(results, {"act": "purged", "files": [{"name": "a.masked.mp4"}, {"name": "a.tracks.json"}]})
    assert _named(results) == []


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname"])
def test_no_file_outside_the_folder_is_looked_at(results: Path, name: str) -> None:
    (results.parent.parent / "secret").write_text("x")
    audit_log.append(results, {"outcome": "masked", "output": {"name": name, "sha256": "0" * 64}})
    (fault,) = audit_verify.verify(results, _with_files(results)).faults
    assert fault.line == 4 and "outside" in fault.reason
