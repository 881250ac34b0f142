"""Whether lines and heads were signed with a key that the reader trusts. How to sign is `audit.signing`."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from dashredact.audit import chain, heads
from dashredact.audit.chain import Fault
from dashredact.audit.heads import Head

Checkers = Mapping[str, Callable[[bytes, str], bool]]
"""By the key's name: whether a signature is that key's over the message."""


def faults(lines: Sequence[str], trusted: Checkers, first: int = 1) -> Iterator[Fault]:
    """Lines that are not signed as they should be. first: number of the first line.

    Signing may begin in the middle: the first signed line holds all before it by their hashes. It may not end.
    """
    begun = False
    for number, line in enumerate(lines, first):
        record = chain.parse_line(line)
        if "signature" in record:
            begun = True
            reason = _doubt(str(record.get("key")), chain.message(record), str(record["signature"]), trusted)
        else:
            reason = (
                "is not signed, and lines before it are: it was forged, or written without the key" if begun else ""
            )
        if reason:
            yield Fault(number, reason)
    if not begun:
        yield Fault(first, "is not signed, nor is any other: the log may be another one")


def head_faults(head: Head, trusted: Checkers) -> Iterator[Fault]:
    """A head is signed before the first signed line is written, so it is signed beside every signed log."""
    doubt = _doubt(head.key, heads.message(head), head.signature, trusted) if head.signature else "is not signed"
    if doubt:
        yield Fault(head.seq, f"is named by a head that {doubt}")


def unsigned(lines: Sequence[str]) -> int:
    """How many lines there are before the first signed one."""
    return next((n for n, line in enumerate(lines) if "signature" in chain.parse_line(line)), len(lines))


def _doubt(key: str, message: bytes, signature: str, trusted: Checkers) -> str:
    if key not in trusted:
        return f"is signed with the key {key}, which is not among those given"
    return "" if trusted[key](message, signature) else "has a signature that does not fit: it was forged or changed"
