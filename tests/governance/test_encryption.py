"""Files in the age format: what the key opens is what went in, and a spoilt one is noticed."""

from pathlib import Path

import pyrage
import pytest

from dashredact.errors import MediaError, UsageError
from dashredact.governance.retention import encryption

_KEY = pyrage.x25519.Identity.generate()
_RECIPIENT = encryption.recipient_of(str(_KEY.to_public()))


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 3 * 65536, 200_000])
def test_any_length_comes_back_and_passes_the_check(tmp_path: Path, size: int) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    encryption.encrypt(plain, sealed, _RECIPIENT)
    assert pyrage.decrypt(sealed.read_bytes(), [_KEY]) == plain.read_bytes()
    assert sealed.stat().st_mode & 0o777 == 0o600
    encryption.check(sealed, size)


@pytest.mark.parametrize(
    "spoil", [lambda c: c[:-1], lambda c: c + b"x", lambda c: b"x" + c, lambda c: b"", lambda c: c[:40]]
)
def test_what_is_cut_off_longer_or_no_age_file_does_not(tmp_path: Path, spoil: object) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(b"x" * 1000)
    encryption.encrypt(plain, sealed, _RECIPIENT)
    sealed.write_bytes(spoil(sealed.read_bytes()))  # type: ignore[operator]
    with pytest.raises(MediaError):
        encryption.check(sealed, 1000)


@pytest.mark.parametrize(
    "text",
    ["", "age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA", pytest.param(str(_KEY.to_public())[:-1], id="cut off")],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        encryption.recipient_of(text)
