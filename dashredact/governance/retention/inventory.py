"""How long what the audit log names may be kept, and what has to be true before it goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from dashredact.audit.clips import Artifact, Clip, Clips, SourceVersion
from dashredact.audit.events import NotMasked, RefusedByPolicy, ReviewVerdict, Rule
from dashredact.governance.policy import gates
from dashredact.governance.policy.gates import Export, Gate
from dashredact.media.capture_time import capture_time
from dashredact.values import Day

if TYPE_CHECKING:  # importing pydantic takes 0.3 s
    from dashredact.governance.policy.model import Policy

CAPTURED, MASKED = "captured", "masked"
"""Stages that the policy's retention names."""


class Disposition(StrEnum):
    """What became of a file."""

    DELETED = "deleted"
    SEALED = "sealed"
    HELD = "held"
    WAITING = "waiting"
    """for a person who reviews its masked video"""
    OVERDUE = "overdue"


@dataclass(frozen=True)
class PurgeFinding:
    disposition: Disposition
    name: str
    """relative to the inbox or the output folder"""
    reason: str
    """why, as half a sentence"""


class Obstacle(NamedTuple):
    """Why an original may not go, whatever the day."""

    disposition: Disposition
    """waiting or overdue"""
    reason: str
    """half a sentence"""


@dataclass(frozen=True)
class RetentionRule:
    """So many days from a day on."""

    name: str
    """key of the policy"""
    days: int
    since: Day

    def is_over(self, today: Day) -> bool:
        """The last day is a day on which it may still be there."""
        return (today - self.since).days > self.days

    @property
    def due(self) -> Day:
        """The first day on which it goes."""
        return Day.fromordinal(self.since.toordinal() + self.days + 1)

    @property
    def entry(self) -> Rule:
        """As the log has it."""
        return Rule(name=self.name, days=self.days, since=str(self.since))

    def __str__(self) -> str:
        return f"{self.name}, {self.days} days from {self.since}"


@dataclass(frozen=True)
class Inventory:
    """What the log names, under the rules of one policy."""

    clips: Clips
    policy: "Policy"
    today: Day
    """days of filming that are still to come are not believed"""

    def rule(self, stage: str, since: Day) -> RetentionRule:
        """stage: captured or masked."""
        days: int = getattr(self.policy.retention, stage)
        return RetentionRule(f"retention.{stage}", days, since)

    def rule_of_original(self, clip: Clip) -> RetentionRule:
        return self.rule(CAPTURED, self._day([clip.version]))

    def rule_of_artifact(self, artifact: Artifact) -> RetentionRule:
        """The latest of its sources counts."""
        return self.rule(MASKED, self._day(artifact.sources))

    def _day(self, versions: Iterable[SourceVersion]) -> Day:
        """Of filming; where that is unknown, of the first try: never an earlier one."""
        days = (
            capture_time(version.content.name, today=self.today, logged=version.captured).day
            or Day.fromisoformat(version.first_tried)
            for version in versions
        )
        return max(days)

    def obstacle(self, clip: Clip) -> Obstacle | None:
        """What keeps the original from going, as far as the log can tell; None where its masked file decides."""
        if isinstance(clip.tried, RefusedByPolicy):
            return _overdue("is not masked (refused by policy); delete it yourself, or correct what the policy refused")
        if isinstance(clip.tried, NotMasked) or clip.result is None:
            return _overdue(f"is not masked ({clip.tried.type}); mask it, or delete it yourself")
        if clip.output is None:
            return _overdue("is masked, and its masked video is gone; mask it again, or delete it yourself")
        return self._unreviewed(clip)

    def _unreviewed(self, clip: Clip) -> Obstacle | None:
        """Once the original has gone, nothing that a review finds can be corrected."""
        if clip.corrections.open_reason:
            return _overdue(clip.corrections.open_reason)
        if clip.review_required and _is_rejected(clip):
            return _overdue("is masked, and a person rejected the result; correct it")
        if clip.review_required:
            return _waiting("was masked with a doubt, and nobody has approved it; review it")
        refusal = gates.review_refusal(self.policy, Export.of(clip))
        if refusal and refusal.gate is Gate.REVIEW_MISSING:
            return _waiting("is masked, and waits for the review that the policy asks for; approve or correct it")
        return _waiting(str(refusal)) if refusal else None


def _is_rejected(clip: Clip) -> bool:
    return ReviewVerdict.REJECTED in (clip.verdict, clip.source_review.verdict if clip.source_review else None)


def _overdue(reason: str) -> Obstacle:
    return Obstacle(Disposition.OVERDUE, reason)


def _waiting(reason: str) -> Obstacle:
    return Obstacle(Disposition.WAITING, reason)
