"""What the audit log says of a video."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dashredact.pipeline import Finished
from dashredact.settings import Settings
from dashredact.store import origin
from dashredact.values import ORIGINS, Detector, Track


def context(detector: Detector, settings: Settings, fingerprint: str) -> dict[str, Any]:
    """When, by whom, with what: the part of a line that does not depend on the video."""
    return {
        **origin.told(),
        "model": asdict(detector.identity),
        "settings": settings.as_dict(),
        "fingerprint": fingerprint,
    }


def finished(done: Finished) -> dict[str, Any]:
    """What the audit log says of a finished file."""
    facts = done.facts
    kept = [str(facts.video), *map(str, done.choice.kept)]
    dropped = [*map(str, done.choice.dropped), *(["chapters"] if facts.chapters else []), "metadata"]
    return {
        "frames": {
            "in": len(facts.packets.shown_pts),
            "out": len(done.pts),
            "lost_at": [round(float(pts * facts.video.time_base), 4) for pts in done.lost],
        },
        "tracks": count(done.tracks),
        "streams": {"kept": kept, "dropped": dropped},
        "verified": asdict(done.checks),
        "notes": list(facts.notes),
        "seconds": {stage: round(spent, 2) for stage, spent in done.seconds.items()},
    }


def count(found: Sequence[Track]) -> dict[str, dict[str, int]]:
    """Per kind: tracks, and masked boxes by origin."""
    counts: dict[str, Counter[str]] = {}
    for track in found:
        own = counts.setdefault(track.kind, Counter())
        own["tracks"] += 1
        own.update(str(ORIGINS[number]) for number in track.origins)
    return {kind: dict(own) for kind, own in counts.items()}
