"""What there is to review in an output folder, read from its audit log and tracks files. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dashredact.audit.clips import Clip, Clips
from dashredact.audit.events import Corrected, ResidualEntry, ReviewVerdict, SourceEvent
from dashredact.errors import RefusedError, UsageError, did_you_mean
from dashredact.formats import tracks_json
from dashredact.formats.tracks_json import TracksFile
from dashredact.media.brightness import mean_luma
from dashredact.pipeline.recheck import still_uncovered
from dashredact.review import flags
from dashredact.review.flags import FlaggedTrack, Priority
from dashredact.workspace.output_folder import OutputFolder


@dataclass(frozen=True)
class QueuedVideo:
    """A video, and why a person should look at it."""

    clip: Clip
    priority: Priority
    flagged: Sequence[FlaggedTrack] = ()
    """tracks that are worth a look, most pressing first"""
    residuals: Sequence[ResidualEntry] = ()
    """what a second look saw and no mask covers by now"""
    altered: bool = False
    """whether the masked file is gone, or not the one of the log"""

    @property
    def is_open(self) -> bool:
        """Whether a person has something to do about it."""
        return self.altered or self.clip.waits_for_review or self.clip.failure is not None

    @property
    def state(self) -> str:
        return "not the file of the log" if self.altered else state_of(self.clip)

    @property
    def to_look_at(self) -> int:
        """How many tracks and finds of a second look are worth a look."""
        return len(self.flagged) + len(self.residuals)


def state_of(clip: Clip) -> str:
    """How its masked file stands in a few words; where there is none, how trying it ended."""
    if clip.file is None or clip.output is None:
        return "purged" if clip.purged else str(clip.tried.type)
    corrections = clip.corrections
    open_ends = ["to be applied"] if corrections.waiting else []
    open_ends += ["a mark lost its object"] if corrections.unfinished_marks else []
    if clip.verdict is ReviewVerdict.REJECTED or (clip.verdict and not open_ends):
        return ", ".join([str(clip.verdict), *open_ends])
    made = clip.file.produced
    return ", ".join(open_ends) or ("corrected" if isinstance(made, Corrected) else f"{made.type}, not reviewed")


def assess(clip: Clip, file: TracksFile | None, luma: float | None, *, altered: bool) -> QueuedVideo:
    """file: None where the tracks file is not the one of the log. luma: mean of the masked file, None if not known."""
    failed = clip.failure.type if clip.failure else ""
    if clip.file is None or clip.output is None:
        return QueuedVideo(clip, flags.without_output(failed or str(clip.tried.type)))
    doubted = clip.file.doubted and not clip.approved_by
    if file is None:
        priority = flags.priority(None, 0, 0, luma, doubted=doubted, altered=altered, failed=failed)
        return QueuedVideo(clip, priority, altered=altered)
    flagged, residuals = rank_tracks(clip, file), residuals_of(clip, file)
    priority = flags.priority(
        flagged, len(file.tracks), len(residuals), luma, doubted=doubted, altered=altered, failed=failed
    )
    return QueuedVideo(clip, priority, [one for one in flagged if one.worth_a_look], residuals, altered)


def rank_tracks(clip: Clip, file: TracksFile) -> list[FlaggedTrack]:
    """Every track that has a reason to be looked at, most pressing first."""
    thresholds = {str(kind): score for kind, score in clip.masking.parsed_settings().link.thresholds.items()}
    return flags.rank_tracks(file.tracks, file.times, file.size, thresholds)


def residuals_of(clip: Clip, file: TracksFile) -> list[ResidualEntry]:
    """What a second look saw uncovered and no mask covers now."""
    look = clip.file.second_look if clip.file else None
    return still_uncovered(look.finds or [], file.tracks) if look else []


class ReviewQueue:
    """Of one output folder, as its log was when this was made."""

    def __init__(self, folder: OutputFolder) -> None:
        """LedgerError where the audit log is broken."""
        self.folder = folder
        self.events = folder.events()
        self.clips = Clips.read(self.events)

    def tried(self, name: str) -> Clip:
        """UsageError where no source of that name was tried."""
        if name not in self.clips.by_name:
            hint = did_you_mean(name, self.clips.by_name) or "`review list --all` lists the names."
            raise UsageError(f"The audit log of {self.folder} knows no source named {name}; {hint}")
        return self.clips.by_name[name]

    def masked(self, name: str) -> Clip:
        """The clip whose masked file stands for a source of that name: of a duplicate that under which it was masked.

        UsageError where there is no masked file of it.
        """
        clip = self.tried(name)
        if clip.purged:
            raise UsageError(f"{name}: its masked video was purged; there is nothing left to review.")
        if clip.output is None:
            raise UsageError(f"{name}: there is no masked video of it ({clip.tried.type}); mask it first.")
        return self.clips.masked_of(clip)

    def history(self, name: str) -> Sequence[SourceEvent]:
        """Every event about a source of that name, oldest first."""
        return [event for event in self.events if isinstance(event, SourceEvent) and event.name == name]

    def queue(self, *, every: bool = False) -> list[QueuedVideo]:
        """Videos that wait for a person, most pressing first. every: also those that are done."""
        clips = [*self.clips.masked(), *self.clips.unmasked()] if every else self._waiting()
        videos = [self.assessed(clip) for clip in clips]
        return sorted(videos, key=lambda video: (-video.priority.risk, video.clip.name))

    def matching(self, pattern: str) -> list[str]:
        """Names of the sources that fit a pattern as in a shell and whose videos wait for a person."""
        return [clip.name for clip in self._waiting() if fnmatchcase(clip.name, pattern)]

    def _waiting(self) -> list[Clip]:
        clips = [*self.clips.masked(), *self.clips.unmasked()]
        return [clip for clip in clips if clip.waits_for_review or clip.failure or self._altered(clip)]

    def output(self, clip: Clip) -> Path:
        """The masked file. RefusedError where it is not the one that the log names."""
        if clip.output is None:
            raise RefusedError(f"{clip.name}: there is no masked video of it.")
        return self.folder.file(clip.output)

    def tracks(self, clip: Clip) -> TracksFile:
        """RefusedError where the tracks file is not the one that the log names."""
        if clip.tracks_file is None:
            raise RefusedError(f"{clip.name}: the audit log names no tracks file for it; mask it again.")
        return tracks_json.read(self.folder.file(clip.tracks_file))

    def _altered(self, clip: Clip) -> bool:
        """By the size alone; to read every file would take hours, and is what `audit verify --files` is for."""
        if clip.output is None:
            return False
        path = self.folder.resolve(clip.output.name)
        return not path.is_file() or (clip.output.bytes is not None and path.stat().st_size != clip.output.bytes)

    def assessed(self, clip: Clip) -> QueuedVideo:
        """It and why a person should look at it; reads its tracks file, and a few frames of the masked file."""
        if clip.output is None:
            return assess(clip, None, None, altered=False)
        luma = mean_luma(self.folder.resolve(clip.output.name))
        try:
            file = self.tracks(clip)
        except (RefusedError, UsageError):
            file = None
        return assess(clip, file, luma, altered=self._altered(clip))
