"""Deletes what has been kept for as long as the policy says, and nothing else.

An original goes only where its masked video is the one that the audit log names, was reviewed as far as the policy asks
for that, and lacks nothing that people decided. What should be gone and may not go is reported as overdue, or as
waiting for a person. What is held stays, whatever the day.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashredact import files
from dashredact.audit.clips import Artifact, Clip, Clips
from dashredact.audit.events import FileEntry, Purged, Rule, Sealed
from dashredact.audit.legal_holds import Hold, active_holds, find_hold
from dashredact.errors import ChangedError, MediaError
from dashredact.governance.retention import encryption
from dashredact.governance.retention.inventory import (
    CAPTURED,
    Disposition,
    Inventory,
    Obstacle,
    PurgeFinding,
    RetentionRule,
)
from dashredact.media.capture_time import capture_time
from dashredact.report.page_names import page_names, page_paths
from dashredact.workspace import work_folder
from dashredact.workspace.index import Index
from dashredact.workspace.journal import Removal, SealedCopy, Target
from dashredact.workspace.output_folder import FileState, OutputFolder
from dashredact.workspace.uploads import InboxWatcher, Upload

if TYPE_CHECKING:  # importing pydantic takes 0.3 s
    from dashredact.governance.policy.file import PolicyFile

SCRATCH, SEAL = "scratch", "seal"
"""Names of rules that are no keys of the policy."""
_SEALED = ".age"
_CHANGED = "is not the file that the audit log names, and stays; find out who changed it"


@dataclass(frozen=True)
class PurgeOptions:
    """What a purge is to do."""

    policy: "PolicyFile"
    inbox: Path | None
    """None: originals are left alone"""
    now: datetime
    """with its time zone: the day there counts"""
    recipient: str = ""
    """public key of age; originals that are kept are encrypted for it"""
    dry_run: bool = False
    """only report what would be done"""

    @property
    def today(self) -> date:
        return self.now.date()


@dataclass(frozen=True)
class UpcomingDeletion:
    """A file whose time is not over yet."""

    name: str
    rule: RetentionRule


class Purge:
    """One purge of one output folder, whose locks are held."""

    def __init__(self, folder: OutputFolder, options: PurgeOptions) -> None:
        """LedgerError where the audit log is broken."""
        self._folder, self._options = folder, options
        self._inventory = Inventory(Clips.read(folder.events()), options.policy.policy, options.today)
        self._pages: Mapping[str, str] = page_names(folder.events())
        self._index = None if options.dry_run else Index(folder)
        self._holds: dict[str, Hold] = {}
        self._log_size = 0  # bytes that the holds were read from
        self.next: UpcomingDeletion | None = None
        """what is due next, of all that was examined so far"""

    def findings(self) -> Iterator[PurgeFinding]:
        """Everything that is done, or should be, one after the other."""
        clips = self._inventory.clips
        if self._options.inbox:
            for clip in sorted(clips, key=lambda clip: clip.name):
                yield from self._purge_original(self._options.inbox, clip)
            yield from self._report_untried(self._options.inbox)
        for artifact in sorted(clips.artifacts.values(), key=lambda artifact: artifact.file.name):
            yield from self._purge_artifact(artifact)
        yield from self._purge_scratch()

    # --- originals ---------------------------------------------------------------------------------------------------

    def _purge_original(self, inbox: Path, clip: Clip) -> Iterator[PurgeFinding]:
        rule, digest = self._inventory.rule_of_original(clip), clip.version.content.sha256
        plain = FileEntry(name=clip.location, sha256=digest or "")
        for file in (plain, clip.sealed):
            path = files.within(inbox, file.name) if file else None
            if file is None or path is None:
                continue
            hold = self._hold({clip.name}, {digest})
            if not rule.is_over(self._options.today):
                self._note(file.name, rule, hold)
                yield from () if hold or file is not plain else self._keep(clip, path)
            elif hold:
                yield _held(file.name, hold)
            elif obstacle := self._obstacle(clip):
                yield PurgeFinding(obstacle.disposition, file.name, obstacle.reason)
            else:
                sealed = None if file is plain else _entry(file, path)
                yield self._delete(path, file, rule.entry, source=clip.tried.source, sealed=sealed)

    def _obstacle(self, clip: Clip) -> Obstacle | None:
        """Why the original may not go."""
        obstacle = self._inventory.obstacle(clip)
        if obstacle or clip.output is None:
            return obstacle
        if self._folder.regular_file(clip.output.name) is None:
            reason = "is masked, and its masked video is gone; mask it again, or delete it yourself"
        elif self._folder.state(clip.output) is not FileState.AS_LOGGED:
            reason = f"is masked, and {clip.output.name} is not the file that the audit log names; find out why"
        else:
            return None
        return Obstacle(Disposition.OVERDUE, reason)

    def _keep(self, clip: Clip, path: Path) -> Iterator[PurgeFinding]:
        """Encrypt what is kept, where that is wanted and nobody needs the original any more."""
        if self._options.recipient and not self._obstacle(clip):
            yield self._seal(clip, path)

    def _seal(self, clip: Clip, path: Path) -> PurgeFinding:
        target = path.with_name(files.bounded_name(path.name, _SEALED))
        if target.exists() or target.is_symlink():
            reason = f"cannot be sealed because {target.name} is there already; move that"
            return PurgeFinding(Disposition.OVERDUE, clip.location, reason)
        if self._options.dry_run:
            return PurgeFinding(Disposition.SEALED, clip.location, f"as {target.name}")
        temporary = target.with_name(f".{target.name[:100]}.tmp")
        try:
            encryption.encrypt(path, temporary, encryption.recipient_of(self._options.recipient))
            name = target.relative_to(self._options.inbox or path.parent).as_posix()
            sealed = FileEntry(name=name, sha256=files.sha256(temporary), bytes=temporary.stat().st_size)
            event = Sealed(
                **self._context(Rule(name=SEAL)),
                reason=f"{clip.name}: sealed as {name}.",
                source=clip.tried.source,
                sealed=sealed,
                sealed_for=self._options.recipient,
            )
            copy = SealedCopy(str(temporary.absolute()), str(target.absolute()), sealed.sha256)
            self._remove(Target(str(path.absolute()), clip.version.content.sha256 or ""), event, copy)
        except ChangedError:
            return PurgeFinding(Disposition.OVERDUE, clip.location, _CHANGED)
        except (MediaError, OSError) as error:
            return PurgeFinding(Disposition.OVERDUE, clip.location, f"cannot be sealed ({_reason(error)})")
        finally:
            temporary.unlink(missing_ok=True)
        return PurgeFinding(Disposition.SEALED, clip.location, f"as {target.name}")

    def _report_untried(self, inbox: Path) -> Iterator[PurgeFinding]:
        """Videos that were never tried: nothing is known of them but their names and when they came."""
        uploads = InboxWatcher(inbox, self._folder.path, 0).scan()
        for upload in (*uploads.complete, *uploads.incomplete):
            name = upload.item.name
            rule = self._inventory.rule(CAPTURED, self._arrival_day(upload))
            if name not in self._inventory.clips.by_name and rule.is_over(self._options.today):
                hold = self._hold({name}, ())
                yield _held(name, hold) if hold else PurgeFinding(Disposition.OVERDUE, name, "was never tried; mask it")

    def _arrival_day(self, upload: Upload) -> date:
        named = capture_time(upload.item.name, today=self._options.today)
        return named.day or datetime.fromtimestamp(upload.arrived, self._options.now.tzinfo).date()

    # --- what was made of them ---------------------------------------------------------------------------------------

    def _purge_artifact(self, artifact: Artifact) -> Iterator[PurgeFinding]:
        rule, name = self._inventory.rule_of_artifact(artifact), artifact.file.name
        path = self._folder.regular_file(name)
        if path is None:
            return
        hold = self._hold(artifact.names, artifact.digests)
        if not rule.is_over(self._options.today):
            self._note(name, rule, hold)
        elif hold:
            yield _held(name, hold)
        else:
            finding = self._delete(path, artifact.file, rule.entry, files=[_entry(artifact.file, path)])
            yield finding
            if finding.disposition is Disposition.DELETED and not self._options.dry_run:
                yield from self._delete_pages(artifact)

    def _delete_pages(self, artifact: Artifact) -> Iterator[PurgeFinding]:
        """Its pages of the report go; those that cannot be deleted are reported."""
        for page in page_paths(self._folder.path, self._pages, artifact.names):
            try:
                page.unlink(missing_ok=True)
            except OSError as error:
                name = f"{page.parent.name}/{page.name}"
                yield PurgeFinding(Disposition.OVERDUE, name, f"cannot be deleted ({error.strerror})")

    def _purge_scratch(self) -> Iterator[PurgeFinding]:
        """Work folders of videos that are gone, or that nobody has worked on for as long as originals are kept."""
        clips = self._inventory.clips.by_name
        for folder in work_folder.folders(self._folder.path):
            owner = work_folder.owner_in(folder, (*clips, *self._current_holds()))
            clip = clips.get(owner)
            hold = self._hold({owner}, {clip.version.content.sha256} if clip else ())
            touched = datetime.fromtimestamp(folder.stat().st_mtime, self._options.now.tzinfo).date()
            rule = self._inventory.rule(CAPTURED, touched)
            name = self._folder.name_of(folder)
            if hold:
                yield _held(name, hold)
            elif rule.is_over(self._options.today) or (clip and self._is_gone(clip)):
                scratch = Rule(name=SCRATCH, days=rule.days, since=str(touched))
                yield self._delete(folder, FileEntry(name=name), scratch, files=[FileEntry(name=name)])

    def _is_gone(self, clip: Clip) -> bool:
        return self._options.inbox is not None and files.within(self._options.inbox, clip.location) is None

    # --- doing it ----------------------------------------------------------------------------------------------------

    def _note(self, name: str, rule: RetentionRule, hold: Hold | None) -> None:
        """Remember what is due next."""
        if not hold and (self.next is None or (rule.due, name) < (self.next.rule.due, self.next.name)):
            self.next = UpcomingDeletion(name, rule)

    def _hold(self, names: Iterable[str], digests: Iterable[str | None]) -> Hold | None:
        return find_hold(self._current_holds().values(), names, digests, self._options.today)

    def _current_holds(self) -> Mapping[str, Hold]:
        """Holds may be added while this runs."""
        events, self._log_size = self._folder.appended(self._log_size)
        self._holds = active_holds(events, self._holds)
        return self._holds

    def _delete(self, path: Path, file: FileEntry, rule: Rule, **about: Any) -> PurgeFinding:
        """about: fields of the line that say what goes."""
        words = f"{rule.name}, {rule.days} days from {rule.since}"
        try:
            if not self._options.dry_run:
                event = Purged(**self._context(rule), reason=f"{file.name}: {words}.", **about)
                self._remove(Target(str(path.absolute()), file.sha256), event)
            elif file.sha256 and not files.has_digest(path, file.sha256):
                return PurgeFinding(Disposition.OVERDUE, file.name, _CHANGED)
        except ChangedError:
            return PurgeFinding(Disposition.OVERDUE, file.name, _CHANGED)
        except OSError as error:
            return PurgeFinding(Disposition.OVERDUE, file.name, f"cannot be deleted ({error.strerror})")
        return PurgeFinding(Disposition.DELETED, file.name, words)

    def _remove(self, target: Target, event: Purged | Sealed, copy: SealedCopy | None = None) -> None:
        assert self._index, "a dry run removes nothing"
        self._folder.carry_out(Removal((target,), event.to_record(), copy), append=self._index.append)

    def _context(self, rule: Rule) -> dict[str, Any]:
        """Fields of the line that say why."""
        return {
            "time": self._options.now.astimezone(UTC).isoformat(timespec="seconds"),
            "policy": {"sha256": self._options.policy.sha256},
            "rule": rule,
            "deletion": secrets.token_hex(8),
        }


def _entry(file: FileEntry, path: Path) -> FileEntry:
    return FileEntry(name=file.name, sha256=file.sha256, bytes=path.stat().st_size)


def _held(name: str, hold: Hold) -> PurgeFinding:
    return PurgeFinding(Disposition.HELD, name, f"{hold.kind}, until {hold.until}: {hold.reason}")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error).rstrip(".")
