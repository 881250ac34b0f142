"""What the audit log says of a video."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from msgspec import convert

from dashredact.audit.events import FrameCounts, SecondLookEntry, StreamLists
from dashredact.pipeline.detect_pass import lost_frames
from dashredact.pipeline.recheck import RecheckResult, ResidualDetection
from dashredact.pipeline.video import RenderedVideo
from dashredact.values import ORIGINS, Track

_TOLD = 3  # finds that a reason names; the line has them all


def of_rendered(done: RenderedVideo) -> dict[str, Any]:
    """The fields of an event that tell of a finished file."""
    facts = done.facts
    kept = [str(facts.video), *map(str, done.choice.kept)]
    dropped = [*map(str, done.choice.dropped), *(["chapters"] if facts.chapters else []), "metadata"]
    return {
        "frames": FrameCounts(
            in_=len(facts.packets.shown_pts),
            out=len(done.pts),
            lost_at=[round(float(pts * facts.video.time_base), 4) for pts in done.lost],
        ),
        "tracks": count(done.tracks),
        "streams": StreamLists(kept=kept, dropped=dropped),
        "verified": asdict(done.checks),
        "notes": list(facts.notes),
        "second_look": second_look(done.again),
        "seconds": {stage: round(spent, 2) for stage, spent in done.seconds.items()},
    }


def second_look(again: RecheckResult | None) -> SecondLookEntry:
    """What the audit log and the tracks file say of it: that it ran, and every find; or that it did not run."""
    return convert({"ran": True, **asdict(again)}, SecondLookEntry) if again else SecondLookEntry(ran=False)


def doubts(done: RenderedVideo) -> list[str]:
    """Why a person should look."""
    lost = [lost_frames(done.lost, done.facts)] if done.lost else []
    return [*done.facts.damages, *lost, *_seen_again(done.again.finds if done.again else ())]


def _seen_again(finds: Sequence[ResidualDetection]) -> list[str]:
    if not finds:
        return []
    more = f" and {len(finds) - _TOLD} more" if len(finds) > _TOLD else ""
    return [f"the masked video still shows what may be a {', a '.join(map(str, finds[:_TOLD]))}{more}"]


def count(found: Sequence[Track]) -> dict[str, dict[str, int]]:
    """Per kind: tracks, and masked boxes by origin."""
    counts: dict[str, Counter[str]] = {}
    for track in found:
        own = counts.setdefault(track.kind, Counter())
        own["tracks"] += 1
        own.update(str(ORIGINS[number]) for number in track.origins)
    return {kind: dict(own) for kind, own in counts.items()}
