"""How every video stands, read from the events of the audit log in one pass.

Report, review, retention, requests, disclosure and evidence all ask here, so that no two of them disagree about a
video. The rules:

- A clip is a source that was tried, under its name. Its result is the newest try that gave it an output.
- A duplicate has no file of its own: the newest file made of the same content under that name stands for it, with all
  that people decided about that file. Where the name was given to another content since, the duplicate has no output.
- A mark belongs to the content of a source: where that is masked again, it has to be applied again. An unmasked track
  belongs to one masking and lapses with it.
- A review is of one version of one file, by its sha256, and counts from the line that made it on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from dashredact.audit.corrections import Corrections
from dashredact.audit.events import (
    Actor,
    Corrected,
    Duplicate,
    Event,
    FileEntry,
    Marked,
    NeedsReview,
    NotMasked,
    Produced,
    Purged,
    Quarantined,
    Retried,
    Reviewed,
    ReviewVerdict,
    RunEvent,
    Sealed,
    SecondLookEntry,
    SourceEntry,
    SourceEvent,
    Tried,
    Undone,
    Unmasked,
    files_of,
)


class Content(NamedTuple):
    """What came under one name, told apart by its sha256: names are used again."""

    name: str
    sha256: str | None
    """None where the source could not be read"""


@dataclass(frozen=True)
class SourceVersion:
    """One content of one source, and when it was filmed as far as the log says."""

    content: Content
    first_tried: str
    """day, ISO 8601, UTC"""
    captured: str = ""
    """day of filming, ISO 8601; empty where no line about this content says one"""


@dataclass(frozen=True)
class Artifact:
    """A masked video, tracks file or detections file that should lie in the output folder."""

    file: FileEntry
    seq: int
    """of the line that made it"""
    sources: tuple[SourceVersion, ...]
    """every source of that content, under whatever name"""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(source.content.name for source in self.sources)

    @property
    def digests(self) -> frozenset[str | None]:
        return frozenset(source.content.sha256 for source in self.sources)


@dataclass(frozen=True)
class MaskedFile:
    """The newest version of one masked file, and what people decided about it."""

    produced: Produced
    corrections: Corrections
    second_look: SecondLookEntry | None = None
    """newest one that ran over a version of this masking"""
    review: Reviewed | None = None
    """newest one of exactly this version"""
    purged: bool = False
    doubted: bool = False
    """whether masking left a doubt; a correction does not settle it, an approval does"""


@dataclass(frozen=True)
class Clip:
    """A source that was tried, as the log leaves it."""

    name: str
    """of the source"""
    events: Sequence[SourceEvent]
    """every line about a source of that name, oldest first"""
    tried: Tried
    """newest try, whatever came of it"""
    result: Produced | Duplicate | None
    """newest try that gave it an output; of a duplicate with the files as corrections left them"""
    masking: Tried
    """newest try that says with which settings the result was masked: a correction may not"""
    version: SourceVersion
    """what the newest try was about"""
    file: MaskedFile | None = None
    """the masked file that stands for it, purged or not; None where there never was one, or another content has its
    name by now"""
    source_review: Reviewed | None = None
    """newest review that names a source of this content and no output, as old logs have it"""
    erased: bool = False
    """whether the source is gone on purpose"""
    location: str = ""
    """where the source lies now, relative to the inbox"""
    quarantined: bool = False
    sealed: FileEntry | None = None
    """encrypted copy of the source, relative to the inbox"""

    @property
    def output(self) -> FileEntry | None:
        """The masked file; None where there is none any more."""
        return self.file.produced.output if self.file and not self.file.purged else None

    @property
    def tracks_file(self) -> FileEntry | None:
        return self.file.produced.tracks_file if self.file and not self.file.purged else None

    @property
    def source(self) -> SourceEntry:
        """Of the result; where there is none, of the newest try."""
        source = (self.result or self.tried).source
        assert source is not None, "only events with a source make clips"
        return source

    @property
    def digests(self) -> frozenset[str | None]:
        """sha256 of everything that ever came under its name."""
        return frozenset(event.source.sha256 for event in self.events if event.source)

    @property
    def purged(self) -> bool:
        """Whether the masked file is gone on purpose."""
        return self.file is not None and self.file.purged

    @property
    def failure(self) -> NotMasked | None:
        """The newest try where it gave no output and that waits for somebody to do something about it.

        It waits until the source is masked, gone on purpose, or a person has written down that it stays unmasked.
        """
        dismissed = self.source_review is not None and self.source_review.seq > self.tried.seq
        return self.tried if isinstance(self.tried, NotMasked) and not self.erased and not dismissed else None

    @property
    def captured(self) -> str:
        """Day of filming, ISO 8601, as logged for this content; empty where the log does not say."""
        return self.version.captured

    @property
    def corrections(self) -> Corrections:
        return self.file.corrections if self.file else Corrections()

    @property
    def review(self) -> Reviewed | None:
        """Newest review of exactly the masked file."""
        return self.file.review if self.file else None

    @property
    def verdict(self) -> ReviewVerdict | None:
        """Of the newest review of exactly the masked file; None before there is one, or where it does not say."""
        return self.review.verdict or None if self.review else None

    @property
    def approved_by(self) -> Actor | None:
        return self.review.actor if self.review and self.verdict is ReviewVerdict.APPROVED else None

    @property
    def masked_by(self) -> Actor:
        """Who made the masked file as it is."""
        return (self.file.produced if self.file else self.tried).actor

    @property
    def waits_for_review(self) -> bool:
        """Whether the masked file is there and nobody has approved it as people want it to be."""
        return self.output is not None and (self.verdict is not ReviewVerdict.APPROVED or not self.corrections.settled)

    @property
    def review_required(self) -> bool:
        """Whether it waits, and not only because nobody has looked yet: masking left a doubt, or a person found fault.

        Without the source nothing of this can be put right.
        """
        doubted = self.file is not None and self.file.doubted
        unseen = self.review is None and self.source_review is None
        rejected = self.verdict is ReviewVerdict.REJECTED or (
            self.review is None
            and self.source_review is not None
            and self.source_review.verdict is ReviewVerdict.REJECTED
        )
        return self.waits_for_review and (rejected or not self.corrections.settled or (doubted and unseen))

    def fits(self, pattern: str) -> bool:
        """Whether its source or its masked file, there or not, has such a name, or fits it as a pattern."""
        names = [self.name, *([self.result.output.name] if self.result and self.result.output else [])]
        return pattern in names or any(fnmatchcase(name, pattern) for name in names)


@dataclass(frozen=True)
class Clips:
    """Every source that was tried, and every file that was made of one."""

    by_name: Mapping[str, Clip]
    """in the order of the first try"""
    artifacts: Mapping[str, Artifact]
    """by name under the output folder: what should lie there"""
    sealed_copies: Mapping[str, Sequence[FileEntry]]
    """by sha256 of the source, every encrypted copy that the log names, there or not"""

    @classmethod
    def read(cls, events: Iterable[Event]) -> "Clips":
        """Of a whole log, oldest event first."""
        reader = _Reader()
        for event in events:
            reader.take(event)
        return reader.clips()

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.by_name.values())

    def __len__(self) -> int:
        return len(self.by_name)

    def masked(self) -> list[Clip]:
        """One clip for each masked file that should be there: duplicates are left out."""
        return [clip for clip in self if clip.output and not isinstance(clip.result, Duplicate)]

    def unmasked(self) -> list[Clip]:
        """Clips that no try has given a masked file, and whose source was not deleted on purpose."""
        return [clip for clip in self if clip.result is None and not clip.erased]

    def masked_of(self, clip: Clip) -> Clip:
        """The clip under whose name the masked file of a duplicate was made; of all others the clip itself."""
        return self.by_name.get(clip.file.produced.name, clip) if clip.file else clip

    def named(self, patterns: Sequence[str]) -> tuple[list[Clip], list[str]]:
        """The clips whose source or masked file has or fits one of the names; and the names that fit none."""
        wanted = {pattern: [clip for clip in self if clip.fits(pattern)] for pattern in patterns}
        chosen = {clip.name: clip for several in wanted.values() for clip in several}
        return list(chosen.values()), [pattern for pattern, several in wanted.items() if not several]


@dataclass
class _State:
    """Of one name, while the log is read."""

    tried: Tried
    content: Content
    tries: list[Tried] = field(default_factory=list)
    erased: int = 0
    """number of the line that says so"""
    moved_to: str = ""
    sealed: FileEntry | None = None


class _Reader:
    """Takes events one after the other, and remembers what the later ones need."""

    def __init__(self) -> None:
        self._events: dict[str, list[SourceEvent]] = {}
        self._states: dict[str, _State] = {}
        self._versions: dict[Content, SourceVersion] = {}
        self._files: dict[str, MaskedFile] = {}  # by name under the output folder
        self._current: dict[str, str] = {}  # of a source, the name of its masked file
        self._artifacts: dict[str, Artifact] = {}
        self._source_reviews: dict[str, Reviewed] = {}  # by sha256, or where there is none by name
        self._sealed_copies: dict[str, list[FileEntry]] = {}
        self._by_digest: dict[str, set[str]] = {}  # names of masked files that ever had that sha256

    def take(self, event: Event) -> None:
        if isinstance(event, SourceEvent) and event.name:
            self._events.setdefault(event.name, []).append(event)
        if isinstance(event, RunEvent) and event.source:
            self._date(event, Content(event.source.name, event.source.sha256))
        if isinstance(event, Tried) and event.source:
            self._take_try(event, Content(event.source.name, event.source.sha256))
        elif isinstance(event, Purged):
            self._take_purge(event)
        elif isinstance(event, Reviewed):
            self._take_review(event)
        elif isinstance(event, Marked | Unmasked | Undone):
            self._correct(event)
        elif isinstance(event, SourceEvent) and event.name in self._states:
            self._take_move(event, self._states[event.name])

    # --- one kind of event each --------------------------------------------------------------------------------------

    def _date(self, event: RunEvent, content: Content) -> None:
        known, captured = self._versions.get(content), event.captured
        if known is None:
            self._versions[content] = SourceVersion(content, event.time[:10], captured)
        elif captured:
            self._versions[content] = replace(known, captured=captured)

    def _take_try(self, event: Tried, content: Content) -> None:
        before = self._states.get(content.name)
        same = before is not None and before.content == content
        state = _State(
            event, content, before.tries if before else [], sealed=before.sealed if before and same else None
        )
        state.tries.append(event)
        self._states[content.name] = state
        if isinstance(event, Produced) and event.output:
            self._take_file(event, event.output.name)
        if isinstance(event, Produced | Duplicate):
            for file in files_of(event):
                self._take_artifact(event, file, content)

    def _take_file(self, event: Produced, output: str) -> None:
        before = self._files.get(self._current.get(event.name, ""))
        corrections = before.corrections if before else Corrections()
        looked = event.second_look if event.second_look and event.second_look.finds is not None else None
        doubted = isinstance(event, NeedsReview)
        if isinstance(event, Corrected):
            corrections = corrections.after(event)
            looked = looked or (before.second_look if before else None)
            doubted = before is not None and before.doubted
        else:
            same = before is not None and _digest(before.produced) == _digest(event)
            corrections = corrections.for_new_masking(same_content=same)
        self._files[output] = MaskedFile(event, corrections, looked, doubted=doubted)
        self._current[event.name] = output
        if event.output:
            self._by_digest.setdefault(event.output.sha256, set()).add(output)

    def _take_artifact(self, event: Produced | Duplicate, file: FileEntry, content: Content) -> None:
        other = self._artifacts.get(file.name)
        joined = other if other and (other.file.sha256 == file.sha256 or content.sha256 in other.digests) else None
        sources = {source.content: source for source in (joined.sources if joined else ())}
        sources[content] = self._versions[content]
        if isinstance(event, Produced):
            self._artifacts[file.name] = Artifact(file, event.seq, tuple(sources.values()))
        elif joined:
            self._artifacts[file.name] = replace(joined, sources=tuple(sources.values()))

    def _take_purge(self, event: Purged) -> None:
        named = [*files_of(event)]
        for file in named:
            self._artifacts.pop(file.name, None)
            if file.name in self._files:
                self._files[file.name] = replace(self._files[file.name], purged=True)
        if not named and event.name in self._states:
            self._states[event.name].erased = event.seq
        self._remember_sealed(event)

    def _take_review(self, event: Reviewed) -> None:
        if event.output is None:
            if event.source:
                self._source_reviews[event.source.sha256 or event.source.name] = event
            return
        for name in self._by_digest.get(event.output.sha256, ()):
            file = self._files[name]
            if file.produced.output and file.produced.output.sha256 == event.output.sha256:
                self._files[name] = replace(file, review=event)

    def _correct(self, event: Marked | Unmasked | Undone) -> None:
        output = self._current.get(event.name, "")
        if file := self._files.get(output):
            self._files[output] = replace(file, corrections=file.corrections.after(event))

    def _take_move(self, event: SourceEvent, state: _State) -> None:
        if isinstance(event, Quarantined):
            state.moved_to = event.moved_to
        elif isinstance(event, Retried):
            state.moved_to = ""
        elif isinstance(event, Sealed):
            state.sealed = event.sealed
            self._remember_sealed(event)

    def _remember_sealed(self, event: Purged | Sealed) -> None:
        if event.sealed and event.source and event.source.sha256:
            copies = self._sealed_copies.setdefault(event.source.sha256, [])
            copies += [event.sealed] if event.sealed not in copies else []

    # --- what comes of them ------------------------------------------------------------------------------------------

    def clips(self) -> Clips:
        clips = {name: self._clip(name, state) for name, state in self._states.items()}
        artifacts = {
            name: replace(artifact, sources=tuple(self._versions[one.content] for one in artifact.sources))
            for name, artifact in self._artifacts.items()
        }
        return Clips(clips, artifacts, self._sealed_copies)

    def _clip(self, name: str, state: _State) -> Clip:
        results = [event for event in state.tries if isinstance(event, Produced | Duplicate) and event.output]
        result = results[-1] if results else None
        file = self._file_of(result) if result else None
        if isinstance(result, Duplicate) and file:
            result = msgspec.structs.replace(result, output=file.produced.output, tracks_file=file.produced.tracks_file)
        masking = next((event for event in reversed(results or state.tries) if event.settings), result or state.tried)
        review = self._source_reviews.get(state.content.sha256 or name)
        return Clip(
            name,
            self._events[name],
            state.tried,
            result,
            masking,
            self._versions[state.content],
            file,
            review if review and review.seq > (result or state.tried).seq else None,
            state.erased > state.tried.seq,
            state.moved_to or name,
            bool(state.moved_to),
            state.sealed,
        )

    def _file_of(self, result: Produced | Duplicate) -> MaskedFile | None:
        """None where another content has its name by now."""
        file = self._files.get(result.output.name) if result.output else None
        return file if file and _digest(file.produced) == _digest(result) else None


def _digest(event: SourceEvent) -> str | None:
    return event.source.sha256 if event.source else None
