"""Broken tools on PATH: a clear error each, and no child left behind."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import Library
from conftest import Mask

from dashredact.audit import log as audit_log
from dashredact.errors import MachineError, MediaError, UnreadableError
from dashredact.media import ffmpeg, header, probe, remux
from dashredact.pipeline.outcome import VideoStatus
from dashredact.settings import Keep

Fake = Callable[[str, str], Path]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """`fake("ffmpeg", "exit 3")` puts a shell script of that name before the real tool."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


def _ends(process: int) -> bool:
    """Whether the process is gone within a second."""
    for _ in range(50):
        stat = Path(f"/proc/{process}/stat")
        try:
            if stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_crashing_tool_is_quoted(fake: Fake) -> None:
    fake("ffmpeg", "echo one >&2; echo two >&2; echo out of luck >&2; exit 3")
    with pytest.raises(MediaError, match=r"^ffmpeg failed with code 3: one / two / out of luck$"):
        ffmpeg.run(["ffmpeg"], timeout=10)


def test_tool_killed_by_a_signal_is_an_error(fake: Fake) -> None:
    fake("ffmpeg", "kill -SEGV $$")
    with pytest.raises(MediaError, match="failed with code -11: no message"):
        ffmpeg.run(["ffmpeg"], timeout=10)


def test_endless_complaint_is_cut(fake: Fake) -> None:
    fake("ffmpeg", "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1")
    with pytest.raises(MediaError) as caught:
        ffmpeg.run(["ffmpeg"], timeout=20)
    assert len(str(caught.value)) < 500


def test_hanging_tool_is_stopped(fake: Fake, tmp_path: Path) -> None:
    fake("ffmpeg", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    began = time.monotonic()
    with pytest.raises(MediaError, match="did not finish within 1 s"):
        ffmpeg.run(["ffmpeg"], timeout=1)
    assert time.monotonic() - began < 10
    assert _ends(int((tmp_path / "pid").read_text()))


def test_tool_that_waits_for_input_gets_none(fake: Fake) -> None:
    fake("ffmpeg", "read line && exit 1; echo nothing to read")
    assert ffmpeg.run(["ffmpeg"], timeout=10) == "nothing to read\n"


def test_missing_tool_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="ffprobe is not installed"):
        ffmpeg.run(["ffprobe"], timeout=10)


@pytest.mark.parametrize("name", ["-y.mp4", "concat:a.mp4", "http:x.mp4", "a%03d.mp4", "pipe:"])
def test_path_is_never_an_option_or_another_protocol(name: str) -> None:
    assert ffmpeg.local(Path("/videos") / name) == f"file:/videos/{name}"
    assert ffmpeg.local(Path(name)).startswith("file:/")


_UNEXPECTED = [f"echo '{answer}'" for answer in ("{}", "[]", "null")]


@pytest.mark.parametrize("script", ["exit 1", "echo rubbish", "kill -SEGV $$", *_UNEXPECTED])
def test_broken_ffprobe_makes_the_file_unreadable(fake: Fake, clip: Library, script: str) -> None:
    source = clip("30.mp4")
    fake("ffprobe", script)
    with pytest.raises(UnreadableError, match=r"30\.mp4"):
        probe.probe(source)


def test_hanging_ffprobe_is_told(fake: Fake, clip: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = clip("30.mp4")
    monkeypatch.setattr(header, "_PROBE_SECONDS", 1)
    fake("ffprobe", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(UnreadableError, match="did not finish within 1 s"):
        probe.probe(source)
    assert _ends(int((tmp_path / "pid").read_text()))


BROKEN = {"crashes": "echo no space left >&2; exit 1", "does nothing": "exit 0", "is killed": "kill -KILL $$"}


def _but_for_its_version(script: str) -> str:
    return f'case $2 in -version) exec {ffmpeg.require("ffmpeg")} "$@";; esac\n{script}'


@pytest.mark.parametrize("name", BROKEN)
def test_broken_ffmpeg_fails_the_video_and_publishes_nothing(
    fake: Fake, clip: Library, mask: Mask, tmp_path: Path, name: str
) -> None:
    source = clip("pcm.avi")
    fake("ffmpeg", _but_for_its_version(BROKEN[name]))
    outcome = mask(source, audio=Keep.KEEP)
    assert outcome.status is VideoStatus.FAILED
    assert "\n" not in outcome.reason
    left = sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith("."))
    assert left == sorted([audit_log.NAME, audit_log.HEAD])


def test_ffmpeg_that_writes_rubbish_fails_the_video(fake: Fake, clip: Library, mask: Mask, tmp_path: Path) -> None:
    """It says that all is well and leaves a text where the audio should be."""
    source = clip("pcm.avi")
    rubbish = 'for word in "$@"; do case $word in file:*/audio-*) echo rubbish > "${word#file:}";; esac; done'
    fake("ffmpeg", _but_for_its_version(rubbish))
    outcome = mask(source, audio=Keep.KEEP)
    assert outcome.status is VideoStatus.FAILED
    assert not list((tmp_path / "out").glob("*.masked.*"))


def test_hanging_ffmpeg_fails_the_video(
    fake: Fake, clip: Library, mask: Mask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = clip("pcm.avi")
    ffmpeg.ffmpeg_version()
    fake("ffmpeg", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    monkeypatch.setattr(remux, "run", lambda argv, timeout: ffmpeg.run(argv, timeout=min(timeout, 1)))
    outcome = mask(source, audio=Keep.KEEP)
    assert outcome.status is VideoStatus.FAILED
    assert "did not finish within" in outcome.reason
    assert _ends(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("ffmpeg version 5.1.9-0+deb12u1 Copyright", (5, 1)),
        ("ffmpeg version n7.0 Copyright", (7, 0)),
        ("ffmpeg version N-112-gabc", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_version_is_read(fake: Fake, words: str, version: tuple[int, int]) -> None:
    fake("ffmpeg", f"echo '{words}'")
    ffmpeg.ffmpeg_version.cache_clear()
    try:
        assert ffmpeg.ffmpeg_version() == version
    finally:
        ffmpeg.ffmpeg_version.cache_clear()
