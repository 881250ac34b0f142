"""Who was handed which version of a clip, and whom a later correction, rejection or deletion concerns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from dashredact.audit.clips import Clip
from dashredact.audit.events import Corrected, Event, Exported, Purged, Reviewed, ReviewVerdict, files_of


@dataclass(frozen=True)
class Disclosure:
    """A version of a clip that went to somebody."""

    line: int
    time: str
    clip: str
    """name of the source"""
    output: str
    """name of the masked file under the output folder"""
    sha256: str
    """of that masked file; a copy for one person was made with its masks"""
    recipient: str
    purpose: str
    contract: str

    def is_personal_for(self, reference: str) -> bool:
        """Whether it is the copy that somebody got of themselves, under that number of the operator's own file."""
        return not self.purpose and self.recipient.startswith("request ") and self.recipient.endswith(f": {reference}")

    def is_of(self, clip: Clip) -> bool:
        """Whether it was this clip, under whatever name: duplicates share the masked file."""
        output = clip.result.output if clip.result else None
        return self.clip == clip.name or (output is not None and self.output == output.name)

    def fits(self, patterns: Iterable[str]) -> bool:
        """Whether its source or its masked file has such a name, or fits it as a pattern."""
        names = (self.clip, self.output)
        return any(pattern in names or any(fnmatchcase(name, pattern) for name in names) for pattern in patterns)


class RecallCause(StrEnum):
    CORRECTED = "corrected"
    REJECTED = "rejected"
    PURGED = "purged"


@dataclass(frozen=True)
class Recall:
    """Somebody to tell, and why."""

    disclosure: Disclosure
    act: RecallCause
    line: int
    time: str
    reason: str


def disclosures(events: Iterable[Event]) -> list[Disclosure]:
    """Everything that was handed out, oldest first."""
    return [
        Disclosure(
            event.seq,
            event.time,
            event.name,
            event.output.name,
            event.output.sha256,
            event.recipient,
            event.purpose,
            event.contract,
        )
        for event in events
        if isinstance(event, Exported) and event.output
    ]


def recalls(events: Sequence[Event]) -> list[Recall]:
    """Whoever holds a version that was corrected, rejected or purged after they got it, oldest event first.

    A rejection counts while no later review approves the same version.
    """
    by_digest: dict[str, list[Disclosure]] = {}
    by_output: dict[str, list[Disclosure]] = {}
    for one in disclosures(events):
        by_digest.setdefault(one.sha256, []).append(one)
        by_output.setdefault(one.output, []).append(one)
    reviews = {event.output.sha256: event for event in events if isinstance(event, Reviewed) and event.output}
    return [
        Recall(one, cause, event.seq, event.time, event.reason)
        for event in events
        for cause, concerned in _concerned(event, by_digest, by_output, reviews)
        for one in concerned
        if one.line < event.seq
    ]


def _concerned(
    event: Event,
    by_digest: dict[str, list[Disclosure]],
    by_output: dict[str, list[Disclosure]],
    reviews: dict[str, Reviewed],
) -> Iterable[tuple[RecallCause, Sequence[Disclosure]]]:
    if isinstance(event, Corrected):
        yield RecallCause.CORRECTED, by_digest.get(event.replaces, ())
    elif isinstance(event, Purged):
        names = {file.name for file in files_of(event)}
        yield RecallCause.PURGED, [one for name in sorted(names) for one in by_output.get(name, ())]
    elif isinstance(event, Reviewed) and event.output and reviews[event.output.sha256] is event:
        yield (
            RecallCause.REJECTED,
            by_digest.get(event.output.sha256, ()) if event.verdict is ReviewVerdict.REJECTED else (),
        )
