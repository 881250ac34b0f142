"""The command line: what it prints where, and the exit codes that it promises."""

import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.errors import ExitCode
from dashredact.workspace import locks
from dashredact.workspace.output_folder import OutputFolder

_SHIPPED = Path(__file__).resolve().parents[2] / "weights"


@pytest.fixture(autouse=True)
def _as_found(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No option comes from the environment, and the command's signal handlers and log level do not stay."""
    for name in [name for name in os.environ if name.startswith("DASHREDACT_")]:
        monkeypatch.delenv(name)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)
    for number, handler in before.items():
        signal.signal(number, handler)


def _call(*words: str | Path, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(cli.main, [str(word) for word in words])


def _one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text and text.strip().endswith((".", "?"))


def _record(number: int) -> dict[str, Any]:
    return {
        "time": f"2026-01-02T03:04:0{number}+00:00",
        "outcome": "masked",
        "reason": "",
        "source": {"name": f"ドラレコ{number}.mp4"},
        "output": {"name": f"ドラレコ{number}.masked.mp4"},
        "tracks": {"face": {"tracks": 3, "detected": 40}, "plate": {"tracks": 2, "detected": 9}},
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / audit_log.NAME
    for number in range(3):
        audit_log.append(path, _record(number))
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "grey.mp4"
    grey = ["-f", "lavfi", "-i", "color=gray:s=64x48:d=0.4:r=10", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", *grey, path], check=True)
    return path


def _commands(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _commands(inner, *names, name)


@pytest.mark.parametrize(("names", "command"), list(_commands(cli.main)), ids=str)
@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_describes_every_command_and_shows_it_in_use(
    names: tuple[str, ...], command: click.Command, asked: str
) -> None:
    done = _call(*names, asked)
    usage, _, text = done.stdout.partition("\n\n")
    assert done.exit_code == 0
    assert " ".join(names) in usage
    assert text.strip()[0].isupper() and "." in text.splitlines()[0] + text.splitlines()[1]
    if not isinstance(command, click.Group):
        assert f"\n    dashredact {' '.join(names)} " in text
    undocumented = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert undocumented == []


def test_help_lists_the_exit_codes() -> None:
    told = _call("--help").stdout
    missing = [code for code in ExitCode if code is not ExitCode.SIGNAL]
    assert [code for code in missing if f" {int(code)} " not in told] == []
    assert "128+N" in told


@pytest.mark.parametrize(
    "words",
    [
        ["redact", "missing.mp4", "-o", "out"],
        ["probe", "missing.mp4"],
        ["audit", "verify", "missing.jsonl"],
        ["redact", "-o", "out"],
        ["redact", "."],
        ["redact", ".", "-o", "out", "--face-threshold", "0.05"],
        ["redact", ".", "-o", "out", "--face-threshold", "nan"],
        ["redact", ".", "-o", "out", "--threshold", "face=0.05"],
        ["redact", ".", "-o", "out", "--threshold", "plate=nan"],
        ["redact", ".", "-o", "out", "--audio", "maybe"],
        ["redact", ".", "-o", "out", "--detect-size", "31"],
        ["models", "get"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_code_2(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = _call(*words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("dashredact: ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--kinds", "both"],
            "'--kinds': 'both' is not a kind; give some of face,plate,person,screen, commas between.",
        ),
        (["--kinds", "zone"], "'zone' is not a kind"),
        (["--kinds", ""], "it names no kind"),
        (["--kinds", "face,person"], "--kinds names person: the chosen models find face, plate; add a --model"),
        (["--threshold", "face"], "'--threshold': face is not KIND=SCORE, such as face=0.4"),
        (["--threshold", "hand=0.4"], "'--threshold': hand=0.4 is not KIND=SCORE"),
        (["--threshold", "face=0.4", "--threshold", "face=0.5"], "--threshold names face twice"),
        (["--threshold", "screen=0.4"], "--threshold names screen: the chosen models find face, plate; leave it out."),
    ],
)
def test_kinds_and_thresholds_that_make_no_sense(words: list[str], told: str, clip: Path, tmp_path: Path) -> None:
    done = _call("redact", clip, "-o", tmp_path / "out", *words)
    assert done.exit_code == 2
    assert told in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["person face", "person, face", "face,person,face"])
def test_kinds_come_from_the_environment_with_commas_or_spaces(value: str, clip: Path, tmp_path: Path) -> None:
    done = _call("redact", clip, "-o", tmp_path / "out", DASHREDACT_REDACT_KINDS=value)
    assert "--kinds names person: the chosen models find face, plate" in done.stderr


def test_thresholds_come_from_the_environment_with_spaces(clip: Path, tmp_path: Path) -> None:
    done = _call("redact", clip, "-o", tmp_path / "out", DASHREDACT_REDACT_THRESHOLD="face=0.4 screen=0.3")
    assert "--threshold names screen" in done.stderr


def test_a_folder_without_videos_is_code_2_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no video")
    done = _call("redact", tmp_path / "in", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert _one_sentence(done.stderr) and str(tmp_path / "in") in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "value"), [("STYLE", "sparkle"), ("CRF", "99"), ("AUDIO", "loud")])
def test_an_option_can_come_from_the_environment(name: str, value: str, clip: Path, tmp_path: Path) -> None:
    done = _call("redact", clip, "-o", tmp_path / "out", **{f"DASHREDACT_REDACT_{name}": value})
    assert done.exit_code == 2
    assert value in done.stderr


def test_an_unbroken_log_is_code_0(log: Path) -> None:
    done = _call("audit", "verify", log)
    assert (done.exit_code, done.stderr) == (0, "")
    last = hashlib.sha256(log.read_bytes().splitlines()[-1]).hexdigest()
    assert done.stdout == f"{log}: 3 lines, unbroken. The last one: {last}\n"


def test_a_tampered_log_is_code_7_and_every_broken_line_is_named(log: Path) -> None:
    lines = log.read_text().split("\n")
    lines[1] = lines[1].replace('"face":{"detected":40', '"face":{"detected":41')
    log.write_text("\n".join(lines))
    done = _call("audit", "verify", log)
    assert done.exit_code == 7
    assert [f"line {number} " in done.stdout for number in (1, 2, 3)] == [False, True, True]
    assert _one_sentence(done.stderr) and "2 of its 3 lines" in done.stderr


def test_a_tampered_log_is_not_shown(log: Path) -> None:
    log.write_text(log.read_text().replace("masked", "failed", 1))
    done = _call("audit", "show", log)
    assert done.exit_code == 7
    assert done.stdout == ""
    assert "line 1 was changed" in done.stderr


def test_a_log_is_shown_one_line_a_video(log: Path) -> None:
    done = _call("audit", "show", log)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"2026-01-02T03:04:0{n}+00:00  masked  ドラレコ{n}.mp4 → ドラレコ{n}.masked.mp4  face 3, plate 2"
        for n in range(3)
    ]


def test_a_log_is_shown_as_json(log: Path) -> None:
    done = _call("audit", "show", log, "--json")
    assert done.exit_code == 0
    assert [json.loads(line)["source"] for line in done.stdout.splitlines()] == [_record(n)["source"] for n in range(3)]
    assert "ドラレコ" in done.stdout


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("", "is empty"),
        ("these are just words\n" * 50, "is not a video"),
    ],
    ids=["empty", "words"],
)
def test_what_is_no_video_is_one_sentence_and_code_3(content: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "trip.mp4"
    path.write_text(content)
    done = _call("probe", path)
    assert done.exit_code == 3
    assert _one_sentence(done.stdout)
    assert done.stdout.startswith("trip.mp4: ") and wanted in done.stdout
    told = json.loads(_call("probe", path, "--json").stdout)
    assert told["name"] == "trip.mp4" and wanted in told["refused"]


def test_probe_goes_on_behind_what_is_no_video(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    done = _call("probe", tmp_path / "empty.mp4", clip, "--json")
    assert done.exit_code == 3
    first, second = map(json.loads, done.stdout.splitlines())
    assert "refused" in first
    assert (second["name"], second["video"]["width"], second["video"]["shown_frames"]) == ("grey.mp4", 64, 4)


def test_probe_in_words_is_code_0(clip: Path) -> None:
    done = _call("probe", clip)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "h264 64x48 yuv420p" in done.stdout and "frames    4 (header: 4)" in done.stdout


def test_a_held_output_folder_is_code_6(clip: Path, tmp_path: Path) -> None:
    with OutputFolder(tmp_path / "out").masking():
        done = _call("redact", clip, "-o", tmp_path / "out", "-q")
    assert done.exit_code == 6
    assert _one_sentence(done.stderr) and str(tmp_path / "out") in done.stderr
    assert not (tmp_path / "out" / audit_log.NAME).exists()


def test_a_broken_log_in_the_output_folder_is_code_7_and_stays_as_it_is(clip: Path, log: Path) -> None:
    log.write_text(log.read_text().replace("masked", "failed", 1))
    before = log.read_bytes()
    done = _call("redact", clip, "-o", log.parent, "-q")
    assert done.exit_code == 7
    assert _one_sentence(done.stderr)
    assert log.read_bytes() == before


def test_a_video_that_is_none_is_code_3_and_gets_a_line_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "trip.mp4").touch()
    done = _call("redact", tmp_path / "trip.mp4", "-o", tmp_path / "out", "-q")
    assert done.exit_code == 3
    assert done.stdout == ""
    assert _one_sentence(done.stderr) and "trip.mp4" in done.stderr
    (record,) = audit_log.records(tmp_path / "out" / audit_log.NAME)
    assert (record["outcome"], record["output"]) == ("failed", None)


@pytest.mark.parametrize(("device", "code"), [("cuda:99", 4), ("toaster", 2), ("mps", 2)])
def test_a_device_that_is_not_there_is_said_and_never_replaced(
    device: str, code: int, clip: Path, tmp_path: Path
) -> None:
    done = _call("redact", clip, "-o", tmp_path / "out", "--device", device, "-q")
    assert done.exit_code == code
    assert _one_sentence(done.stderr) and device in done.stderr
    assert {path.name for path in (tmp_path / "out").glob("*")} <= {locks.STATE_FOLDER}


@pytest.mark.parametrize("broken", ["no manifest", "no JSON", "no model", "changed weights", "no weights"])
def test_a_broken_weights_folder_is_code_4(broken: str, clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for path in (path for path in _SHIPPED.iterdir() if path.is_file()):
        shutil.copy(path, folder)
    weights = folder / "dashnet-s.safetensors"
    if broken == "no manifest":
        (folder / "manifest.json").unlink()
    elif broken == "no JSON":
        (folder / "manifest.json").write_text("{")
    elif broken == "no model":
        (folder / "manifest.json").write_text('{"models": []}')
    elif broken == "changed weights":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    else:
        weights.unlink()
    done = _call("redact", clip, "-o", tmp_path / "out", "--weights", folder, "--device", "cpu", "-q")
    assert done.exit_code == 4
    assert _one_sentence(done.stderr) and str(folder) in done.stderr
    assert not list((tmp_path / "out").glob("*.mp4"))
