"""The audit log as a hash chain: text in, text out.

A line is canonical JSON. `prev` is the sha256 of the whole line before it (64 zeros for the first), `sha256` that
of the line itself without this field. So any changed byte, and any line removed, added or moved, is detected. A
truncated end is not, nor a log that was rewritten from the start: heads detect the first (`audit.heads`), signatures
the second (`audit.signatures`).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

GENESIS = "0" * 64
SCHEMA = "dashredact/audit/2"
SCHEMAS = ("dashredact/audit/1", SCHEMA)
"""Versions that can be read; a chain may hold all of them."""

_OURS = ("schema", "seq", "prev", "sha256", "key", "signature")


class Fault(NamedTuple):
    line: int
    """counts from 1, in the whole log"""
    reason: str


class ChainEnd(NamedTuple):
    """Where the next line attaches."""

    seq: int
    sha256: str
    """of the whole last line"""


class Signer(NamedTuple):
    key: str
    """what the key is called in the log"""
    sign: Callable[[bytes], str]


START = ChainEnd(0, GENESIS)


def chain_line(record: Mapping[str, Any], tip: ChainEnd, signer: Signer | None = None) -> str:
    """The line, without its newline, that puts `record` behind `tip`."""
    own = {name: value for name, value in record.items() if name not in _OURS}
    chained = {**own, "schema": SCHEMA, "seq": tip.seq + 1, "prev": tip.sha256}
    if signer:
        chained["key"] = signer.key
        chained["signature"] = signer.sign(message(chained))
    return canonical({**chained, "sha256": digest(canonical(chained))})


def message(record: Mapping[str, Any]) -> bytes:
    """What a line's signature covers: the line without `signature` and `sha256`, by its hash."""
    signed = {name: value for name, value in record.items() if name not in ("signature", "sha256")}
    return f"{record.get('schema')} {digest(canonical(signed))}".encode()


def advance(line: str, tip: ChainEnd) -> ChainEnd:
    return ChainEnd(tip.seq + 1, digest(line))


def verify(lines: Iterable[str], tip: ChainEnd = START) -> Iterator[Fault]:
    """Every line that does not fit behind the one before it, the first behind `tip`, with the reason."""
    for line in lines:
        for reason in _faults(line, tip):
            yield Fault(tip.seq + 1, reason)
        tip = advance(line, tip)


def _faults(line: str, tip: ChainEnd) -> Iterator[str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        yield "is not JSON"
        return
    if not isinstance(record, dict) or canonical(record) != line:
        yield "is not written the way this tool writes lines"
        return
    if record.pop("sha256", None) != digest(canonical(record)):
        yield "was changed: its content does not match its own sha256"
    elif record.get("schema") not in SCHEMAS:
        yield "is of a version that this dashredact does not know; use a newer one"
    if record.get("seq") != tip.seq + 1:
        yield f"has number {record.get('seq')} where {tip.seq + 1} belongs: lines were removed, added or moved"
    if record.get("prev") != tip.sha256:
        yield "does not follow from the line before it: that line, or this one, was changed or moved"


def parse_line(line: str) -> dict[str, Any]:
    """What a line says; nothing where it is no JSON object."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def canonical(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """sha256 of a line, as the next line holds it in `prev`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
