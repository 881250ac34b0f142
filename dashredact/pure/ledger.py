"""The audit log as a hash chain: text in, text out.

A line is canonical JSON. `prev` is the sha256 of the whole line before it (64 zeros for the first), `sha256` that
of the line itself without this field. So any changed byte, and any line removed, added or moved, is found; a tail
cut off is not, because the log does not know how long it should be.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

GENESIS = "0" * 64
SCHEMA = "dashredact/audit/1"


class Fault(NamedTuple):
    line: int
    """counts from 1"""
    reason: str


class Tip(NamedTuple):
    """Where the next line attaches."""

    seq: int
    sha256: str
    """of the whole last line"""


START = Tip(0, GENESIS)


def seal(record: Mapping[str, Any], tip: Tip) -> str:
    """The line, without its newline, that puts `record` behind `tip`."""
    chained = {**record, "schema": SCHEMA, "seq": tip.seq + 1, "prev": tip.sha256}
    return _canonical({**chained, "sha256": digest(_canonical(chained))})


def advance(line: str, tip: Tip) -> Tip:
    return Tip(tip.seq + 1, digest(line))


def verify(lines: Iterable[str]) -> Iterator[Fault]:
    """Every line that does not fit, with the reason."""
    tip = START
    for number, line in enumerate(lines, 1):
        yield from (Fault(number, reason) for reason in _faults(line, tip))
        tip = Tip(number, digest(line))


def _faults(line: str, tip: Tip) -> Iterator[str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        yield "is not JSON"
        return
    if not isinstance(record, dict) or _canonical(record) != line:
        yield "is not written the way this tool writes lines"
        return
    if record.pop("sha256", None) != digest(_canonical(record)):
        yield "was changed: its content does not match its own sha256"
    if record.get("seq") != tip.seq + 1:
        yield f"has number {record.get('seq')} where {tip.seq + 1} belongs: lines were removed, added or moved"
    if record.get("prev") != tip.sha256:
        yield "does not follow from the line before it: that line, or this one, was changed or moved"


def _canonical(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """sha256 of a line, as the next line holds it in `prev`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
