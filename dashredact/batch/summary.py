"""What a run did and what it left: the one place that counts videos, for the summary line, the health file and the
exit code."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import ceil

from dashredact.audit.clips import Clips
from dashredact.errors import ExitCode
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.text import plural, rough_time
from dashredact.workspace.output_folder import OutputFolder

_AUDIO = "audio"  # second word of a stream in the log


class WaitReason(StrEnum):
    """Why an upload is not masked yet. The values are labels of the health file."""

    GROWING = "still growing"
    RETRY = "to be tried again"
    GIVEN_UP = "given up"
    NEXT_RUN = "for the next run"
    REFUSED_BY_POLICY = "refused by policy"


_DECIDED_BY = {WaitReason.GROWING: "--settle: until", WaitReason.RETRY: "--retry-after: from"}
"""Options that say when a waiting upload is looked at again."""


@dataclass
class RunSummary:
    """Of one run, or one look into an inbox."""

    outcomes: Counter[VideoStatus] = field(default_factory=Counter)
    waiting: Counter[WaitReason] = field(default_factory=Counter)
    """uploads that are not masked"""
    due: dict[WaitReason, float] = field(default_factory=dict)
    """when the next one of them is looked at again, seconds since 1970"""
    oldest_waiting: float = 0.0
    """age in seconds"""
    quarantined: int = 0
    """files in quarantine"""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """files that are no video by their ending, by that ending"""
    needs_review: int = 0
    """masked videos that need a person, of this run and earlier ones"""
    masked_share: float = 0.0
    """largest mean share of the picture under masks of a new output"""
    without_audio: int = 0
    """new outputs whose source has audio that was dropped"""
    frames: int = 0
    seconds: float = 0.0
    short_of_space: bool = False
    """whether a video waits for space on the disk"""

    def count(self, outcome: Outcome) -> None:
        """Take in how a video ended; one that waits is counted by `wait`."""
        if outcome.status is not VideoStatus.WAITING:
            self.outcomes[outcome.status] += 1
        event = outcome.event
        self.frames += event.frames.out if event and event.frames else 0
        self.masked_share = max(self.masked_share, (event and event.masked_share) or 0.0)
        if event and outcome.output and event.streams:
            self.without_audio += any(_AUDIO in stream.split() for stream in event.streams.dropped)

    def wait(self, reason: WaitReason, due: float | None = None) -> None:
        self.waiting[reason] += 1
        if due is not None:
            self.due[reason] = min(due, self.due.get(reason, due))

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of what happened."""
        if self.short_of_space:
            return ExitCode.NOT_READY
        if VideoStatus.BUG in self.outcomes:
            return ExitCode.BUG
        if VideoStatus.REFUSED_BY_POLICY in self.outcomes:
            return ExitCode.REFUSED_BY_POLICY
        if VideoStatus.FAILED in self.outcomes or VideoStatus.REFUSED in self.outcomes:
            return ExitCode.SOME_FAILED
        return ExitCode.NEEDS_REVIEW if self.needs_review or VideoStatus.NEEDS_REVIEW in self.outcomes else ExitCode.OK

    @property
    def line(self) -> str:
        """For people, without a full stop."""
        done = [f"{count} {status}" for status, count in sorted(self.outcomes.items()) if status != VideoStatus.SKIPPED]
        parts = [", ".join(done) or "nothing new"]
        if skipped := self.outcomes[VideoStatus.SKIPPED]:
            parts.append(f"{skipped} done before")
        if self.needs_review != self.outcomes[VideoStatus.NEEDS_REVIEW]:
            parts.append(f"{plural(self.needs_review, 'video')} in all to review")
        if self.without_audio:
            parts.append(f"audio dropped from {self.without_audio}")
        if self.waiting:
            left = ", ".join(self._waiting(reason) for reason in sorted(self.waiting))
            parts.append(f"waiting: {left}, the oldest for {rough_time(self.oldest_waiting)}")
        if self.quarantined:
            parts.append(f"{self.quarantined} in quarantine")
        if self.passed_over:
            parts.append(f"passed over: {counted_endings(self.passed_over)}")
        if self.frames and self.seconds:
            parts.append(f"{self.frames / self.seconds:.1f} frames/s")
        return "; ".join(parts)

    def _waiting(self, reason: WaitReason) -> str:
        counted = f"{self.waiting[reason]} {reason}"
        due = self.due.get(reason)
        return f"{counted} ({_DECIDED_BY[reason]} {clock(due)})" if due and reason in _DECIDED_BY else counted


def counted_endings(endings: Mapping[str, int]) -> str:
    """`2 .txt, 1 .srt`"""
    return ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))


def clock(when: float) -> str:
    """Local time of seconds since 1970, rounded up to a second; with its day where that is not today."""
    moment = datetime.fromtimestamp(ceil(when))
    return f"{moment:%H:%M:%S}" if moment.date() == datetime.now().date() else f"{moment:%Y-%m-%d %H:%M:%S}"


class ReviewCounter:
    """Masked videos of a folder that need a person. The log is read again only where it has changed."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._state, self._count = (-1, -1), 0

    def count(self) -> int:
        log = self._folder.log
        state = (log.stat().st_size, log.stat().st_mtime_ns) if log.exists() else (0, 0)
        if state != self._state:
            self._state, self._count = state, needing_review(Clips.read(self._folder.events()))
        return self._count


def needing_review(clips: Clips, names: Iterable[str] | None = None) -> int:
    """Masked videos that need a person: of all sources, or of those of these names."""
    chosen: Mapping[str, object] = clips.by_name if names is None else dict.fromkeys(names)
    masked = {clips.masked_of(clip).name: clip for clip in clips if clip.name in chosen}
    return sum(clip.review_required for clip in masked.values())
