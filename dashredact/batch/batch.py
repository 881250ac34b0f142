"""Many videos: which are done, and masking those that are not. Several run at once; a failure ends only its video."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from dashredact.audit import provenance
from dashredact.audit.events import (
    NO_POLICY,
    Bug,
    Duplicate,
    Failed,
    ModelEntry,
    NotMasked,
    Quarantined,
    Refused,
    RefusedByPolicy,
    SourceEntry,
    Tried,
    policy_key,
)
from dashredact.batch.publisher import Publisher
from dashredact.batch.summary import ReviewCounter
from dashredact.errors import ChangedError, DashredactError, OutOfTimeError, RefusedError, VideoError
from dashredact.execute.inline import INLINE
from dashredact.execute.keyed_lock import KeyedLock
from dashredact.execute.map_concurrently import map_concurrently
from dashredact.execute.protocol import Executor
from dashredact.governance.policy.admission import Admission, NotAdmittedError, PolicyRecord
from dashredact.pipeline import audit_record
from dashredact.pipeline.outcome import Outcome, VideoStatus, classify_error
from dashredact.pipeline.video import NO_OPTIONS, RunOptions, VideoPipeline
from dashredact.settings import CameraZones, Settings
from dashredact.tracking.zones import zones_of
from dashredact.values import Detector, ProgressCallback, ProgressEvent
from dashredact.workspace import sources
from dashredact.workspace.detections_cache import DetectionsCache
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import FailureHistory, Index, Result
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.sources import Source
from dashredact.workspace.work_folder import WorkFolder, forget

_NOT_MASKED: Mapping[VideoStatus, type[NotMasked]] = {
    VideoStatus.REFUSED: Refused,
    VideoStatus.REFUSED_BY_POLICY: RefusedByPolicy,
    VideoStatus.FAILED: Failed,
    VideoStatus.BUG: Bug,
}


@dataclass
class _Attempt:
    """One video in the batch; `source` and `policy` are filled in as they become known."""

    item: Item
    settings: Settings
    fingerprint: str
    """of everything besides the source that its output depends on"""
    source: SourceEntry
    policy: PolicyRecord


class Batch:
    """Masks items into one output folder, under one set of settings but for the zones of each item's camera."""

    def __init__(
        self,
        folder: OutputFolder,
        detector: Detector,
        settings: Settings,
        report: ProgressCallback,
        cameras: Sequence[CameraZones] = (),
        executor: Executor = INLINE,
        run_options: RunOptions = NO_OPTIONS,
        admission: Admission | None = None,
        *,
        trust: bool = False,
        unattended: bool = False,
    ) -> None:
        """LedgerError if the folder's audit log is broken: nothing is appended to a broken log.

        admission: the policy that the run is under.
        trust: whether files whose size, times and inode are unchanged need not be hashed again.
        unattended: content that is done under another name is not masked twice, and one that changes meanwhile waits.
        """
        self._folder, self._detector, self._report = folder, detector, report
        self._settings, self._cameras = settings, cameras
        self._executor, self._run_options, self._admission = executor, run_options, admission
        self._force_hash, self._unattended = not trust, unattended
        self.index = Index(folder)
        self._cache = DetectionsCache(folder, self.index, detector, settings)
        self._publisher = Publisher(
            folder,
            self.index,
            self._cache,
            detector,
            keep_detections=run_options.keep_detections,
            masked_limit=settings.masked_limit,
        )
        self._by_content = KeyedLock()
        self._reviews = ReviewCounter(folder)

    def run(self, items: Sequence[Item], admit: Callable[[Item], str] = lambda _item: "") -> Iterator[Outcome]:
        """Mask them. Every video that was tried gets a line in the audit log.

        admit: called right before an item is begun; returns the reason why it has to wait, or nothing.
        """
        at_once = max(min(self._executor.jobs, len(items)), 1)

        def process(item: Item) -> Outcome:
            if reason := admit(item):
                return Outcome(item.name, VideoStatus.WAITING, reason)
            return self._process(item, self._executor.jobs // at_once)

        yield from map_concurrently(process, items, at_once)

    def rehearse(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Pass one alone. Its detections stay in the work folder for the run that follows; nothing else is written."""
        for item in items:
            attempt = self._attempt(item)
            try:
                source = self._identify(attempt, force_hash=True)
                work = self._work_folder(attempt, source)
                tracks = audit_record.track_counts(self._pipeline(attempt, work, self._executor.jobs).detect())
                event = Tried(source=attempt.source, policy=attempt.policy, tracks=tracks)
                yield Outcome(item.name, VideoStatus.REHEARSED, event=event)
            except Exception as error:
                status, reason = classify_error(item.name, self._folder.path, error)
                event = Tried(source=attempt.source, policy=attempt.policy, reason=reason, gates=_gates(error))
                yield Outcome(item.name, status, reason, event=event)

    # --- earlier runs ------------------------------------------------------------------------------------------------

    def is_done(self, item: Item) -> bool:
        """Whether there is nothing to do. Quick for new videos, and for those that are done and unchanged."""
        result = self.index.result(item.name)
        if result is None or result.fingerprint != self._fingerprint(self._settings_of(item)):
            return False
        digest = self.index.digest_or_none(item.source, force=self._force_hash)
        return digest == result.source_sha256 and self._is_intact(result)

    def failures_of(self, item: Item) -> FailureHistory | None:
        """The failures of earlier tries, if neither the source, the settings nor the policy have changed since."""
        failures = self.index.failures(item.name)
        now = (self._fingerprint(self._settings_of(item)), policy_key(self._policy))
        if failures is None or (failures.fingerprint, failures.policy) != now:
            return None
        digest = None if item.fault else self.index.digest_or_none(item.source)
        return failures if digest == failures.source_sha256 else None

    def needs_review(self) -> int:
        """Masked videos of the folder that need a person."""
        return self._reviews.count()

    def note_quarantined(self, item: Item, reason: str, moved_to: str) -> None:
        """Log that the source was moved. moved_to: relative to the inbox."""
        attempt = self._attempt(item)
        self.index.append(Quarantined(**_context(attempt, self._detector), reason=reason, moved_to=moved_to))

    # --- one video ---------------------------------------------------------------------------------------------------

    def _attempt(self, item: Item) -> _Attempt:
        settings = self._settings_of(item)
        return _Attempt(item, settings, self._fingerprint(settings), sources.unopened(item), self._policy)

    @property
    def _policy(self) -> PolicyRecord:
        return self._admission.declared if self._admission else NO_POLICY

    def _settings_of(self, item: Item) -> Settings:
        cameras = self._cameras or (self._admission.cameras(item.name) if self._admission else ())
        return replace(self._settings, zones=zones_of(cameras, item.name)) if cameras else self._settings

    def _fingerprint(self, settings: Settings) -> str:
        return settings.fingerprint(self._detector.identity, self._detector.long_side)

    def _process(self, item: Item, shares: int) -> Outcome:
        """shares: number of parts that the work on it may be split into."""
        attempt = self._attempt(item)
        try:
            source = self._identify(attempt, force_hash=self._force_hash)
            with self._by_content.held(source.sha256):  # two names of one content
                before = self._unchanged(attempt, source) or self._duplicate(attempt, source)
                return before or self._mask(attempt, source, shares)
        except Exception as error:
            status, reason = classify_error(item.name, self._folder.path, error)
            if isinstance(error, ChangedError) and self._unattended:
                status = VideoStatus.WAITING
            if status is VideoStatus.WAITING:
                return Outcome(item.name, status, reason)
            context = _context(attempt, self._detector)
            event = _NOT_MASKED[status](**context, reason=reason, gates=_gates(error))
            self.index.append(event)
            return Outcome(item.name, status, reason, event=event)

    def _identify(self, attempt: _Attempt, *, force_hash: bool) -> Source:
        """The source, hashed and let in by the policy. VideoError or PolicyError where it may not be masked."""
        source = Source(attempt.item, self.index, force_hash=force_hash)
        attempt.source = source.entry
        if request := self.index.erased(source.sha256):
            name = attempt.item.name
            raise RefusedError(f"{name}: was erased for request {request} and is not masked again; delete it.")
        if self._admission:
            candidate = self._admission.examine(attempt.item)
            attempt.policy = candidate.record
            self._admission.admit(candidate)
        return source

    def _unchanged(self, attempt: _Attempt, source: Source) -> Outcome | None:
        """Skipped if the log says so, of this source under these settings, and the results are the ones it names."""
        name = attempt.item.name
        result = self.index.result(name)
        wanted = (source.sha256, attempt.fingerprint)
        if result is None or (result.source_sha256, result.fingerprint) != wanted or not self._is_intact(result):
            return None
        forget(self._folder.path, name)
        return Outcome(name, VideoStatus.SKIPPED, output=self._folder.resolve(result.output))

    def _duplicate(self, attempt: _Attempt, source: Source) -> Outcome | None:
        """Content that is done under another name: logged, and not masked twice."""
        name = attempt.item.name
        same = self.index.duplicates(source.sha256, attempt.fingerprint) if self._unattended else []
        earlier = next((result for result in same if result.name != name and self._is_intact(result)), None)
        if earlier is None:
            return None
        output = self._folder.resolve(earlier.output)
        event = Duplicate(
            **_context(attempt, self._detector),
            reason=f"{name}: has the content of {earlier.name}, whose output stands for both.",
            output=self._folder.entry(output, sha256=earlier.output_sha256),
            tracks_file=self._folder.entry(self._folder.resolve(earlier.tracks), sha256=earlier.tracks_sha256),
        )
        self.index.append(event)
        return Outcome(name, VideoStatus.DUPLICATE, event.reason, output, event)

    def _is_intact(self, result: Result) -> bool:
        entries = ((result.output, result.output_sha256), (result.tracks, result.tracks_sha256))
        try:
            paths = [(self._folder.resolve(name), digest) for name, digest in entries]
        except RefusedError:
            return False
        return all(self.index.digest_or_none(path, force=self._force_hash) == digest for path, digest in paths)

    def _mask(self, attempt: _Attempt, source: Source, shares: int) -> Outcome:
        work = self._work_folder(attempt, source)
        try:
            rendered = self._pipeline(attempt, work, shares).mask()
            source.check_unchanged()
            event = self._publisher.publish(attempt.item, source, work, rendered, _context(attempt, self._detector))
        except OutOfTimeError:
            raise
        except DashredactError as error:
            if isinstance(error, VideoError):
                work.close()
            raise
        except Exception:
            work.close()  # what is in it may be the cause
            raise
        assert event.output is not None
        output = self._folder.resolve(event.output.name)
        return Outcome(attempt.item.name, VideoStatus(event.type), event.reason, output, event)

    def _work_folder(self, attempt: _Attempt, source: Source) -> WorkFolder:
        work = WorkFolder(self._folder.path, attempt.item.name, source.sha256[:32] + attempt.fingerprint[:32])
        self._cache.restore(attempt.item, source.sha256, work, must=self._run_options.relink)
        return work

    def _pipeline(self, attempt: _Attempt, work: WorkFolder, shares: int) -> VideoPipeline:
        item = attempt.item

        def report(event: ProgressEvent) -> None:
            self._report(replace(event, video=item.name))  # folders may hold files of one name

        options = (attempt.settings, report, self._executor, shares, self._run_options)
        return VideoPipeline(item.source, work, self._detector, *options)


def _gates(error: Exception) -> list[str]:
    """Codes of the gates that refused a video."""
    return list(error.gates) if isinstance(error, NotAdmittedError) else []


def _context(attempt: _Attempt, detector: Detector) -> dict[str, Any]:
    """When, by whom, under which settings and policy: the fields of an event that do not depend on the outcome."""
    return {
        **provenance.fields(),
        "source": attempt.source,
        "policy": attempt.policy,
        "model": ModelEntry(**asdict(detector.identity)),
        "settings": attempt.settings.as_dict(),
        "fingerprint": attempt.fingerprint,
    }
