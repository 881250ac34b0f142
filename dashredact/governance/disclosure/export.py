"""Masked clips leave: whoever gets them stands in the policy, every clip passes its gates, and the audit log says so.

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
    """the day of filming, where names do not tell it"""
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
        chosen = _chosen(folder, options.names)
        common: dict[str, Any] = {
            "purpose": options.purpose,
            "contract": options.contract,
            "basis": options.basis,
            "policy": policy.sha256,
        }
        _withhold(folder, policy.policy, chosen, options, today, common)
        _deliver(folder, policy.policy, chosen, options, today, common)
    return chosen


def _chosen(folder: OutputFolder, names: Sequence[str]) -> list[Clip]:
    """A pattern is for what there is to hand over; a clip that is named has to be there."""
    chosen, unknown = Clips.read(folder.events()).named(names)
    if unknown:
        raise UsageError(f"The audit log of {folder} knows no clip {unknown[0]}; `audit show` lists them.")
    for clip in chosen:
        if clip.output:
            folder.file(clip.output)
        elif clip.name in names:
            raise UsageError(f"{clip.name}: there is no masked file of it; mask it first, or leave it out.")
    with_output = [clip for clip in chosen if clip.output]
    if not with_output:
        raise UsageError(f"No masked file in {folder} fits {', '.join(names)}.")
    return with_output


# --- what may not leave ----------------------------------------------------------------------------------------------


def _withhold(
    folder: OutputFolder,
    policy: Policy,
    chosen: Sequence[Clip],
    options: ExportOptions,
    today: date,
    common: dict[str, Any],
) -> None:
    """PolicyError where a clip may not leave; the log says why each of them stays."""
    reasons = {clip.name: reason for clip in chosen if (reason := _refusal(policy, clip, options, today))}
    for clip in chosen:
        if clip.name in reasons:
            reason = reasons[clip.name]
            folder.append(
                Withheld(source=clip.source, output=clip.output, reason=reason, recipient=options.recipient, **common)
            )
    if reasons:
        raise PolicyError(*reasons.values())


def _refusal(policy: Policy, clip: Clip, options: ExportOptions, today: date) -> str:
    """One sentence; empty where nothing stands in the way."""
    captured = _capture_time(clip, options, today)
    thresholds = (clip.masking.settings.get("link") or {}).get("thresholds") or {}
    use = Use(
        camera=camera_of(policy, clip.name),
        captured=captured.day,
        purpose=options.purpose,
        kinds=frozenset(kind for kind in KINDS if kind in thresholds),
        basis=options.basis,
        reason=options.reason,
        export=Export(clip.source.sha256 or "0" * 64, str(clip.masked_by), str(clip.approved_by or "")),
        undated=captured.why_undated,
    )
    waits = list(_waits(clip))
    barred = [str(one) for one in refusals(policy, use) if not (waits and one.gate is Gate.REVIEW_MISSING)]
    reasons = [*waits, *_not_agreed(policy, options), *barred, *_too_old(policy, captured.day, today)]
    return f"{clip.name}: {'. It '.join(reasons).rstrip('.')}." if reasons else ""


def _waits(clip: Clip) -> Iterator[str]:
    """What a person has to do about the file before it leaves, whatever the policy asks for."""
    if clip.corrections.waiting:
        yield "has corrections that are not in the file; apply them with `review apply`, or take them back"
    if clip.verdict is ReviewVerdict.REJECTED:
        yield "was looked at and rejected; correct it, and have it approved"
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


def _too_old(policy: Policy, captured: date | None, today: date) -> Iterator[str]:
    if captured and (until := _kept_until(policy, captured)) < today:
        yield f"is to be kept until {until} and no longer (retention.masked); leave it out, and purge it"


def _capture_time(clip: Clip, options: ExportOptions, today: date) -> CaptureTime:
    return capture_time(clip.name, today=today, given=options.captured, logged=clip.captured)


def _kept_until(policy: Policy, captured: date) -> date:
    """A recipient may keep nothing for longer than the one who films does."""
    return captured + timedelta(days=policy.retention.masked)


# --- what leaves -----------------------------------------------------------------------------------------------------


def _deliver(
    folder: OutputFolder,
    policy: Policy,
    chosen: Sequence[Clip],
    options: ExportOptions,
    today: date,
    common: dict[str, Any],
) -> None:
    recipient = _recipients(policy, options)[0]
    handover = Delivery(recipient, options.purpose, today, _delete_by(policy, chosen, options, today))
    days = {"handed_over": str(today), "delete_by": str(handover.delete_by)}
    who = {"recipient": recipient.name.en, "purpose": options.purpose, "contract": options.contract}
    about: dict[str, Any] = {
        **common,
        **days,
        "recipient": recipient.name.en,
        "one_kind": options.reason,
        "reason": f"For {recipient.name.en}, {options.purpose}, contract {options.contract}.",
    }

    def record() -> None:
        for clip in chosen:
            folder.append(Exported(source=clip.source, output=clip.output, **about))

    videos = list({clip.output.name: clip.output for clip in chosen if clip.output}.values())
    content = delivery.Content(videos, terms(policy, handover), who | days)
    delivery.write(options.target, folder, content, record)


def _delete_by(policy: Policy, chosen: Sequence[Clip], options: ExportOptions, today: date) -> date:
    """Of the oldest clip, or earlier."""
    days = [_capture_time(clip, options, today).day for clip in chosen]
    until = min(_kept_until(policy, day) for day in days if day)  # the gates refuse clips without a day
    return min(options.delete_by or until, until)
