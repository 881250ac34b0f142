"""Masked clips leave: the policy names whoever gets them, every clip passes its gates, and the audit log says so.

All or nothing: one clip that is refused keeps the others back, and each refusal is a line of the log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dashredact.audit.clips import Clip, Clips
from dashredact.audit.events import Exported, ReviewVerdict, Withheld
from dashredact.errors import PolicyError, UsageError
from dashredact.governance.disclosure import delivery
from dashredact.governance.disclosure.terms import Delivery, terms
from dashredact.governance.policy.file import PolicyFile
from dashredact.governance.policy.gates import Export, Gate, Use, camera_of, refusals
from dashredact.governance.policy.model import Policy, Recipient
from dashredact.kinds import KINDS
from dashredact.media.capture_time import CaptureTime, capture_time
from dashredact.workspace.output_folder import OutputFolder


@dataclass(frozen=True)
class ExportOptions:
    """An export as somebody asks for it."""

    names: Sequence[str]
    """of sources or masked files, or patterns of them"""
    recipient: str
    """as the policy names it"""
    purpose: str
    """id of a published purpose"""
    contract: str
    target: Path
    """a new folder, outside of the output folder"""
    captured: date | None = None
    """the day of filming, where the log and the names do not say"""
    basis: str = ""
    reason: str = ""
    """why only some kinds are masked"""
    delete_by: date | None = None


def export(folder: OutputFolder, policy: PolicyFile, options: ExportOptions, today: date) -> list[Clip]:
    """Hand the clips over into a new folder. The clips that left come back.

    PolicyError with a sentence for each clip that is refused. RefusedError where a file is not the one of the log.
    UsageError for names that the log does not know, and days that are over.
    """
    delivery.check_target(options.target, folder)
    if options.delete_by and options.delete_by < today:
        raise UsageError(f"--delete-by {options.delete_by} is over; give a later day.")
    with folder.deciding():
        folder.check_log()
        outgoing = _Outgoing(folder, policy, options, today, _chosen(folder, options.names))
        outgoing.withhold()
        outgoing.deliver()
    return list(outgoing.clips)


def _chosen(folder: OutputFolder, names: Sequence[str]) -> list[Clip]:
    """A pattern is for what there is to hand over; a clip that is named has to be there."""
    chosen, unknown = Clips.read(folder.events()).named(names)
    if unknown:
        raise UsageError(f"The audit log of {folder} knows no clip {unknown[0]}; `audit show` lists them.")
    for clip in chosen:
        if clip.output:
            folder.file(clip.output)
        elif clip.name in names:
            raise UsageError(f"{clip.name}: has no masked file; mask it first, or leave it out.")
    with_output = [clip for clip in chosen if clip.output]
    if not with_output:
        raise UsageError(f"No masked file in {folder} fits {', '.join(names)}.")
    return with_output


@dataclass(frozen=True)
class _Outgoing:
    """Of clips that have a masked file. The folder is held."""

    folder: OutputFolder
    file: PolicyFile
    options: ExportOptions
    today: date
    clips: Sequence[Clip]

    @property
    def _policy(self) -> Policy:
        return self.file.policy

    def withhold(self) -> None:
        """PolicyError where a clip may not leave; the log says why each of them stays."""
        reasons = {clip.name: reason for clip in self.clips if (reason := self._refusal(clip))}
        for clip in self.clips:
            if clip.name in reasons:
                self.folder.append(
                    Withheld(**self._about(clip), reason=reasons[clip.name], recipient=self.options.recipient)
                )
        if reasons:
            raise PolicyError(*reasons.values())

    def deliver(self) -> None:
        recipient = _recipients(self._policy, self.options)[0]
        terms_ = Delivery(recipient, self.options.purpose, self.today, self._delete_by())
        days = {"handed_over": str(terms_.today), "delete_by": str(terms_.delete_by)}
        name, purpose, contract = recipient.name.en, self.options.purpose, self.options.contract
        reason = f"For {name}, {purpose}, contract {contract}."

        def record() -> None:
            for clip in self.clips:
                about = {**self._about(clip), **days, "one_kind": self.options.reason}
                self.folder.append(Exported(**about, reason=reason, recipient=name))

        videos = list({clip.output.name: clip.output for clip in self.clips if clip.output}.values())
        manifest = {"recipient": name, "purpose": purpose, "contract": contract, **days}
        delivery.write(
            self.options.target, self.folder, delivery.Content(videos, terms(self._policy, terms_), manifest), record
        )

    def _about(self, clip: Clip) -> dict[str, Any]:
        """Fields that a line has, whether the clip leaves or not."""
        return {
            "source": clip.source,
            "output": clip.output,
            "purpose": self.options.purpose,
            "contract": self.options.contract,
            "basis": self.options.basis,
            "policy": self.file.sha256,
        }

    def _refusal(self, clip: Clip) -> str:
        """One sentence; empty where the clip may leave."""
        captured = self._capture_time(clip)
        thresholds = (clip.masking.settings.get("link") or {}).get("thresholds") or {}
        use = Use(
            camera=camera_of(self._policy, clip.name),
            captured=captured.day,
            purpose=self.options.purpose,
            kinds=frozenset(kind for kind in KINDS if kind in thresholds),
            basis=self.options.basis,
            reason=self.options.reason,
            export=Export.of(clip),
            undated=captured.why_undated,
        )
        waits = list(_waits(clip))
        barred = [str(one) for one in refusals(self._policy, use) if not (waits and one.gate is Gate.REVIEW_MISSING)]
        reasons = [*waits, *_not_agreed(self._policy, self.options), *barred, *self._too_old(captured.day)]
        return f"{clip.name}: {'. It '.join(reasons).rstrip('.')}." if reasons else ""

    def _capture_time(self, clip: Clip) -> CaptureTime:
        return capture_time(clip.name, today=self.today, given=self.options.captured, logged=clip.captured)

    def _too_old(self, captured: date | None) -> Iterator[str]:
        if captured and (until := self._kept_until(captured)) < self.today:
            yield f"is to be kept until {until} and no longer (retention.masked); leave it out, and purge it"

    def _kept_until(self, captured: date) -> date:
        """A recipient may keep nothing for longer than the one who films does."""
        return captured + timedelta(days=self._policy.retention.masked)

    def _delete_by(self) -> date:
        """Of the oldest clip, or earlier."""
        days = [self._capture_time(clip).day for clip in self.clips]
        until = min(self._kept_until(day) for day in days if day)  # the gates refuse clips without a day
        return min(self.options.delete_by or until, until)


def _waits(clip: Clip) -> Iterator[str]:
    """What a person has to do about the file before it leaves, whatever the policy asks for."""
    if clip.corrections.open_reason:
        yield clip.corrections.open_reason
    if clip.verdict is ReviewVerdict.REJECTED:
        yield "was reviewed and rejected; correct it, and have it approved"
    elif clip.file and clip.file.doubted and clip.verdict is not ReviewVerdict.APPROVED:
        yield "was masked with a doubt, and nobody has approved it; have a person review it first"


def _recipients(policy: Policy, options: ExportOptions) -> list[Recipient]:
    """Under whose contract it would be; none where there is no such one."""
    same_name = [one for one in policy.recipients if options.recipient in (one.name.ja, one.name.en)]
    return [one for one in same_name if options.purpose in one.purposes and options.contract == one.contract]


def _not_agreed(policy: Policy, options: ExportOptions) -> Iterator[str]:
    agreed = [one for one in policy.recipients if options.recipient in (one.name.ja, one.name.en)]
    if not agreed:
        known = ", ".join(one.name.en for one in policy.recipients) or "nobody"
        yield f"is for {options.recipient}, who is not a recipient of the policy; --recipient takes {known}"
    elif not _recipients(policy, options):
        known = "; ".join(f"{', '.join(one.purposes)} under contract {one.contract}" for one in agreed)
        yield f"is not what {options.recipient} gets footage for; --purpose and --contract take {known}"
