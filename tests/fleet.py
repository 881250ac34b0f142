"""An output folder as a fleet has it, without a video in it: made files, and the audit lines that tell of them."""

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.values import ModelIdentity

RATE = 10
SETTINGS: dict[str, Any] = {"link": {"thresholds": {"face": 0.4, "plate": 0.4}}}


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


class Fleet:
    """`inbox` and `out` of one company."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.out = folder / "inbox", folder / "out"
        self.inbox.mkdir()
        self.out.mkdir(mode=0o700)
        self.log = self.out / audit_log.NAME

    def masked(self, name: str, *, seconds: int = 60, **more: Any) -> dict[str, Any]:
        """A source and its results. The output comes back as the log names it."""
        source = self.inbox / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(b"unmasked " + name.encode())
        stem = name.rpartition(".")[0]
        output = self.made(f"{stem}.masked.mp4", b"masked " + name.encode())
        file = TracksFile(
            name, _sha(source), ModelIdentity("m", "1" * 64), (64, 48), Fraction(1, RATE), np.arange(seconds * RATE), ()
        )
        line = {
            "outcome": "masked",
            "fingerprint": "f" * 64,
            "reason": "",
            "settings": SETTINGS,
            "source": {"name": name, "sha256": _sha(source), "bytes": source.stat().st_size, "place": "0" * 16},
            "output": output,
            "tracks_file": self.made(f"{stem}.tracks.json", tracks_json.encode_file(file)),
            "by": {"user": "masker", "host": "h"},
        }
        audit_log.append(self.log, line | more)
        return output

    def made(self, name: str, content: bytes) -> dict[str, Any]:
        """A file in the output folder, as the log names it."""
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"name": name, "sha256": _sha(path), "bytes": len(content)}

    def reviewed(self, name: str, output: dict[str, Any], by: str = "looker", verdict: str = "approved") -> None:
        self.append("reviewed", source=self.source(name), output=output, verdict=verdict, by={"user": by, "host": "h"})

    def corrected(self, name: str, before: dict[str, Any]) -> dict[str, Any]:
        """A masked file in the place of another."""
        output = self.made(before["name"], b"corrected " + before["sha256"].encode())
        told = [one for one in self.records() if one.get("source", {}).get("name") == name and "tracks_file" in one][-1]
        more = {"tracks_file": told["tracks_file"], "by": {"user": "masker", "host": "h"}}
        self.append("corrected", source=self.source(name), output=output, replaces=before["sha256"], **more)
        return output

    def append(self, act: str, **more: Any) -> None:
        audit_log.append(self.log, {"act": act, "reason": "", **more})

    def records(self) -> list[dict[str, Any]]:
        return list(audit_log.records(self.log))

    def source(self, name: str, place: str = "") -> dict[str, Any]:
        """place: where it lies now."""
        path = self.inbox / (place or name)
        return {"name": name, "sha256": _sha(path), "bytes": path.stat().st_size, "place": "0" * 16}

    def last(self) -> dict[str, Any]:
        return dict(json.loads(self.log.read_text().splitlines()[-1]))


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
