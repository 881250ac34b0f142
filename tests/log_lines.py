"""Lines of an audit log, for tests that only read them."""

from typing import Any

from dashredact.audit.clips import Clip, Clips
from dashredact.audit.events import Event, parse

SOURCE = {"name": "a.mp4", "sha256": "c" * 64}


def file(version: int, name: str = "a.masked.mp4") -> dict[str, Any]:
    return {"name": name, "sha256": f"{version:064}"}


def made(version: int, act: str = "masked", **more: Any) -> dict[str, Any]:
    settings = {"link": {"thresholds": {"face": 0.5}}}
    return {"act": act, "source": SOURCE, "output": file(version), "by": {"user": "m"}, "settings": settings, **more}


def duplicate(version: int, name: str = "b.mp4", **more: Any) -> dict[str, Any]:
    return made(version, "duplicate", source={**SOURCE, "name": name}, **more)


def failed(act: str = "failed", **more: Any) -> dict[str, Any]:
    return {"act": act, "source": SOURCE, "output": None, **more}


def corrected(version: int, before: int, marks: tuple[int, ...] = (), lifts: tuple[int, ...] = ()) -> dict[str, Any]:
    line = {"act": "corrected", "source": SOURCE, "output": file(version), "replaces": f"{before:064}"}
    return {**line, "by": {"user": "c", "name": "Corrector"}, "corrections": {"marks": marks, "lifts": lifts}}


def mark(number: int, **more: Any) -> dict[str, Any]:
    row = {"id": number, "kind": "face", "first": 2, "end": 6, "keys": [[2, 10, 10, 20, 20]], "how": "still"}
    return {"act": "marked", "source": SOURCE, "mark": {**row, **more}}


def unmask(number: int) -> dict[str, Any]:
    return {"act": "lifted", "source": SOURCE, "lift": {"id": number, "kind": "face", "first": 2, "end": 6}}


def undo(number: int) -> dict[str, Any]:
    return {"act": "undone", "source": SOURCE, "undo": {"track": number}}


def reviewed(version: int, verdict: str = "approved", **more: Any) -> dict[str, Any]:
    line = {"act": "reviewed", "source": SOURCE, "output": file(version), "verdict": verdict, "by": {"user": "r"}}
    return {**line, **more}


def exported(version: int, to: str = "R") -> dict[str, Any]:
    return {"act": "exported", "source": SOURCE, "output": file(version), "recipient": to}


PURGED = {"act": "purged", "files": [{"name": "a.masked.mp4"}], "reason": "over"}
SOURCE_PURGED = {"act": "purged", "source": SOURCE, "rule": {"name": "retention.captured"}}


def events(*lines: dict[str, Any]) -> list[Event]:
    """As they would be read from a log that holds these lines."""
    return [parse({**line, "seq": number}) for number, line in enumerate(lines, 1)]


def clips(*lines: dict[str, Any]) -> Clips:
    return Clips.read(events(*lines))


def clip(*lines: dict[str, Any], name: str = "a.mp4") -> Clip:
    return clips(*lines).by_name[name]
