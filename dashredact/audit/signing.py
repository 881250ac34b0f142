"""Ed25519 keys that sign the audit log. The only module that knows cryptography, and it loads it late."""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashredact import files
from dashredact.audit.chain import Signer
from dashredact.audit.signatures import Checkers
from dashredact.errors import MachineError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VARIABLE = "DASHREDACT_AUDIT_KEY"
"""Names the private key's file. Whatever writes into a log signs with it, in this process and in its children."""


def generate(path: Path) -> str:
    """Write a private key to `path`, 0600, and its public one to `path.pub`; returns the key's name.

    UsageError where one of them exists: a key that signed is never written over.
    """
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    for target in (path, public_path(path)):
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target} exists already; choose another name, keys are never written over.")
    try:
        files.write(public_path(path), public)
        files.write(path, private)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); choose another folder.") from None
    return name_of(key.public_key())


def public_path(path: Path) -> Path:
    return path.with_name(path.name + ".pub")


def configured() -> Signer | None:
    """The signer that the environment names. MachineError where its key cannot be used: nothing is left unsigned."""
    named = os.environ.get(VARIABLE)
    return signer(Path(named)) if named else None


def signer(path: Path) -> Signer:
    """MachineError where the file is not a private key, or others may read it."""
    key = _private(path)
    return Signer(name_of(key.public_key()), partial(sign, key))


def sign(key: "Ed25519PrivateKey", message: bytes) -> str:
    return base64.b64encode(key.sign(message)).decode()


def _private(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key = _loaded(path, lambda content: load_pem_private_key(content, None))
    if not isinstance(key, Ed25519PrivateKey):
        raise MachineError(f"{path} is not an Ed25519 private key; make one with: dashredact audit keygen FILE")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise MachineError(f"The private key {path} can be used by others than its owner; chmod it to 600.")
    return key


def checkers(paths: Sequence[Path]) -> Checkers:
    """Of public keys, by name. MachineError where a file is not one."""
    keys = [_public(path) for path in paths]
    return {name_of(key): partial(fits, key) for key in keys}


def _public(path: Path) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    key = _loaded(path, load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise MachineError(f"{path} is not an Ed25519 public key; give the .pub file that audit keygen wrote.")
    return key


def _loaded(path: Path, load: Any) -> Any:
    """None where it is no key of any kind."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    try:
        return load(path.read_bytes())
    except OSError as error:
        raise MachineError(f"The key {path} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a passphrase
        return None


def name_of(key: "Ed25519PublicKey") -> str:
    """The first 16 hex digits of the sha256 of the raw public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def fits(key: "Ed25519PublicKey", message: bytes, signature: str) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
