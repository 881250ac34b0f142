"""Fetches a model of the list. The only module of this tool that opens a network connection."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from dashredact.detect.external.registry import Entry
from dashredact.errors import MachineError

_CHUNK = 1 << 16
_PATIENCE = 30.0  # seconds without a byte

Opener = Callable[[str], Any]
"""Takes an address, gives what can be read from, as a context. OSError or HTTPException where that fails."""


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError("it points to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(address: str) -> Any:
    return urllib.request.build_opener(_OnlyHttps).open(address, timeout=_PATIENCE)


def fetch(entry: Entry, opener: Opener = _open) -> Path:
    """Put the file where the list says, 0600, if it is the one that the list describes; else MachineError."""
    if not entry.address.startswith("https://"):
        why = entry.note or f"see {entry.source}"
        raise MachineError(f"{entry.name} has to be fetched by hand ({why}); put it under {entry.path}.")
    try:
        entry.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = entry.path.with_name(f".{entry.sha256[:16]}.tmp")
        try:
            digest = _download(entry, beside, opener)
            if digest != entry.sha256:
                raise MachineError(
                    f"{entry.address} is not what the list describes (sha256 {digest}); nothing was kept."
                )
            beside.replace(entry.path)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise MachineError(f"{entry.name} cannot be fetched from {entry.address} ({reason}); try again.") from None
    return entry.path


def _download(entry: Entry, path: Path, opener: Opener) -> str:
    """Write what is there to the path; its sha256 comes back. No byte more is taken than the list states."""
    digest, taken = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file, opener(entry.address) as source:
        while chunk := source.read(min(_CHUNK, entry.bytes + 1 - taken)):
            taken += len(chunk)
            if taken > entry.bytes:
                raise MachineError(
                    f"{entry.address} is longer than the {entry.bytes} bytes of the list; nothing was kept."
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if taken < entry.bytes:
        raise MachineError(f"{entry.address} ended after {taken} of {entry.bytes} bytes; try again.")
    return digest.hexdigest()
