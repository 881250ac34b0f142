"""What helps to set the tool up: configuration file, variables, doctor, completion, man page, status, versions."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from kept import Fleet

from dashredact import __version__, cli
from dashredact.cli import config, manual
from dashredact.errors import ExitCode, UsageError

_PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file of this machine's user nor signal handlers of the program count here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)


def _call(*words: str | Path, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(cli.main, [str(word) for word in words])


def _write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o600)
    return path


# --- configuration ---------------------------------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An output folder with an empty log."""
    return _write(tmp_path / "out" / "audit.jsonl", "").parent


def test_a_file_sets_what_neither_the_environment_nor_the_line_says(tmp_path: Path) -> None:
    _write(tmp_path / config.NAME, '[redact]\nstyle = "fill"\ncrf = 30\n')
    main = cli.main
    assert isinstance(main, click.Group)
    with main.make_context("dashredact", ["redact", "x", "-o", "y"]) as context:
        context.default_map = config.read(tmp_path / config.NAME, main)
        command = main.commands["redact"]
        own = command.make_context("redact", [str(tmp_path), "-o", "out", "--crf", "25"], parent=context)
        assert (own.params["style"], own.params["crf"]) == ("fill", 25)


def test_the_folder_at_hand_counts_before_the_home(tmp_path: Path) -> None:
    assert config.find() is None
    home = _write(tmp_path / "config" / "dashredact" / config.NAME, "")
    assert config.find() == home
    _write(tmp_path / config.NAME, "")
    assert config.find() == Path(config.NAME)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[redact]\nstyel = 1\n", "redact.styel is not an option or command; did you mean style?"),
        ("[redcat]\n", "redcat is not an option or command; did you mean redact?"),
        ("style = 1\n", "style is not an option or command"),
        ("[redact]\nthreshold = { face = 0.4 }\n", "redact.threshold is a table; write a text, as behind --threshold"),
        ("[review]\nlist = 1\n", "review.list is a command; give its options in a table, [review.list]"),
        ("= 1", "is not TOML"),
        ("a = " + "[" * 3000, "is not TOML"),
    ],
)
def test_what_it_does_not_know_is_named(tmp_path: Path, log: Path, content: str, words: str) -> None:
    path = _write(tmp_path / "own.toml", content)
    done = _call("--config", path, "review", "list", log)
    assert done.exit_code == ExitCode.USAGE
    assert words in done.stderr and "own.toml" in done.stderr


def test_a_folder_that_may_not_be_entered_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: object, **_more: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", denied)
        found = config.find()
    assert found is None


def test_a_file_that_others_can_change_is_not_used(tmp_path: Path, log: Path) -> None:
    _write(tmp_path / config.NAME, "").chmod(0o622)
    done = _call("review", "list", log)
    assert done.exit_code == ExitCode.USAGE
    assert "can be changed by others" in done.stderr


def test_options_of_inner_commands_and_of_the_program_can_be_set(tmp_path: Path) -> None:
    main = cli.main
    assert isinstance(main, click.Group)
    path = _write(tmp_path / config.NAME, 'key = "x"\n[review.list]\nall = true\n[redact]\nhealth = 1\n')
    with pytest.raises(UsageError, match="health"):
        config.read(path, main)
    _write(path, 'key = "x"\n[review.list]\nall = true\n')
    assert config.read(path, main) == {"key": str(tmp_path / "x"), "review": {"list": {"every": True}}}


def test_a_misspelt_variable_is_said(log: Path) -> None:
    done = _call("review", "list", log, DASHREDACT_REDACT_STYEL="fill", DASHREDACT_REVIEW_LIST_ALL="1")
    assert done.stderr.count("\n") == 1
    assert "STYEL is not known and does nothing; did you mean DASHREDACT_REDACT_STYLE?" in done.stderr


# --- doctor, versions, status ----------------------------------------------------------------------------------------


def test_doctor_says_what_is_ready(tmp_path: Path) -> None:
    done = _call("doctor", tmp_path / "masked", "--json", "--device", "cpu")
    checks = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.exit_code == ExitCode.OK, done.stdout
    assert {"python", "ffmpeg", "encoders", "weights", "detector", "folder", "disk"} <= checks.keys()
    assert all(check["ready"] for check in checks.values() if check["needed"])


def test_doctor_says_what_to_do_where_ffmpeg_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = _call("doctor", "--weights", tmp_path, "--device", "cpu")
    assert done.exit_code == ExitCode.NOT_READY
    (line,) = (line for line in done.stdout.splitlines() if " ffmpeg " in f"{line} ")
    assert line.startswith("NOT READY") and "apt install ffmpeg" in line


def test_version_names_weights_and_engine() -> None:
    done = _call("--version")
    assert done.stdout.startswith(f"dashredact {__version__}\nweights dashnet-")
    assert "engine torch" in done.stdout and "ffmpeg" in done.stdout


def test_status_of_a_folder_where_nothing_waits(log: Path) -> None:
    done = _call("status", log)
    assert (done.exit_code, done.stdout) == (ExitCode.OK, "Nothing waits.\n")


def test_status_names_uploads_that_are_not_complete(log: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "trip.mp4").write_bytes(b"x")
    (inbox / "later.mp4.part").write_bytes(b"x")
    done = _call("status", log, "--inbox", inbox)
    assert "2 videos waiting." in done.stdout
    assert "trip.mp4: to be masked by the next run" in done.stdout
    assert "later.mp4.part: an upload that is not complete" in done.stdout


def test_status_of_a_signed_log_wants_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, key = Fleet(tmp_path), tmp_path / "fleet.key"
    assert _call("audit", "keygen", key).exit_code == ExitCode.OK
    with monkeypatch.context() as patch:
        patch.setenv("DASHREDACT_AUDIT_KEY", str(key))
        fleet.masked("trip.mp4")
    assert "signature" in fleet.log.read_text()
    done = _call("status", fleet.out)
    assert done.exit_code == ExitCode.OK, done.stderr


def test_an_upload_that_was_erased_is_not_in_quarantine_any_more(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.failed("broken.mp4")
    fleet.line("quarantined", source=fleet.source("broken.mp4"))
    assert "broken.mp4" in _call("status", fleet.out).stdout
    fleet.line("purged", source=fleet.source("broken.mp4"), deletion="1")
    assert _call("status", fleet.out).stdout == "Nothing waits.\n"


# --- completion and man page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_code_asks_the_program(shell: str) -> None:
    done = _call("completion", shell)
    assert done.exit_code == ExitCode.OK
    assert "_DASHREDACT_COMPLETE" in done.stdout


def test_the_man_page_is_in_line_with_the_commands() -> None:
    assert isinstance(cli.main, click.Group)
    written = (_PROJECT / "docs" / "dashredact.1").read_text()
    assert written == manual.page(cli.main, __version__), "run `make man`"


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def test_every_command_and_option_has_help_and_an_example() -> None:
    assert isinstance(cli.main, click.Group)
    for path, command in _commands(cli.main):
        words = " ".join(path)
        assert command.help and command.help.splitlines()[0].endswith("."), words
        assert f"dashredact {words}" in command.help or path == ("export", "clips"), f"{words} has no example"
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{words} {option.opts}"


def test_no_variable_of_this_machine_is_taken_for_an_option() -> None:
    assert not [name for name in os.environ if name.startswith("DASHREDACT_")]
