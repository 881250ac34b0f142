"""The list of models, and the one command that opens a connection: nothing wrong is ever kept."""

import hashlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import models_made as made
import numpy as np
import pytest
from click.testing import CliRunner, Result

from dashredact import cli
from dashredact.detect.external import fetch, registry
from dashredact.detect.external.model_spec import parse_model_spec
from dashredact.detect.external.onnx_detector import OnnxDetector
from dashredact.errors import MachineError, UsageError
from dashredact.kinds import Kind

CONTENT = made.v8(np.zeros((0, 5))).SerializeToString()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder."""
    path = tmp_path / "models"
    monkeypatch.setenv("DASHREDACT_MODELS", str(path))
    return path


def describe(folder: Path, **changed: Any) -> None:
    """A models.json of one plate model."""
    entry = {"name": "own", "file": "own.onnx", "finds": ["plate"], "sha256": SHA256, "bytes": len(CONTENT)}
    entry |= {"address": "https://models.example/own.onnx", "thresholds": {"plate": 0.6}, "long_side": 960}
    folder.mkdir(exist_ok=True)
    (folder / "models.json").write_text(json.dumps({"schema": 1, "models": [entry | changed]}))


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


class _Answer(BaseHTTPRequestHandler):
    content = CONTENT

    def do_GET(self) -> None:
        self.send_response(302 if "moved" in self.path else 200)
        if "moved" in self.path:
            self.send_header("Location", "http://127.0.0.1:1/own.onnx")
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Answer) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def get(server: HTTPServer, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(_Answer, "content", content)
    address = f"http://127.0.0.1:{server.server_port}/own.onnx"
    return fetch.fetch(registry.read()["own"], lambda _: urllib.request.urlopen(address, timeout=5))


def test_a_model_is_fetched(server: HTTPServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(folder)
    path = get(server, CONTENT, monkeypatch)
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in folder.iterdir()) == ["models.json", "own.onnx"]


def test_the_folder_is_private(server: HTTPServer, folder: Path) -> None:
    describe(folder)
    entry = registry.read()["own"]
    (folder / "models.json").unlink()
    folder.rmdir()
    address = f"http://127.0.0.1:{server.server_port}/own.onnx"
    fetch.fetch(entry, lambda _: urllib.request.urlopen(address, timeout=5))
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (CONTENT[:-1] + b"?", "is not the file that the list describes"),
        (CONTENT[:99], "ended after 99 of"),
        (b"", "ended after 0 of"),
    ],
    ids=["changed", "cut off", "empty"],
)
def test_a_wrong_file_leaves_nothing(
    content: bytes, wrong: str, server: HTTPServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(folder)
    with pytest.raises(MachineError, match=wrong):
        get(server, content, monkeypatch)
    assert [file.name for file in folder.iterdir()] == ["models.json"]


def test_a_file_that_is_too_long_leaves_nothing(
    server: HTTPServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(folder, bytes=len(CONTENT) - 1)
    with pytest.raises(MachineError, match="is longer than"):
        get(server, CONTENT, monkeypatch)
    assert [file.name for file in folder.iterdir()] == ["models.json"]


def test_a_server_that_is_not_there_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(folder)
    monkeypatch.setattr(fetch, "_open", lambda _: urllib.request.urlopen("http://127.0.0.1:1/", timeout=5))
    with pytest.raises(MachineError, match=r"cannot be downloaded from https://models\.example"):
        fetch.fetch(registry.read()["own"], fetch._open)


def test_a_redirect_away_from_https_is_not_followed(server: HTTPServer) -> None:
    opener = urllib.request.build_opener(fetch._OnlyHttps)
    with pytest.raises(OSError, match="not https"):
        opener.open(f"http://127.0.0.1:{server.server_port}/moved", timeout=5)


def test_a_model_without_an_address_is_fetched_by_hand(folder: Path) -> None:
    describe(folder, address="", note="ask its maker")
    done = call("models", "get", "own")
    assert done.exit_code == 4
    assert "ask its maker" in done.stderr and str(folder / "own.onnx") in done.stderr


def test_models_are_listed(folder: Path) -> None:
    describe(folder)
    (folder / "own.onnx").write_bytes(CONTENT)
    lines = call("models").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["dashnet-s", "yunet-n", "centerface", "own"]
    assert [" not here " in line for line in lines] == [False, True, True, False]
    told = [json.loads(line) for line in call("models", "list", "--json").stdout.splitlines()]
    present = {one["name"]: one["present"] for one in told}
    assert present == {"dashnet-s": True, "yunet-n": False, "centerface": False, "own": True}


def test_models_are_verified(folder: Path) -> None:
    describe(folder)
    assert call("models", "verify").stdout == "dashnet-s: as the list says\n"
    done = call("models", "verify", "own")
    assert (done.exit_code, done.stdout) == (4, "own: is missing\n")
    assert "own.onnx is missing; `dashredact models get own` fetches it." in done.stderr
    (folder / "own.onnx").write_bytes(CONTENT)
    assert call("models", "verify").exit_code == 0
    (folder / "own.onnx").write_bytes(CONTENT + b"?")
    done = call("models", "verify")
    assert done.exit_code == 4
    assert "own: is not what the list says" in done.stdout and str(folder) in done.stderr
    assert call("models", "verify", "other").exit_code == 2


def test_a_model_of_the_list_is_chosen_by_its_name(folder: Path) -> None:
    describe(folder)
    with pytest.raises(MachineError, match="dashredact models get own"):
        parse_model_spec("own", False)
    (folder / "own.onnx").write_bytes(CONTENT)
    chosen = parse_model_spec("own", False)
    assert (chosen.kinds, chosen.long_side, chosen.thresholds[Kind.PLATE]) == ({Kind.PLATE}, 960, 0.6)
    (folder / "own.onnx").write_bytes(CONTENT + b"?")
    with pytest.raises(MachineError, match="is not the file that the list"):
        parse_model_spec("own", False)
    with pytest.raises(UsageError, match="yunet-n, centerface, own"):
        parse_model_spec("nothing", False)


def test_a_form_that_the_file_leaves_open_can_be_stated(folder: Path) -> None:
    rows = made.filled(np.array([[20, 15, 40, 25, 0.8, 0]]), 300)
    model = made.answering({"output0": rows[None]}, shapes={"output0": ("n", "found", 6)}).SerializeToString()
    told = {"sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model)}
    describe(folder, **told)
    (folder / "own.onnx").write_bytes(model)
    with pytest.raises(MachineError, match=r"state its format in models\.json"):
        parse_model_spec("own", False)
    picture = np.zeros((64, 96, 3), np.uint8)
    describe(folder, **told, form="yolo-v10-end-to-end")
    (found,) = OnnxDetector(parse_model_spec("own", False), "cpu")([picture])
    assert found.boxes.tolist() == [[20, 15, 40, 25]]
    for form in ("yolo-v8", "yolo-v9-end-to-end", "centerface", "yunet"):
        describe(folder, **told, form=form, finds=["face"])
        with pytest.raises(MachineError, match="invalid for its format"):
            OnnxDetector(parse_model_spec("own", False), "cpu")([picture])


@pytest.mark.parametrize(
    "changed",
    [
        {"file": "../own.onnx"},
        {"file": "/etc/passwd"},
        {"file": ".."},
        {"sha256": "abc"},
        {"address": "http://models.example/own.onnx"},
        {"address": "file:///etc/passwd"},
        {"finds": ["hand"]},
        {"finds": ["zone"]},
        {"form": "origami"},
        {"bytes": None},
    ],
    ids=str,
)
def test_a_list_that_is_none_is_refused(changed: dict[str, Any], folder: Path) -> None:
    describe(folder, **changed)
    done = call("models")
    assert done.exit_code == 4
    assert "models.json" in done.stderr and done.stderr.count("\n") == 1


def test_where_models_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    assert registry.folder().name == "models"
    monkeypatch.delenv("DASHREDACT_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert registry.folder() == Path("/data/dashredact/models")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setenv("HOME", "/home/someone")
    assert registry.folder() == Path("/home/someone/.local/share/dashredact/models")
