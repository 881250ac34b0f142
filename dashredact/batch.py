"""Many videos: which there are, what each becomes, which are done; one after the other, a failure ends only itself.

A video is published in an order that a crash cannot spoil: tracks file, masked video, audit line, work folder.
"""

import errno
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashredact import account
from dashredact.errors import DashredactError, MachineError, RefusedError, UnreadableError, VideoError
from dashredact.look import lost_frames
from dashredact.pipeline import Finished, detect_video, mask_video
from dashredact.pure.zones import zones_of
from dashredact.settings import Camera, Settings
from dashredact.store import audit, files, tracks
from dashredact.store.inbox import MASKED, TRACKS, Item
from dashredact.store.job import Job, forget
from dashredact.values import Detector, Report

_log = logging.getLogger("dashredact")


class Verdict(StrEnum):
    """How a video ended."""

    MASKED = "masked"
    NEEDS_REVIEW = "needs review"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"
    REHEARSED = "rehearsed"
    BUG = "bug"


@dataclass(frozen=True)
class Outcome:
    name: str
    verdict: Verdict
    reason: str = ""
    output: Path | None = None
    record: Mapping[str, Any] | None = None
    """the audit line; None for what was skipped"""


class Batch:
    """Masks items into one output folder, under one set of settings but for the zones of each item's camera."""

    def __init__(
        self, out: Path, detector: Detector, settings: Settings, report: Report, cameras: Sequence[Camera] = ()
    ) -> None:
        """LedgerError if the folder's audit log is broken: nothing is added to a broken log."""
        self._out, self._detector, self._report = out, detector, report
        self._settings, self._cameras = settings, cameras
        self._audit = files.private_folder(out) / audit.NAME
        self._records = {
            record["source"]["name"]: record for record in audit.records(self._audit) if record.get("output")
        }

    def run(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Mask them. Every video that was tried gets a line in the audit log."""
        for item in items:
            told = _told(item)
            try:
                yield self._mask(item, told)
            except Exception as error:
                verdict, reason = self._blame(item, error)
                yield self._record(item, verdict, reason, told)

    def rehearse(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Pass one alone. Its detections stay in the work folder for the run that follows; nothing else is written."""
        for item in items:
            told = _told(item)
            try:
                yield self._rehearse(item, told)
            except Exception as error:
                verdict, reason = self._blame(item, error)
                yield Outcome(item.name, verdict, reason, record={**told, "outcome": verdict, "reason": reason})

    def _blame(self, item: Item, error: Exception) -> tuple[Verdict, str]:
        """What happens to one video ends that video; what happens to the machine, or a signal, ends the run."""
        if isinstance(error, VideoError):
            known = Path(item.name).name in str(error)
            reason = str(error) if known else f"{item.name}: {error}"
            return Verdict.REFUSED if isinstance(error, RefusedError) else Verdict.FAILED, reason
        if isinstance(error, DashredactError):
            raise error
        if isinstance(error, MemoryError):
            raise MachineError("There is not enough memory; close other programs or use a larger machine.") from error
        if isinstance(error, OSError):
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise MachineError(f"The disk of {self._out} is full; make room and run again.") from error
            return Verdict.FAILED, f"{item.name}: cannot be read or written ({error.strerror})."
        _log.debug("%s", item.name, exc_info=error)
        return Verdict.BUG, f"{item.name}: this tool has a fault ({type(error).__name__}: {error}); please report it."

    def _rehearse(self, item: Item, told: dict[str, Any]) -> Outcome:
        _identify(item, told)
        job, settings = self._job(item, told), self._settings_of(item)
        found = detect_video(item.source, job, self._detector, settings, self._report)
        record = {**told, "outcome": Verdict.REHEARSED, "tracks": account.count(found)}
        return Outcome(item.name, Verdict.REHEARSED, record=record)

    def _job(self, item: Item, told: dict[str, Any]) -> Job:
        return Job(self._out, item.name, told["source"]["sha256"][:32] + self._fingerprint(item)[:32])

    def _settings_of(self, item: Item) -> Settings:
        return replace(self._settings, zones=zones_of(self._cameras, item.name)) if self._cameras else self._settings

    def _fingerprint(self, item: Item) -> str:
        return self._settings_of(item).fingerprint(self._detector.identity, self._detector.long_side)

    def _done(self, item: Item, source_sha256: str) -> Outcome | None:
        """Skipped if the log says so, of this source under these settings, and the results are the ones it names."""
        record = self._records.get(item.name)
        if record is None or record["source"]["sha256"] != source_sha256:
            return None
        if record["fingerprint"] != self._fingerprint(item):
            return None
        results = [record["output"], record["tracks_file"]]
        if not all(files.holds(self._out / result["name"], result["sha256"]) for result in results):
            return None
        forget(self._out, item.name)
        return Outcome(item.name, Verdict.SKIPPED, output=self._out / record["output"]["name"])

    def _mask(self, item: Item, told: dict[str, Any]) -> Outcome:
        before = _identify(item, told)
        if done := self._done(item, told["source"]["sha256"]):
            return done
        job = self._job(item, told)
        try:
            finished = mask_video(item.source, job, self._detector, self._settings_of(item), self._report)
            if _state(item.source) != before:
                raise VideoError(f"{item.name}: changed while it was being masked; run again when it is complete.")
            output = self._publish(item, job, finished, told)
        except DashredactError as error:
            if isinstance(error, VideoError):
                job.close()
            raise
        except Exception:
            job.close()  # what is in it may be the cause
            raise
        doubts = [*finished.facts.damages, *([lost_frames(finished.lost, finished.facts)] if finished.lost else [])]
        reason = f"{item.name}: {'; '.join(doubts)}." if doubts else ""
        outcome = self._record(item, Verdict.NEEDS_REVIEW if doubts else Verdict.MASKED, reason, told, output)
        job.close()
        return outcome

    def _publish(self, item: Item, job: Job, finished: Finished, told: dict[str, Any]) -> Path:
        """Give the results their final names; what there is to say about them is added to `told`."""
        folder = files.private_folder((self._out / item.stem).parent)
        output = folder / files.named(item.stem.name, f"{MASKED}.{finished.choice.container}")
        beside = folder / files.named(item.stem.name, TRACKS)
        source_sha256, model = told["source"]["sha256"], self._detector.identity
        told |= account.finished(finished)
        told["output"] = self._described(output, finished.path)
        for path in (output, beside):
            self._check_free(item, path, job, told)
        job.announce(told["output"]["sha256"])
        files.write(beside, tracks.encode(finished, source_sha256=source_sha256, model=model))
        told["tracks_file"] = self._described(beside, beside)
        files.publish(finished.path, output)
        return output

    def _described(self, final: Path, now: Path) -> dict[str, Any]:
        """final: the name it will have. now: where it is."""
        name = final.relative_to(self._out).as_posix()
        return {"name": name, "sha256": files.sha256(now), "bytes": now.stat().st_size}

    def _check_free(self, item: Item, output: Path, job: Job, told: dict[str, Any]) -> None:
        """A name is ours if the log gave it to this source, or if we died between giving it and writing it down."""
        if not output.exists():
            return
        name = output.relative_to(self._out).as_posix()
        owner = next((record for record in self._records.values() if name in _results(record)), None)
        ours = owner is not None and _same(owner["source"], told["source"])
        if not ours and not job.announced():
            whose = f"belongs to another {owner['source']['name']}" if owner else "is not in the audit log"
            raise RefusedError(f"{item.name}: {name} exists already and {whose}; move it, or choose another folder.")

    def _record(
        self, item: Item, verdict: Verdict, reason: str, told: Mapping[str, Any], output: Path | None = None
    ) -> Outcome:
        about = account.context(self._detector, self._settings_of(item), self._fingerprint(item))
        record = {**about, "outcome": verdict, "reason": reason, "output": None, **told}
        audit.append(self._audit, record)
        if output is not None:
            self._records[item.name] = record
        return Outcome(item.name, verdict, reason, output, record)


def _told(item: Item) -> dict[str, Any]:
    """What is known of a video before it is opened."""
    return {"source": {"name": item.name, "sha256": None, "bytes": None, "place": None}}


def _place(source: Path) -> str:
    """Tells the folders of two sources of one name apart without writing down where they are."""
    return hashlib.sha256(os.fsencode(source.absolute())).hexdigest()[:16]


def _identify(item: Item, told: dict[str, Any]) -> tuple[int, ...]:
    """Add what tells the source from others to `told`; its state comes back, to tell later whether it has changed."""
    if item.fault:
        raise RefusedError(item.fault)
    if not item.source.is_file():
        raise UnreadableError(f"{item.name}: is not a file; name a video file or a folder of them.")
    state = _state(item.source)
    told["source"] |= {"sha256": files.sha256(item.source), "bytes": state[0], "place": _place(item.source)}
    return state


def _state(path: Path) -> tuple[int, ...]:
    now = path.stat()
    return now.st_size, now.st_mtime_ns, now.st_ino


def _results(record: Mapping[str, Any]) -> tuple[str, str]:
    """Names that a line gives away."""
    return record["output"]["name"], record["tracks_file"]["name"]


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sources of the log are one: named alike, and from one place or of one content."""
    return bool(one["name"] == other["name"] and (one["place"] == other["place"] or one["sha256"] == other["sha256"]))
