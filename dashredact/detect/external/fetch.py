"""Downloads a model of the list. The only module of this tool that opens a network connection."""

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
_TIMEOUT = 30.0  # seconds without a byte

Opener = Callable[[str], Any]
"""Opens an address as a context manager with a `read` method. OSError or HTTPException on failure."""


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError("it redirects to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(address: str) -> Any:
    return urllib.request.build_opener(_OnlyHttps).open(address, timeout=_TIMEOUT)


def fetch(entry: Entry, opener: Opener = _open) -> Path:
    """Download a model to its path, mode 0600. MachineError, and no file, if it is not what the list describes."""
    if not entry.address.startswith("https://"):
        why = entry.note or f"see {entry.source}"
        raise MachineError(f"{entry.name} must be downloaded by hand ({why}); save it as {entry.path}.")
    try:
        entry.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = entry.path.with_name(f".{entry.sha256[:16]}.tmp")
        try:
            digest = _download(entry, temporary, opener)
            if digest != entry.sha256:
                raise MachineError(
                    f"{entry.address} is not the file that the list describes (sha256 {digest}); nothing was saved."
                )
            temporary.replace(entry.path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise MachineError(f"{entry.name} cannot be downloaded from {entry.address} ({reason}); try again.") from None
    return entry.path


def _download(entry: Entry, path: Path, opener: Opener) -> str:
    """Write the content to the path and return its sha256. Reads at most one byte more than the list states."""
    digest, received = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file, opener(entry.address) as source:
        while chunk := source.read(min(_CHUNK, entry.bytes + 1 - received)):
            received += len(chunk)
            if received > entry.bytes:
                raise MachineError(
                    f"{entry.address} is longer than the {entry.bytes} bytes in the list; nothing was saved."
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if received < entry.bytes:
        raise MachineError(f"{entry.address} ended after {received} of {entry.bytes} bytes; try again.")
    return digest.hexdigest()
