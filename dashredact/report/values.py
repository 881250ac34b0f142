"""What a page is made from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from dashredact.audit.clips import Clip
from dashredact.audit.events import Duplicate, ResidualEntry, ReviewVerdict, SecondLookEntry, Tried
from dashredact.kinds import KINDS, Kind
from dashredact.review import flags
from dashredact.review.draws import DrawRecord
from dashredact.review.flags import FlaggedTrack, Hole
from dashredact.review.queue import QueuedVideo
from dashredact.text import plural
from dashredact.tracking.timeline import duration, masked_shares
from dashredact.values import Array, Track


class DiskState(StrEnum):
    """A file of the folder against the audit log."""

    AS_LOGGED = "has the sha256 that the audit log names"
    CHANGED = "does not have the sha256 that the audit log names"
    MISSING = "is not there"
    OUTSIDE = "has a name that leads out of the folder; it was not opened"
    PURGED = "was purged"
    NONE = "was never made"


WRONG = (DiskState.CHANGED, DiskState.MISSING, DiskState.OUTSIDE)


class Mood(StrEnum):
    """How a badge looks."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True)
class Picture:
    """A thumbnail of the masked file."""

    time: float
    """seconds since the first frame"""
    width: int
    height: int
    data: str
    """the JPEG in base64"""
    words: str
    """what a screen reader says"""


@dataclass(frozen=True)
class Masks:
    """What the tracks file says of one video."""

    tracks: Sequence[Track]
    times: Array
    """(frames,) seconds since the first frame"""
    size: tuple[int, int]
    """width and height of the upright picture"""
    thresholds: Mapping[str, float]
    """score by kind from which a detection started a track"""

    @cached_property
    def flagged(self) -> list[FlaggedTrack]:
        """Every track that has a reason to be looked at, most pressing first."""
        return flags.rank_tracks(self.tracks, self.times, self.size, self.thresholds)

    @cached_property
    def short(self) -> list[Track]:
        """Seen for a moment only, in the order of the file."""
        return [track for track in self.tracks if flags.is_short(track, self.times)]

    @cached_property
    def holes(self) -> list[Hole]:
        return [hole for track in self.tracks for hole in flags.holes(track, self.times)]

    @cached_property
    def shares(self) -> Array:
        """(frames,) share of the picture under masks, 0..1."""
        return masked_shares(self.tracks, len(self.times), *self.size)

    @property
    def share(self) -> float:
        """Of the whole video, 0..1."""
        return float(self.shares.mean()) if len(self.shares) else 0.0

    @property
    def length(self) -> float:
        """Seconds, the last frame's own included."""
        return duration(self.times)

    def starts(self, frame: int) -> float:
        """Seconds at which the frame comes up; past the last frame, the length."""
        return float(self.times[frame]) if frame < len(self.times) else self.length


@dataclass(frozen=True)
class Video:
    """All there is to say of one source."""

    clip: Clip
    page: str
    """file name of its page"""
    queued: QueuedVideo
    """how it stands for a person, as `review list` has it"""
    output: DiskState = DiskState.NONE
    tracks_file: DiskState = DiskState.NONE
    masks: Masks | None = None
    faults: Sequence[str] = ()
    """why parts of the page are missing"""
    pictures: Sequence[Picture] = ()

    @property
    def name(self) -> str:
        return self.clip.name

    @property
    def outcome(self) -> str:
        """How the last try ended."""
        return str(self.clip.tried.type)

    @property
    def reason(self) -> str:
        return self.clip.tried.reason

    @property
    def result(self) -> Tried:
        """The newest try with an output; where there is none, the last try."""
        return self.clip.result or self.clip.tried

    @property
    def has_result(self) -> bool:
        return self.clip.result is not None

    @property
    def is_earlier(self) -> bool:
        """Whether the result is of a try before the last."""
        return self.clip.result is not None and self.clip.result.seq != self.clip.tried.seq

    @property
    def is_duplicate(self) -> bool:
        return isinstance(self.clip.result, Duplicate)

    @property
    def looked(self) -> SecondLookEntry | None:
        """The newest second look over the masked file; None where none ran."""
        return self.clip.file.second_look if self.clip.file else None

    @property
    def left(self) -> Sequence[ResidualEntry] | None:
        """What it saw and no mask covers by now; None where the tracks file cannot say."""
        return self.queued.residuals if self.looked and self.masks else None

    @property
    def frames(self) -> int:
        logged = self.result.frames.out if self.result.frames else 0
        return logged or (len(self.masks.times) if self.masks else 0)

    @property
    def length(self) -> float | None:
        """Seconds; None where the tracks file cannot say."""
        return self.masks.length if self.masks else None

    @property
    def work(self) -> float:
        """Seconds that the stages took together."""
        return float(sum(self.result.seconds.values()))

    @property
    def counts(self) -> dict[Kind, int]:
        """Tracks by kind, of the kinds that were to be masked and of others that are: people may draw any."""
        masked = self.clip.masking.parsed_settings().link.kinds
        counts = {kind: self._count(kind) for kind in KINDS}
        return {kind: count for kind, count in counts.items() if count or kind in masked}

    def _count(self, kind: Kind) -> int:
        """As the audit log has it; of a duplicate only the tracks file says so."""
        if self.is_duplicate and self.masks:
            return sum(track.kind is kind for track in self.masks.tracks)
        return int(self.result.tracks.get(kind, {}).get("tracks", 0))

    @property
    def is_open(self) -> bool:
        """Whether a person has something to do about it, as `review list` counts; of a duplicate the other one has."""
        return not self.is_duplicate and (self.queued.is_open or bool(self.wrong_files))

    @property
    def mood(self) -> Mood:
        if self.clip.failure or self.wrong_files or self.clip.verdict is ReviewVerdict.REJECTED:
            return Mood.BAD
        return Mood.LOOK if self.queued.is_open or self.faults else Mood.GOOD

    @property
    def wrong_files(self) -> list[str]:
        states = (("The masked video", self.output), ("The tracks file", self.tracks_file))
        return [f"{what} {state}." for what, state in states if state in WRONG]

    @property
    def todo(self) -> list[str]:
        """What a person has to do, beside looking at it for the first time and at single tracks."""
        clip, corrections = self.clip, self.clip.corrections
        sentences = [clip.failure.reason or str(clip.failure.type)] if clip.failure else []
        if clip.waits_for_review and clip.file and not self.is_duplicate:
            if clip.verdict is ReviewVerdict.REJECTED and clip.review:
                note = f": {clip.review.reason.rstrip('.')}" if clip.review.reason else ""
                sentences.append(f"{clip.review.actor} rejected it{note}; correct it.")
            elif not clip.verdict and clip.file.produced.reason:
                sentences.append(clip.file.produced.reason)
            if corrections.waiting:
                sentences.append(
                    f"{plural(corrections.waiting, 'correction')} not yet in the file; apply or undo them."
                )
            sentences += [
                f"Mark {mark.id} lost its object at frame {mark.end}; mark it from there on."
                for mark in corrections.unfinished_marks
            ]
        sentences += self.wrong_files
        return sentences + [fault for fault in self.faults if fault not in sentences]


@dataclass(frozen=True)
class Row:
    """What the batch page keeps of a video."""

    name: str
    page: str
    outcome: str
    state: str
    """of review"""
    mood: Mood
    is_open: bool
    is_duplicate: bool
    has_result: bool
    reason: str
    counts: Mapping[Kind, int]
    """see `Video.counts`"""
    to_look_at: int | None
    """tracks and finds of a second look that are worth a look; None where there is no tracks file"""
    share: float | None
    """of the picture under masks, 0..1; None where there is no tracks file"""
    todo: Sequence[str]
    frames: int
    length: float | None
    work: float
    policy: str
    picture: Picture | None

    @classmethod
    def of(cls, video: Video, picture: Picture | None) -> "Row":
        return cls(
            name=video.name,
            page=video.page,
            outcome=video.outcome,
            state=video.queued.state,
            mood=video.mood,
            is_open=video.is_open,
            is_duplicate=video.is_duplicate,
            has_result=video.has_result,
            reason=video.reason,
            counts=video.counts,
            to_look_at=video.queued.to_look_at if video.masks else None,
            share=video.masks.share if video.masks else None,
            todo=video.todo,
            frames=video.frames,
            length=video.length,
            work=video.work,
            policy=policy_words(video.result.policy),
            picture=picture,
        )


def policy_words(policy: object) -> str:
    """A policy as one piece of text, whatever the version of the log writes."""
    parts = policy.items() if isinstance(policy, Mapping) else ()
    return ", ".join(f"{key} {value}" for key, value in parts if value) or str(policy or "not said")


@dataclass(frozen=True)
class Folder:
    """All there is to say of a batch."""

    name: str
    rows: Sequence[Row]
    lines: int
    """of the audit log"""
    broken: str
    """why the audit log cannot be trusted; empty where it is whole"""
    has_head: bool
    """whether a head file beside the log names its last line"""
    left: int
    """work folders of videos that were not finished"""
    draws: Sequence[DrawRecord] = ()
    """frames drawn for a person to judge, oldest first"""

    @property
    def kinds(self) -> list[Kind]:
        """That were to be masked, or are, in any of the videos."""
        return [kind for kind in KINDS if any(kind in row.counts for row in self.rows)]

    @property
    def outcomes(self) -> dict[str, int]:
        """Videos by how the last try ended."""
        return dict(sorted(Counter(row.outcome for row in self.rows).items()))

    @property
    def states(self) -> dict[str, int]:
        """Videos by how they stand; duplicates share the state of another."""
        states = [row.state for row in self.rows if not row.is_duplicate]
        return {state: states.count(state) for state in sorted(set(states))}

    @property
    def waiting(self) -> int:
        """Videos that wait for a person, as `review list` counts them."""
        return sum(row.is_open for row in self.rows)

    @property
    def with_result(self) -> int:
        return sum(row.has_result for row in self.rows)

    @property
    def frames(self) -> int:
        """Of all videos but duplicates, whose output is another's."""
        return sum(row.frames for row in self.rows if not row.is_duplicate)

    @property
    def length(self) -> float:
        """Seconds of the same videos, as far as their length is known."""
        return sum(row.length or 0.0 for row in self.rows if not row.is_duplicate)

    @property
    def work(self) -> float:
        return sum(row.work for row in self.rows)

    @property
    def policies(self) -> dict[str, int]:
        named = [row.policy for row in self.rows]
        return {policy: named.count(policy) for policy in sorted(set(named))}
