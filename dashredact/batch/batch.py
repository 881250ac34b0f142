"""Many videos: which are done, what each becomes; several at a time, a failure ends only itself.

A video is published in an order that a crash cannot spoil: tracks file, masked video, audit line, work folder.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit.events import NO_POLICY
from dashredact.audit.records import policy_mark
from dashredact.errors import ChangedError, DashredactError, OutOfTimeError, RefusedError, VideoError
from dashredact.execute.inline import INLINE
from dashredact.execute.keyed_lock import KeyedLock
from dashredact.execute.map_concurrently import map_concurrently
from dashredact.formats import tracks_json
from dashredact.governance.policy.admission import Admission
from dashredact.pipeline import audit_record
from dashredact.pipeline.outcome import Outcome, VideoStatus, classify_error
from dashredact.pipeline.video import NO_OPTIONS, Executor, RenderedVideo, RunOptions, VideoPipeline
from dashredact.settings import CameraZones, Settings
from dashredact.tracking.zones import zones_of
from dashredact.values import Detector, ProgressCallback, ProgressEvent
from dashredact.workspace import sources
from dashredact.workspace.detections_cache import DetectionsCache
from dashredact.workspace.inbox import MASKED, TRACKS, Item
from dashredact.workspace.index import FailureHistory, Index, Result
from dashredact.workspace.sources import Source
from dashredact.workspace.work_folder import WorkFolder, forget


class Batch:
    """Masks items into one output folder, under one set of settings but for the zones of each item's camera."""

    def __init__(
        self,
        out: Path,
        detector: Detector,
        settings: Settings,
        report: ProgressCallback,
        cameras: Sequence[CameraZones] = (),
        crew: Executor = INLINE,
        aids: RunOptions = NO_OPTIONS,
        admission: Admission | None = None,
        *,
        trust: bool = False,
        unattended: bool = False,
    ) -> None:
        """LedgerError if the folder's audit log is broken: nothing is added to a broken log.

        admission: the policy that the run is under.
        trust: whether files whose size, times and inode are what they were need not be hashed again.
        unattended: content that is done under another name is not masked twice, and what changes meanwhile waits.
        """
        self._out, self._detector, self._report = out, detector, report
        self._settings, self._cameras, self._crew, self._aids = settings, cameras, crew, aids
        self._admission, self._policy = admission, admission.told if admission else NO_POLICY
        self._afresh, self._unattended = not trust, unattended
        self.index = Index(out)
        self._memory = DetectionsCache(out, self.index, detector, settings)
        self._turns = KeyedLock()

    def run(self, items: Sequence[Item], admit: Callable[[Item], str] = lambda _item: "") -> Iterator[Outcome]:
        """Mask them. Every video that was tried gets a line in the audit log.

        admit: is asked right before an item is begun, and answers with a reason where it has to wait.
        """
        at_once = max(min(self._crew.jobs, len(items)), 1)

        def act(item: Item) -> Outcome:
            if reason := admit(item):
                return Outcome(item.name, VideoStatus.WAITING, reason)
            return self._one(item, self._crew.jobs // at_once)

        yield from map_concurrently(act, items, at_once)

    def is_done(self, item: Item) -> bool:
        """Whether there is nothing to do. Quick for what is new, and for what was done and is as it was."""
        result = self.index.result(item.name)
        if result is None or result.fingerprint != self.fingerprint(item):
            return False
        return self.index.known(item.source, afresh=self._afresh) == result.source_sha256 and self._holds(result)

    def has_failed(self, item: Item) -> FailureHistory | None:
        """What is known of earlier tries, if neither the source, the settings nor the policy have changed since."""
        failures = self.index.failures(item.name)
        now = (self.fingerprint(item), policy_mark(self._policy))
        if failures is None or (failures.fingerprint, failures.policy) != now:
            return None
        digest = None if item.fault else self.index.known(item.source)
        return failures if digest == failures.source_sha256 else None

    def note(self, item: Item, act: str, reason: str, **more: object) -> None:
        """Put an act that concerns a source into the log."""
        self.index.append(
            {**self._context(item), "outcome": act, "reason": reason, "source": sources.told(item), **more}
        )

    def _context(self, item: Item) -> dict[str, Any]:
        settings = self._settings_of(item)
        return audit_record.context(self._detector, settings, self.fingerprint(item)) | {"policy": self._policy}

    def _one(self, item: Item, shares: int) -> Outcome:
        """shares: into how many parts the work on it may be split."""
        about: dict[str, Any] = {"source": sources.told(item)}
        try:
            source = self._admitted(item, about, afresh=self._afresh)
            with self._turns.alone(source.sha256):  # two names of one content
                twin = self._done(item, source) or self._twin(item, source, about)
                return twin or self._mask(item, source, about, shares)
        except Exception as error:
            verdict, reason = classify_error(item.name, self._out, error)
            if isinstance(error, ChangedError) and self._unattended:
                verdict = VideoStatus.WAITING
            if verdict is VideoStatus.WAITING:
                return Outcome(item.name, verdict, reason)
            return self._record(item, verdict, reason, about)

    def _admitted(self, item: Item, about: dict[str, Any], *, afresh: bool) -> Source:
        """What is to be masked; `about` gets what its line says of it. VideoError where it may not be."""
        source = Source(item, self.index, afresh=afresh)
        about["source"] = source.told
        if request := self.index.erased(source.sha256):
            raise RefusedError(f"{item.name}: was erased for request {request} and is not masked again; delete it.")
        if self._admission:
            self._admission.admit(item, about)
        return source

    def rehearse(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Pass one alone. Its detections stay in the work folder for the run that follows; nothing else is written."""
        for item in items:
            about: dict[str, Any] = {"source": sources.told(item)}
            try:
                source = self._admitted(item, about, afresh=True)
                found = self._journey(item, self._job(item, source), self._crew.jobs).detect()
                record = {**about, "outcome": VideoStatus.REHEARSED, "tracks": audit_record.count(found)}
                yield Outcome(item.name, VideoStatus.REHEARSED, record=record)
            except Exception as error:
                verdict, reason = classify_error(item.name, self._out, error)
                yield Outcome(item.name, verdict, reason, record={**about, "outcome": verdict, "reason": reason})

    def _journey(self, item: Item, job: WorkFolder, shares: int) -> VideoPipeline:
        def report(fact: ProgressEvent) -> None:
            self._report(replace(fact, video=item.name))  # folders may hold files of one name

        how = (self._settings_of(item), report, self._crew, shares, self._aids)
        return VideoPipeline(item.source, job, self._detector, *how)

    def _job(self, item: Item, source: Source) -> WorkFolder:
        job = WorkFolder(self._out, item.name, source.sha256[:32] + self.fingerprint(item)[:32])
        self._memory.bring(item, source.sha256, job, must=self._aids.relink)
        return job

    def _settings_of(self, item: Item) -> Settings:
        cameras = self._cameras or (self._admission.cameras(item.name) if self._admission else ())
        return replace(self._settings, zones=zones_of(cameras, item.name)) if cameras else self._settings

    def fingerprint(self, item: Item) -> str:
        """Of everything besides the source that its output depends on."""
        return self._settings_of(item).fingerprint(self._detector.identity, self._detector.long_side)

    def _done(self, item: Item, source: Source) -> Outcome | None:
        """Skipped if the log says so, of this source under these settings, and the results are the ones it names."""
        result = self.index.result(item.name)
        asked = (source.sha256, self.fingerprint(item))
        if result is None or (result.source_sha256, result.fingerprint) != asked or not self._holds(result):
            return None
        forget(self._out, item.name)
        return Outcome(item.name, VideoStatus.SKIPPED, output=self._out / result.output)

    def _twin(self, item: Item, source: Source, about: Mapping[str, Any]) -> Outcome | None:
        """Another name of what is done already: said in the log, and not masked twice."""
        same = self.index.twins(source.sha256, self.fingerprint(item)) if self._unattended else []
        twin = next((twin for twin in same if twin.name != item.name and self._holds(twin)), None)
        if twin is None:
            return None
        about = {
            **about,
            "output": audit_record.file(self._out, self._out / twin.output, twin.output_sha256),
            "tracks_file": audit_record.file(self._out, self._out / twin.tracks, twin.tracks_sha256),
        }
        reason = f"{item.name}: has the content of {twin.name}, whose output stands for both."
        return self._record(item, VideoStatus.DUPLICATE, reason, about, self._out / twin.output)

    def _holds(self, result: Result) -> bool:
        made = ((result.output, result.output_sha256), (result.tracks, result.tracks_sha256))
        paths = [(self._out / name, digest) for name, digest in made]
        return all(path.is_file() and self.index.digest(path, afresh=self._afresh) == sha for path, sha in paths)

    def _mask(self, item: Item, source: Source, about: dict[str, Any], shares: int) -> Outcome:
        job = self._job(item, source)
        try:
            finished = self._journey(item, job, shares).mask()
            source.check_unchanged()
            output = self._publish(item, source, job, finished, about)
        except OutOfTimeError:
            raise
        except DashredactError as error:
            if isinstance(error, VideoError):
                job.close()
            raise
        except Exception:
            job.close()  # what is in it may be the cause
            raise
        doubts = audit_record.doubts(finished)
        reason = f"{item.name}: {'; '.join(doubts)}." if doubts else ""
        outcome = self._record(item, VideoStatus.NEEDS_REVIEW if doubts else VideoStatus.MASKED, reason, about, output)
        job.close()
        return outcome

    def _publish(
        self, item: Item, source: Source, job: WorkFolder, finished: RenderedVideo, about: dict[str, Any]
    ) -> Path:
        """Give the results their final names; what there is to say about them is added to `about`."""
        folder = files.private_folder((self._out / item.stem).parent)
        output = folder / files.bounded_name(item.stem.name, f"{MASKED}.{finished.choice.container}")
        beside = folder / files.bounded_name(item.stem.name, TRACKS)
        about |= audit_record.finished(finished)
        about["output"] = audit_record.file(self._out, output, finished.sha256, finished.path)
        for path in (output, beside, *([self._memory.path(item)] if self._aids.keep else [])):
            self._check_free(item, path, job, source)
        job.announce(finished.sha256)
        told = {"model": self._detector.identity, "second_look": about["second_look"]}
        files.write(beside, tracks_json.encode(finished, source_sha256=source.sha256, **told))
        about["tracks_file"] = audit_record.file(self._out, beside, files.sha256(beside))
        if self._aids.keep:
            there = self._memory.keep(item, source.sha256, job)
            about["files"] = [audit_record.file(self._out, there, files.sha256(there))]
        files.publish(finished.path, output)
        return output

    def _check_free(self, item: Item, output: Path, job: WorkFolder, source: Source) -> None:
        """A name is ours if the log gave it to this source, or if we died between giving it and writing it down."""
        if not output.exists():
            return
        name = output.relative_to(self._out).as_posix()
        owner = self.index.owner(name)
        same = owner and (owner.place == source.place or owner.source_sha256 == source.sha256)
        ours = owner is not None and owner.name == item.name and same
        if not ours and not job.announced():
            whose = f"belongs to another {owner.name}" if owner else "is not in the audit log"
            raise RefusedError(f"{item.name}: {name} exists already and {whose}; move it, or choose another folder.")

    def _record(
        self, item: Item, verdict: VideoStatus, reason: str, about: Mapping[str, Any], output: Path | None = None
    ) -> Outcome:
        record = {**self._context(item), "outcome": verdict, "reason": reason, "output": None, **about}
        self.index.append(record)
        return Outcome(item.name, verdict, reason, output, record)
