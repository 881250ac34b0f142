"""Masked videos are called masked: the names of legal categories are in no help, no documentation, nothing written."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from clips import Library
from conftest import Mask
from policies import FULL, toml

from dashredact import cli
from dashredact.governance.policy.model import RESERVED

_PROJECT = Path(__file__).resolve().parents[2]
_BANNED = re.compile(r"anonymi[sz]|匿名化|匿名加工|仮名加工", re.IGNORECASE)
_DOCS = [
    *_PROJECT.glob("*.md"),
    *_PROJECT.glob("docs/**/*"),
    *_PROJECT.glob("weights/**/*.md"),
    *_PROJECT.glob("samples/*.md"),
]
_TEMPLATES = _PROJECT.glob("dashredact/**/*.j2")


def _commands(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _commands(inner, *names, name)


def _call(*words: str | Path) -> str:
    return CliRunner().invoke(cli.main, [str(word) for word in words]).output


def _of(content: bytes) -> list[str]:
    return _BANNED.findall(content.decode("utf-8", "ignore"))


def test_the_words_would_be_found() -> None:
    assert len(_of("Anonymised, ANONYMIZED; 匿名加工情報".encode())) == 3


@pytest.mark.parametrize("names", list(_commands(cli.main)), ids=" ".join)
def test_no_help_says_it(names: tuple[str, ...]) -> None:
    text = _call(*names, "--help")
    assert "Usage:" in text and _of(text.encode()) == []


@pytest.mark.parametrize("path", [path for path in [*_DOCS, *_TEMPLATES] if path.is_file()], ids=lambda path: path.name)
def test_no_documentation_and_no_template_says_it(path: Path) -> None:
    assert _of(path.read_bytes()) == []


def _literals(path: Path) -> Iterator[str]:
    """All texts in a module, but for the pattern by which a policy that holds the words is refused."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != RESERVED.pattern:
            yield node.value


def test_no_message_says_it() -> None:
    sources = list(_PROJECT.glob("dashredact/**/*.py"))
    assert len(sources) > 50
    assert [path.name for path in sources if any(map(_BANNED.search, _literals(path)))] == []


def test_nothing_that_is_written_or_printed_about_a_policy_says_it(tmp_path: Path) -> None:
    path, blank = tmp_path / "policy.toml", tmp_path / "blank.toml"
    path.write_text(toml(FULL), "utf-8")
    printed = _call("policy", "init", blank) + _call("policy", "check", blank) + _call("policy", "show", path)
    printed += _call("notice", "--policy", path, "-o", tmp_path / "notice")
    printed += _call("check", "--policy", path, "-o", tmp_path / "check.html")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 7 and len(printed) > 4000
    assert [file.name for file in files if _of(file.read_bytes())] == [] and _of(printed.encode()) == []


def test_nothing_that_is_written_about_a_video_says_it(mask: Mask, clip: Library, tmp_path: Path) -> None:
    mask(clip("sound.mp4"), audio="keep")
    texts = [file for file in (tmp_path / "out").rglob("*.json*") if file.is_file()]
    assert len(texts) >= 2
    assert [file.name for file in texts if _of(file.read_bytes())] == []
