"""A fleet's worst night: many clips of every kind, overlapping runs, kills at random moments, a full disk.

    python tests/torture.py --clips 200 --kills 20

Prints what it did and what is wrong at the end; exits 1 if anything is. The detector is the one that finds the secret
of the made clips, so that what is measured is the batch. With --tmpfs (root only) the outbox is a small disk that is
filled up twice. `batch/test_inbox_run.py` runs it with few clips.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import clips
from clips import Film

from dashredact import files
from dashredact.audit import chain
from dashredact.audit import log as audit_log
from dashredact.workspace import journal, locks
from dashredact.workspace.inbox import MASKED

TESTS = Path(__file__).parent
DRIVER = (
    "import sys, clips\n"
    "from dashredact import cli\n"
    "from dashredact.cli import batch\n"
    "batch.detector_of = lambda detect, **_: clips.Finder()\n"
    "cli.main(sys.argv[1:])\n"
)
NAMES = (
    'it\'s "quoted" {}.mp4',
    "-rf {}.mp4",
    "--output {}.mp4",
    "two\nlines {}.mp4",
    "ドラレコ 映像 {}.mp4",
    "$(touch pwned) `id` {}.mp4",
    "file:http: {}.mp4",
    "a" * 240 + " {}.mp4",
    "sub folder/deep/100% {}.mp4",
    "<b>&amp; {}.mp4",
)
ALLOWED = {0, 3, 4, 6, -signal.SIGKILL}


class Night:
    """One inbox, one outbox, and what should become of every file."""

    def __init__(self, folder: Path, out: Path, count: int, seed: int) -> None:
        self.inbox, self.out, self.dice = folder / "inbox", out, random.Random(seed)
        self.inbox.mkdir()
        self.good: dict[str, str] = {}
        """sha256 of good clips by name, duplicates among them"""
        self.bad: dict[str, str] = {}
        self.growing: list[threading.Thread] = []
        for number in range(count):
            self._arrive(number)

    def _arrive(self, number: int) -> None:
        name = NAMES[number % len(NAMES)].format(number) if number % 3 == 0 else f"trip {number}.mp4"
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = number % 10
        if kind == 7 and self.good:
            path.write_bytes((self.inbox / next(iter(self.good))).read_bytes())
            self.good[name] = files.sha256(path)
        elif kind == 8:
            content = _clip(number, path).read_bytes()
            spoilt = (b"", b"not a video", content[: len(content) // 2], b"PK\x03\x04" + content)[number // 10 % 4]
            path.write_bytes(spoilt)
            self.bad[name] = files.sha256(path)
        elif kind == 9:
            content = _clip(number, path).read_bytes()
            path.unlink()
            self.good[name] = hashlib.sha256(content).hexdigest()
            self.growing.append(threading.Thread(target=_grow, args=(path, content)))
        else:
            self.good[name] = files.sha256(_clip(number, path))

    def start(self, *more: str) -> "subprocess.Popen[bytes]":
        rules = ["--settle", "1.5", "--retry-after", "0.02", "--tries", "3", "--preset", "ultrafast", "-q"]
        argv = ["batch", self.inbox, "-o", self.out, "--jobs", "2", *rules, *more]
        environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, *argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        )

    def storm(self, kills: int) -> Counter[int]:
        """Three runs at a time, and all that goes on is killed after some seconds. Exit codes come back."""
        codes: Counter[int] = Counter()
        for thread in self.growing:
            thread.start()
        for _ in range(kills):
            runs = [self.start() for _ in range(3)]
            time.sleep(self.dice.uniform(1.0, 5.0))
            for run in runs:
                run.kill()  # nothing to those that found the folder taken
            codes.update(_ended(run) for run in runs)
        return codes

    def fill_disk(self) -> int:
        """Run with a full disk; its exit code comes back."""
        ballast = self.out / ".ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 65536)
        code = _ended(self.start())
        ballast.unlink()
        return code

    def settle(self) -> list[int]:
        """Runs until every upload is done or set aside."""
        for thread in self.growing:
            thread.join()
        codes = []
        for _ in range(12):
            time.sleep(2)
            codes.append(_ended(self.start()))
            done = {
                record["source"]["name"]
                for record in audit_log.records(self.out / audit_log.NAME)
                if record.get("output")
            }
            aside = list((self.inbox / "quarantine").rglob("*.reason.txt"))
            if done >= self.good.keys() and len(aside) == len(self.bad):
                break
        return codes

    def faults(self) -> list[str]:
        """What is not as it should be."""
        found = [f"ledger: {fault}" for fault in chain.verify(audit_log.read(self.out / audit_log.NAME).lines)]
        newest: dict[str, dict[str, Any]] = {}
        for record in audit_log.records(self.out / audit_log.NAME):
            newest[record["source"]["name"]] = record
        named = set()
        for name, digest in self.good.items():
            record = newest.get(name)
            if record is None or not record.get("output"):
                found.append(f"{name!r} has no output ({record and record['reason']})")
                continue
            named.add(record["output"]["name"])
            output = self.out / record["output"]["name"]
            if record["source"]["sha256"] != digest or not files.has_digest(output, record["output"]["sha256"]):
                found.append(f"{name!r} and its output are not what the ledger says")
            if files.sha256(self.inbox / name) != digest:
                found.append(f"{name!r} has changed")
        there = {path.relative_to(self.out).as_posix() for path in self.out.rglob(f"*{MASKED}.*")}
        found += [f"{name!r} is nobody's output" for name in there - named]
        if len(named) != len(set(self.good.values())):
            found.append(f"{len(named)} outputs for {len(set(self.good.values()))} contents")
        return found + list(self._bad_faults(newest)) + list(self._leftovers())

    def _bad_faults(self, newest: dict[str, dict[str, Any]]) -> list[str]:
        found = []
        for name, digest in self.bad.items():
            record = newest.get(name, {"reason": "", "output": None})
            places = [self.inbox / name, *(self.inbox / "quarantine").rglob("*.mp4")]
            if not record["reason"] or record.get("output"):
                found.append(f"{name!r} has no reason")
            if not any(path.is_file() and files.sha256(path) == digest for path in places):
                found.append(f"{name!r} is gone")
        return found

    def _leftovers(self) -> list[str]:
        state = self.out / locks.STATE_FOLDER
        work = [path.name for path in state.iterdir() if path.is_dir() and path.name != journal.FOLDER]
        work += [path.name for path in (state / journal.FOLDER).glob("*")]
        secret = [path for path in self.out.rglob(f"*{MASKED}.*") if _shows_secret(path)]
        pwned = [path for path in (Path("pwned"), self.inbox / "pwned", self.out / "pwned") if path.exists()]
        return [f"left over: {path}" for path in (*work, *pwned)] + [f"secret in {path}" for path in secret]


def _clip(number: int, path: Path) -> Path:
    return Film(frames=20 + number % 25, time_base=Fraction(1, 20 + number)).shoot(path)


def _grow(path: Path, content: bytes) -> None:
    """An upload over a slow line."""
    step = max(len(content) // 8, 1)
    with path.open("wb") as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            file.flush()
            time.sleep(1.0)


def _shows_secret(path: Path) -> bool:
    return any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(path))


def _ended(run: "subprocess.Popen[bytes]") -> int:
    _, complaints = run.communicate(timeout=600)
    if run.returncode not in ALLOWED or b"Traceback" in complaints:
        print(f"exit {run.returncode}: {complaints.decode(errors='replace')[-2000:]}", flush=True)
    return run.returncode


def torture(folder: Path, out: Path, count: int, kills: int, *, full: bool, seed: int = 1) -> list[str]:
    """What went wrong."""
    night = Night(folder, out, count, seed)
    codes = night.storm(kills)
    full_codes = [night.fill_disk() for _ in range(2)] if full else []
    last = night.settle()
    idle = night.start()
    odd = [code for code in (*codes, *last, _ended(idle)) if code not in ALLOWED]
    print(f"{len(night.good)} good, {len(night.bad)} bad; storm {dict(codes)}, full disk {full_codes}, then {last}")
    return (
        night.faults()
        + [f"a run ended with {code}" for code in odd]
        + [f"a run on a full disk ended with {code}" for code in full_codes if code != 4]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tmpfs", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dashredact-torture-") as scratch:
        folder, out = Path(scratch), Path(scratch, "outbox")
        out.mkdir()
        if options.tmpfs:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(out)], check=True)
        try:
            faults = torture(folder, out, options.clips, options.kills, full=options.tmpfs, seed=options.seed)
        finally:
            if options.tmpfs:
                subprocess.run(["umount", str(out)], check=True)
    print("\n".join(faults) or "nothing is wrong")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
