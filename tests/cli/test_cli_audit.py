"""`dashredact audit` from the outside."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.audit import signing

_ACTS = ("masked", "refused", "held", "purged")


def _call(*words: str | Path, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(cli.main, [str(word) for word in words])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "out" / audit_log.NAME
    path.parent.mkdir()
    for day, act in enumerate(_ACTS, 1):
        name = "=cmd()\n\x1b[31m.mp4" if act == "held" else f"ドラレコ/{act}.mp4"
        audit_log.append(path, {"act": act, "time": f"2026-01-0{day}T23:59:59+00:00", "source": {"name": name}})
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    assert _call("audit", "keygen", tmp_path / "fleet.key").exit_code == 0
    return tmp_path / "fleet.key"


def _acts(*words: str | Path) -> list[str]:
    done = _call("audit", "show", *words, "--json")
    assert done.exit_code == 0
    return [json.loads(line)["act"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], _ACTS),
        (["--since", "2026-01-03"], _ACTS[2:]),
        (["--until", "2026-01-02"], _ACTS[:2]),
        (["--since", "2026-01-02", "--until", "2026-01-02"], _ACTS[1:2]),
        (["--event", "held", "--event", "masked"], ("masked", "held")),
        (["--name", "ドラレコ/*"], ("masked", "refused", "purged")),
        (["--name", "*/m*", "--name", "=*"], ("masked", "held")),
        (["--since", "2027-01-01"], ()),
    ],
    ids=str,
)
def test_lines_are_chosen(log: Path, words: list[str], wanted: tuple[str, ...]) -> None:
    assert _acts(log, *words) == list(wanted)


@pytest.mark.parametrize(
    "words",
    [["--since", "yesterday"], ["--event", "sparkled"], ["--json", "--csv"]],
    ids=" ".join,
)
def test_a_wrong_question_is_code_2(log: Path, words: list[str]) -> None:
    done = _call("audit", "show", log, *words)
    assert (done.exit_code, done.stdout) == (2, "")


def test_a_hostile_name_stays_on_its_line_and_sends_no_codes_to_the_terminal(log: Path) -> None:
    done = _call("audit", "show", log)
    assert len(done.stdout.splitlines()) == len(_ACTS)
    assert "\x1b" not in done.stdout and "=cmd()\\n\\x1b[31m.mp4" in done.stdout


def test_a_hostile_name_is_no_formula_in_a_spreadsheet(log: Path) -> None:
    done = _call("audit", "show", log, "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert [row["act"] for row in rows] == list(_ACTS)
    assert rows[2]["source"] == "'=cmd()\\n\\x1b[31m.mp4"
    assert [row["seq"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0]["time"] == "2026-01-01T23:59:59+00:00" and len(rows[0]["sha256"]) == 64


_MISS = {"name": "a.mp4", "frame": 3, "kind": "face", "missed": 2}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"act": "reviewed", "verdict": "rejected", "output": {"name": "a.masked.mp4", "sha256": "0" * 64}},
            "rejected, 0",
        ),
        ({"act": "held", "hold": {"kind": "police", "until": "2027-03-31"}}, "police, until 2027-03-31"),
        ({"act": "sampled", "draw": {"id": 3}}, "draw 3"),
        (
            {"act": "judged", "draw": {"id": 3}, "judged": {"frames": 300, "misses": [_MISS, {**_MISS, "missed": 1}]}},
            "draw 3, 300 frames seen, 3 missed",
        ),
        ({"act": "answered", "request": {"id": 7}}, "request 7"),
        (
            {"act": "purged", "files": [{"name": "a.masked.mp4"}, {"name": "a.tracks.json"}]},
            "a.masked.mp4, a.tracks.json",
        ),
    ],
    ids=lambda value: value["act"] if isinstance(value, dict) else "",
)
def test_a_line_says_what_a_person_decided(log: Path, record: dict[str, object], said: str) -> None:
    audit_log.append(log, {**record, "reason": "the note"})
    line = _call("audit", "show", log).stdout.splitlines()[-1]
    assert said in line and line.endswith("  the note")


def test_a_cut_log_is_code_7_for_whoever_checks_and_whoever_reads(log: Path) -> None:
    log.write_text("".join(line + "\n" for line in audit_log.read(log).lines[:-1]))
    done = _call("audit", "verify", log)
    assert done.exit_code == 7 and "line 4 is missing" in done.stdout
    assert _call("audit", "show", log).exit_code == 7


def test_keys_are_made_once(key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    assert "PUBLIC KEY" in signing.public_path(key).read_text()
    assert _call("audit", "keygen", key).exit_code == 2


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_run_with_a_key_signs_and_one_without_is_refused(tmp_path: Path, key: Path, way: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_text("no video")
    run = ["redact", tmp_path / "in", "-o", tmp_path / "out"]
    if way == "option":
        assert _call("--key", key, *run).exit_code == 3
    else:
        assert _call(*run, **{signing.VARIABLE: str(key)}).exit_code == 3
    assert signing.configured() is None, "the key is used for one command"
    done = _call("audit", "verify", tmp_path / "out", "--pub", signing.public_path(key))
    assert done.exit_code == 0 and "1 line, unbroken" in done.stdout and "checked from line 1 on" in done.stdout
    assert _call(*run).exit_code == 2
    assert len(audit_log.read(tmp_path / "out" / audit_log.NAME).lines) == 1


def test_an_unsigned_log_is_code_7_for_whoever_has_a_key(log: Path, key: Path) -> None:
    done = _call("audit", "verify", log, "--pub", signing.public_path(key))
    assert done.exit_code == 7 and "line 1 is not signed" in done.stdout


def test_a_key_that_is_none_is_code_4(log: Path) -> None:
    assert _call("audit", "verify", log, "--pub", log).exit_code == 4


def test_an_export_is_checked_where_it_is(log: Path, tmp_path: Path) -> None:
    done = _call("audit", "export", log, "--since", "2026-01-02", "--until", "2026-01-03", "-o", tmp_path / "part")
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'part'}: 2 lines.\n")
    log.unlink()
    done = _call("audit", "verify", tmp_path / "part")
    assert done.exit_code == 0 and "2 lines, unbroken" in done.stdout
    (tmp_path / "part" / audit_log.NAME).write_text("")
    done = _call("audit", "verify", tmp_path / "part")
    assert done.exit_code == 7 and "line 2 is missing" in done.stdout


@pytest.mark.parametrize(("words", "wanted"), [([], 2), (["--version", "1"], 1)])
def test_the_schema_is_printed(words: list[str], wanted: int) -> None:
    done = _call("audit", "schema", *words)
    assert json.loads(done.stdout)["$id"] == f"dashredact/audit/{wanted}"
