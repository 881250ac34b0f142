"""When, by whom and with what something was done: what every line of the audit log says."""

import getpass
import os
import platform
from datetime import UTC, datetime
from typing import Any

from msgspec import to_builtins

from dashredact import __version__
from dashredact.audit.events import Actor, Tool


def fields() -> dict[str, Any]:
    """`provenance` as the fields of an event."""
    return {"time": _now(), "tool": Tool(version=__version__), "by": actor()}


def actor() -> Actor:
    """The account and the machine."""
    return Actor(user=_user(), host=platform.node())


def provenance() -> dict[str, Any]:
    """`time` in UTC to the second, `tool`, and `by`: account and machine."""
    record: dict[str, Any] = to_builtins(fields())
    return record


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
