"""Pages of the report, where they lie: they show masked pictures, and go when what they show goes."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from dashredact.pure.paths import INDEX

FOLDER = "report"


def of(out: Path, pages: Mapping[str, str], names: Iterable[str]) -> list[Path]:
    """Those of the sources of such names, and the first page, which tells of all and is soon made again; there or not.

    pages: see `clips.pages`.
    """
    return [out / FOLDER / page for page in (*(pages[name] for name in names if name in pages), INDEX)]
