"""An inbox and an outbox as runs would have left them, without masking anything: for what deletes and holds."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from policies import FULL, UNREVIEWED, policy

from dashredact.audit import log as audit_log
from dashredact.governance.policy.file import PolicyFile
from dashredact.governance.retention.inventory import PurgeFinding
from dashredact.governance.retention.purge import Purge, PurgeOptions
from dashredact.workspace.output_folder import OutputFolder

FILMED = date(2026, 4, 10)
MASKED_AT = "2026-04-10T12:00:00+00:00"
CAPTURED, MASKED = FULL["retention"]["captured"], FULL["retention"]["masked"]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Fleet:
    """The folders of one company."""

    def __init__(self, folder: Path, content: dict[str, Any] = UNREVIEWED) -> None:
        """Where there are none yet they are made. content: of the policy; it asks for no review."""
        self.inbox, self.out = folder / "inbox", folder / "out"
        for path in (self.inbox, self.out):
            path.mkdir(exist_ok=True)
        self.folder = OutputFolder(self.out)
        self.policy = PolicyFile(policy(content), "a" * 64)

    @property
    def log(self) -> Path:
        return self.out / audit_log.NAME

    @property
    def records(self) -> list[dict[str, Any]]:
        return list(audit_log.records(self.log))

    def told(self, name: str, content: bytes) -> dict[str, Any]:
        return {"name": name, "sha256": sha256(content), "bytes": len(content), "place": "0" * 16}

    def source(self, name: str, content: bytes = b"") -> dict[str, Any]:
        """Put an original into the inbox."""
        content = content or f"original {name}".encode()
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.told(name, content)

    def masked(
        self, name: str, act: str = "masked", filmed: date = FILMED, content: bytes = b"", **more: Any
    ) -> list[Path]:
        """Put an original, its masked video and its tracks there, with a line in the log."""
        source = self.source(name, content)
        stem = Path(name).with_suffix("").as_posix()
        made = [(f"{stem}.masked.mp4", f"masked {name}".encode()), (f"{stem}.tracks.json", f"tracks {name}".encode())]
        for output, bytes_ in made:
            path = self.out / output
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes_)
        output, tracks = (
            {key: told[key] for key in ("name", "sha256", "bytes")} for told in (self.told(*one) for one in made)
        )
        about = {"source": source, "output": output, "tracks_file": tracks}
        self.line(act, filmed=filmed, **about, **more)
        return [self.inbox / name, *(self.out / output for output, _ in made)]

    def failed(self, name: str, act: str = "failed", filmed: date = FILMED) -> Path:
        self.line(act, filmed=filmed, source=self.source(name), output=None)
        return self.inbox / name

    def line(self, act: str, filmed: date = FILMED, **about: Any) -> None:
        told = {"sha256": "a" * 64, "camera": "front-*.mp4", "captured": str(filmed)}
        context = {"time": MASKED_AT, "policy": told, "fingerprint": "f" * 64, "reason": f"{act}."}
        audit_log.append(self.log, {**context, "outcome": act, **about})

    def hold(self, name: str, until: date, act: str = "held") -> None:
        source = {"name": name, "sha256": None, "bytes": None, "place": None}
        about = {"hold": {"kind": "accident", "until": str(until)}} if act == "held" else {}
        audit_log.append(self.log, {"act": act, "reason": "claim 17", "source": source, **about})

    def purge(self, day: date, **asked: Any) -> list[PurgeFinding]:
        """On that day, at noon."""
        now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        asked = {"inbox": self.inbox} | asked
        with self.folder.exclusive():
            return list(Purge(self.folder, PurgeOptions(self.policy, now=now, **asked)).findings())

    def purged(self) -> list[str]:
        """Names in deletion records, sources and others, in order."""
        lines = [record for record in self.records if record["act"] == "purged"]
        return [
            told["name"]
            for record in lines
            for told in ([record["sealed"]] if "sealed" in record else record.get("files") or [record["source"]])
        ]

    def files(self) -> set[Path]:
        """Everything but the log and the work folder."""
        found = [*self.inbox.rglob("*"), *self.out.rglob("*")]
        ours = (audit_log.NAME, audit_log.HEAD)
        return {path for path in found if path.is_file() and path.name not in ours and ".dashredact" not in path.parts}


def after(days: int, filmed: date = FILMED) -> date:
    return filmed + timedelta(days)
