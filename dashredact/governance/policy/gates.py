"""What a policy refuses: values in, refusals out. docs/policy.md holds the table; the tests run it."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dashredact.audit.clips import Clip
from dashredact.governance.policy.words import SENSITIVE, Facing
from dashredact.kinds import Kind
from dashredact.tracking import zones
from dashredact.values import Day

if TYPE_CHECKING:  # importing pydantic takes 0.3 s
    from dashredact.governance.policy.model import Camera, Policy

MUST_BE_MASKED: tuple[Kind, ...] = (Kind.FACE, Kind.PLATE)
"""Kinds that tell who somebody is: leaving one unmasked takes a reason, whatever else is masked."""
_SCALE = 1 << 32


class Gate(StrEnum):
    """The code of a refusal, for logs and scripts."""

    CAMERA_CABIN = "camera-cabin"
    CAMERA_UNKNOWN = "camera-unknown"
    DATE_UNKNOWN = "date-unknown"
    BEFORE_NOTICE = "before-notice"
    PURPOSE_UNPUBLISHED = "purpose-unpublished"
    PURPOSE_CHANGED = "purpose-changed"
    ONE_KIND = "one-kind"
    REVIEW_MISSING = "review-missing"
    REVIEW_SAME_PERSON = "review-same-person"


@dataclass(frozen=True)
class Refusal:
    gate: Gate
    reason: str
    """half a sentence whose subject is the video"""
    way_out: str
    """half a sentence: what a person can do about it"""

    def __str__(self) -> str:
        return f"{self.reason}; {self.way_out}"


@dataclass(frozen=True)
class Export:
    """What is known of a masked video that is to leave."""

    source_sha256: str
    """64 hexadecimal digits; decides whether the video is in the share that is reviewed"""
    masked_by: str
    """account on the machine"""
    reviewed_by: str = ""
    """account of whoever approved it; empty where nobody has. Names do not count: anybody may give any"""

    @classmethod
    def of(cls, clip: Clip) -> "Export":
        approved_by = clip.approved_by.user if clip.approved_by else ""
        return cls(clip.source.sha256 or "0" * 64, clip.masked_by.user, approved_by)


@dataclass(frozen=True)
class Use:
    """What is to be done with one video."""

    camera: "Camera | None"
    """None where no camera of the policy fits its name"""
    captured: Day | None
    """the local day of filming; None where it is unknown"""
    purpose: str
    """id of a published purpose; empty where none was given"""
    kinds: Set[Kind] = frozenset(MUST_BE_MASKED)
    """that are masked"""
    basis: str = ""
    """what allows a purpose other than the one at capture: a consent, a law, a document number"""
    reason: str = ""
    """why only one kind is masked"""
    export: Export | None = None
    """None while masking"""
    undated: str = ""
    """what leaves the day of filming open, such as `name: several days`; empty where nothing says anything"""


def camera_of(policy: "Policy", name: str) -> "Camera | None":
    """The first camera of the policy whose pattern matches the file name, case-sensitively."""
    return zones.camera_of(policy.cameras, name)


def refusals(policy: "Policy", use: Use) -> tuple[Refusal, ...]:
    """All that apply, in the order of `Gate`; none at all where the use is within the policy."""
    parts = (*_camera(use), *_date(policy, use), *_purpose(policy, use), *_kinds(use), *_review(policy, use))
    return tuple(Refusal(*own) for own in parts)


_Parts = tuple[Gate, str, str]


def _camera(use: Use) -> Iterator[_Parts]:
    if use.camera is None:
        yield Gate.CAMERA_UNKNOWN, "matches no camera of the policy", "add its camera, or leave the video out"
    elif use.camera.facing is Facing.CABIN:
        yield Gate.CAMERA_CABIN, "comes from a camera that faces the cabin", "leave it out: passengers are never used"
    elif use.camera.facing is Facing.UNKNOWN:
        reason = f"comes from a camera ({use.camera.files}) that faces an unknown direction"
        yield Gate.CAMERA_UNKNOWN, reason, "look at a frame, and set facing in the policy"


def _date(policy: "Policy", use: Use) -> Iterator[_Parts]:
    start = policy.notice.start
    if use.captured is None:
        reason = "does not say on which day it was filmed" + (f" ({use.undated})" if use.undated else "")
        yield Gate.DATE_UNKNOWN, reason, "give the day with --captured YYYY-MM-DD"
    elif use.captured < start:
        reason = f"was filmed on {use.captured}, and the notice covers footage from {start} on"
        yield Gate.BEFORE_NOTICE, reason, "leave it out, or correct notice.start if people were told earlier"


def _purpose(policy: "Policy", use: Use) -> Iterator[_Parts]:
    published = [purpose.id for purpose in policy.purposes]
    if use.purpose not in published:
        reason = f"is for the purpose {use.purpose}, which is not published" if use.purpose else "has no purpose"
        yield Gate.PURPOSE_UNPUBLISHED, reason, f"give --purpose with one of {', '.join(published)}"
    captured_for = use.camera.purpose if use.camera else ""
    if captured_for in SENSITIVE and use.purpose != captured_for and not use.basis.strip():
        reason = f"was filmed for {captured_for} and is to be used for {use.purpose or 'something else'}"
        yield Gate.PURPOSE_CHANGED, reason, "name what allows that with --basis, such as a consent, or leave it out"


def _kinds(use: Use) -> Iterator[_Parts]:
    left = [str(kind) for kind in MUST_BE_MASKED if kind not in use.kinds]
    if left and not use.reason.strip():
        reason = f"would keep every {' and every '.join(left)} unmasked"
        yield Gate.ONE_KIND, reason, "mask both faces and plates, or say why not with --reason"


def _review(policy: "Policy", use: Use) -> Iterator[_Parts]:
    refusal = review_refusal(policy, use.export) if use.export else None
    if refusal:
        yield refusal.gate, refusal.reason, refusal.way_out


def review_refusal(policy: "Policy", masked: Export) -> Refusal | None:
    """What a masked video lacks of the review that the policy asks for; None where it lacks nothing."""
    if not to_review(policy, masked.source_sha256):
        return None
    if not masked.reviewed_by:
        return Refusal(
            Gate.REVIEW_MISSING, "has to be reviewed before it is handed over", "have a person review it first"
        )
    if policy.review.second_person and masked.reviewed_by == masked.masked_by:
        reason = f"was masked and reviewed from the same account ({masked.masked_by})"
        return Refusal(Gate.REVIEW_SAME_PERSON, reason, "have another person review it, from an account of their own")
    return None


def to_review(policy: "Policy", source_sha256: str) -> bool:
    """Whether the video is in the share that the policy wants reviewed: always the same answer for the same video."""
    return int(source_sha256[:8], 16) < policy.review.share * _SCALE
