"""Deletes what has been kept for as long as the policy says, and nothing else.

An original goes only where its masked video was looked at again and is the one that the audit log names. What should be
gone and may not go is told as overdue. What is held stays, whatever the day.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashredact import files
from dashredact.audit.events import FileEntry, Purged, Rule, Sealed
from dashredact.audit.legal_holds import Hold, active_holds, find_hold
from dashredact.errors import ChangedError, MediaError
from dashredact.governance.retention import encryption
from dashredact.governance.retention.inventory import (
    Artifact,
    Disposition,
    Inventory,
    LoggedFile,
    OriginalRecord,
    PurgeFinding,
    RetentionRule,
)
from dashredact.media.capture_time import capture_time
from dashredact.report.page_names import page_names, page_paths
from dashredact.review.state import review_states
from dashredact.workspace import work_folder
from dashredact.workspace.index import Index
from dashredact.workspace.journal import Removal, SealedCopy, Target
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.uploads import InboxWatcher, Upload

if TYPE_CHECKING:  # what reads a policy takes a third of a second to load
    from dashredact.governance.policy.file import PolicyFile

SCRATCH, SEAL = "scratch", "seal"
"""Names of rules that are no keys of the policy."""
_SEALED = ".age"


@dataclass(frozen=True)
class PurgeOptions:
    """What a purge is to do."""

    policy: "PolicyFile"
    folder: OutputFolder
    inbox: Path | None
    """None: originals are not looked at"""
    now: datetime
    """with its time zone: the day there counts"""
    recipient: str = ""
    """public key of age; originals that are kept are encrypted for it"""
    rehearse: bool = False
    """only say what would be done"""

    @property
    def today(self) -> date:
        return self.now.date()


@dataclass
class Purge:
    """One purge. The lock of the output folder is held."""

    asked: PurgeOptions
    books: Inventory = field(default_factory=Inventory)
    uncorrected: set[str] = field(default_factory=set)
    """sha256 of sources whose masked video lacks what a person has marked or lifted"""
    _holds: list[Hold] = field(default_factory=list)
    _pages: Mapping[str, str] = field(default_factory=dict)
    _read: int = -1
    """bytes of the log when the holds were read"""
    _index: Index | None = None
    """remembers each line that is written; None where nothing is done"""

    def findings(self) -> Iterator[PurgeFinding]:
        """Everything that is done or should be, one after the other. LedgerError where the audit log is broken."""
        if not self.asked.rehearse:
            self._index = Index(self.asked.folder)
        records = self.asked.folder.records()
        self.books, self._pages = Inventory.read(records, self.asked.today), page_names(records)
        self.uncorrected = {
            standing.result["source"]["sha256"] for standing in review_states(records).values() if standing.waiting
        }
        if self.asked.inbox:
            for original in sorted(self.books.originals.values(), key=lambda one: one.name):
                yield from self._original(self.asked.inbox, original)
            yield from self._unknown(self.asked.inbox)
        for made in sorted(self.books.made.values(), key=lambda one: one.file.name):
            yield from self._made(made)
        yield from self._scratch()

    # --- originals ---------------------------------------------------------------------------------------------------

    def _original(self, inbox: Path, original: OriginalRecord) -> Iterator[PurgeFinding]:
        rule = self._rule("captured", original.filmed)
        plain = LoggedFile(original.place, original.sha256 or "")
        for file in (plain, original.sealed):
            path = files.within(inbox, file.name) if file else None
            if file is None or path is None:
                continue
            hold = self._held({original.name}, {original.sha256})
            if not rule.over(self.asked.today):
                yield from () if hold or file is not plain else self._kept(original, path)
            elif hold:
                yield _held(file.name, hold)
            elif why := self._blocked(original):
                yield PurgeFinding(Disposition.OVERDUE, file.name, why)
            else:
                sealed = None if file is plain else _entry(file, path)
                yield self._delete(path, file, rule.entry, source=original.entry, sealed=sealed)

    def _blocked(self, original: OriginalRecord) -> str:
        if original.blocked:
            return original.blocked
        if original.sha256 in self.uncorrected:
            return "has corrections that are not in its masked video, and they need the original; apply or undo them"
        output = self.books.output_of(original)
        path = self.asked.folder.regular_file(output.name) if output else None
        if output is None or path is None:
            return "is masked, and its masked video is gone; mask it again, or delete it yourself"
        if not files.has_digest(path, output.sha256):
            return f"is masked, and {output.name} is not the file that the audit log names; find out why"
        return ""

    def _kept(self, original: OriginalRecord, path: Path) -> Iterator[PurgeFinding]:
        """Encrypt what is kept, where that is asked for and its masked video is there."""
        if self.asked.recipient and not self._blocked(original):
            yield self._seal(original, path)

    def _seal(self, original: OriginalRecord, path: Path) -> PurgeFinding:
        target = path.with_name(files.bounded_name(path.name, _SEALED))
        if target.exists() or target.is_symlink():
            return PurgeFinding(
                Disposition.OVERDUE, original.place, f"cannot be sealed, for {target.name} is there; move that"
            )
        if self._index is None:
            return PurgeFinding(Disposition.SEALED, original.place, f"as {target.name}")
        beside = target.with_name(f".{target.name[:100]}.tmp")
        try:
            encryption.encrypt(path, beside, encryption.recipient_of(self.asked.recipient))
            name = target.relative_to(self.asked.inbox or path.parent).as_posix()
            sealed = _entry(LoggedFile(name, files.sha256(beside)), beside)
            event = Sealed(
                **self._context(Rule(name=SEAL)),
                reason=f"{original.name}: sealed as {name}.",
                source=original.entry,
                sealed=sealed,
                sealed_for=self.asked.recipient,
            )
            copy = SealedCopy(str(beside.absolute()), str(target.absolute()), sealed.sha256)
            self._remove(Target(str(path.absolute()), original.sha256 or ""), event, copy)
        except (ChangedError, MediaError, OSError) as error:
            return PurgeFinding(Disposition.OVERDUE, original.place, f"cannot be sealed ({_words(error)})")
        finally:
            beside.unlink(missing_ok=True)
        return PurgeFinding(Disposition.SEALED, original.place, f"as {target.name}")

    def _unknown(self, inbox: Path) -> Iterator[PurgeFinding]:
        """Videos that were never tried: nothing is known of them but their names and when they came."""
        contents = InboxWatcher(inbox, self.asked.folder.path, 0).scan()
        for arrival in (*contents.complete, *contents.incomplete):
            name = arrival.item.name
            rule = self._rule("captured", self._arrived(arrival))
            if name not in self.books.originals and rule.over(self.asked.today):
                hold = self._held({name}, ())
                yield _held(name, hold) if hold else PurgeFinding(Disposition.OVERDUE, name, "was never tried; mask it")

    def _arrived(self, arrival: Upload) -> date:
        named = capture_time(arrival.item.name, today=self.asked.today)
        return named.day or datetime.fromtimestamp(arrival.arrived, self.asked.now.tzinfo).date()

    # --- what was made of them ---------------------------------------------------------------------------------------

    def _made(self, made: Artifact) -> Iterator[PurgeFinding]:
        rule, name = self._rule("masked", made.filmed), made.file.name
        path = self.asked.folder.regular_file(name)
        if path is None or not rule.over(self.asked.today):
            return
        if hold := self._held(made.sources, made.digests):
            yield _held(name, hold)
        else:
            yield (found := self._delete(path, made.file, rule.entry, files=[_entry(made.file, path)]))
            if self._index and found.what is Disposition.DELETED:
                yield from self._pages_left(made)

    def _pages_left(self, made: Artifact) -> Iterator[PurgeFinding]:
        """Its pages go; those that cannot be deleted are told."""
        for page in page_paths(self.asked.folder.path, self._pages, made.sources):
            try:
                page.unlink(missing_ok=True)
            except OSError as error:
                yield PurgeFinding(
                    Disposition.OVERDUE, f"{page.parent.name}/{page.name}", f"cannot be deleted ({error.strerror})"
                )

    def _scratch(self) -> Iterator[PurgeFinding]:
        """Work folders of videos that are gone, or that nobody has worked on for as long as originals are kept."""
        for folder in work_folder.folders(self.asked.folder.path):
            owner = work_folder.owner_in(folder, (*self.books.originals, *(hold.name for hold in self._standing())))
            original = self.books.originals.get(owner)
            hold = self._held({owner}, {original.sha256} if original else ())
            touched = datetime.fromtimestamp(folder.stat().st_mtime, self.asked.now.tzinfo).date()
            rule = self._rule("captured", touched)
            name = self.asked.folder.name_of(folder)
            if hold:
                yield _held(name, hold)
            elif rule.over(self.asked.today) or (original and self._is_gone(original)):
                scratch = Rule(name=SCRATCH, days=rule.days, since=str(touched))
                yield self._delete(folder, LoggedFile(name, ""), scratch, files=[FileEntry(name=name)])

    def _is_gone(self, original: OriginalRecord) -> bool:
        return self.asked.inbox is not None and not (self.asked.inbox / original.place).exists()

    # --- doing it ----------------------------------------------------------------------------------------------------

    def _rule(self, stage: str, since: date) -> RetentionRule:
        days: int = getattr(self.asked.policy.policy.retention, stage)
        return RetentionRule(f"retention.{stage}", days, since)

    def _held(self, names: Iterable[str], digests: Iterable[str | None]) -> Hold | None:
        return find_hold(self._standing(), names, digests, self.asked.today)

    def _standing(self) -> Sequence[Hold]:
        """Holds may be added while this runs: the log is read again when it has grown."""
        log = self.asked.folder.log
        size = log.stat().st_size if log.exists() else 0
        if size != self._read:
            self._read, self._holds = size, [*active_holds(self.asked.folder.events()).values()]
        return self._holds

    def _delete(self, path: Path, file: LoggedFile, rule: Rule, **about: Any) -> PurgeFinding:
        """about: fields of the line that say what goes."""
        words = f"{rule.name}, {rule.days} days from {rule.since}"
        if not self._index and file.sha256 and not files.has_digest(path, file.sha256):
            wrong = f"{path.name} is not the file that the audit log names"
            return PurgeFinding(Disposition.OVERDUE, file.name, f"cannot be deleted ({wrong})")
        if self._index:
            event = Purged(**self._context(rule), reason=f"{file.name}: {words}.", **about)
            try:
                self._remove(Target(str(path.absolute()), file.sha256), event)
            except (ChangedError, OSError) as error:
                return PurgeFinding(Disposition.OVERDUE, file.name, f"cannot be deleted ({_words(error)})")
        return PurgeFinding(Disposition.DELETED, file.name, words)

    def _remove(self, target: Target, event: Purged | Sealed, copy: SealedCopy | None = None) -> None:
        assert self._index, "a rehearsal removes nothing"
        self.asked.folder.carry_out(Removal((target,), event.to_record(), copy), append=self._index.append)

    def _context(self, rule: Rule) -> dict[str, Any]:
        """Fields of the line that say why."""
        return {
            "time": self.asked.now.astimezone(UTC).isoformat(timespec="seconds"),
            "policy": {"sha256": self.asked.policy.sha256},
            "rule": rule,
            "deletion": secrets.token_hex(8),
        }


def _entry(file: LoggedFile, path: Path) -> FileEntry:
    return FileEntry(name=file.name, sha256=file.sha256, bytes=path.stat().st_size)


def _held(name: str, hold: Hold) -> PurgeFinding:
    return PurgeFinding(Disposition.HELD, name, f"{hold.kind}, until {hold.until}: {hold.reason}")


def _words(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error).rstrip(".")
