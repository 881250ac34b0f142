"""Where a run that nobody watches says what it does: a log file that is rotated, and lines that journald can sort."""

import logging
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from dashredact.errors import MachineError

_BYTES, _KEPT = 10 << 20, 5
_PRIORITIES: Mapping[int, int] = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}
RUN = logging.getLogger("dashredact.run")


class _Journal(logging.Formatter):
    """`<4>...`: journald reads the priority, and has the time and the unit's name of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{_PRIORITIES.get(record.levelno, 6)}>{super().format(record)}"


class _PrivateFile(RotatingFileHandler):
    """A log names videos, so it is for its owner's eyes only."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        Path(self.baseFilename).chmod(0o600)
        return stream


def in_journal(stream: IO[str]) -> bool:
    """Whether journald reads the stream. The variable alone does not say so: children with other streams inherit it."""
    try:
        now = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{now.st_dev}:{now.st_ino}"


def begin(file: Path | None) -> None:
    """Lines go to stderr, as journald wants them where it listens, and to the file."""
    RUN.setLevel(logging.INFO)
    RUN.propagate = False
    for handler in list(RUN.handlers):
        RUN.removeHandler(handler)
        handler.close()
    screen = logging.StreamHandler()
    heard = in_journal(sys.stderr)
    screen.setFormatter(_Journal("%(message)s") if heard else logging.Formatter("%(message)s"))
    screen.setLevel(logging.INFO if heard else logging.WARNING)
    RUN.addHandler(screen)
    if file:
        try:
            handler = _PrivateFile(file, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
        except OSError as error:
            raise MachineError(f"The log file {file} cannot be written ({error.strerror}).") from None
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        RUN.addHandler(handler)


def to_file(message: str) -> None:
    """An error that ends the run: whoever ends the program says it on the screen."""
    for handler in RUN.handlers:
        if isinstance(handler, _PrivateFile):
            handler.handle(RUN.makeRecord(RUN.name, logging.ERROR, __file__, 0, message, (), None))
