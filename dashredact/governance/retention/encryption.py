"""Files encrypted for one public key, in the age format. This tool never sees the key that opens them."""

from pathlib import Path
from typing import Any

from dashredact.errors import MediaError, UsageError

_VERSION, _STANZA, _END = b"age-encryption.org/v1\n", b"-> X25519 ", b"--- "
_LONGEST_HEADER = 4096
_NONCE, _TAG, _CHUNK = 16, 16, 65536  # bytes of the format's payload


def recipient_of(text: str) -> Any:
    """UsageError where the text is not a public key of age."""
    import pyrage  # noqa: PLC0415 - nothing else needs it

    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise UsageError(
            f"{text!r} is not an age recipient; give the public key that age-keygen prints, age1..."
        ) from None


def encrypt(source: Path, target: Path, recipient: Any) -> None:
    """Write the encrypted file, 0600. MediaError where what was written has the wrong length."""
    import pyrage  # noqa: PLC0415 - nothing else needs it

    target.unlink(missing_ok=True)
    target.touch(0o600)
    with source.open("rb") as plain, target.open("wb") as file:
        pyrage.encrypt_io(plain, file, [recipient])
    check(target, source.stat().st_size)


def check(path: Path, plain: int) -> None:
    """MediaError unless it has the header of the format and the length for that many bytes. Only the key shows more."""
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    lines = head.split(b"\n")
    ends = [number for number, line in enumerate(lines) if line.startswith(_END)]
    if not head.startswith(_VERSION) or not lines[1].startswith(_STANZA) or not ends or ends[0] + 1 == len(lines):
        raise MediaError(f"{path.name}: has no header of the age format; try again.")
    header = sum(len(line) + 1 for line in lines[: ends[0] + 1])
    chunks = max(-(-plain // _CHUNK), 1)
    if path.stat().st_size != header + _NONCE + plain + chunks * _TAG:
        raise MediaError(f"{path.name}: has the wrong length; try again.")
