"""Whom to tell that a clip which they were handed is wrong, or is to be deleted."""

from collections.abc import Iterable, Sequence

from dashredact.audit.clips import Clip, Clips
from dashredact.audit.disclosures import Recall, recalls
from dashredact.audit.events import Event
from dashredact.workspace.output_folder import OutputFolder


def recalls_of(folder: OutputFolder, names: Sequence[str]) -> list[Recall]:
    """names: of sources or masked files, there or not, or patterns of them; empty for all clips."""
    events = folder.events()
    if not names:
        return recalls(events)
    chosen, _ = Clips.read(events).named(names)
    current = concerning(events, chosen)
    return [recall for recall in recalls(events) if recall in current or recall.disclosure.fits(names)]


def concerning(events: Sequence[Event], clips: Iterable[Clip]) -> list[Recall]:
    """Those about the clips, under whatever name they were handed over."""
    clips = list(clips)
    return [recall for recall in recalls(events) if any(recall.disclosure.is_of(clip) for clip in clips)]
