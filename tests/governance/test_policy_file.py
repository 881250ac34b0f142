"""The policy file on disk: read with its hash, begun without overwriting."""

import hashlib
import stat
from pathlib import Path

import pytest
from policies import SHORT, changed, toml

from dashredact.errors import PolicyError, UsageError
from dashredact.governance.policy import file as policy_file


def test_a_policy_comes_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(SHORT, "utf-8")
    assert policy_file.read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", [b"", b"a = [", b"\xff\xfe", toml(changed(("review_by",), "")).encode()])
def test_every_fault_names_the_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "方針.toml"
    path.write_bytes(content)
    with pytest.raises(PolicyError) as caught:
        policy_file.read(path)
    assert all(str(fault).startswith(str(path)) for fault in caught.value.args)
    assert str(caught.value) == " ".join(caught.value.args)


def test_a_file_that_cannot_be_read_is_a_wrong_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        policy_file.read(tmp_path / "missing.toml")


def test_a_zones_file_lies_beside_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(toml(changed(("cameras", 0, "zones"), "zones.toml")), "utf-8")
    with pytest.raises(PolicyError, match=r"cameras 1: zones: zones\.toml is not there"):
        policy_file.read(path)
    (tmp_path / "zones.toml").touch()
    assert policy_file.read(path).policy.cameras[0].zones == "zones.toml"


def test_a_policy_is_begun_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "policy.toml"
    policy_file.begin(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(PolicyError):
        policy_file.read(path)


@pytest.mark.parametrize("there", ["file", "dangling"])
def test_what_is_there_already_is_never_overwritten(there: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("mine") if there == "file" else path.symlink_to("nowhere")
    with pytest.raises(UsageError, match="exists already"):
        policy_file.begin(path)
    assert path.read_text() == "mine" if there == "file" else not path.exists()
