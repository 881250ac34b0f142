"""Names of pages for names of sources: hostile text in, plain file names out, no two alike."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dashredact.audit.events import Event, SourceEvent, Tried

FOLDER = "report"
INDEX = "index.html"
_LONGEST = 200  # bytes; file systems take 255
_TROUBLE = '/\\:*?"<>|'


def pages_of(sources: Sequence[str]) -> dict[str, str]:
    """`trip.mp4`: `trip.html`, by source; folders become part of the name. Earlier names do not change with later ones.

    A name that is taken, too long, or has characters that a link or a shell trips over, carries a mark of its own.
    """
    pages: dict[str, str] = {}
    taken = {INDEX.partition(".")[0]}
    for source in sources:
        stem = _stem(source)
        plain = "".join(char if char.isprintable() and char not in _TROUBLE else "_" for char in stem)
        plain = plain.encode()[:_LONGEST].decode(errors="ignore")
        plain = f"_{plain}" if plain.startswith((".", "-")) else plain
        if plain != stem or plain.casefold() in taken:
            plain += "~" + hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        taken.add(plain.casefold())
        pages[source] = f"{plain}.html"
    return pages


def _stem(source: str) -> str:
    """Without the suffix, as the results are called."""
    dot = source.rfind(".")
    return source[:dot] if source.rfind("/") + 1 < dot < len(source) - 1 else source


def page_names(events: Iterable[Event]) -> dict[str, str]:
    """File name in the report of every source that was tried, in the order in which the log names them."""
    about = [event for event in events if isinstance(event, SourceEvent) and event.name]
    tried = {event.name for event in about if isinstance(event, Tried)}
    return pages_of([name for name in dict.fromkeys(event.name for event in about) if name in tried])


def page_paths(out: Path, pages: Mapping[str, str], names: Iterable[str]) -> list[Path]:
    """Those of these sources, and the batch page, which shows all and is soon written again; whether there or not.

    pages: see `page_names`.
    """
    return [out / FOLDER / page for page in (*(pages[name] for name in names if name in pages), INDEX)]
