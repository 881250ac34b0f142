"""Keys that sign the audit log: private ones stay private, and what is no such key is said to be none."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from dashredact.audit import signing
from dashredact.errors import MachineError, UsageError


@pytest.fixture
def key(tmp_path: Path) -> Path:
    signing.generate(tmp_path / "fleet.key")
    return tmp_path / "fleet.key"


def _pem(key: Ed25519PrivateKey | X25519PrivateKey, secret: bytes = b"") -> bytes:
    how = form.BestAvailableEncryption(secret) if secret else form.NoEncryption()
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, how)


def test_what_a_key_signs_its_public_half_accepts_and_nothing_else(key: Path) -> None:
    signer, trusted = signing.signer(key), signing.checkers([signing.public_path(key)])
    fits = trusted[signer.key]
    assert fits(b"message", signer.sign(b"message"))
    for message, signature in (
        (b"massage", signer.sign(b"message")),
        (b"message", ""),
        (b"message", "AAAA"),
        (b"m", "é"),
    ):
        assert not fits(message, signature)


def test_keys_are_their_owners_only_and_never_written_over(key: Path) -> None:
    both = (key, signing.public_path(key))
    assert [stat.S_IMODE(path.stat().st_mode) for path in both] == [0o600] * 2
    before = [path.read_bytes() for path in both]
    with pytest.raises(UsageError, match="exists already"):
        signing.generate(key)
    key.unlink()
    with pytest.raises(UsageError, match=r"fleet\.key\.pub exists already"):
        signing.generate(key)
    assert not key.exists() and signing.public_path(key).read_bytes() == before[1]


def test_a_key_goes_into_no_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        signing.generate(tmp_path / "none" / "fleet.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_private_key_that_others_may_use_is_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(MachineError, match="chmod"):
        signing.signer(key)


@pytest.mark.parametrize(
    "content",
    [b"", b"no key", _pem(X25519PrivateKey.generate()), _pem(Ed25519PrivateKey.generate(), b"secret")],
    ids=["empty", "words", "another kind", "with a passphrase"],
)
def test_what_is_no_private_key_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fleet.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MachineError, match="is not an Ed25519 private key"):
        signing.signer(path)
    with pytest.raises(MachineError, match="is not an Ed25519 public key"):
        signing.checkers([path])


def test_the_halves_are_not_taken_for_each_other(key: Path) -> None:
    with pytest.raises(MachineError, match="is not an Ed25519 private key"):
        signing.signer(signing.public_path(key))
    with pytest.raises(MachineError, match="is not an Ed25519 public key"):
        signing.checkers([key])


def test_the_key_comes_from_the_environment(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signing.configured() is None
    monkeypatch.setenv(signing.VARIABLE, str(key))
    signer = signing.configured()
    assert signer and signer.key == signing.signer(key).key
    monkeypatch.setenv(signing.VARIABLE, str(key.with_name("gone")))
    with pytest.raises(MachineError, match="cannot be read"):
        signing.configured()
