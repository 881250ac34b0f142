"""When, by whom and with what something was done: what every line of the audit log says."""

import getpass
import os
import platform
from datetime import UTC, datetime
from typing import Any

from dashredact import __version__
from dashredact.audit.events import Actor, Tool


def fields() -> dict[str, Any]:
    """`provenance` as the fields of an event."""
    record = provenance()
    return {"time": record["time"], "tool": Tool(**record["tool"]), "by": Actor(**record["by"])}


def provenance() -> dict[str, Any]:
    """`time` in UTC to the second, `tool`, and `by`: account and machine."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "tool": {"name": "dashredact", "version": __version__},
        "by": {"user": _user(), "host": platform.node()},
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
