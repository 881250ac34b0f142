"""What stands in deploy/ and docs/operations.md is true of the program: options, variables, paths, exit codes."""

import re
import shlex
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import click
import pytest

from dashredact import cli
from dashredact.batch import health
from dashredact.errors import ExitCode

_PROJECT = Path(__file__).resolve().parents[1]
_DEPLOY = _PROJECT / "deploy"
_DOC = _PROJECT / "docs" / "operations.md"
_UNITS = [_DEPLOY / "dashredact.service", _DEPLOY / "dashredact-watch.service"]
_HARDENED = {
    "ProtectSystem": "strict",
    "PrivateNetwork": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "ProtectHome": "yes",
    "CapabilityBoundingSet": "",
    "RestrictAddressFamilies": "AF_UNIX",
    "SystemCallFilter": "@system-service",
    "IOSchedulingClass": "idle",
    "OOMPolicy": "continue",
    "KillMode": "mixed",
    "UMask": "0077",
    "User": "dashredact",
}


_NAMED_BY = {"-u", "-o", "-g", "-t", "-C"}
"""Options of other programs whose value is the user, the image or the folder `dashredact`."""


class _Unit(ConfigParser):
    """systemd's keys are spelled with capitals, and `%` is nothing special to us."""

    def __init__(self, path: Path) -> None:
        super().__init__(interpolation=None, delimiters="=", comment_prefixes="#")
        self.read_string(path.read_text())

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _calls(text: str) -> Iterator[list[str]]:
    """The words behind `dashredact` in every line that starts the program."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(re.sub(r"[<>|;&].*", "", line), comments=True) if "dashredact " in line else []
        before = dict(zip(range(len(words)), ["", *words], strict=False))
        starts = [place for place, word in enumerate(words) if word.rpartition("/")[2] == "dashredact"]
        starts = [place for place in starts if before[place] not in _NAMED_BY and words[place + 1 :]]
        if starts and not words[starts[-1] + 1].startswith("/"):  # that was a folder or a file of that name
            yield words[starts[-1] + 1 :]


def _fences(text: str) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def _unknown(words: list[str]) -> list[str]:
    """Options and commands among the words that the program does not have."""
    command: click.Command = cli.main
    options, unknown = _options(command), []
    for word in words:
        if word.startswith("-"):
            unknown += [] if word.partition("=")[0] in options else [word]
        elif isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            options |= _options(command)
    return unknown if command is not cli.main or unknown else words


def _options(command: click.Command) -> set[str]:
    """Those that its help shows."""
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"-h", "--help"}


def _all_options(command: click.Command) -> set[str]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return _options(command).union(*map(_all_options, inner))


_WRITTEN = {
    "cron": "\n".join(line for line in (_DEPLOY / "dashredact.cron").read_text().splitlines() if line[:1].isdigit()),
    **{path.name: _Unit(path)["Service"]["ExecStart"] for path in _UNITS},
    "operations.md": _fences(_DOC.read_text()),
}


@pytest.mark.parametrize("where", _WRITTEN)
def test_every_command_that_is_written_down_is_one(where: str) -> None:
    calls = list(_calls(_WRITTEN[where]))
    assert calls and {" ".join(words): _unknown(words) for words in calls if _unknown(words)} == {}


def test_a_command_that_is_none_would_be_found() -> None:
    assert [_unknown(words) for words in _calls("nice dashredact batch a --speed 3  # x\ndashredact fly")] == [
        ["--speed"],
        ["fly"],
    ]


def test_every_option_that_the_text_names_is_one() -> None:
    prose = re.sub(r"^```.*?^```", "", _DOC.read_text(), flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`(--[a-z][a-z-]*)(?=[`= ])", prose)) - {"--gpus"}
    assert len(named) > 10 and named - _all_options(cli.main) == set()


@pytest.mark.parametrize("name", ["dashredact.env", "dashredact.cron"])
def test_every_variable_is_an_option_of_batch(name: str) -> None:
    written = re.findall(r"^#?(DASHREDACT_[A-Z_]+)=(\S+)", (_DEPLOY / name).read_text(), re.MULTILINE)
    batch = cli.main.commands["batch"]
    context = click.Context(batch, info_name="batch", auto_envvar_prefix="DASHREDACT_BATCH")
    known = {f"DASHREDACT_BATCH_{(option.name or '').upper()}": option for option in batch.params}
    assert len(written) >= 2
    for variable, value in written:
        if variable != "DASHREDACT_AUDIT_KEY":
            given = "" if "/etc/" in value else value
            assert variable in known and (not given or known[variable].type.convert(given, known[variable], context))


@pytest.mark.parametrize("path", _UNITS, ids=lambda path: path.stem)
def test_a_unit_is_hardened(path: Path) -> None:
    service = _Unit(path)["Service"]
    assert {key: service[key] for key in _HARDENED} == _HARDENED
    assert int(service["Nice"]) > 0 and service["MemoryMax"] and int(service["TimeoutStopSec"]) > 10
    assert str(ExitCode.SIGNAL + 15) in service["SuccessExitStatus"].split()
    assert not {"0", "1", "2", "3", "4", "7", "8"} & set(service["SuccessExitStatus"].split())


def test_both_units_are_hardened_alike() -> None:
    once, always = ({*_Unit(path)["Service"].items()} for path in _UNITS)
    own = {"Type", "ExecStart", "SuccessExitStatus", "Restart", "RestartSec", "RestartPreventExitStatus"}
    assert {key for key, _ in once ^ always} == own


@pytest.mark.parametrize("path", _UNITS, ids=lambda path: path.stem)
def test_what_a_unit_writes_to_is_writable_there(path: Path) -> None:
    service = _Unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    folders = [words[words.index(name) + 1] for name in ("batch", "-o")]
    folders.append(str(Path(words[words.index("--health-file") + 1]).parent))
    assert sorted(service["ReadWritePaths"].split()) == sorted(folders)


def test_a_restart_is_not_tried_where_it_cannot_help() -> None:
    codes = {int(code) for code in _Unit(_UNITS[1])["Service"]["RestartPreventExitStatus"].split()}
    assert codes == {ExitCode.USAGE, ExitCode.LEDGER_BROKEN, ExitCode.REFUSED_BY_POLICY}


def test_the_timer_starts_the_service() -> None:
    timer = _Unit(_DEPLOY / "dashredact.timer")
    assert timer["Timer"]["OnCalendar"] and "Unit" not in timer["Timer"]  # so the service of its own name
    assert timer["Timer"]["Persistent"] == "true"


def test_cron_and_timer_do_the_same() -> None:
    line = re.sub(r".*? dashredact nice -n 10 ionice -c 3 ", "", _WRITTEN["cron"])
    assert line.replace("--log-file /var/log/dashredact/batch.log ", "") == _WRITTEN["dashredact.service"]
    assert "%" not in line


def test_the_exit_codes_in_the_text_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+)(\+N)? \|", _DOC.read_text(), re.MULTILINE)
    assert sorted(int(code) for code, _ in rows) == sorted(ExitCode)


def test_every_metric_in_the_text_is_in_the_health_file() -> None:
    known = {f"dashredact_{name}" for name in health._HELP}
    assert set(re.findall(r"\bdashredact_[a-z_]+\b", _DOC.read_text())) == known


def test_the_image_is_not_run_by_root_and_checks_hashes() -> None:
    lines = (_DEPLOY / "Dockerfile").read_text()
    last = lines.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*", last, re.MULTILINE) and "--require-hashes" in lines and "--no-index" in lines
    assert "://" not in lines and not re.search(r"^(ARG BASE=|FROM )\S*[./]\S*/", lines, re.MULTILINE)


def test_the_image_holds_what_is_copied_into_it() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (_DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    allowed = set(re.findall(r"^!(.+)$", (_DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert names == allowed and all((_PROJECT / name).exists() for name in names)
