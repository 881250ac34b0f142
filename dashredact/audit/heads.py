"""How long a log should be: a small file beside it names its last line, so that a truncated end is detected.

Line first, head second: a crash between the two leaves a head that is one line behind, and whoever appends next brings
it up to date before adding a line. So a log is never shorter than its head, and at most one of our lines longer.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dashredact.audit import chain
from dashredact.audit.chain import ChainEnd, Fault, Signer

SCHEMA = "dashredact/audit-head/1"


class Head(NamedTuple):
    seq: int = 0
    """number of the line it names; 0: of none"""
    sha256: str = chain.GENESIS
    """of that whole line"""
    bytes: int = 0
    """length of the log up to the end of that line, with its newline"""
    key: str = ""
    signature: str = ""

    @property
    def tip(self) -> ChainEnd:
        return ChainEnd(self.seq, self.sha256)


EMPTY_HEAD = Head()
"""Of a log without lines."""


def head_of(lines: Sequence[str], start: Head, signer: Signer | None = None) -> Head:
    """Names the last line. start: names the one before the first."""
    last = chain.digest(lines[-1]) if lines else start.sha256
    head = Head(start.seq + len(lines), last, start.bytes + size(lines), signer.key if signer else "")
    return head._replace(signature=signer.sign(message(head))) if signer else head


def size(lines: Sequence[str]) -> int:
    """Bytes that the lines take, newlines included."""
    return sum(len(line.encode("utf-8", "surrogatepass")) + 1 for line in lines)


def encode(head: Head) -> str:
    return chain.canonical({"schema": SCHEMA, **{name: value for name, value in head._asdict().items() if value != ""}})


def decode(text: str) -> Head:
    """ValueError if it is no head, or not written exactly as `encode` writes it."""
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.pop("schema", None) != SCHEMA or not fields.keys() <= set(Head._fields):
        raise ValueError("is no head file of an audit log")
    head = Head(**fields)
    typed = all(isinstance(value, type(usual)) for value, usual in zip(head, EMPTY_HEAD, strict=True))
    if not typed or min(head.seq, head.bytes) < 0 or encode(head) != text:
        raise ValueError("was changed: it is not as this tool writes it")
    return head


def message(head: Head) -> bytes:
    """What a head's signature covers."""
    return encode(head._replace(signature="")).encode()


def faults(head: Head, lines: Sequence[str], start: Head = EMPTY_HEAD) -> Iterator[Fault]:
    """Where the log is not the one that `head` was written for. Lines that are not at hand are not judged."""
    count, end = head.seq - start.seq, start.seq + len(lines)
    if count > len(lines):
        yield Fault(end + 1, f"is missing: the log ends at {end} and its head names {head.seq}; the tail was cut off")
    elif count >= 0:
        named = head_of(lines[:count], start)
        if named.sha256 != head.sha256:
            yield Fault(head.seq, "is not the one that the head names: the log was written anew up to here")
        elif named.bytes != head.bytes:
            yield Fault(head.seq, f"ends at byte {named.bytes} where the head says {head.bytes}")


def behind(head: Head, lines: Sequence[str], start: Head = EMPTY_HEAD) -> Sequence[str]:
    """Lines that came after the head."""
    return lines[max(0, head.seq - start.seq) :]


def stale(head: Head, lines: Sequence[str], start: Head = EMPTY_HEAD) -> Iterator[Fault]:
    """A crash leaves one line without a head. More than one: an old head was put back, perhaps to hide a cut.

    Lines of version 1 were written by releases that knew no head; there may be any number of those.
    """
    unsealed = [line for line in behind(head, lines, start) if chain.parse_line(line).get("schema") != chain.SCHEMAS[0]]
    if len(unsealed) > 1:
        yield Fault(head.seq + 1, f"is the first of {len(unsealed)} that the head does not know: it is an older head")


def missing(lines: Sequence[str]) -> Iterator[Fault]:
    """A head is written before the first line of version 2, so beside such a line there is one."""
    new = next((n for n, line in enumerate(lines, 1) if chain.parse_line(line).get("schema") == chain.SCHEMA), None)
    if new:
        yield Fault(new, "was written with a head file beside the log, which is gone: the tail may be cut off")
