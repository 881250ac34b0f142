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

from dashredact.errors import ChangedError, MediaError
from dashredact.pure import filmed
from dashredact.pure.acts import Act
from dashredact.pure.clips import pages
from dashredact.pure.holds import Hold, holding, standing
from dashredact.pure.retention import Books, File, Finding, Made, Original, Rule, What
from dashredact.pure.standing import standings
from dashredact.store import audit, files, job, report_files, seal
from dashredact.store.arrivals import Arrival, Watch
from dashredact.store.deletions import NOT_THE_FILE, Deletions, Wish

if TYPE_CHECKING:  # what reads a policy takes a third of a second to load
    from dashredact.store.policy import PolicyFile

SCRATCH, SEAL = "scratch", "seal"
"""Names of rules that are no keys of the policy."""
_SEALED = ".age"


@dataclass(frozen=True)
class Asked:
    """What a purge is to do."""

    policy: "PolicyFile"
    out: Path
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

    asked: Asked
    deletions: Deletions | None = None
    books: Books = field(default_factory=Books)
    uncorrected: set[str] = field(default_factory=set)
    """sha256 of sources whose masked video lacks what a person has marked or lifted"""
    _holds: list[Hold] = field(default_factory=list)
    _pages: Mapping[str, str] = field(default_factory=dict)
    _read: int = -1
    """bytes of the log when the holds were read"""

    def findings(self) -> Iterator[Finding]:
        """Everything that is done or should be, one after the other. LedgerError where the audit log is broken."""
        if not self.asked.rehearse:
            self.deletions = Deletions(self.asked.out)
            self.deletions.settle()
        records = list(audit.records(self._log))
        self.books, self._pages = Books.read(records), pages(records)
        self.uncorrected = {
            standing.result["source"]["sha256"] for standing in standings(records).values() if standing.waiting
        }
        if self.asked.inbox:
            for original in sorted(self.books.originals.values(), key=lambda one: one.name):
                yield from self._original(self.asked.inbox, original)
            yield from self._unknown(self.asked.inbox)
        for made in sorted(self.books.made.values(), key=lambda one: one.file.name):
            yield from self._made(made)
        yield from self._scratch()

    @property
    def _log(self) -> Path:
        return self.asked.out / audit.NAME

    # --- originals ---------------------------------------------------------------------------------------------------

    def _original(self, inbox: Path, original: Original) -> Iterator[Finding]:
        rule = self._rule("captured", original.filmed)
        plain = File(original.place, original.sha256 or "")
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
                yield Finding(What.OVERDUE, file.name, why)
            else:
                sealed = {} if file is plain else {"sealed": file._asdict() | {"bytes": path.stat().st_size}}
                record = {"source": original.source, **sealed}
                yield self._delete(path, file, record, rule)

    def _blocked(self, original: Original) -> str:
        if original.blocked:
            return original.blocked
        if original.sha256 in self.uncorrected:
            return "has corrections that are not in its masked video, and they need the original; apply or undo them"
        output = self.books.output_of(original)
        path = files.within(self.asked.out, output.name) if output else None
        if output is None or path is None:
            return "is masked, and its masked video is gone; mask it again, or delete it yourself"
        if not files.holds(path, output.sha256):
            return f"is masked, and {output.name} is not the file that the audit log names; find out why"
        return ""

    def _kept(self, original: Original, path: Path) -> Iterator[Finding]:
        """Encrypt what is kept, where that is asked for and its masked video is there."""
        if self.asked.recipient and not self._blocked(original):
            yield self._seal(original, path)

    def _seal(self, original: Original, path: Path) -> Finding:
        target = path.with_name(files.named(path.name, _SEALED))
        if target.exists() or target.is_symlink():
            return Finding(What.OVERDUE, original.place, f"cannot be sealed, for {target.name} is there; move that")
        if self.deletions is None:
            return Finding(What.SEALED, original.place, f"as {target.name}")
        beside = target.with_name(f".{target.name[:100]}.tmp")
        try:
            seal.seal(path, beside, seal.recipient_of(self.asked.recipient))
            digest = files.sha256(beside)
            name = target.relative_to(self.asked.inbox or path.parent).as_posix()
            sealed = {"name": name, "sha256": digest, "bytes": beside.stat().st_size}
            about = {"source": original.source, "sealed": sealed, "sealed_for": self.asked.recipient}
            record = self._record(Act.SEALED, f"{original.name}: sealed as {name}.", {"name": SEAL}, about)
            self.deletions.carry_out(Wish(path, record, original.sha256, (beside, target, digest)))
        except (ChangedError, MediaError, OSError) as error:
            return Finding(What.OVERDUE, original.place, f"cannot be sealed ({_words(error)})")
        finally:
            beside.unlink(missing_ok=True)
        return Finding(What.SEALED, original.place, f"as {target.name}")

    def _unknown(self, inbox: Path) -> Iterator[Finding]:
        """Videos that were never tried: nothing is known of them but their names and when they came."""
        found = Watch(inbox, self.asked.out, 0).look()
        for arrival in (*found.complete, *found.growing):
            name = arrival.item.name
            rule = self._rule("captured", self._arrived(arrival))
            if name not in self.books.originals and rule.over(self.asked.today):
                hold = self._held({name}, ())
                yield _held(name, hold) if hold else Finding(What.OVERDUE, name, "was never tried; mask it")

    def _arrived(self, arrival: Arrival) -> date:
        named = filmed.in_name(arrival.item.name)
        return named or datetime.fromtimestamp(arrival.arrived, self.asked.now.tzinfo).date()

    # --- what was made of them ---------------------------------------------------------------------------------------

    def _made(self, made: Made) -> Iterator[Finding]:
        rule, name = self._rule("masked", made.filmed), made.file.name
        path = files.within(self.asked.out, name)
        if path is None or not rule.over(self.asked.today):
            return
        if hold := self._held(made.sources, made.digests):
            yield _held(name, hold)
        else:
            record = {"files": [made.file._asdict() | {"bytes": path.stat().st_size}]}
            yield (found := self._delete(path, made.file, record, rule))
            if self.deletions and found.what is What.DELETED:
                yield from self._pages_left(made)

    def _pages_left(self, made: Made) -> Iterator[Finding]:
        """Its pages go; those that cannot be deleted are told."""
        for page in report_files.of(self.asked.out, self._pages, made.sources):
            try:
                page.unlink(missing_ok=True)
            except OSError as error:
                yield Finding(What.OVERDUE, f"{page.parent.name}/{page.name}", f"cannot be deleted ({error.strerror})")

    def _scratch(self) -> Iterator[Finding]:
        """Work folders of videos that are gone, or that nobody has worked on for as long as originals are kept."""
        for folder in job.folders(self.asked.out):
            owner = job.owner_in(folder, (*self.books.originals, *(hold.name for hold in self._standing())))
            original = self.books.originals.get(owner)
            hold = self._held({owner}, {original.sha256} if original else ())
            touched = datetime.fromtimestamp(folder.stat().st_mtime, self.asked.now.tzinfo).date()
            rule = self._rule("captured", touched)
            name = folder.relative_to(self.asked.out).as_posix()
            if hold:
                yield _held(name, hold)
            elif rule.over(self.asked.today) or (original and self._is_gone(original)):
                told = {"name": SCRATCH, "days": rule.days, "from": str(touched)}
                yield self._delete(folder, File(name, ""), {"files": [{"name": name}]}, told)

    def _is_gone(self, original: Original) -> bool:
        return self.asked.inbox is not None and not (self.asked.inbox / original.place).exists()

    # --- doing it ----------------------------------------------------------------------------------------------------

    def _rule(self, stage: str, since: date) -> Rule:
        days: int = getattr(self.asked.policy.policy.retention, stage)
        return Rule(f"retention.{stage}", days, since)

    def _held(self, names: Iterable[str], digests: Iterable[str | None]) -> Hold | None:
        return holding(self._standing(), names, digests, self.asked.today)

    def _standing(self) -> Sequence[Hold]:
        """Holds may be added while this runs: the log is read again when it has grown."""
        size = self._log.stat().st_size if self._log.exists() else 0
        if size != self._read:
            self._read, self._holds = size, [*standing(audit.records(self._log)).values()]
        return self._holds

    def _delete(self, path: Path, file: File, about: Mapping[str, Any], rule: Rule | Mapping[str, Any]) -> Finding:
        told = rule.told() if isinstance(rule, Rule) else rule
        words = f"{told['name']}, {told['days']} days from {told['from']}"
        if not self.deletions and file.sha256 and not files.holds(path, file.sha256):
            return Finding(What.OVERDUE, file.name, f"cannot be deleted ({NOT_THE_FILE.format(path.name)})")
        if self.deletions:
            record = self._record(Act.PURGED, f"{file.name}: {words}.", told, about)
            try:
                self.deletions.carry_out(Wish(path, record, file.sha256 or None))
            except (ChangedError, OSError) as error:
                return Finding(What.OVERDUE, file.name, f"cannot be deleted ({_words(error)})")
        return Finding(What.DELETED, file.name, words)

    def _record(self, act: Act, reason: str, rule: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "act": act,
            "time": self.asked.now.astimezone(UTC).isoformat(timespec="seconds"),
            "reason": reason,
            "policy": {"sha256": self.asked.policy.sha256},
            "rule": dict(rule),
            "deletion": secrets.token_hex(8),
            **about,
        }


def _held(name: str, hold: Hold) -> Finding:
    return Finding(What.HELD, name, f"{hold.kind}, until {hold.until}: {hold.reason}")


def _words(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error).rstrip(".")
