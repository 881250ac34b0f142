"""The export of a period can be checked on its own, with this tool and without it."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from dashredact.audit import chain, export, heads, schemas, signing
from dashredact.audit import log as audit_log
from dashredact.audit import verify as audit_verify
from dashredact.audit.events import EventFilter
from dashredact.errors import LedgerError, UsageError

_PERIOD = EventFilter(since="2026-01-03", until="2026-01-04")
_LINES = [3, 4, 5]
"""Numbers of the lines of that period: the fourth came late and is of another day, but lies between."""
_DAYS = (1, 2, 3, 9, 4, 5)


def _fill(log: Path) -> None:
    for day in _DAYS:
        record = {
            "act": "reviewed",
            "time": f"2026-01-{day:02}T12:00:00+00:00",
            "source": {"name": f"ドラレコ{day}\n.mp4"},
        }
        audit_log.append(log, record)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    _fill(tmp_path / "out" / audit_log.NAME)
    return tmp_path / "out" / audit_log.NAME


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    signing.generate(tmp_path / "fleet.key")
    monkeypatch.setenv(signing.VARIABLE, str(tmp_path / "fleet.key"))
    return tmp_path / "fleet.key"


@pytest.fixture
def folder(log: Path, tmp_path: Path) -> Path:
    assert export.write(log, _PERIOD, tmp_path / "part") == len(_LINES)
    return tmp_path / "part"


def _run_readme(folder: Path) -> subprocess.CompletedProcess[str]:
    """The check that the README gives to whoever has no dashredact."""
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    return subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_lines_of_a_period_are_there_byte_for_byte_and_hold(log: Path, folder: Path) -> None:
    assert (folder / audit_log.NAME).read_bytes() in log.read_bytes()
    assert [chain.parse_line(line)["seq"] for line in audit_log.read(folder / audit_log.NAME).lines] == _LINES
    found = audit_verify.verify(folder, audit_verify.VerifyOptions(head=audit_log.head_path(log)))
    assert not found.faults
    assert _run_readme(folder).stdout.startswith("unbroken, last line: 5 ")
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


@pytest.mark.parametrize("kept", [[], [3], [3, 4], [4, 5], [3, 5], [4, 3, 5], [3, 4, 4, 5]], ids=str)
def test_an_export_that_was_cut_or_changed_is_found_with_and_without_this_tool(folder: Path, kept: list[int]) -> None:
    lines = dict(zip(_LINES, audit_log.read(folder / audit_log.NAME).lines, strict=True))
    (folder / audit_log.NAME).write_text("".join(lines[number] + "\n" for number in kept))
    assert audit_verify.verify(folder, audit_verify.VerifyOptions()).faults
    done = _run_readme(folder)
    assert done.returncode == 1 and "AssertionError" in done.stderr


def test_a_changed_line_is_named_by_its_number_in_the_whole_log(folder: Path) -> None:
    path = folder / audit_log.NAME
    path.write_text(path.read_text().replace("ドラレコ9", "ドラレコ8"))
    assert [fault.line for fault in audit_verify.verify(folder, audit_verify.VerifyOptions()).faults] == [4, 5]
    assert "line 4 is broken" in _run_readme(folder).stderr


def test_an_export_written_anew_is_found_by_a_head_from_elsewhere(log: Path, tmp_path: Path, folder: Path) -> None:
    export.write(log, EventFilter(since="2026-01-05"), tmp_path / "end")
    (tmp_path / "forged").mkdir()
    other = tmp_path / "forged" / audit_log.NAME
    for number in range(len(_DAYS)):
        audit_log.append(other, {"act": "reviewed", "time": "2026-01-05T12:00:00+00:00", "number": number})
    assert export.write(other, EventFilter(since="2026-01-05"), tmp_path / "lie") == len(_DAYS)
    asked = audit_verify.VerifyOptions(head=audit_log.head_path(log))
    assert not audit_verify.verify(tmp_path / "end", asked).faults
    assert [fault.line for fault in audit_verify.verify(tmp_path / "lie", asked).faults] == [len(_DAYS)]
    assert not audit_verify.verify(folder, asked).faults, "of a head after the period nothing can be said"


@pytest.mark.parametrize("name", [audit_log.HEAD, audit_verify.BEFORE])
def test_an_export_without_its_anchors_is_found(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert audit_verify.verify(folder, audit_verify.VerifyOptions()).faults


def test_an_export_can_be_the_whole_log(log: Path, tmp_path: Path) -> None:
    assert export.write(log, EventFilter(), tmp_path / "all") == len(_DAYS)
    assert (tmp_path / "all" / audit_log.NAME).read_bytes() == log.read_bytes()
    assert not audit_verify.verify(tmp_path / "all", audit_verify.VerifyOptions()).faults
    assert _run_readme(tmp_path / "all").returncode == 0


def test_a_signed_log_is_exported_with_signed_ends_and_its_public_key(tmp_path: Path, key: Path) -> None:
    log, folder, public = tmp_path / audit_log.NAME, tmp_path / "part", signing.public_path(key)
    _fill(log)
    export.write(log, _PERIOD, folder, [public])
    asked = audit_verify.VerifyOptions(public_keys=[folder / "key-1.pub"])
    assert not audit_verify.verify(folder, asked).faults
    assert _run_readme(folder).returncode == 0
    lines = audit_log.read(folder / audit_log.NAME).lines[:-1]
    (folder / audit_log.NAME).write_text("".join(line + "\n" for line in lines))
    start = audit_log.read_head(folder / audit_verify.BEFORE)
    assert start
    (folder / audit_log.HEAD).write_text(heads.encode(heads.head_of(lines, start)))
    assert not audit_verify.verify(folder, audit_verify.VerifyOptions()).faults
    assert "not signed" in audit_verify.verify(folder, asked).faults[0].reason


def test_a_signed_log_is_not_exported_without_its_key(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(tmp_path / audit_log.NAME)
    monkeypatch.delenv(signing.VARIABLE)
    with pytest.raises(UsageError, match="is signed"):
        export.write(tmp_path / audit_log.NAME, _PERIOD, tmp_path / "part")
    assert key.exists() and not (tmp_path / "part").exists()


def test_a_public_key_that_does_not_fit_is_not_handed_on(log: Path, tmp_path: Path, key: Path) -> None:
    with pytest.raises(LedgerError, match="not signed"):
        export.write(log, _PERIOD, tmp_path / "part", [signing.public_path(key)])
    assert not (tmp_path / "part").exists()


def test_a_broken_log_is_not_exported(log: Path, tmp_path: Path) -> None:
    log.write_text(log.read_text().replace("ドラレコ2", "ドラレコ3"))
    with pytest.raises(LedgerError, match="line 2"):
        export.write(log, _PERIOD, tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_nothing_is_exported_of_an_empty_period_or_over_something_else(log: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no line of that period"):
        export.write(log, EventFilter(since="2027-01-01"), tmp_path / "part")
    assert not (tmp_path / "part").exists()
    with pytest.raises(UsageError, match="is not empty"):
        export.write(log, _PERIOD, log.parent)
    assert sorted(path.name for path in log.parent.iterdir()) == sorted([audit_log.NAME, audit_log.HEAD])


@pytest.mark.parametrize("version", schemas.VERSIONS)
def test_the_schemas_are_schemas_and_are_handed_on(folder: Path, version: int) -> None:
    schema = json.loads((folder / schemas.file_name(version)).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema["properties"]["schema"]["const"] == chain.SCHEMAS[version - 1]


def test_lines_as_they_are_written_fit_the_schema(log: Path, key: Path) -> None:
    assert key.exists()
    schema = json.loads(schemas.text(schemas.file_name(schemas.VERSIONS[-1])))
    file = {"name": "a.mp4", "sha256": "a" * 64, "bytes": 1}
    source = {"name": "a.mp4", "sha256": "b" * 64, "bytes": 1, "place": None}
    audit_log.append(log, {"act": "corrected", "source": source, "output": file, "replaces": "c" * 64})
    audit_log.append(log, {"act": "purged", "files": [{"name": "a.mp4"}], "reason": "policy"})
    for record in list(audit_log.records(log))[-2:]:
        jsonschema.validate(record, schema)
        for missing in ("time", "tool", "by", "act", "key"):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate({name: value for name, value in record.items() if name != missing}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**record, "act": "erased"}, schema)


def test_the_readme_speaks_english_and_japanese(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "lines 3 to 5" in text and "3 行目から 5 行目" in text and "@" not in text
    assert "dashredact audit verify" in text
