"""Masked clips leave: whoever gets them stands in the policy, every clip passes its gates, and the audit log says so.

All or nothing: one clip that is refused keeps the others back, and each refusal is a line of the log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dashredact.audit import log as audit_log
from dashredact.audit.events import EventType
from dashredact.audit.records import Clip, clips, named, person
from dashredact.errors import PolicyError, UsageError
from dashredact.governance.disclosure import delivery
from dashredact.governance.disclosure.terms import Delivery, terms
from dashredact.governance.policy.file import PolicyFile
from dashredact.governance.policy.gates import Export, Gate, Use, camera_of, refusals
from dashredact.governance.policy.model import Policy, Recipient
from dashredact.kinds import KINDS
from dashredact.media.capture_time import CaptureTime, capture_time
from dashredact.review.state import Opinion, ReviewState, review_states


@dataclass(frozen=True)
class ExportRequest:
    """An export as somebody asks for it."""

    names: Sequence[str]
    to: str
    purpose: str
    contract: str
    folder: Path
    captured: date | None = None
    """the day of filming, where names do not tell it"""
    basis: str = ""
    reason: str = ""
    delete_by: date | None = None


def export(out: Path, policy: PolicyFile, asked: ExportRequest, today: date) -> list[Clip]:
    """Hand the clips over into a folder; `out` is locked. The clips that left come back.

    PolicyError with a sentence a refusal. RefusedError where a file is not the one of the log. UsageError for names
    that the log does not know.
    """
    delivery.check_folder(asked.folder, out)
    log = out / audit_log.NAME
    audit_log.ready(log)
    records = list(audit_log.records(log))
    chosen = _chosen(out, clips(records), asked.names)
    reviews = {standing.output["sha256"]: standing for standing in review_states(records).values()}
    about = {"recipient": asked.to, "purpose": asked.purpose, "contract": asked.contract}
    about |= {"basis": asked.basis, "policy": policy.sha256}
    refused = {}
    for clip in chosen:
        standing = reviews.get(clip.output["sha256"]) if clip.output else None
        if refusal := _refused(policy.policy, clip, standing, asked, today):
            refused[clip.name] = refusal
    for clip in chosen:
        if clip.name in refused:
            audit_log.append(log, {"act": EventType.WITHHELD, "reason": refused[clip.name], **_told(clip), **about})
    if refused:
        raise PolicyError(*refused.values())
    recipient = _recipients(policy.policy, asked)[0]
    days = [_capture_time(clip, asked, today).day for clip in chosen]
    until = min(_kept_until(policy.policy, day) for day in days)
    what = Delivery(recipient, asked.purpose, today, min(asked.delete_by or until, until))
    _deliver(out, policy.policy, chosen, what, asked.folder, about | _agreed(recipient, asked))
    return chosen


def _agreed(recipient: Recipient, asked: ExportRequest) -> dict[str, Any]:
    said = f"For {recipient.name.en}, {asked.purpose}, contract {asked.contract}."
    return {"recipient": recipient.name.en, "reason": said, **({"one_kind": asked.reason} if asked.reason else {})}


def _chosen(out: Path, found: Sequence[Clip], names: Sequence[str]) -> list[Clip]:
    """A pattern is for what there is to hand over; a clip that is named has to be there."""
    chosen, unknown = named(found, names)
    if unknown:
        raise UsageError(f"The audit log of {out} knows no clip {unknown[0]}; `audit show` lists them.")
    for clip in chosen:
        if clip.output:
            delivery.check(out, clip.output)
        elif clip.name in names:
            raise UsageError(f"{clip.name}: there is no masked file of it; mask it first, or leave it out.")
    with_output = [clip for clip in chosen if clip.output]
    if not with_output:
        raise UsageError(f"No masked file in {out} fits {', '.join(names)}.")
    return with_output


def _refused(policy: Policy, clip: Clip, standing: ReviewState | None, asked: ExportRequest, today: date) -> str:
    """One sentence; empty where nothing stands in the way. standing: of its masked file, under whatever name."""
    approved = standing and standing.review and standing.opinion is Opinion.APPROVED
    reviewed_by = clip.reviewed_by or (person(standing.review) if standing and standing.review and approved else "")
    settings = clip.tried.get("settings") or {}
    masked = (settings.get("link") or {}).get("thresholds") or {}
    captured = _capture_time(clip, asked, today)
    use = Use(
        camera=camera_of(policy, clip.name),
        captured=captured.day,
        purpose=asked.purpose,
        kinds=frozenset(kind for kind in KINDS if kind in masked),
        basis=asked.basis,
        reason=asked.reason,
        export=Export(clip.source_sha256 or "0" * 64, person(clip.record), reviewed_by),
        undated=captured.why_undated,
    )
    rejected = standing is not None and standing.opinion is Opinion.REJECTED
    barred = [str(one) for one in refusals(policy, use) if not (rejected and one.gate is Gate.REVIEW_MISSING)]
    known = [*_known_faults(standing), *_not_agreed(policy, asked)]
    reasons = [*known, *barred, *_too_old(policy, captured.day, today)]
    return f"{clip.name}: {'. It '.join(reasons).rstrip('.')}." if reasons else ""


def _known_faults(standing: ReviewState | None) -> Iterator[str]:
    """What a person has said against the file, whatever the policy asks for."""
    if standing and standing.waiting:
        yield "has corrections that are not in the file; apply them with `review apply`, or take them back"
    if standing and standing.opinion is Opinion.REJECTED:
        yield "was looked at and rejected; correct it, and have it approved"


def _recipients(policy: Policy, asked: ExportRequest) -> list[Recipient]:
    """Under whose contract it would be; none where there is no such one."""
    named_so = [one for one in policy.recipients if asked.to in (one.name.ja, one.name.en)]
    return [one for one in named_so if asked.purpose in one.purposes and asked.contract == one.contract]


def _not_agreed(policy: Policy, asked: ExportRequest) -> Iterator[str]:
    agreed = [one for one in policy.recipients if asked.to in (one.name.ja, one.name.en)]
    if not agreed:
        known = ", ".join(one.name.en for one in policy.recipients) or "nobody"
        yield f"is for {asked.to}, who is no recipient of the policy; --to takes {known}"
    elif not _recipients(policy, asked):
        known = "; ".join(f"{', '.join(one.purposes)} under contract {one.contract}" for one in agreed)
        yield f"is not what {asked.to} gets footage for; --purpose and --contract take {known}"


def _capture_time(clip: Clip, asked: ExportRequest, today: date) -> CaptureTime:
    return capture_time(clip.name, today=today, given=asked.captured, logged=clip.captured)


def _kept_until(policy: Policy, captured: date | None) -> date:
    """A recipient may keep nothing for longer than the one who films does."""
    assert captured is not None, "the gates refuse what does not say when it was filmed"
    return captured + timedelta(days=policy.retention.masked)


def _too_old(policy: Policy, captured: date | None, today: date) -> Iterator[str]:
    if captured and (until := _kept_until(policy, captured)) < today:
        yield f"is to be kept until {until} and no longer (retention.masked); leave it out, and purge it"


def _told(clip: Clip) -> dict[str, Any]:
    return {"source": clip.record["source"], "output": clip.output}


def _deliver(
    out: Path, policy: Policy, chosen: Sequence[Clip], what: Delivery, folder: Path, about: dict[str, Any]
) -> None:
    days = {"handed_over": str(what.today), "delete_by": str(what.delete_by)}

    def record() -> None:
        for clip in chosen:
            audit_log.append(out / audit_log.NAME, {"act": EventType.EXPORTED, **_told(clip), **about, **days})

    outputs = list({one["name"]: one for one in (clip.output for clip in chosen) if one}.values())
    manifest = {key: about[key] for key in ("recipient", "purpose", "contract")} | days
    delivery.write(folder, out, outputs, {"terms": terms(policy, what), "about": manifest}, record)
